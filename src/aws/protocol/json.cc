#include "aws/protocol/json.h"

#include <fmt/format.h>

#include "aws/protocol/values.h"
#include "base/check.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

Json write_list(const Member& item, const Json& value) {
  JsonArray items;
  items.reserve(value.items()->size());
  for (const Json& inner : *value.items()) {
    items.push_back(write_json_member(item, inner));
  }
  return Json(std::move(items));
}

Json write_map(const Member& item, const Json& value) {
  JsonObject map;
  for (const auto& [key, inner] : *value.members()) {
    map.append(key, write_json_member(item, inner));
  }
  return Json(std::move(map));
}

Result<Json> read_list(const Shape& shape, const Json& value) {
  if (!value.is_array()) {
    return bad_answer(fmt::format("a {} where the list {} belongs", value.type_name(), shape.name));
  }
  JsonArray items;
  items.reserve(value.items()->size());
  for (const Json& item : *value.items()) {
    items.push_back(TRY(read_json_member(shape.item, item)));
  }
  return Json(std::move(items));
}

Result<Json> read_map(const Shape& shape, const Json& value) {
  if (!value.is_object()) {
    return bad_answer(fmt::format("a {} where the map {} belongs", value.type_name(), shape.name));
  }
  JsonObject map;
  for (const auto& [key, inner] : *value.members()) {
    map.append(key, TRY(read_json_member(shape.value, inner)));
  }
  return Json(std::move(map));
}

Result<Json> read_timestamp(const Json& value) {
  if (const std::optional<double> seconds = value.number()) {
    return Json(to_iso8601(TRY(instant_from_seconds(*seconds))));
  }
  return value.string() == nullptr ? value : read_timestamp_text(*value.string());
}

// "aws.protocoltests#FooError:http://internal.amazon.com/..." -> "FooError".
std::string bare_code(std::string_view code) {
  const std::size_t colon = code.find(':');
  code = code.substr(0, colon);
  const std::size_t hash = code.rfind('#');
  return std::string(trim(hash == std::string_view::npos ? code : code.substr(hash + 1)));
}

// A service that once spoke `query` sends its old codes too: "InvalidParameterValue;Sender".
std::string query_code(std::string_view header) {
  const std::vector<std::string_view> parts = split(header, ';');
  return parts.size() == 2 ? std::string(trim(parts[0])) : std::string();
}

}  // namespace

Json write_json_structure(const Shape& shape, const Json& value) {
  if (shape.document) {
    return value;
  }
  Json out = Json::object();
  for (const Member& member : shape.members) {
    const Json* given = value.find(member.name);
    if (given != nullptr && !given->is_null() && member.location.empty()) {
      out.set(std::string(location_of(member, member.name)), write_json_member(member, *given));
    }
  }
  return out;
}

Json write_json_member(const Member& member, const Json& value) {
  const Shape& shape = *member.shape;
  switch (shape.type) {
    case ShapeType::structure:
      return write_json_structure(shape, value);
    case ShapeType::list:
      return write_list(shape.item, value);
    case ShapeType::map:
      return write_map(shape.value, value);
    case ShapeType::timestamp: {
      const Result<Instant> instant = instant_of(value);
      CHECK(instant.has_value(), shape.name);  // validate() has looked at it
      return timestamp_json(*instant, format_of(member, TimestampFormat::unix_seconds));
    }
    default:
      return value;
  }
}

Result<Json> read_json_structure(const Shape& shape, const Json& value) {
  if (shape.document) {
    return value;
  }
  if (!value.is_object()) {
    return bad_answer(fmt::format("a {} where {} belongs", value.type_name(), shape.name));
  }
  JsonObject object;
  for (const Member& member : shape.members) {
    const Json* given = member.location.empty() ? value.find(location_of(member, member.name)) : nullptr;
    if (given != nullptr && !given->is_null()) {
      object.append(member.name, TRY(read_json_member(member, *given)));
    }
  }
  return Json(std::move(object));
}

Result<Json> read_json_member(const Member& member, const Json& value) {
  if (value.is_null()) {
    return value;
  }
  const Shape& shape = *member.shape;
  switch (shape.type) {
    case ShapeType::structure:
      return read_json_structure(shape, value);
    case ShapeType::list:
      return read_list(shape, value);
    case ShapeType::map:
      return read_map(shape, value);
    case ShapeType::timestamp:
      return read_timestamp(value);
    default:
      return value;
  }
}

WireRequest serialize_json(const ServiceModel& model, const Operation& operation, const Json& params) {
  const Metadata& metadata = model.metadata();
  WireRequest request;
  request.headers = {{"Content-Type", "application/x-amz-json-" + metadata.json_version},
                     {"X-Amz-Target", metadata.target_prefix + "." + operation.name}};
  const Shape* input = operation.input.get();
  request.body = input == nullptr ? "{}" : write_json_structure(*input, params).dump();
  if (metadata.query_compatible) {
    request.headers.emplace_back("x-amzn-query-mode", "true");  // asks for the query protocol's error codes
  }
  return request;
}

Result<Json> parse_json_result(const Operation& operation, std::string_view body) {
  const Shape* output = operation.output.get();
  if (output == nullptr || trim(body).empty()) {
    return Json::object();
  }
  const Result<Json> value = parse_json(body);
  if (!value) {
    return bad_answer(fmt::format("the answer is not JSON: {}", value.error().message));
  }
  return read_json_structure(*output, *value);
}

WireError read_json_error(const http::Response& response, bool rest) {
  WireError out;
  out.request_id = response.headers.get("x-amzn-requestid");
  out.code = query_code(response.headers.get("x-amzn-query-error"));
  if (out.code.empty()) {
    out.code = bare_code(response.headers.get("x-amzn-errortype"));
  }
  const Result<Json> body = parse_json(response.body);
  if (!body) {
    return out;
  }
  if (out.code.empty()) {
    const std::string plain = body->text("code", body->text("Code"));
    out.code = bare_code(rest ? (plain.empty() ? body->text("__type") : plain) : body->text("__type", plain));
  }
  out.message = body->text("message", body->text("Message"));
  return out;
}

}  // namespace parallax::aws
