#include "sim/cloud/wire_check.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "sim/cloud/operations.h"

namespace parallax::sim {

namespace {

using aws::Member;
using aws::Shape;
using aws::ShapeType;

// Longer lists of values (instance types) grow faster than our model: any value is taken.
constexpr std::size_t kClosedEnumMax = 100;
constexpr std::size_t kProblemsMax = 10;
constexpr std::size_t kShownBytesMax = 200;

template <typename Number>
Result<Json> number_from_text(const std::string& text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return make_error(ErrorKind::invalid, text);
  }
  return Json(value);
}

bool closed_enum(const Shape& shape) {
  return !shape.enum_values.empty() && shape.enum_values.size() <= kClosedEnumMax;
}

// Characters, not bytes.
double length_of(std::string_view text) {
  return static_cast<double>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

double measured(const Shape& shape, const Json& value) {
  if (const std::string* text = value.string()) {
    if (shape.type == ShapeType::blob) {
      return static_cast<double>(base64_decode(*text).value_or("").size());
    }
    return length_of(*text);
  }
  if (const JsonArray* items = value.items()) {
    return static_cast<double>(items->size());
  }
  if (const JsonObject* members = value.members()) {
    return static_cast<double>(members->size());
  }
  return value.number().value_or(0);
}

std::string shown(const Json& value) {
  const std::string* text = value.string();
  std::string out = text != nullptr ? *text : value.dump();
  if (out.size() > kShownBytesMax) {
    out = to_utf8(std::string_view(out).substr(0, kShownBytesMax)) + "...";
  }
  return out;
}

class ConstraintCheck {
 public:
  std::vector<std::string> take() { return std::move(broken_); }

  void check(const Shape& shape, const Json& value, const std::string& path) {
    if (broken_.size() >= kProblemsMax) {
      return;
    }
    if (shape.type == ShapeType::structure) {
      for (const Member& member : shape.members) {
        if (const Json* inner = value.find(member.name)) {
          check(*member.shape, *inner, path + (path.empty() ? "" : ".") + message_name(member.name));
        }
      }
      return;
    }
    check_enum(shape, value, path);
    check_size(shape, value, path);
    if (const JsonArray* items = value.items(); items != nullptr && shape.type == ShapeType::list) {
      for (std::size_t i = 0; i < items->size(); ++i) {
        check(*shape.item.shape, (*items)[i], fmt::format("{}.{}.member", path, i + 1));
      }
    }
    if (const JsonObject* members = value.members(); members != nullptr && shape.type == ShapeType::map) {
      for (const auto& [key, inner] : *members) {
        check(*shape.key.shape, key, path + ".key");
        check(*shape.value.shape, inner, path + "." + key + ".member");
      }
    }
  }

 private:
  void add(const Json& value, const std::string& path, const std::string& rule) {
    broken_.push_back(fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}", shown(value), path, rule));
  }

  void check_enum(const Shape& shape, const Json& value, const std::string& path) {
    const std::string* text = value.string();
    if (text != nullptr && closed_enum(shape) &&
        std::ranges::find(shape.enum_values, *text) == shape.enum_values.end()) {
      add(value, path, fmt::format("Member must satisfy enum value set: [{}]", fmt::join(shape.enum_values, ", ")));
    }
  }

  void check_size(const Shape& shape, const Json& value, const std::string& path) {
    if (!shape.min && !shape.max) {
      return;
    }
    const double size = measured(shape, value);
    const std::string_view what = value.is_number() ? "value" : "length";
    if (shape.min && size < *shape.min) {
      add(value, path, fmt::format("Member must have {} greater than or equal to {}", what, *shape.min));
    }
    if (shape.max && size > *shape.max) {
      add(value, path, fmt::format("Member must have {} less than or equal to {}", what, *shape.max));
    }
  }

  std::vector<std::string> broken_;
};

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
      return value.is_number();
    case ShapeType::timestamp:
      return value.is_number() || (value.string() != nullptr && parse_iso8601(*value.string()).has_value());
    case ShapeType::boolean:
      return value.is_bool();
    case ShapeType::string:
      return value.is_string();
    case ShapeType::blob:
      return value.string() != nullptr && base64_decode(*value.string()).has_value();
  }
  return false;
}

Result<> check_members(const Shape& shape, const Json& value, const std::string& path) {
  for (const auto& [name, inner] : *value.members()) {
    const auto member = std::ranges::find_if(
        shape.members, [&n = name](const Member& m) { return m.location.empty() && m.wire_name() == n; });
    if (member == shape.members.end()) {
      return client_error("ValidationException", fmt::format("Unknown member '{}' at '{}'", name, path));
    }
    TRY(check_json(*member->shape, inner, path.empty() ? name : path + "." + name));
  }
  std::vector<std::string> missing;
  for (const Member& member : shape.members) {
    if (member.required && member.location.empty() && value.find(member.wire_name()) == nullptr) {
      missing.push_back(
          must_not_be_null(path.empty() ? message_name(member.name) : path + "." + message_name(member.name)));
    }
  }
  return missing.empty() ? Result<>() : client_error("ValidationException", validation_message(missing));
}

}  // namespace

Result<Json> scalar_from_text(const Shape& shape, const std::string& text) {
  switch (shape.type) {
    case ShapeType::boolean:
      if (text != "true" && text != "false") {
        break;
      }
      return Json(text == "true");
    case ShapeType::integer:
      return number_from_text<std::int64_t>(text);
    case ShapeType::floating:
      return number_from_text<double>(text);
    case ShapeType::timestamp:
      if (const Result<Instant> instant = parse_iso8601(text)) {
        return epoch_seconds(*instant);
      }
      break;
    case ShapeType::blob:
      if (base64_decode(text).has_value()) {
        return Json(text);
      }
      break;
    case ShapeType::string:
      return Json(text);
    default:
      break;
  }
  return make_error(ErrorKind::invalid, text);
}

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
    return check_members(shape, value, path);
  }
  return {};
}

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

Json normalised(const Shape& shape, const Json& value) {
  if (const JsonObject* members = value.members()) {
    Json out = Json::object();
    for (const auto& [name, inner] : *members) {
      if (shape.type == ShapeType::map) {
        out.set(name, normalised(*shape.value.shape, inner));
        continue;
      }
      const auto member =
          std::ranges::find_if(shape.members, [&n = name](const Member& m) { return m.wire_name() == n; });
      if (member != shape.members.end()) {
        out.set(member->name, normalised(*member->shape, inner));
      }
    }
    return out;
  }
  if (const JsonArray* items = value.items(); items != nullptr && shape.type == ShapeType::list) {
    JsonArray out;
    for (const Json& item : *items) {
      out.push_back(normalised(*shape.item.shape, item));
    }
    return out;
  }
  if (shape.type == ShapeType::timestamp && value.string() != nullptr) {
    const Result<Instant> instant = parse_iso8601(*value.string());
    return instant ? epoch_seconds(*instant) : value;
  }
  return value;
}

std::vector<std::string> broken_constraints(const Shape& shape, const Json& value) {
  ConstraintCheck check;
  check.check(shape, value, "");
  return check.take();
}

std::string validation_message(const std::vector<std::string>& broken) {
  return fmt::format("{} validation error{} detected: {}", broken.size(), broken.size() == 1 ? "" : "s",
                     fmt::join(broken, "; "));
}

std::string must_not_be_null(std::string_view path) {
  return fmt::format("Value null at '{}' failed to satisfy constraint: Member must not be null", path);
}

std::string message_name(std::string_view member) {
  std::string name(member);
  if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') {
    name[0] = static_cast<char>(name[0] - 'A' + 'a');
  }
  return name;
}

}  // namespace parallax::sim
