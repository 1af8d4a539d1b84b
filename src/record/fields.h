// Reading records out of JSON objects: every complaint names the member. For the .cc files of this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/time.h"
#include "codec/json.h"

namespace parallax::record {

// Reads members of one object; remembers the first complaint, so that a long record reads as a list of lines.
// Absent and null members leave the target as it is.
class FieldReader {
 public:
  explicit FieldReader(const Json& json, std::string_view what) : json_(json), what_(what) {
    if (!json.is_object()) {
      complain("", "an object");
    }
  }

  static constexpr std::size_t kTextMax = 64U << 10U;

  void text(std::string_view name, std::string& target) {
    if (const Json* value = present(name)) {
      if (const std::string* string = value->string(); string != nullptr && string->size() <= kTextMax) {
        target = *string;
      } else {
        complain(name, fmt::format("a string of at most {} bytes", kTextMax));
      }
    }
  }

  template <typename Integer>
  void integer(std::string_view name, Integer& target, std::int64_t low, std::int64_t high) {
    if (const Json* value = present(name)) {
      const std::optional<std::int64_t> number = value->integer();
      if (number && *number >= low && *number <= high) {
        target = static_cast<Integer>(*number);
      } else {
        complain(name, fmt::format("an integer from {} to {}", low, high));
      }
    }
  }

  template <typename Integer>
  void integer(std::string_view name, std::optional<Integer>& target, std::int64_t low, std::int64_t high) {
    if (present(name) != nullptr) {
      Integer value{};
      integer(name, value, low, high);
      target = value;
    }
  }

  void number(std::string_view name, double& target, double low, double high) {
    if (const Json* value = present(name)) {
      const std::optional<double> number = value->number();
      if (number && *number >= low && *number <= high) {
        target = *number;
      } else {
        complain(name, fmt::format("a number from {} to {}", low, high));
      }
    }
  }

  void number(std::string_view name, std::optional<double>& target, double low, double high) {
    if (present(name) != nullptr) {
      double value = 0;
      number(name, value, low, high);
      target = value;
    }
  }

  void boolean(std::string_view name, bool& target) {
    if (const Json* value = present(name)) {
      if (const std::optional<bool> flag = value->boolean()) {
        target = *flag;
      } else {
        complain(name, "true or false");
      }
    }
  }

  void boolean(std::string_view name, std::optional<bool>& target) {
    if (present(name) != nullptr) {
      bool value = false;
      boolean(name, value);
      target = value;
    }
  }

  void instant(std::string_view name, std::optional<Instant>& target) {
    if (const Json* value = present(name)) {
      const std::string* string = value->string();
      const Result<Instant> read = string == nullptr ? make_error(ErrorKind::invalid, "") : parse_iso8601(*string);
      if (read) {
        target = *read;
      } else {
        complain(name, "an instant such as 2026-11-22T10:00:00.000000Z");
      }
    }
  }

  // A word of a closed list, through its parse function.
  template <typename Enum, typename Parse>
  void word(std::string_view name, Enum& target, Parse parse) {
    std::string text_value;
    if (present(name) != nullptr) {
      text(name, text_value);
      if (const auto value = parse(text_value)) {
        target = *value;
      } else {
        complain(name, "one of the words of its list");
      }
    }
  }

  void require(std::string_view name) {
    if (present(name) == nullptr) {
      complain(name, "present");
    }
  }

  void complain(std::string_view name, std::string_view expected) {
    if (!error_) {
      const Json* value = json_.find(name);
      error_ = make_error(ErrorKind::invalid, name.empty() ? fmt::format("{} must be {}", what_, expected)
                                                           : fmt::format("{}: '{}' must be {}, not {}", what_, name,
                                                                         expected, shown(value)));
    }
  }

  void fail(Error error) {
    if (!error_) {
      error_ = std::move(error);
    }
  }

  const Json* present(std::string_view name) const {
    const Json* value = json_.find(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  static std::string shown(const Json* value) {
    const std::string text = value == nullptr ? "absent" : value->dump();
    return text.size() > 60 ? text.substr(0, 60) + "..." : text;
  }

  const Json& json_;
  std::string_view what_;
  std::optional<Error> error_;
};

// Null for an empty text: absent = null.
inline Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

inline Json instant_or_null(const std::optional<Instant>& instant) {
  return instant ? Json(to_iso8601(*instant)) : Json();
}

}  // namespace parallax::record
