// JSON values: what every layer hands around where the shape is not fixed at compile time. Parsing is nlohmann's,
// behind json.cc, so that this header stays light.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace parallax {

class Json;

using JsonArray = std::vector<Json>;

// Members keep the order in which they were set; names are unique.
class JsonObject {
 public:
  using Member = std::pair<std::string, Json>;

  const Json* find(std::string_view name) const;
  Json* find(std::string_view name);
  // Replaces the member of that name or appends one.
  Json& set(std::string name, Json value);
  // Appends without looking for the name: for a reader that knows it to be new.
  void append(std::string name, Json value);
  bool erase(std::string_view name);
  void reserve(std::size_t members);

  bool empty() const;
  std::size_t size() const;
  std::vector<Member>::const_iterator begin() const;
  std::vector<Member>::const_iterator end() const;
  std::vector<Member>::iterator begin();
  std::vector<Member>::iterator end();

 private:
  std::vector<Member> members_;
};

class Json {
 public:
  Json() = default;

  Json(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)

  Json(bool value) : value_(value) {}  // NOLINT(google-explicit-constructor)

  Json(int value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)

  Json(std::int64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor)

  Json(long long value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)

  Json(std::uint64_t value);  // NOLINT(google-explicit-constructor)

  Json(unsigned value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)

  Json(double value) : value_(value) {}  // NOLINT(google-explicit-constructor)

  Json(const char* value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)

  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)

  Json(std::string value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  Json(JsonArray value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  Json(JsonObject value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  template <typename T>
  Json(const std::optional<T>& value) {  // NOLINT(google-explicit-constructor)
    if (value) {
      *this = Json(*value);
    }
  }

  // Json::object({{"a", 1}, {"b", nullptr}}) and Json::array({1, 2}).
  static Json object(std::initializer_list<std::pair<std::string, Json>> members = {});
  static Json array(std::initializer_list<Json> items = {});

  bool is_null() const { return value_.index() == 0; }

  bool is_bool() const { return value_.index() == 1; }

  bool is_integer() const { return value_.index() == 2; }

  bool is_number() const { return value_.index() == 2 || value_.index() == 3; }

  bool is_string() const { return value_.index() == 4; }

  bool is_array() const { return value_.index() == 5; }

  bool is_object() const { return value_.index() == 6; }

  // "null", "boolean", "integer", "number", "string", "array", "object".
  std::string_view type_name() const;

  // The value if it has that type, else nullptr / nullopt.
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;  // also a number without a fraction
  std::optional<double> number() const;

  const std::string* string() const { return std::get_if<std::string>(&value_); }

  const JsonArray* items() const { return std::get_if<JsonArray>(&value_); }

  JsonArray* items() { return std::get_if<JsonArray>(&value_); }

  const JsonObject* members() const { return std::get_if<JsonObject>(&value_); }

  JsonObject* members() { return std::get_if<JsonObject>(&value_); }

  // The member of that name, or nullptr when this is no object or lacks it.
  const Json* find(std::string_view name) const;

  // find() along several names: at("Placement", "Tenancy").
  template <typename... Names>
  const Json* at(std::string_view name, Names... names) const {
    const Json* inner = find(name);
    if constexpr (sizeof...(names) == 0) {
      return inner;
    } else {
      return inner == nullptr ? nullptr : inner->at(names...);
    }
  }

  // Shorthands that read a member: the fallback when it is absent, null or of another type.
  std::string text(std::string_view name, std::string_view fallback = "") const;
  std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  double number(std::string_view name, double fallback) const;
  bool boolean(std::string_view name, bool fallback) const;
  // The items of a member; an empty list when absent or no array.
  const JsonArray& list(std::string_view name) const;

  // Makes this an object if it is null, then sets the member. CHECKs that it is an object.
  Json& set(std::string name, Json value);
  // Sets the member only if `value` is not null: "absent = null".
  Json& set_if(std::string name, Json value);
  // Makes this an array if it is null, then appends.
  Json& push(Json value);

  // Compact; strings that are not UTF-8 are written with U+FFFD. Doubles in the shortest form that reads back equal.
  std::string dump() const;
  // With two blanks of indent, for people.
  std::string pretty() const;
  // Compact with members sorted by name: equal values give equal text. For hashes.
  std::string canonical() const;

  friend bool operator==(const Json& a, const Json& b);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, JsonArray, JsonObject> value_;
};

struct JsonLimits {
  std::size_t depth_max = 64;
  std::size_t values_max = 20'000'000;  // values of any kind in the document
  std::size_t bytes_max = 256U << 20U;
};

// Strict RFC 8259. A name that appears twice is an error. Error: invalid ("line 3, column 7: ...") or refused (limits).
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

// A JSON string literal with quotes, escaped so that it may also stand inside HTML's <script> (no "</", no U+2028).
std::string json_quote(std::string_view text);

}  // namespace parallax
