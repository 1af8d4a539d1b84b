#include "aws/protocol/json.h"

#include <fmt/format.h>

#include "aws/protocol/values.h"
#include "base/check.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

Json write_value(const Shape& shape, const Json& value);

Json write_structure(const Shape& shape, const Json& value) {
  Json out = Json::object();
  for (const Member& member : shape.members) {
    const Json* given = value.find(member.name);
    if (given != nullptr && !given->is_null()) {
      out.set(std::string(location_of(member, member.name)), write_value(*member.shape, *given));
    }
  }
  return out;
}

Json write_value(const Shape& shape, const Json& value) {
  switch (shape.type) {
    case ShapeType::structure:
      return write_structure(shape, value);
    case ShapeType::list: {
      JsonArray items;
      for (const Json& item : *value.items()) {
        items.push_back(write_value(*shape.item.shape, item));
      }
      return Json(std::move(items));
    }
    case ShapeType::map: {
      JsonObject map;
      for (const auto& [key, inner] : *value.members()) {
        map.append(key, write_value(*shape.value.shape, inner));
      }
      return Json(std::move(map));
    }
    case ShapeType::timestamp: {
      const Result<Instant> instant = instant_of(value);
      CHECK(instant.has_value(), shape.name);  // validate() has looked at it
      return timestamp_number(*instant);
    }
    default:
      return value;
  }
}

Result<Json> read_value(const Shape& shape, const Json& value);

Result<Json> read_structure(const Shape& shape, const Json& value) {
  if (!value.is_object()) {
    return bad_answer(fmt::format("a {} where {} belongs", value.type_name(), shape.name));
  }
  JsonObject object;
  for (const Member& member : shape.members) {
    const Json* given = value.find(location_of(member, member.name));
    if (given != nullptr && !given->is_null()) {
      object.append(member.name, TRY(read_value(*member.shape, *given)));
    }
  }
  return Json(std::move(object));
}

Result<Json> read_value(const Shape& shape, const Json& value) {
  if (value.is_null()) {
    return value;
  }
  switch (shape.type) {
    case ShapeType::structure:
      return read_structure(shape, value);
    case ShapeType::list: {
      if (!value.is_array()) {
        return bad_answer(fmt::format("a {} where the list {} belongs", value.type_name(), shape.name));
      }
      JsonArray items;
      for (const Json& item : *value.items()) {
        items.push_back(TRY(read_value(*shape.item.shape, item)));
      }
      return Json(std::move(items));
    }
    case ShapeType::map: {
      if (!value.is_object()) {
        return bad_answer(fmt::format("a {} where the map {} belongs", value.type_name(), shape.name));
      }
      JsonObject map;
      for (const auto& [key, inner] : *value.members()) {
        map.append(key, TRY(read_value(*shape.value.shape, inner)));
      }
      return Json(std::move(map));
    }
    case ShapeType::timestamp:
      return value.is_number() ? Json(to_iso8601(TRY(instant_from_seconds(*value.number())))) : value;
    default:
      return value;
  }
}

// "aws.protocoltests#FooError:http://internal.amazon.com/..." -> "FooError".
std::string bare_code(std::string_view code) {
  const std::size_t colon = code.find(':');
  code = code.substr(0, colon);
  const std::size_t hash = code.rfind('#');
  return std::string(trim(hash == std::string_view::npos ? code : code.substr(hash + 1)));
}

}  // namespace

WireRequest serialize_json(const ServiceModel& model, const Operation& operation, const Json& params) {
  const Metadata& metadata = model.metadata();
  WireRequest request;
  request.headers = {{"Content-Type", "application/x-amz-json-" + metadata.json_version},
                     {"X-Amz-Target", metadata.target_prefix + "." + operation.name}};
  const Shape* input = operation.input.get();
  request.body = input == nullptr ? "{}" : write_structure(*input, params).dump();
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
  return read_structure(*output, *value);
}

WireError read_json_error(const http::Response& response) {
  WireError out;
  out.request_id = response.headers.get("x-amzn-requestid");
  out.code = bare_code(response.headers.get("x-amzn-errortype"));
  const Result<Json> body = parse_json(response.body);
  if (!body) {
    return out;
  }
  if (out.code.empty()) {
    out.code = bare_code(body->text("__type", body->text("code")));
  }
  out.message = body->text("message", body->text("Message"));
  return out;
}

}  // namespace parallax::aws
