// One answer of the mock service, good or bad, and how it becomes bytes on the wire.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "http/pace.h"

namespace parallax::sim {

// How the end of a body is told.
enum class Framing {
  length,  // Content-Length
  chunked,
  close,  // the connection's end
};

struct CaseAnswer {
  int status = 200;
  // `{base}` in a value is the address of the case ("http://127.0.0.1:4600/case/NAME"), `{other}` the same under
  // another name of this host, `{secure}` with https, `{date+N}` an HTTP date N seconds from now.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::function<std::string()> make_body;  // instead of `body`: a large one, made when it is asked for
  Framing framing = Framing::length;
  bool breaks_chunk = false;              // chunked: the second chunk's size is no number
  std::optional<std::int64_t> announced;  // as Content-Length, whatever the body's is
  std::optional<std::size_t> cut_after;   // bytes of the body; then the end
  Micros delay{0};                        // before the head
  std::size_t drip_bytes = 0;             // the body in pieces of so many bytes, one each `drip_every`
  Micros drip_every{0};
  std::optional<std::size_t> stall_after;  // bytes of the body; then silence for `stall`
  Micros stall{0};
  std::optional<std::string> raw;  // these bytes are all that is sent
  http::RawAnswer::End end = http::RawAnswer::End::close;
};

// The place that an answer is given at, for what `{base}` and the others stand for.
struct CasePlace {
  std::string host;  // of the request, "127.0.0.1:4600"
  std::string path;  // of the case, "/case/NAME"
  Instant now;
};

std::string fill_place(std::string_view text, const CasePlace& place);

constexpr std::size_t kPiecesMax = 100'000;

std::shared_ptr<const http::RawAnswer> render(const CaseAnswer& answer, const CasePlace& place);

}  // namespace parallax::sim
