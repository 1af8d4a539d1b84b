#include "http/curl_transfer.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include "base/text.h"
#include "http/address.h"
#include "http/curl_error.h"

namespace parallax::http {

namespace {

constexpr long kReceiveBufferBytes = 100L << 10U;     // what the curl program uses
constexpr std::size_t kHeaderBytesMax = 256U << 10U;  // libcurl itself gives up above 300 kB
constexpr std::size_t kReserveBytesMax = 64U << 20U;  // of memory taken on a Content-Length's word
constexpr Micros kPollMax = Seconds(60);
constexpr long kDnsCacheSeconds = 60;
constexpr Micros kCachedResolveMax{200};

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

using List = std::unique_ptr<curl_slist, ListDeleter>;

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  CHECK(longer != nullptr, "out of memory");
  if (list == nullptr) {
    list.reset(longer);
  }
}

std::string ip_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  } else if (address->sa_family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  } else {
    return {};
  }
  const char* end = inet_ntop(address->sa_family, bytes, text.data(), text.size());
  return end == nullptr ? std::string{} : std::string(text.data());
}

std::string join(const std::string& ip, long port) {
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port) : fmt::format("[{}]:{}", ip, port);
}

std::string peer_text(const sockaddr* address) {
  // The port lies at the same place for both families.
  return join(ip_text(address), ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port));
}

// Time since the start at which each phase was over; zero: not yet.
struct Stamps {
  Micros resolved{0}, connected{0}, secured{0}, ready{0}, first_byte{0};
};

}  // namespace

struct CurlChannel::Handles {
  std::unique_ptr<CURLM, MultiDeleter> multi{curl_multi_init()};
  std::unique_ptr<CURL, EasyDeleter> easy{curl_easy_init()};
  std::array<char, CURL_ERROR_SIZE> message{};
};

CurlChannel::CurlChannel(std::string trust_key, std::string connection_key, std::string first_authority)
    : trust(std::move(trust_key)),
      key(std::move(connection_key)),
      authority(std::move(first_authority)),
      handles(std::make_unique<Handles>()) {
  CHECK(handles->multi != nullptr && handles->easy != nullptr, "out of memory");
}

CurlChannel::~CurlChannel() = default;

namespace {

// What libcurl's callbacks work on. They never throw: an exception would cross C code.
class Transfer {
 public:
  Transfer(CurlChannel& channel, const Request& request, const Url& url, const SendOptions& options, TrustStore& trust,
           const Clock& clock)
      : multi_(channel.handles->multi.get()),
        easy_(channel.handles->easy.get()),
        message_(channel.handles->message),
        request_(request),
        url_(url),
        options_(options),
        trust_(trust),
        clock_(clock),
        header_bytes_max_(std::min(options.header_bytes_max, kHeaderBytesMax)) {
    const auto relay = options.connect_to.find(url.authority());
    relay_ = relay == options.connect_to.end() ? std::string{} : relay->second;
  }

  Exchange run(const std::stop_token& stop);

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    CHECK(code == CURLE_OK || code == CURLE_OUT_OF_MEMORY, curl_easy_strerror(code));
  }

  void set_connect_timeout(Micros limit) {
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::chrono::ceil<Millis>(limit).count()));
  }

  void set_up();
  void set_up_connection();
  void set_up_request();
  void loop(const std::stop_token& stop);
  bool finished();
  void look_for_connection();
  void observe();
  bool first_byte_came() const;
  bool limit_passed();
  Phase phase() const;
  std::pair<Micros, Micros> phase_limit(Phase phase) const;
  void finish();
  Timings timings(Phase reached, Micros total) const;

  Micros elapsed() const { return clock_.monotonic() - started_; }

  Micros stamp(CURLINFO what) const {
    curl_off_t value = 0;
    curl_easy_getinfo(easy_, what, &value);
    return Micros(value);
  }

  static std::size_t on_header(char* data, std::size_t one, std::size_t size, void* self);
  static std::size_t on_body(char* data, std::size_t one, std::size_t size, void* self);
  static int on_request(void* self, char* peer_ip, char* local_ip, int peer_port, int local_port);
  static CURLcode on_tls_context(CURL* easy, void* context, void* self);
  void note_security();
  void note_address();
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  bool take_header(std::string_view line);
  bool take_body(std::string_view piece);

  CURLM* const multi_;
  CURL* const easy_;
  std::array<char, CURL_ERROR_SIZE>& message_;
  const Request& request_;
  const Url& url_;
  const SendOptions& options_;
  TrustStore& trust_;
  const Clock& clock_;
  const std::size_t header_bytes_max_;
  std::string relay_;
  List headers_, connect_to_;

  Exchange exchange_;
  OwnLimit own_ = OwnLimit::none;
  Micros limit_{0};  // the one that was passed
  std::optional<CURLcode> done_;
  Monotonic started_;
  Stamps stamps_;
  Micros sent_{0};
  Micros first_header_{0};
  Micros seen_connected_{0};
  std::vector<std::pair<curl_socket_t, std::string>> sockets_;  // opened for this exchange, and where they lead
  Micros last_activity_{0};
  curl_off_t uploaded_ = 0;
  bool active_ = false;  // a callback brought bytes since the last look
  bool connected_ = false;
  bool request_started_ = false;  // the connection is there
  bool headers_done_ = false;
  bool socket_refused_ = false, socket_allowed_ = false;
  std::size_t header_bytes_ = 0;
};

void Transfer::set_up_connection() {
  const ConnectionPolicy policy = options_.connection;
  const bool fresh = policy == ConnectionPolicy::fresh_kept || policy == ConnectionPolicy::fresh;
  const bool closed = policy == ConnectionPolicy::reuse_last || policy == ConnectionPolicy::fresh;
  const bool keyed = !options_.connection_key.empty();
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // do not wait for a resolver thread that we have given up on
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PROXY, "");  // whatever the environment says: a proxy would be what we measure
  set(CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
  set(CURLOPT_FORBID_REUSE, closed ? 1L : 0L);
  // The oldest one is closed once there are more.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, keyed ? 1L : 0L);
  set(CURLOPT_SSL_SESSIONID_CACHE, fresh || keyed ? 0L : 1L);
  set(CURLOPT_DNS_CACHE_TIMEOUT, fresh || keyed ? 0L : kDnsCacheSeconds);
  set(CURLOPT_IPRESOLVE, static_cast<long>(options_.family == AddressFamily::ipv4   ? CURL_IPRESOLVE_V4
                                           : options_.family == AddressFamily::ipv6 ? CURL_IPRESOLVE_V6
                                                                                    : CURL_IPRESOLVE_WHATEVER));
  // libcurl gives each of several addresses half of the time that is left; it lasts until there is a connection.
  set_connect_timeout(options_.limits.resolve + options_.limits.connect);
  // libcurl would parse the roots anew for each handle, tens of milliseconds that would count as the server's
  // handshake: they are parsed once and shared.
  if (url_.scheme == "https") {
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
    set(CURLOPT_SSL_CTX_FUNCTION, &on_tls_context);
    set(CURLOPT_SSL_CTX_DATA, this);
    trust_.prepare(options_.ca_file, clock_.monotonic());
  }
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // libcurl 7.88 refuses this while a handle still has its buffer, as after a failure before there was a connection;
  // that buffer is as large as this one already.
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  set(CURLOPT_OPENSOCKETFUNCTION, &on_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  if (!relay_.empty()) {
    append(connect_to_, fmt::format("::{}", relay_));
    set(CURLOPT_CONNECT_TO, connect_to_.get());
  }
}

void Transfer::set_up_request() {
  set(CURLOPT_URL, fmt::format("{}://{}/", url_.scheme, url_.host_header()).c_str());
  // libcurl's own parser never sees the path, so that it goes out as it was written.
  set(CURLOPT_REQUEST_TARGET, url_.target().c_str());
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else {
    if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH") {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      set(CURLOPT_POSTFIELDS, request_.body.c_str());
    }
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  for (const auto& [name, value] : request_.headers) {
    // Framing is the transport's.
    if (!equals_ignore_case(name, "Content-Length") && !equals_ignore_case(name, "Transfer-Encoding")) {
      append(headers_, value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
    }
  }
  for (const std::string_view added_by_curl : {"Accept", "Content-Type", "Expect", "User-Agent"}) {
    if (request_.headers.find(added_by_curl) == nullptr) {
      append(headers_, fmt::format("{}:", added_by_curl));
    }
  }
  set(CURLOPT_HTTPHEADER, headers_.get());
}

void Transfer::set_up() {
  curl_easy_reset(easy_);
  message_[0] = '\0';
  set(CURLOPT_ERRORBUFFER, message_.data());
  set_up_connection();
  set_up_request();
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_PREREQFUNCTION, &on_request);
  set(CURLOPT_PREREQDATA, this);
}

std::size_t Transfer::on_header(char* data, std::size_t /*one*/, std::size_t size, void* self) {
  try {
    return static_cast<Transfer*>(self)->take_header({data, size}) ? size : 0;
  } catch (...) {
    return 0;
  }
}

std::size_t Transfer::on_body(char* data, std::size_t /*one*/, std::size_t size, void* self) {
  try {
    return static_cast<Transfer*>(self)->take_body({data, size}) ? size : 0;
  } catch (...) {
    return 0;
  }
}

bool Transfer::take_header(std::string_view line) {
  active_ = true;
  if (header_bytes_ == 0) {
    first_header_ = elapsed();
  }
  header_bytes_ += line.size();
  if (header_bytes_ > header_bytes_max_) {
    own_ = OwnLimit::headers_too_large;
    return false;
  }
  if (headers_done_) {
    return true;  // trailers of a chunked body
  }
  Response& response = exchange_.response;
  const std::string_view text = trim(line);
  if (line.starts_with("HTTP/")) {
    const std::size_t blank = text.find(' ');
    const std::string_view code = blank == std::string_view::npos ? std::string_view{} : text.substr(blank + 1, 3);
    std::from_chars(code.data(), code.data() + code.size(), response.status);
  } else if (text.empty()) {
    headers_done_ = response.status >= 200;
    if (!headers_done_) {
      response = {};  // an interim answer (1xx)
    }
  } else if (line.front() == ' ' || line.front() == '\t') {
    if (!response.headers.empty()) {
      const auto& last = *std::prev(response.headers.end());
      const std::string name = last.first;
      const std::string folded = fmt::format("{} {}", last.second, text);
      response.headers.set(name, folded);
    }
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    response.headers.add(std::string(trim(text.substr(0, colon))), std::string(trim(text.substr(colon + 1))));
  }
  return true;
}

bool Transfer::take_body(std::string_view piece) {
  active_ = true;
  std::uint64_t& received = exchange_.transport.bytes_wire;
  std::string& body = exchange_.response.body;
  const std::size_t room = options_.body_bytes_max - std::min<std::size_t>(received, options_.body_bytes_max);
  const std::string_view accepted = piece.substr(0, room);
  if (!options_.on_body && received == 0) {
    curl_off_t announced = 0;
    curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    body.reserve(std::min(
        {static_cast<std::size_t>(std::max<curl_off_t>(announced, 0)), options_.body_bytes_max, kReserveBytesMax}));
  }
  if (received == 0 && !accepted.empty() && options_.on_head) {
    options_.on_head(exchange_.response);
  }
  received += accepted.size();
  if (!options_.on_body) {
    body.append(accepted);
  } else if (!accepted.empty() && !options_.on_body(accepted)) {
    own_ = OwnLimit::body_refused;
    return false;
  }
  if (accepted.size() < piece.size()) {
    own_ = OwnLimit::body_too_large;
    return false;
  }
  return true;
}

int Transfer::on_request(void* self, char* peer_ip, char* /*local_ip*/, int peer_port, int /*local_port*/) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    // libcurl sends a request again when a kept-alive connection turns out dead; what to repeat is the caller's to say.
    if (transfer.request_started_) {
      transfer.own_ = OwnLimit::resent;
      return CURL_PREREQFUNC_ABORT;
    }
    transfer.request_started_ = true;
    transfer.exchange_.transport.peer = join(peer_ip, peer_port);
    transfer.note_security();
    return CURL_PREREQFUNC_OK;
  } catch (...) {
    return CURL_PREREQFUNC_ABORT;
  }
}

CURLcode Transfer::on_tls_context(CURL* /*easy*/, void* context, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    return transfer.trust_.give_to(transfer.options_.ca_file, context) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
  } catch (...) {
    return CURLE_OUT_OF_MEMORY;
  }
}

// What the TLS session says of itself; nothing on plain http.
void Transfer::note_security() {
  curl_tlssessioninfo* session = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_TLS_SSL_PTR, &session);
  if (session == nullptr || session->backend != CURLSSLBACKEND_OPENSSL || session->internals == nullptr) {
    return;
  }
  const SSL* const tls = static_cast<const SSL*>(session->internals);
  exchange_.transport.tls_version = SSL_get_version(tls);
  const char* const cipher = SSL_get_cipher_name(tls);
  exchange_.transport.tls_cipher = cipher == nullptr ? "" : cipher;
  exchange_.transport.certificate_expires_at = certificate_end(tls);
}

void Transfer::note_address() {
  Transport& transport = exchange_.transport;
  if (!transport.peer.empty()) {
    transport.address_family = transport.peer.starts_with('[') ? "ipv6" : "ipv4";
  }
  const std::string host = relay_.empty() ? url_.host : relay_.substr(0, relay_.rfind(':'));
  if (is_address(host)) {
    transport.dns = "literal";
  } else if (transport.reused) {
    transport.dns = "cached";
  } else if (stamps_.resolved > Micros(0)) {
    const bool asked = options_.connection != ConnectionPolicy::reuse || !options_.connection_key.empty();
    // Plain reuse has libcurl's cache: what comes from there takes less than any resolver does.
    transport.dns = asked || stamps_.resolved > kCachedResolveMax ? "fresh" : "cached";
  }
}

curl_socket_t Transfer::on_socket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    const std::string ip = ip_text(&address->addr);
    // The relay's address was chosen by our caller, not by a foreign server.
    if (transfer.options_.addresses == AddressPolicy::public_only && transfer.relay_.empty() &&
        !is_public_address(ip)) {
      transfer.socket_refused_ = true;
      return CURL_SOCKET_BAD;
    }
    transfer.socket_allowed_ = true;
    const curl_socket_t made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    transfer.exchange_.transport.peer = peer_text(&address->addr);
    transfer.sockets_.emplace_back(made, transfer.exchange_.transport.peer);
    return made;
  } catch (...) {
    return CURL_SOCKET_BAD;
  }
}

// libcurl's own stamp is not enough: it is also set when a body begins to go out, and when the server closes.
bool Transfer::first_byte_came() const {
  const bool closed = done_ == CURLE_GOT_NOTHING || done_ == CURLE_RECV_ERROR || done_ == CURLE_ABORTED_BY_CALLBACK;
  return first_header_ > Micros(0) || done_ == CURLE_UNSUPPORTED_PROTOCOL || done_ == CURLE_WEIRD_SERVER_REPLY ||
         (request_.body.empty() && stamps_.first_byte > Micros(0) && !closed);
}

Phase Transfer::phase() const {
  if (first_byte_came()) {
    return Phase::transfer;
  }
  if (request_started_) {
    return sent_ > Micros(0) ? Phase::first_byte : Phase::send;
  }
  if (stamps_.resolved == Micros(0)) {
    return Phase::resolve;
  }
  if (stamps_.connected == Micros(0)) {
    return Phase::connect;
  }
  return url_.scheme == "https" && stamps_.secured == Micros(0) ? Phase::tls : Phase::send;
}

// When the phase began and how long it may take.
std::pair<Micros, Micros> Transfer::phase_limit(Phase phase) const {
  switch (phase) {
    case Phase::resolve:
      return {Micros(0), options_.limits.resolve};
    case Phase::connect:
      return {stamps_.resolved, options_.limits.connect};
    case Phase::tls:
      return {stamps_.connected, options_.limits.tls};
    case Phase::first_byte:
      return {sent_, options_.limits.first_byte};
    case Phase::none:
    case Phase::send:
    case Phase::transfer:
      break;
  }
  return {last_activity_, options_.limits.idle};
}

// libcurl 7.88 sets its connect stamp only once TLS stands too. So the sockets are asked, right when they wake us.
void Transfer::look_for_connection() {
  if (seen_connected_ > Micros(0)) {
    return;
  }
  for (const auto& [fd, peer] : sockets_) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    // The comparison guards against a number that libcurl has closed and another thread has got.
    if (getpeername(fd, generic, &size) == 0 && peer_text(generic) == peer) {
      seen_connected_ = elapsed();
      return;
    }
  }
}

void Transfer::observe() {
  stamps_ = {stamp(CURLINFO_NAMELOOKUP_TIME_T), stamp(CURLINFO_CONNECT_TIME_T), stamp(CURLINFO_APPCONNECT_TIME_T),
             stamp(CURLINFO_PRETRANSFER_TIME_T), stamp(CURLINFO_STARTTRANSFER_TIME_T)};
  if (stamps_.connected == Micros(0)) {
    stamps_.connected = seen_connected_;
  }
  if (!request_.body.empty() || stamps_.first_byte == Micros(0)) {
    stamps_.first_byte = first_header_;
  }
  if (!connected_ && stamps_.connected > Micros(0)) {
    connected_ = true;
    set_connect_timeout(options_.limits.total + Seconds(1));  // libcurl counts TLS in; its limit is ours alone
  }
  curl_off_t uploaded = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &uploaded);
  if (active_ || uploaded != uploaded_ || !request_started_) {
    last_activity_ = elapsed();
    active_ = false;
    uploaded_ = uploaded;
  }
  if (request_started_ && sent_ == Micros(0) && uploaded >= static_cast<curl_off_t>(request_.body.size())) {
    // libcurl has no clock for the end of a body that goes out; ours is read right after it was handed over.
    sent_ = std::max(request_.body.empty() ? stamps_.ready : elapsed(), Micros(1));
  }
}

bool Transfer::finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) {
      done_ = message->data.result;
    }
  }
  return done_.has_value();
}

// Sets own_ and limit_ when time is up; else leaves in limit_ how long the next wait may be.
bool Transfer::limit_passed() {
  const Phase now_in = phase();
  const Micros now = elapsed();
  const auto [began, limit] = phase_limit(now_in);
  if (now >= options_.limits.total) {
    own_ = OwnLimit::timeout;
    limit_ = options_.limits.total;
    return true;
  }
  if (now - began >= limit) {
    own_ = now_in == Phase::transfer ? OwnLimit::idle : OwnLimit::timeout;
    limit_ = limit;
    return true;
  }
  limit_ = std::min({began + limit - now, options_.limits.total - now, kPollMax});
  return false;
}

void Transfer::loop(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_); });
  for (;;) {
    int running = 0;
    const CURLMcode performed = curl_multi_perform(multi_, &running);
    CHECK(performed == CURLM_OK, curl_multi_strerror(performed));
    observe();
    if (finished()) {
      return;
    }
    if (stop.stop_requested()) {
      own_ = OwnLimit::cancelled;
      return;
    }
    if (limit_passed()) {
      return;
    }
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::chrono::ceil<Millis>(limit_).count()), nullptr);
    look_for_connection();
  }
}

Timings Transfer::timings(Phase reached, Micros total) const {
  const bool reused = exchange_.transport.reused;
  const Micros zero{0};
  const Micros resolved = reused ? zero : stamps_.resolved;
  const Micros connected = reused ? zero : stamps_.connected;
  const Micros secured = reused ? zero : stamps_.secured;
  const std::array<Micros, 5> ends = {resolved, connected, secured, std::max(stamps_.ready, sent_), stamps_.first_byte};
  Timings timings;
  const std::array<std::optional<Micros>*, 6> fields = {&timings.resolve, &timings.connect,    &timings.tls,
                                                        &timings.send,    &timings.first_byte, &timings.transfer};
  Micros before{0};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const bool last = static_cast<std::size_t>(reached) == i + 1;
    Micros end = last || i == ends.size() ? total : std::clamp(ends[i], before, total);
    // With the answer's first byte here before we looked, all of the body was out by then.
    if (stamps_.first_byte > zero && i < 4) {
      end = std::clamp(end, before, std::max(before, std::min(stamps_.first_byte, total)));
    }
    *fields[i] = end - before;
    before = end;
    if (last) {
      break;
    }
  }
  timings.total = before;
  return timings;
}

void Transfer::finish() {
  Transport& transport = exchange_.transport;
  long number = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &number);
  // A kept connection on which the request was lost counts too.
  transport.reused = request_started_ && (number == 0 || own_ == OwnLimit::resent);
  curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &number);
  note_address();
  transport.http_version = number == CURL_HTTP_VERSION_1_0   ? "1.0"
                           : number == CURL_HTTP_VERSION_1_1 ? "1.1"
                           : number == CURL_HTTP_VERSION_2_0 ? "2"
                                                             : "";
  const bool failed = own_ != OwnLimit::none || done_ != CURLE_OK;
  const Phase reached = failed ? phase() : Phase::transfer;
  Micros total = done_ ? stamp(CURLINFO_TOTAL_TIME_T) : elapsed();
  total = std::max({total, stamps_.ready, stamps_.first_byte, stamps_.connected, stamps_.resolved});
  transport.timings = timings(reached, total);
  if (!failed) {
    return;
  }
  CurlFailure failure;
  failure.curl_code = done_.value_or(CURLE_OK);
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &failure.os_error);
  curl_easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &failure.verify_result);
  failure.detail = message_.data();
  failure.own = own_;
  failure.address_refused = socket_refused_ && !socket_allowed_;
  failure.phase = reached;
  failure.limit = done_ == CURLE_OPERATION_TIMEDOUT ? options_.limits.total : limit_;
  const std::string authority = url_.authority();
  failure.authority = authority;
  exchange_.error = describe_failure(failure, options_);
  exchange_.failed_phase = reached;
}

Exchange Transfer::run(const std::stop_token& stop) {
  set_up();
  const CURLMcode added = curl_multi_add_handle(multi_, easy_);
  CHECK(added == CURLM_OK, curl_multi_strerror(added));
  started_ = clock_.monotonic();  // libcurl's own clock starts with the first step
  loop(stop);
  finish();
  curl_multi_remove_handle(multi_, easy_);
  curl_easy_reset(easy_);  // it holds pointers into this object
  return std::move(exchange_);
}

}  // namespace

Exchange run_transfer(CurlChannel& channel, const Request& request, const Url& url, const SendOptions& options,
                      TrustStore& trust, const Clock& clock, const std::stop_token& stop) {
  return Transfer(channel, request, url, options, trust, clock).run(stop);
}

}  // namespace parallax::http
