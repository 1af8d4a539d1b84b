// Our AWS codecs on stdin and stdout, one JSON object a line each way, for botocore_oracle.py.
//   {"do":"models","directory"}                       -> {} or {"error":"..."}: use_models_directory
//   {"do":"serialize","service","operation","params"} -> {"problems":[...]} or {"error":"..."} or
//                                                        {"method","path","host_prefix","headers":{...},"body":"..."}
//   {"do":"parse","service","operation","status","headers","body"} -> {"result":...} or {"error":"..."}
//   {"do":"error","service","status","headers","body"} -> {"code","message","request_id"}
//   {"do":"sign", as a line of sigv4.jsonl}           -> {"authorization":"..."}
// Bodies that are not text come and go as "body_base64".
#include <iostream>

#include "aws/auth/sigv4.h"
#include "aws/model/directory.h"
#include "aws/model/validate.h"
#include "aws/protocol/protocol.h"
#include "codec/base64.h"

namespace parallax::aws {
namespace {

Json models_line(const Json& line) {
  static const std::unique_ptr<Files> kFiles = make_system_files();
  const Result<> used = use_models_directory(*kFiles, line.text("directory"));
  return used ? Json::object() : Json::object({{"error", used.error().text()}});
}

Json serialize_line(const Json& line) {
  const ServiceModel& model = *require_service(line.text("service")).value();
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
  const Result<WireRequest> request = serialize(model, operation, params);
  if (!request) {
    return Json::object({{"problems", Json::array()}, {"error", request.error().text()}});
  }
  Json headers = Json::object();
  for (const auto& [name, value] : request->headers) {
    headers.set(name, value);
  }
  out.set("method", request->method);
  out.set("path", request->path);
  out.set("host_prefix", request->host_prefix);
  out.set("headers", std::move(headers));
  out.set("body_base64", base64_encode(request->body));
  return out;
}

http::Response response_of(const Json& line) {
  http::Response response;
  response.status = static_cast<int>(line.integer("status", 200));
  response.body =
      line.find("body_base64") == nullptr ? line.text("body") : base64_decode(line.text("body_base64")).value();
  if (const Json* headers = line.find("headers")) {
    for (const auto& [name, value] : *headers->members()) {
      response.headers.add(name, *value.string());
    }
  }
  return response;
}

Json parse_line(const Json& line) {
  const ServiceModel& model = *require_service(line.text("service")).value();
  const Result<Json> result = parse_result(model, *model.find_operation(line.text("operation")), response_of(line));
  return result ? Json::object({{"result", *result}}) : Json::object({{"error", result.error().text()}});
}

Json error_line(const Json& line) {
  const Error error = parse_error(*require_service(line.text("service")).value(), response_of(line));
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
                        : what == "models"  ? models_line(line)
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
