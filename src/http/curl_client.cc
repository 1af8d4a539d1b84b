#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/mutex.h"
#include "base/text.h"
#include "http/client.h"
#include "http/curl_transfer.h"
#include "http/url.h"

namespace parallax::http {

namespace {

constexpr std::size_t kIdleChannelsMax = 64;
constexpr std::size_t kKeyedChannelsMax = 256;  // each holds a connection

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

Exchange failed(ErrorKind kind, std::string code, std::string message) {
  Exchange exchange;
  exchange.error = make_error(kind, std::move(message));
  exchange.error->code = std::move(code);
  return exchange;
}

Result<> check_request(const Request& request) {
  if (!is_token(request.method)) {
    return make_error(ErrorKind::invalid, fmt::format("'{}' is no HTTP method", terminal_safe(request.method, 40)));
  }
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || has_line_break(value)) {
      return make_error(ErrorKind::invalid, fmt::format("header '{}' is malformed", terminal_safe(name, 80)));
    }
  }
  return {};
}

// Not before the first request: it takes longer than the rest of a command that sends none.
void start_libcurl() {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(kReady == CURLE_OK, "libcurl could not be initialised");
}

class CurlClient final : public Client {
 public:
  CurlClient(Clock& clock, std::string system_roots) : clock_(clock), trust_(std::move(system_roots)) {}

  Exchange send(const Request& request, const SendOptions& options, std::stop_token stop) override {
    const Result<Url> url = parse_url(request.url);
    if (!url) {
      return failed(ErrorKind::invalid, "bad-url", url.error().message);
    }
    if (const Result<> checked = check_request(request); !checked) {
      return failed(ErrorKind::invalid, "bad-request", checked.error().message);
    }
    if (stop.stop_requested()) {
      return failed(ErrorKind::cancelled, "cancelled", url->authority() + ": cancelled before it was sent");
    }
    const bool checked_address = options.addresses == AddressPolicy::public_only;
    const std::string trust = fmt::format("{}|{}", checked_address ? "public" : "any", options.ca_file);
    std::unique_ptr<CurlChannel> channel = take(trust, options.connection_key, url->authority());
    Exchange exchange = run_transfer(*channel, request, *url, options, trust_, clock_, stop);
    const bool closed =
        options.connection == ConnectionPolicy::fresh || options.connection == ConnectionPolicy::reuse_last;
    if (closed) {
      channel->key.clear();  // it holds no connection of that key any more
    }
    give_back(std::move(channel));
    return exchange;
  }

 private:
  // The idle channel that was used last and suits best; a new one where none does. A channel that has a key holds a
  // connection that was made for it, and serves nothing else.
  std::unique_ptr<CurlChannel> take(const std::string& trust, const std::string& key, const std::string& authority) {
    {
      const MutexLock lock(mutex_);
      auto best = idle_.rend();
      for (auto it = idle_.rbegin(); it != idle_.rend(); ++it) {
        const CurlChannel& channel = **it;
        if (channel.trust != trust) {
          continue;
        }
        if (channel.key == key && channel.authority == authority) {
          best = it;
          break;
        }
        if (channel.key.empty() && best == idle_.rend()) {
          best = it;
        }
      }
      if (best != idle_.rend()) {
        std::unique_ptr<CurlChannel> channel = std::move(*best);
        idle_.erase(std::next(best).base());
        channel->key = key;
        channel->authority = authority;
        return channel;
      }
    }
    start_libcurl();
    return std::make_unique<CurlChannel>(trust, key, authority);
  }

  void give_back(std::unique_ptr<CurlChannel> channel) {
    std::unique_ptr<CurlChannel> oldest;  // closed after the lock is released
    const MutexLock lock(mutex_);
    const bool keyed = !channel->key.empty();
    const auto same_kind = [keyed](const auto& idle) { return keyed == !idle->key.empty(); };
    idle_.push_back(std::move(channel));
    const auto count = static_cast<std::size_t>(std::count_if(idle_.begin(), idle_.end(), same_kind));
    if (count > (keyed ? kKeyedChannelsMax : kIdleChannelsMax)) {
      const auto first = std::find_if(idle_.begin(), idle_.end(), same_kind);
      oldest = std::move(*first);
      idle_.erase(first);
    }
  }

  Clock& clock_;
  TrustStore trust_;
  Mutex mutex_;
  std::vector<std::unique_ptr<CurlChannel>> idle_ GUARDED_BY(mutex_);  // the one used last is at the end
};

}  // namespace

std::unique_ptr<Client> make_curl_client(Clock& clock, std::string system_roots) {
  return std::make_unique<CurlClient>(clock, std::move(system_roots));
}

}  // namespace parallax::http
