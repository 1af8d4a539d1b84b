// Throws answers at the AWS client's readers: results and errors of every operation of the embedded services. An input
// is
//   SERVICE OPERATION(2) STATUS     bytes that pick them: of all services, of its operations, of the statuses below
//   headers, a line each, up to an empty line; then the body
// What must hold beyond "no crash": a result is an object whose members the model knows, and it can be written as JSON;
// an error has a message that is safe to print.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <vector>

#include "aws/protocol/protocol.h"
#include "base/text.h"

namespace {

using parallax::Json;
using parallax::Result;
using parallax::aws::Operation;
using parallax::aws::ServiceModel;

constexpr int kStatuses[] = {200, 201, 301, 400, 403, 404, 429, 500, 503};

void require(bool condition, std::string_view what) {
  if (!condition) {
    std::cerr << what << '\n';
    std::abort();
  }
}

struct Target {
  const ServiceModel* model;
  std::vector<std::string_view> operations;
};

const std::vector<Target>& targets() {
  static const std::vector<Target> kTargets = [] {
    std::vector<Target> out;
    for (const std::string_view name : parallax::aws::service_names()) {
      const ServiceModel* model = parallax::aws::find_service(name);
      out.push_back({model, model->operation_names()});
    }
    return out;
  }();
  return kTargets;
}

parallax::http::Response read_response(std::string_view text) {
  parallax::http::Response response;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty()) {
      break;
    }
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      response.headers.add(std::string(line.substr(0, colon)), std::string(parallax::trim(line.substr(colon + 1))));
    }
  }
  response.body = text;
  return response;
}

void check_result(const Operation& operation, const Result<Json>& result) {
  if (!result) {
    require(!result.error().message.empty(), "an error without a message");
    return;
  }
  require(result->is_object(), "a result that is no object");
  require(parallax::parse_json(result->dump()).has_value(), "a result that cannot be written");
  for (const auto& [name, value] : *result->members()) {
    require(operation.output && operation.output->find_member(name) != nullptr,
            "a member that the model does not know");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) {
    return 0;
  }
  const Target& target = targets()[data[0] % targets().size()];
  const std::size_t number = std::size_t{data[1]} * 256 + data[2];
  const Operation& operation = *target.model->find_operation(target.operations[number % target.operations.size()]);
  auto response = read_response(std::string_view(reinterpret_cast<const char*>(data + 4), size - 4));
  response.status = kStatuses[data[3] % std::size(kStatuses)];
  check_result(operation, parse_result(*target.model, operation, response));
  const parallax::Error error = parse_error(*target.model, response);
  require(!error.message.empty(), "an error without a message");
  require(parallax::terminal_safe(error.message, error.message.size()) == error.message,
          "a message that is not safe to print");
  return 0;
}
