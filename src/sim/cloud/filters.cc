#include "sim/cloud/filters.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "sim/cloud/operations.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kFilterValuesMax = 200;

std::string scalar_text(const Json& value) {
  if (const std::string* text = value.string()) {
    return *text;
  }
  if (const auto flag = value.boolean()) {
    return *flag ? "true" : "false";
  }
  return value.is_number() ? value.dump() : "";
}

bool any_value(const Json& value, std::string_view path, const std::vector<std::string>& patterns) {
  if (const JsonArray* items = value.items()) {
    return std::ranges::any_of(*items, [&](const Json& item) { return any_value(item, path, patterns); });
  }
  if (path.empty()) {
    const std::string text = scalar_text(value);
    return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches_wildcard(pattern, text); });
  }
  const std::size_t dot = path.find('.');
  const Json* inner = value.find(path.substr(0, dot));
  return inner != nullptr && any_value(*inner, dot == std::string_view::npos ? "" : path.substr(dot + 1), patterns);
}

bool tag_matches(const Json& description, std::string_view key, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(description.list("Tags"), [&](const Json& tag) {
    return tag.text("Key") == key && any_value(Json(tag.text("Value")), "", patterns);
  });
}

}  // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
      continue;
    }
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    const std::size_t literal = escaped ? p + 1 : p;
    if (p < pattern.size() && (pattern[literal] == text[t] || (!escaped && pattern[p] == '?'))) {
      p = literal + 1;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

Result<std::vector<Json>> apply_filters(std::vector<Json> descriptions, const Json& input, const FilterPaths& paths) {
  std::size_t values = 0;
  for (const Json& filter : input.list("Filters")) {
    const std::string name = filter.text("Name");
    const std::vector<std::string> patterns = strings_of(filter, "Values");
    values += patterns.size();
    if (values > kFilterValuesMax) {
      return client_error("FilterLimitExceeded",
                          "The maximum number of filter values specified on a single call is 200.");
    }
    if (patterns.empty()) {
      return client_error("InvalidParameterValue", fmt::format("The filter '{}' has no values", name));
    }
    if (name.starts_with("tag:")) {
      std::erase_if(descriptions, [&](const Json& d) { return !tag_matches(d, name.substr(4), patterns); });
      continue;
    }
    std::string_view path;
    if (name == "tag-key" || name == "tag-value") {
      path = name == "tag-key" ? "Tags.Key" : "Tags.Value";
    } else {
      const auto found = std::ranges::find(paths, name, &FilterPaths::value_type::first);
      if (found == paths.end()) {
        return client_error("InvalidParameterValue", fmt::format("The filter '{}' is invalid", name));
      }
      path = found->second;
    }
    std::erase_if(descriptions, [&](const Json& d) { return !any_value(d, path, patterns); });
  }
  return descriptions;
}

Result<Json> page_of(std::string_view operation, std::string member, std::vector<Json> all, const Json& input,
                     const PageLimits& limits) {
  const Json* asked = input.find("MaxResults");
  const std::int64_t size = asked == nullptr ? limits.default_size : asked->integer().value_or(0);
  if (size < limits.min || size > limits.max) {
    return client_error(
        "InvalidParameterValue",
        fmt::format("Value ( {} ) for parameter maxResults is invalid. Expecting a value between {} and {}.", size,
                    limits.min, limits.max));
  }
  std::size_t first = 0;
  const std::string token = input.text("NextToken");
  if (!token.empty()) {
    const Result<std::string> plain = base64_decode(token);
    const std::string head = fmt::format("{}|", operation);
    if (!plain || !plain->starts_with(head)) {
      return client_error("InvalidNextToken", "The specified NextToken is not valid.");
    }
    const std::string_view number = std::string_view(*plain).substr(head.size());
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), first);
    if (error != std::errc() || end != number.data() + number.size()) {
      return client_error("InvalidNextToken", "The specified NextToken is not valid.");
    }
  }
  const std::size_t begin = std::min(first, all.size());
  const std::size_t end = std::min(all.size(), begin + static_cast<std::size_t>(size));
  JsonArray page(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(begin)),
                 std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(end)));
  Json answer = Json::object({{std::move(member), std::move(page)}});
  if (end < all.size()) {
    answer.set("NextToken", base64_encode(fmt::format("{}|{}", operation, end)));
  }
  return answer;
}

}  // namespace parallax::sim
