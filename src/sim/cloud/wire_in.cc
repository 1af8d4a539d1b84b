// The requests: form and JSON.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/wire.h"

namespace parallax::sim {

namespace {

using aws::Member;
using aws::Protocol;
using aws::Shape;
using aws::ShapeType;

constexpr std::size_t kFieldsMax = 5000;
constexpr std::size_t kDepthMax = 16;
// Longer lists of values (instance types) grow faster than our model: any value is taken.
constexpr std::size_t kClosedEnumMax = 100;

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return client_error("MalformedQueryString", "The query string contains a syntax error.");
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

// Dotted keys as a tree.
struct Node {
  std::optional<std::string> value;
  std::map<std::string, Node, std::less<>> children;
};

Result<Node> parse_form(std::string_view body) {
  Node root;
  std::size_t fields = 0;
  for (const std::string_view field : split(body, '&')) {
    if (field.empty()) {
      continue;
    }
    if (++fields > kFieldsMax) {
      return client_error("MalformedQueryString", "The query string has too many fields.");
    }
    const std::size_t equals = field.find('=');
    const std::string key = TRY(unescape(field.substr(0, equals)));
    const std::string value = equals == std::string_view::npos ? "" : TRY(unescape(field.substr(equals + 1)));
    Node* node = &root;
    std::size_t depth = 0;
    for (const std::string_view part : split(key, '.')) {
      if (++depth > kDepthMax) {
        return client_error("MalformedQueryString", "A parameter is nested too deeply.");
      }
      node = &node->children[std::string(part)];
    }
    if (node->value) {
      return client_error("InvalidParameterCombination", fmt::format("The parameter {} is given twice", key));
    }
    node->value = value;
  }
  return root;
}

std::string form_name(const Member& member, Protocol protocol) {
  if (protocol != Protocol::ec2) {
    return member.wire_name();
  }
  if (!member.query_name.empty()) {
    return member.query_name;
  }
  std::string name = member.wire_name();
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') {
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
  }
  return name;
}

Error bad_value(const std::string& value, const std::string& path) {
  return client_error("InvalidParameterValue", fmt::format("Invalid value '{}' for {}.", value, path));
}

Result<Json> scalar_from_text(const Shape& shape, const std::string& text, const std::string& path) {
  switch (shape.type) {
    case ShapeType::boolean:
      if (text != "true" && text != "false") {
        return bad_value(text, path);
      }
      return Json(text == "true");
    case ShapeType::integer: {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size()) {
        return bad_value(text, path);
      }
      return Json(value);
    }
    case ShapeType::floating: {
      double value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size()) {
        return bad_value(text, path);
      }
      return Json(value);
    }
    case ShapeType::timestamp: {
      const Result<Instant> instant = parse_iso8601(text);
      return instant ? Result<Json>(epoch_seconds(*instant)) : Result<Json>(bad_value(text, path));
    }
    case ShapeType::blob: {
      const Result<std::string> bytes = base64_decode(text);
      return bytes ? Result<Json>(Json(text)) : Result<Json>(bad_value(text, path));
    }
    default:
      return Json(text);
  }
}

class FormReader {
 public:
  explicit FormReader(Protocol protocol) : protocol_(protocol) {}

  Result<Json> read(const Shape& shape, const Node& node, const std::string& path) const {
    if (shape.type == ShapeType::structure) {
      return read_structure(shape, node, path);
    }
    if (shape.type == ShapeType::list) {
      return read_list(shape, node, path);
    }
    if (!node.children.empty() || !node.value) {
      return unknown(path + "." + (node.children.empty() ? "" : node.children.begin()->first));
    }
    return scalar_from_text(shape, *node.value, path);
  }

 private:
  static Error unknown(const std::string& path) {
    return client_error("UnknownParameter", fmt::format("The parameter {} is not recognized", path));
  }

  Result<Json> read_structure(const Shape& shape, const Node& node, const std::string& path) const {
    if (node.value) {
      return bad_value(*node.value, path);
    }
    Json json = Json::object();
    std::size_t used = 0;
    for (const Member& member : shape.members) {
      const std::string name = form_name(member, protocol_);
      const auto child = node.children.find(name);
      const std::string inner = path.empty() ? name : path + "." + name;
      if (child != node.children.end()) {
        ++used;
        json.set(member.name, TRY(read(*member.shape, child->second, inner)));
      } else if (member.required) {
        return client_error("MissingParameter", fmt::format("The request must contain the parameter {}", inner));
      }
    }
    if (used != node.children.size()) {
      for (const auto& [name, child] : node.children) {
        if (std::ranges::none_of(shape.members,
                                 [&, &n = name](const Member& m) { return form_name(m, protocol_) == n; })) {
          return unknown(path.empty() ? name : path + "." + name);
        }
      }
    }
    return json;
  }

  Result<Json> read_list(const Shape& shape, const Node& node, const std::string& path) const {
    const Node* items = &node;
    if (protocol_ == Protocol::query) {
      const auto member = node.children.find("member");
      if (member == node.children.end()) {
        return node.value && node.value->empty() ? Result<Json>(Json(JsonArray{})) : Result<Json>(unknown(path));
      }
      items = &member->second;
    }
    if (items->value) {
      return unknown(path);
    }
    JsonArray list;
    for (std::size_t i = 1; i <= items->children.size(); ++i) {
      const std::string number = std::to_string(i);
      const auto child = items->children.find(number);
      if (child == items->children.end()) {
        return unknown(path + "." + items->children.begin()->first);
      }
      list.push_back(TRY(read(*shape.item.shape, child->second, path + "." + number)));
    }
    return Json(std::move(list));
  }

  Protocol protocol_;
};

bool closed_enum(const Shape& shape) {
  return !shape.enum_values.empty() && shape.enum_values.size() <= kClosedEnumMax;
}

double measured(const Json& value) {
  if (const std::string* text = value.string()) {
    return static_cast<double>(text->size());
  }
  if (const JsonArray* items = value.items()) {
    return static_cast<double>(items->size());
  }
  if (const JsonObject* members = value.members()) {
    return static_cast<double>(members->size());
  }
  return value.number().value_or(0);
}

std::string broken_constraint(const Shape& shape, const Json& value, const std::string& path);

std::string broken_in_members(const Shape& shape, const Json& value, const std::string& path) {
  for (const Member& member : shape.members) {
    if (const Json* inner = value.find(member.name)) {
      std::string broken = broken_constraint(*member.shape, *inner, path + (path.empty() ? "" : ".") + member.name);
      if (!broken.empty()) {
        return broken;
      }
    }
  }
  return "";
}

std::string broken_in_items(const Shape& shape, const JsonArray& items, const std::string& path) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::string broken = broken_constraint(*shape.item.shape, items[i], fmt::format("{}.{}", path, i + 1));
    if (!broken.empty()) {
      return broken;
    }
  }
  return "";
}

// Ranges and closed enumerations, with the path of what breaks them. Empty: all is well.
std::string broken_constraint(const Shape& shape, const Json& value, const std::string& path) {
  if (shape.type == ShapeType::structure) {
    return broken_in_members(shape, value, path);
  }
  if (closed_enum(shape) && value.string() != nullptr &&
      std::ranges::find(shape.enum_values, *value.string()) == shape.enum_values.end()) {
    return fmt::format("Value '{}' at '{}' failed to satisfy constraint: Member must satisfy enum value set",
                       *value.string(), path);
  }
  const double size = measured(value);
  if (shape.min && size < *shape.min) {
    return fmt::format("Value at '{}' failed to satisfy constraint: Member must be greater than or equal to {}", path,
                       *shape.min);
  }
  if (shape.max && size > *shape.max) {
    return fmt::format("Value at '{}' failed to satisfy constraint: Member must be less than or equal to {}", path,
                       *shape.max);
  }
  const JsonArray* items = value.items();
  return items != nullptr && shape.type == ShapeType::list ? broken_in_items(shape, *items, path) : "";
}

bool right_type(const Shape& shape, const Json& value) {
  switch (shape.type) {
    case ShapeType::structure:
    case ShapeType::map:
      return value.is_object();
    case ShapeType::list:
      return value.is_array();
    case ShapeType::integer:
      return value.integer().has_value();
    case ShapeType::floating:
    case ShapeType::timestamp:
      return value.is_number();
    case ShapeType::boolean:
      return value.is_bool();
    case ShapeType::string:
    case ShapeType::blob:
      return value.is_string();
  }
  return false;
}

// Types, unknown and missing members of a JSON body.
Result<> check_json(const Shape& shape, const Json& value, const std::string& path) {
  if (!right_type(shape, value)) {
    return client_error("SerializationException", fmt::format("{} cannot be converted to {} at '{}'", value.type_name(),
                                                              aws::to_string(shape.type), path));
  }
  if (shape.type == ShapeType::list) {
    for (const Json& item : *value.items()) {
      TRY(check_json(*shape.item.shape, item, path + ".member"));
    }
  } else if (shape.type == ShapeType::map) {
    for (const auto& [key, inner] : *value.members()) {
      TRY(check_json(*shape.value.shape, inner, path + "." + key));
    }
  } else if (shape.type == ShapeType::structure) {
    for (const auto& [name, inner] : *value.members()) {
      const Member* member = shape.find_member(name);
      if (member == nullptr) {
        return client_error("ValidationException", fmt::format("Unknown member '{}' at '{}'", name, path));
      }
      TRY(check_json(*member->shape, inner, path.empty() ? name : path + "." + name));
    }
    for (const Member& member : shape.members) {
      if (member.required && value.find(member.name) == nullptr) {
        return client_error("ValidationException",
                            fmt::format("1 validation error detected: Value null at '{}' failed to satisfy constraint: "
                                        "Member must not be null",
                                        path.empty() ? member.name : path + "." + member.name));
      }
    }
  }
  return {};
}

// A null member is an absent one.
Json without_nulls(const Json& value) {
  if (const JsonObject* members = value.members()) {
    Json out = Json::object();
    for (const auto& [name, inner] : *members) {
      if (!inner.is_null()) {
        out.set(name, without_nulls(inner));
      }
    }
    return out;
  }
  if (const JsonArray* items = value.items()) {
    JsonArray out;
    for (const Json& item : *items) {
      out.push_back(without_nulls(item));
    }
    return out;
  }
  return value;
}

}  // namespace

std::string form_field(std::string_view body, std::string_view name) {
  for (const std::string_view field : split(body, '&')) {
    const std::size_t equals = field.find('=');
    if (equals != std::string_view::npos && field.substr(0, equals) == name) {
      return unescape(field.substr(equals + 1)).value_or("");
    }
  }
  return "";
}

Result<Json> decode_form(const aws::ServiceModel& model, const aws::Operation& operation, std::string_view body) {
  Node root = TRY(parse_form(body));
  root.children.erase("Action");
  root.children.erase("Version");
  if (!operation.input) {
    return root.children.empty()
               ? Result<Json>(Json::object())
               : Result<Json>(client_error("UnknownParameter", fmt::format("The parameter {} is not recognized",
                                                                           root.children.begin()->first)));
  }
  const Json input = TRY(FormReader(model.metadata().protocol).read(*operation.input, root, ""));
  const std::string broken = broken_constraint(*operation.input, input, "");
  if (!broken.empty()) {
    return client_error("InvalidParameterValue", broken);
  }
  return input;
}

Result<Json> decode_json(const aws::Operation& operation, std::string_view body) {
  const Result<Json> parsed = parse_json(body.empty() ? "{}" : body, JsonLimits{32, 100'000, 1U << 20U});
  if (!parsed || !parsed->is_object()) {
    return client_error("SerializationException", "The body is not a JSON object.");
  }
  const Json input = without_nulls(*parsed);
  if (!operation.input) {
    return input;
  }
  TRY(check_json(*operation.input, input, ""));
  const std::string broken = broken_constraint(*operation.input, input, "");
  if (!broken.empty()) {
    return client_error("ValidationException", "1 validation error detected: " + broken);
  }
  return input;
}

}  // namespace parallax::sim
