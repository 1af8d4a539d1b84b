#include "codec/toml.h"

#include <algorithm>
#include <sstream>
#include <string>

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "base/text.h"

namespace parallax {

namespace {

Place place_of(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

LocatedValue convert(const toml::node& node);

LocatedValue::Table convert_table(const toml::table& table) {
  LocatedValue::Table members;
  for (const auto& [key, child] : table) {
    members.push_back({std::string(key.str()), place_of(key.source()), convert(child)});
  }
  // toml++ sorts by name; the order of the text is what a reader expects.
  std::stable_sort(members.begin(), members.end(), [](const LocatedMember& a, const LocatedMember& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  return members;
}

template <typename T>
std::string as_text(const T& date_or_time) {
  std::ostringstream out;
  out << date_or_time;
  return out.str();
}

LocatedValue convert(const toml::node& node) {
  LocatedValue result;
  result.place = place_of(node.source());
  if (const toml::table* table = node.as_table()) {
    result.value = convert_table(*table);
  } else if (const toml::array* array = node.as_array()) {
    LocatedValue::List items;
    for (const toml::node& item : *array) {
      items.push_back(convert(item));
    }
    result.value = std::move(items);
  } else if (const auto* string = node.as_string()) {
    result.value = string->get();
  } else if (const auto* integer = node.as_integer()) {
    result.value = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    result.value = real->get();
  } else if (const auto* flag = node.as_boolean()) {
    result.value = flag->get();
  } else if (const auto* date = node.as_date()) {
    result.value = as_text(date->get());
  } else if (const auto* time = node.as_time()) {
    result.value = as_text(time->get());
  } else if (const auto* both = node.as_date_time()) {
    result.value = as_text(both->get());
  }
  return result;
}

}  // namespace

Result<TomlValue> parse_toml(std::string_view file_name, std::string_view text) {
  if (text.size() > kTomlBytesMax) {
    return make_error(ErrorKind::refused,
                      fmt::format("{}: larger than the limit of {} bytes", file_name, kTomlBytesMax));
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    const Place place = place_of(error.source());
    return make_error(ErrorKind::invalid,
                      point_at(file_name, text, std::max<std::size_t>(place.line, 1),
                               std::max<std::size_t>(place.column, 1), terminal_safe(error.description())));
  }
  return convert(parsed.table());
}

}  // namespace parallax
