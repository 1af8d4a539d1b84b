#include "collector/query.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "http/url.h"

namespace parallax::collector {

namespace {

constexpr std::size_t kParametersMax = 32;

Error bad(std::string_view name, std::string_view value, std::string_view expected) {
  return make_error(ErrorKind::invalid,
                    fmt::format("parameter '{}' must be {}, not '{}'", name, expected, terminal_safe(value, 100)));
}

}  // namespace

Target split_target(std::string_view target) {
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) {
    return {target, {}};
  }
  return {target.substr(0, mark), target.substr(mark + 1)};
}

Result<Query> Query::parse(std::string_view query, const std::vector<std::string_view>& known) {
  Query parsed;
  if (!query.empty()) {
    parsed.fields_ = TRY(http::form_decode(query, kParametersMax));
  }
  for (auto field = parsed.fields_.begin(); field != parsed.fields_.end(); ++field) {
    const std::string name = terminal_safe(field->first, 100);
    if (std::find(known.begin(), known.end(), field->first) == known.end()) {
      const std::string_view near = suggest(field->first, known);
      return make_error(ErrorKind::invalid,
                        near.empty() ? fmt::format("parameter '{}' is not known here", name)
                                     : fmt::format("parameter '{}' is not known here; did you mean '{}'?", name, near));
    }
    if (std::any_of(parsed.fields_.begin(), field, [&](const auto& other) { return other.first == field->first; })) {
      return make_error(ErrorKind::invalid, fmt::format("parameter '{}' stands twice", name));
    }
  }
  return parsed;
}

const std::string* Query::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (field == name) {
      return &value;
    }
  }
  return nullptr;
}

std::string Query::text(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string() : *value;
}

Result<std::optional<Instant>> Query::instant(std::string_view name) const {
  const std::string* value = find(name);
  if (value == nullptr) {
    return std::optional<Instant>();
  }
  const Result<Instant> read = parse_iso8601(*value);
  if (!read) {
    return bad(name, *value, "an instant such as 2026-11-22T10:00:00Z");
  }
  return std::optional<Instant>(*read);
}

Result<std::optional<std::int64_t>> Query::number(std::string_view name, std::int64_t low, std::int64_t high) const {
  const std::string* value = find(name);
  if (value == nullptr) {
    return std::optional<std::int64_t>();
  }
  std::int64_t read = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), read);
  if (error != std::errc() || end != value->data() + value->size() || read < low || read > high) {
    return bad(name, *value, fmt::format("a number from {} to {}", low, high));
  }
  return std::optional<std::int64_t>(read);
}

}  // namespace parallax::collector
