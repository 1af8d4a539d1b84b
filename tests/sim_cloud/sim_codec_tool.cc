// The simulated cloud's decoders and encoders on stdin and stdout, one JSON object a line each way, for
// codec_oracle.py.
//   {"do":"services"}                                                 -> ["ec2",...]
//   {"do":"decode","service","method","url","headers","body"}         -> {"operation","input"} or {"error"}
//   {"do":"encode","service","operation","output"}                    -> {"status","headers","body"}
//   {"do":"error","service","code","message","status"}                -> {"status","headers","body"}
#include <iostream>

#include "sim/cloud/operations.h"
#include "sim/cloud/wire.h"

namespace parallax::sim {
namespace {

Json decode_line(const Json& line) {
  const aws::ServiceModel& model = *aws::find_service(line.text("service"));
  http::Request request;
  request.method = line.text("method");
  request.url = line.text("url");
  request.body = line.text("body");
  for (const auto& [name, value] : *line.find("headers")->members()) {
    request.headers.add(name, *value.string());
  }
  const Result<const aws::Operation*> operation = find_requested(model, request);
  if (!operation) {
    return Json::object({{"error", operation.error().text()}});
  }
  const Result<Json> input = decode_request(model, **operation, request);
  return input ? Json::object({{"operation", (*operation)->name}, {"input", *input}})
               : Json::object({{"error", input.error().code + ": " + input.error().text()}});
}

Json response_line(const http::Response& response) {
  Json headers = Json::object();
  for (const auto& [name, value] : response.headers) {
    headers.set(name, value);
  }
  return Json::object({{"status", response.status}, {"headers", std::move(headers)}, {"body", response.body}});
}

Json answer(const Json& line) {
  const std::string what = line.text("do");
  if (what == "decode") {
    return decode_line(line);
  }
  if (what == "services") {
    Json names{JsonArray{}};
    for (const std::string_view name : aws::service_names()) {
      names.push(name);
    }
    return names;
  }
  const aws::ServiceModel& model = *aws::find_service(line.text("service"));
  if (what == "encode") {
    return response_line(
        encode_answer(model, *model.find_operation(line.text("operation")), *line.find("output"), "r-7"));
  }
  return response_line(encode_error(
      model, service_error(static_cast<int>(line.integer("status", 0)), line.text("code"), line.text("message")),
      "r-7"));
}

int run() {
  std::ios::sync_with_stdio(false);
  for (std::string text; std::getline(std::cin, text);) {
    std::cout << answer(parse_json(text).value()).dump() << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace parallax::sim

int main() {
  return parallax::sim::run();
}
