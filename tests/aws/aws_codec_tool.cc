// Our AWS codecs on stdin and stdout, one JSON object a line each way, for botocore_oracle.py.
//   {"do":"serialize","service","operation","params"} -> {"problems":[...],"headers":{...},"body":"..."}
//   {"do":"parse","service","operation","body"}       -> {"result":...} or {"error":"..."}
//   {"do":"error","service","status","headers","body"} -> {"code","message","request_id"}
//   {"do":"sign", as a line of sigv4.jsonl}           -> {"authorization":"..."}
#include <iostream>

#include "aws/auth/sigv4.h"
#include "aws/model/validate.h"
#include "aws/protocol/protocol.h"

namespace parallax::aws {
namespace {

Json serialize_line(const Json& line) {
  const ServiceModel& model = *find_service(line.text("service"));
  const Operation& operation = *model.find_operation(line.text("operation"));
  const Json& params = *line.find("params");
  Json out = Json::object({{"problems", Json::array()}});
  if (operation.input) {
    for (const std::string& problem : validate(model, *operation.input, params)) {
      out.members()->find("problems")->push(problem);
    }
    if (!out.list("problems").empty()) {
      return out;
    }
  }
  const WireRequest request = serialize(model, operation, params).value();
  Json headers = Json::object();
  for (const auto& [name, value] : request.headers) {
    headers.set(name, value);
  }
  out.set("headers", std::move(headers));
  out.set("body", request.body);
  return out;
}

Json parse_line(const Json& line) {
  const ServiceModel& model = *find_service(line.text("service"));
  http::Response response;
  response.status = 200;
  response.body = line.text("body");
  const Result<Json> result = parse_result(model, *model.find_operation(line.text("operation")), response);
  return result ? Json::object({{"result", *result}}) : Json::object({{"error", result.error().text()}});
}

Json error_line(const Json& line) {
  http::Response response;
  response.status = static_cast<int>(line.integer("status", 0));
  response.body = line.text("body");
  for (const auto& [name, value] : *line.find("headers")->members()) {
    response.headers.add(name, *value.string());
  }
  const Error error = parse_error(*find_service(line.text("service")), response);
  return Json::object({{"code", error.code}, {"message", error.message}, {"request_id", error.request_id}});
}

Json sign_line(const Json& line) {
  http::Request request;
  request.method = line.text("method");
  request.url = line.text("url");
  request.body = line.text("body");
  for (const Json& header : line.list("headers")) {
    request.headers.add(*header.items()->at(0).string(), *header.items()->at(1).string());
  }
  const Result<> signed_or_not = sign(request, {line.text("region"), line.text("service")},
                                      {line.text("access"), line.text("secret"), line.text("token"), std::nullopt},
                                      parse_iso8601(line.text("time")).value());
  return Json::object(
      {{"authorization", signed_or_not ? request.headers.get("Authorization") : signed_or_not.error().text()}});
}

int run() {
  std::ios::sync_with_stdio(false);
  for (std::string text; std::getline(std::cin, text);) {
    const Json line = parse_json(text).value();
    const std::string what = line.text("do");
    const Json answer = what == "serialize" ? serialize_line(line)
                        : what == "parse"   ? parse_line(line)
                        : what == "error"   ? error_line(line)
                                            : sign_line(line);
    std::cout << answer.dump() << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace parallax::aws

int main() {
  return parallax::aws::run();
}
