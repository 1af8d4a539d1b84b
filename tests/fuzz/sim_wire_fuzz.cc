// Throws mutated requests at the simulated cloud's decoders: forms, JSON, REST and the signature's reader. The first
// byte picks the service, the second one the operation; then come the request's target in one line, its Authorization
// header in the next, and the body. What must hold beyond "no crash": what was decoded can be encoded again as an
// answer's value, and the error document of whatever was refused can be written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/operations.h"
#include "sim/cloud/signature_check.h"
#include "sim/cloud/wire.h"

namespace {

using parallax::Error;
using parallax::Instant;
using parallax::Json;
using parallax::Result;
namespace aws = parallax::aws;
namespace sim = parallax::sim;

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return line;
}

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void decode(const aws::ServiceModel& model, const aws::Operation& operation, const parallax::http::Request& request) {
  const Result<Json> input = sim::decode_request(model, operation, request);
  if (!input) {
    require(!input.error().code.empty());
    require(sim::encode_error(model, input.error(), "r-1").status >= 400);
    return;
  }
  require(input->is_object());
  // Decoding what it came to gives it again: nothing that was taken is outside of the model.
  if (model.metadata().protocol == aws::Protocol::json && operation.input) {
    const Result<Json> again = sim::decode_json(operation, input->dump());
    require(again.has_value() && again->canonical() == input->canonical());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  static const std::vector<std::string_view> kServices = aws::service_names();
  const aws::ServiceModel& model = *aws::find_service(kServices[data[0] % kServices.size()]);
  static std::vector<std::vector<std::string_view>> operations(kServices.size());
  std::vector<std::string_view>& names = operations[data[0] % kServices.size()];
  if (names.empty()) {
    names = model.operation_names();
  }
  std::string_view rest(reinterpret_cast<const char*>(data + 2), size - 2);
  parallax::http::Request request;
  request.url = std::string(take_line(rest));
  request.headers.set("Host", "localhost");
  request.headers.set("Authorization", std::string(take_line(rest)));
  request.headers.set("X-Amz-Date", "20261122T101112Z");
  request.body = std::string(rest);

  const auto key = [](std::string_view) { return std::optional<sim::SigningKey>(sim::SigningKey{"secret", "", {}}); };
  require(sim::check_signature(request, key, Instant(parallax::Seconds(1'795'342'272))).problem !=
          sim::SignatureProblem::none);
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
    request.method = method;
    if (const Result<const aws::Operation*> found = sim::find_requested(model, request)) {
      decode(model, **found, request);
    }
  }
  decode(model, *model.find_operation(names[data[1] % names.size()]), request);
  return 0;
}
