#include "sim/vo/case_answer.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kChunkBytes = 512;

// The same place under another name: what a redirect to another host leads to.
std::string other_host(std::string_view host) {
  constexpr std::string_view kLocal = "localhost";
  constexpr std::string_view kAddress = "127.0.0.1";
  if (host.starts_with(kAddress)) {
    return std::string(kLocal) + std::string(host.substr(kAddress.size()));
  }
  return host.starts_with(kLocal) ? std::string(kAddress) + std::string(host.substr(kLocal.size())) : std::string(host);
}

std::string value_of(std::string_view name, const CasePlace& place) {
  if (name == "base") {
    return "http://" + place.host + place.path;
  }
  if (name == "other") {
    return "http://" + other_host(place.host) + place.path;
  }
  if (name == "secure") {
    return "https://" + place.host + place.path;
  }
  if (name.starts_with("date+")) {
    const std::string_view digits = name.substr(5);
    std::int32_t seconds = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (error == std::errc() && end == digits.data() + digits.size()) {
      return to_http_date(place.now + Seconds(seconds));
    }
  }
  return fmt::format("{{{}}}", name);
}

std::string head_of(const CaseAnswer& answer, std::size_t body_bytes, const CasePlace& place) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, answer.status < 400 ? "Fine" : "Not so");
  bool says_date = false;
  for (const auto& [name, value] : answer.headers) {
    says_date = says_date || equals_ignore_case(name, "Date");
    head += fmt::format("{}: {}\r\n", name, fill_place(value, place));
  }
  if (!says_date) {
    head += fmt::format("Date: {}\r\n", to_http_date(place.now));
  }
  if (answer.framing == Framing::chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (answer.framing == Framing::length || answer.announced) {
    head += fmt::format("Content-Length: {}\r\n", answer.announced.value_or(static_cast<std::int64_t>(body_bytes)));
  }
  return head + "Server: parallax-sim-vo\r\nConnection: close\r\n\r\n";
}

std::string chunked(std::string_view body, bool is_whole, bool breaks) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += kChunkBytes) {
    const std::string_view chunk = body.substr(at, kChunkBytes);
    out += breaks && at > 0 ? "zz\r\n" : fmt::format("{:x}\r\n", chunk.size());
    out += fmt::format("{}\r\n", chunk);
  }
  return is_whole ? out + "0\r\n\r\n" : out;
}

// Where the bytes of the body stop flowing for a while.
void add_body(http::RawAnswer& out, const CaseAnswer& answer, std::string_view body) {
  const std::size_t stall_at = answer.stall_after ? std::min(*answer.stall_after, body.size()) : body.size();
  const std::size_t least = body.size() / kPiecesMax + 1;
  const std::size_t step =
      answer.drip_bytes == 0 ? std::max<std::size_t>(body.size(), 1) : std::max(answer.drip_bytes, least);
  bool stalled = false;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(at + step, at < stall_at ? stall_at : body.size());
    Micros wait = answer.drip_bytes == 0 ? Micros(0) : answer.drip_every;
    if (at >= stall_at && !stalled) {
      wait += answer.stall;
      stalled = true;
    }
    out.pieces.push_back({wait, std::string(body.substr(at, end - at))});
    at = end;
  }
  if (answer.stall_after && !stalled) {
    out.pieces.push_back({answer.stall, ""});
  }
}

}  // namespace

std::string fill_place(std::string_view text, const CasePlace& place) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    const std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) {
      break;
    }
    out += text.substr(0, open);
    out += value_of(text.substr(open + 1, close - open - 1), place);
    text.remove_prefix(close + 1);
  }
  return out + std::string(text);
}

std::shared_ptr<const http::RawAnswer> render(const CaseAnswer& answer, const CasePlace& place) {
  auto out = std::make_shared<http::RawAnswer>();
  out->end = answer.end;
  if (answer.raw) {
    out->pieces.push_back({answer.delay, *answer.raw});
    return out;
  }
  const std::string made = answer.make_body ? answer.make_body() : answer.body;
  const std::string_view whole = made;
  const std::string_view sent = whole.substr(0, answer.cut_after.value_or(whole.size()));
  out->pieces.push_back({answer.delay, head_of(answer, whole.size(), place)});
  if (answer.framing == Framing::chunked) {
    add_body(*out, answer, chunked(sent, sent.size() == whole.size(), answer.breaks_chunk));
  } else {
    add_body(*out, answer, sent);
  }
  return out;
}

}  // namespace parallax::sim
