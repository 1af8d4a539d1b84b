#include "codec/located.h"

#include <array>

namespace parallax {

std::string_view LocatedValue::type_name() const {
  constexpr std::array<std::string_view, 7> kNames = {"nothing",  "a boolean", "an integer", "a number",
                                                      "a string", "a list",    "a table"};
  return kNames[value.index()];
}

std::optional<double> LocatedValue::number() const {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*whole);
  }
  const auto* real = std::get_if<double>(&value);
  return real == nullptr ? std::nullopt : std::optional<double>(*real);
}

const LocatedMember* LocatedValue::find(std::string_view name) const {
  if (const Table* members = table()) {
    for (const LocatedMember& member : *members) {
      if (member.name == name) {
        return &member;
      }
    }
  }
  return nullptr;
}

Json LocatedValue::to_json() const {
  if (const List* items = list()) {
    JsonArray array;
    for (const LocatedValue& item : *items) {
      array.push_back(item.to_json());
    }
    return array;
  }
  if (const Table* members = table()) {
    JsonObject object;
    for (const LocatedMember& member : *members) {
      object.append(member.name, member.value.to_json());
    }
    return object;
  }
  if (const bool* flag = boolean()) {
    return *flag;
  }
  if (const std::int64_t* whole = integer()) {
    return *whole;
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return *real;
  }
  return string() == nullptr ? Json() : Json(*string());
}

}  // namespace parallax
