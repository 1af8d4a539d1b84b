// Throws bytes at the readers of UWS jobs and of VOSI. The first byte picks the reader. What must hold beyond "no
// crash": texts stay within their limits, limits of a service are never negative, and the address chosen for a result
// is one that may be asked: http(s), and readable again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "http/url.h"
#include "vo/uws.h"
#include "vo/vosi.h"

namespace {

using parallax::http::Url;
using parallax::vo::ServiceLimit;

constexpr std::size_t kTextBytesMax = std::size_t{3} * 4000;  // a byte that is not UTF-8 becomes three

void require(bool condition, std::string_view what) {
  if (!condition) {
    std::cerr << what << '\n';
    std::abort();
  }
}

void read_job(std::string_view document) {
  const auto job = parallax::vo::parse_uws_job(document);
  if (!job) {
    return;
  }
  require(job->error_message.size() <= kTextBytesMax, "the message is not cut");
  require(parallax::vo::parse_uws_phase(job->phase_text) == job->phase || job->phase_text.size() >= 100,
          "the phase's own text is another phase");
  const Url base = parallax::http::parse_url("https://h.test/tap/async/7?a=b").value();
  const Url chosen = parallax::vo::choose_result(base, job->results);
  require(chosen.scheme == "http" || chosen.scheme == "https", "the result is not of http");
  require(parallax::http::parse_url(chosen.text()).has_value(), "the result's address cannot be read again");
}

void require_limit(const ServiceLimit& limit) {
  require(limit.standard.value_or(0) >= 0 && limit.hard.value_or(0) >= 0, "a negative limit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view document(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 3) {
    case 0:
      read_job(document);
      break;
    case 1:
      if (const auto availability = parallax::vo::parse_availability(document); availability) {
        require(availability->note.size() <= kTextBytesMax, "the note is not cut");
      }
      break;
    default:
      if (const auto found = parallax::vo::parse_capabilities(document); found) {
        require_limit(found->output_rows);
        require_limit(found->output_bytes);
        require_limit(found->execution_seconds);
        require_limit(found->retention_seconds);
      }
  }
  return 0;
}
