#include "aws/protocol/query.h"

#include <fmt/format.h>

#include "aws/protocol/values.h"
#include "aws/protocol/xml_result.h"
#include "base/check.h"
#include "base/text.h"
#include "codec/xml.h"
#include "http/url.h"

namespace parallax::aws {

namespace {

bool is_flattened(const Member& member) {
  return member.flattened || member.shape->flattened;
}

class FormWriter {
 public:
  explicit FormWriter(Protocol protocol) : ec2_(protocol == Protocol::ec2) {}

  void add(std::string key, std::string value) { fields_.emplace_back(std::move(key), std::move(value)); }

  void write_structure(const Shape& shape, const Json& value, const std::string& prefix) {
    for (const Member& member : shape.members) {
      const Json* given = value.find(member.name);
      if (given != nullptr && !given->is_null()) {
        const std::string name = key_of(member, member.name);
        write(member, *given, prefix.empty() ? name : prefix + "." + name);
      }
    }
  }

  std::vector<std::pair<std::string, std::string>> take() { return std::move(fields_); }

 private:
  std::string key_of(const Member& member, std::string_view fallback) const {
    if (ec2_ && !member.query_name.empty()) {
      return member.query_name;
    }
    std::string name(location_of(member, fallback));
    if (ec2_ && !name.empty() && name[0] >= 'a' && name[0] <= 'z') {
      name[0] = static_cast<char>(name[0] - 'a' + 'A');
    }
    return name;
  }

  void write(const Member& member, const Json& value, const std::string& key) {
    const Shape& shape = *member.shape;
    switch (shape.type) {
      case ShapeType::structure:
        write_structure(shape, value, key);
        break;
      case ShapeType::list:
        write_list(member, value, key);
        break;
      case ShapeType::map:
        write_map(member, value, key);
        break;
      case ShapeType::timestamp:
        write_timestamp(member, value, key);
        break;
      default:
        add(key, scalar_text(value));
    }
  }

  void write_list(const Member& member, const Json& value, const std::string& key) {
    const Shape& shape = *member.shape;
    const JsonArray& items = *value.items();
    std::string prefix = key;
    if (!ec2_) {
      if (items.empty()) {
        add(key, "");  // how this protocol says "empty"; ec2 says nothing
        return;
      }
      const std::string_view name = location_of(shape.item, "");
      if (!is_flattened(member)) {
        prefix = key + "." + (name.empty() ? std::string("member") : std::string(name));
      } else if (!name.empty()) {
        const std::size_t dot = key.rfind('.');
        prefix = (dot == std::string::npos ? std::string() : key.substr(0, dot + 1)) + std::string(name);
      }
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      write(shape.item, items[i], fmt::format("{}.{}", prefix, i + 1));
    }
  }

  void write_map(const Member& member, const Json& value, const std::string& key) {
    const Shape& shape = *member.shape;
    const std::string prefix = is_flattened(member) ? key : key + ".entry";
    std::size_t index = 0;
    for (const auto& [name, inner] : *value.members()) {
      ++index;
      add(fmt::format("{}.{}.{}", prefix, index, location_of(shape.key, "key")), name);
      write(shape.value, inner, fmt::format("{}.{}.{}", prefix, index, location_of(shape.value, "value")));
    }
  }

  void write_timestamp(const Member& member, const Json& value, const std::string& key) {
    const Result<Instant> instant = instant_of(value);
    CHECK(instant.has_value(), key);  // validate() has looked at it
    add(key, timestamp_text(*instant, format_of(member, TimestampFormat::iso8601)));
  }

  const bool ec2_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> query_fields(const ServiceModel& model, const Operation& operation,
                                                              const Json& params) {
  FormWriter writer(model.metadata().protocol);
  writer.add("Action", operation.name);
  writer.add("Version", model.metadata().api_version);
  if (const Shape* input = operation.input.get()) {
    writer.write_structure(*input, params, "");
  }
  return writer.take();
}

WireRequest serialize_query(const ServiceModel& model, const Operation& operation, const Json& params) {
  WireRequest request;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.body = http::form_encode(query_fields(model, operation, params));
  return request;
}

WireError read_query_error(std::string_view body) {
  WireError out;
  const Result<XmlElement> root = parse_xml(body, xml_answer_limits());
  if (!root) {
    return out;
  }
  // <Response><Errors><Error>.. (ec2), <ErrorResponse><Error>.. (query).
  const XmlElement* holder = root->child("Errors");
  const XmlElement* error = holder == nullptr ? root->child("Error") : holder->child("Error");
  if (error != nullptr) {
    out.code = trim(error->child_text("Code"));
    out.message = trim(error->child_text("Message"));
  }
  for (const std::string_view name : {"RequestID", "RequestId", "requestId"}) {
    if (out.request_id.empty()) {
      out.request_id = trim(root->child_text(name));
    }
  }
  return out;
}

}  // namespace parallax::aws
