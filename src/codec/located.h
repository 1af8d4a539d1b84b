// Values that remember where they stood in the text they were read from, so that a complaint can point at the place.
// What the readers of TOML and of Python literals give.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "codec/json.h"

namespace parallax {

// Line and column count from 1; columns count bytes.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;

  friend bool operator==(const Place&, const Place&) = default;
};

struct LocatedMember;

struct LocatedValue {
  using List = std::vector<LocatedValue>;
  using Table = std::vector<LocatedMember>;  // in the order of the text; names are unique

  Place place;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Table> value;

  // "nothing", "a boolean", "an integer", "a number", "a string", "a list", "a table"
  std::string_view type_name() const;

  const bool* boolean() const { return std::get_if<bool>(&value); }

  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value); }

  std::optional<double> number() const;  // of an integer too

  const std::string* string() const { return std::get_if<std::string>(&value); }

  const List* list() const { return std::get_if<List>(&value); }

  const Table* table() const { return std::get_if<Table>(&value); }

  // The member of that name, or nullptr when this is no table or lacks it.
  const LocatedMember* find(std::string_view name) const;

  Json to_json() const;
};

struct LocatedMember {
  std::string name;
  Place place;  // of the name
  LocatedValue value;
};

}  // namespace parallax
