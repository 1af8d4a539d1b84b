#include "aws/model/validate.h"

#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "codec/base64.h"

namespace parallax::aws {

namespace {

constexpr std::size_t kProblemsMax = 100;
constexpr int kDepthMax = 64;  // shapes may contain themselves, so the value's depth must be bounded

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
  }
  return count;
}

class Validator {
 public:
  void check(const Shape& shape, const Json& value, const std::string& path, int depth) {
    if (depth > kDepthMax) {
      add(path, fmt::format("nested deeper than {}", kDepthMax));
      return;
    }
    switch (shape.type) {
      case ShapeType::structure:
        check_structure(shape, value, path, depth);
        break;
      case ShapeType::list:
        check_list(shape, value, path, depth);
        break;
      case ShapeType::map:
        check_map(shape, value, path, depth);
        break;
      default:
        check_scalar(shape, value, path);
    }
  }

  std::vector<std::string> take() { return std::move(problems_); }

 private:
  void add(const std::string& path, std::string_view what) {
    if (problems_.size() < kProblemsMax) {
      problems_.push_back(path.empty() ? std::string(what) : fmt::format("{}: {}", path, what));
    }
  }

  bool expect(bool good, const std::string& path, std::string_view wanted, const Json& value) {
    if (!good) {
      const std::string_view article = value.is_array() || value.is_object() || value.is_integer() ? "an" : "a";
      add(path, value.is_null() ? fmt::format("must be {}, not null", wanted)
                                : fmt::format("must be {}, not {} {}", wanted, article, value.type_name()));
    }
    return good;
  }

  void check_structure(const Shape& shape, const Json& value, const std::string& path, int depth) {
    if (shape.document) {
      return;  // any JSON value
    }
    if (!expect(value.is_object(), path, "an object", value)) {
      return;
    }
    const std::string prefix = path.empty() ? "" : path + ".";
    std::size_t present = 0;
    for (const Member& member : shape.members) {
      const Json* given = value.find(member.name);
      if (given != nullptr && !given->is_null()) {
        ++present;
        check_member(member, *given, prefix + member.name, depth + 1);
      } else if (member.required && !member.idempotency_token) {
        add(prefix + member.name, "is required");
      }
    }
    for (const auto& [name, unused] : *value.members()) {
      if (shape.find_member(name) == nullptr) {
        add_unknown(shape, prefix + terminal_safe(name, 200), name);
      }
    }
    if (shape.is_union && present != 1) {
      add(path, fmt::format("exactly one member must be set, not {}, of {}", present, names_of(shape)));
    }
  }

  void check_member(const Member& member, const Json& value, const std::string& path, int depth) {
    if (member.json_value && member.location == "header") {
      return;  // any JSON value
    }
    check(*member.shape, value, path, depth);
    if (member.location == "uri" && value.string() != nullptr && value.string()->empty()) {
      add(path, "must not be empty: it is a part of the request's path");
    }
  }

  static std::string names_of(const Shape& shape) {
    std::string names;
    for (const Member& member : shape.members) {
      names += (names.empty() ? "" : ", ") + member.name;
    }
    return names;
  }

  void add_unknown(const Shape& shape, const std::string& path, std::string_view name) {
    std::vector<std::string_view> names;
    for (const Member& member : shape.members) {
      if (equals_ignore_case(member.name, name)) {
        add(path, fmt::format("unknown parameter; did you mean '{}'?", member.name));
        return;
      }
      names.emplace_back(member.name);
    }
    const std::string_view near = suggest(name, names);
    add(path, near.empty() ? "unknown parameter" : fmt::format("unknown parameter; did you mean '{}'?", near));
  }

  void check_list(const Shape& shape, const Json& value, const std::string& path, int depth) {
    if (!expect(value.is_array(), path, "an array", value)) {
      return;
    }
    const JsonArray& items = *value.items();
    check_range(shape, static_cast<double>(items.size()), path, "items");
    for (std::size_t i = 0; i < items.size() && problems_.size() < kProblemsMax; ++i) {
      check(*shape.item.shape, items[i], fmt::format("{}[{}]", path, i), depth + 1);
    }
  }

  void check_map(const Shape& shape, const Json& value, const std::string& path, int depth) {
    if (!expect(value.is_object(), path, "an object", value)) {
      return;
    }
    check_range(shape, static_cast<double>(value.members()->size()), path, "entries");
    for (const auto& [key, inner] : *value.members()) {
      const std::string inner_path = fmt::format("{}['{}']", path, terminal_safe(key, 100));
      check(*shape.key.shape, Json(key), inner_path + " (key)", depth + 1);
      check(*shape.value.shape, inner, inner_path, depth + 1);
    }
  }

  void check_scalar(const Shape& shape, const Json& value, const std::string& path) {
    const std::string* text = value.string();
    switch (shape.type) {
      case ShapeType::string:
        if (expect(text != nullptr, path, "a string", value) && text != nullptr) {
          check_range(shape, static_cast<double>(count_characters(*text)), path, "characters");
        }
        break;
      case ShapeType::integer:
        if (expect(value.integer().has_value(), path, "an integer", value)) {
          check_range(shape, static_cast<double>(*value.integer()), path, "");
        }
        break;
      case ShapeType::floating:
        if (expect(value.is_number(), path, "a number", value)) {
          check_range(shape, *value.number(), path, "");
        }
        break;
      case ShapeType::boolean:
        expect(value.is_bool(), path, "a boolean", value);
        break;
      case ShapeType::blob:
        check_blob(shape, value, path);
        break;
      default:
        check_timestamp(value, path);
    }
  }

  void check_timestamp(const Json& value, const std::string& path) {
    constexpr double kFirst = -62135596800.0;  // 0001-01-01
    constexpr double kLast = 253402300799.0;   // 9999-12-31T23:59:59
    const std::string* text = value.string();
    const std::optional<double> seconds = value.number();
    if (text != nullptr ? !parse_iso8601(*text).has_value() : !seconds.has_value()) {
      add(path, "must be an instant: ISO 8601 in UTC, or seconds since 1970");
    } else if (seconds && !(*seconds >= kFirst && *seconds <= kLast)) {
      add(path, "must be an instant in the years 1 to 9999");
    }
  }

  void check_blob(const Shape& shape, const Json& value, const std::string& path) {
    if (!expect(value.is_string(), path, "a string in base64", value)) {
      return;
    }
    const Result<std::string> bytes = base64_decode(*value.string());
    if (!bytes) {
      add(path, "must be base64");
    } else {
      check_range(shape, static_cast<double>(bytes->size()), path, "bytes");
    }
  }

  void check_range(const Shape& shape, double size, const std::string& path, std::string_view unit) {
    const std::string_view blank = unit.empty() ? "" : " ";
    if (shape.min && size < *shape.min) {
      add(path, fmt::format("{}{}{} is below the minimum of {}", size, blank, unit, *shape.min));
    }
    if (shape.max && size > *shape.max) {
      add(path, fmt::format("{}{}{} is above the maximum of {}", size, blank, unit, *shape.max));
    }
  }

  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> validate(const ServiceModel& /*model*/, const Shape& shape, const Json& value) {
  Validator validator;
  validator.check(shape, value, "", 0);
  return validator.take();
}

}  // namespace parallax::aws
