// Query parameters of the API: named, bounded, and an error where one is not known.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace parallax::collector {

// "/api/v1/runs?limit=3" in its two parts.
struct Target {
  std::string_view path, query;
};

Target split_target(std::string_view target);

// Reads one query string; the first complaint wins. Views and values live as long as this object.
class Query {
 public:
  // Error: invalid, naming a parameter that is not in `known` (with a suggestion) or that stands twice.
  static Result<Query> parse(std::string_view query, const std::vector<std::string_view>& known);

  std::string text(std::string_view name) const;  // empty where absent
  // Error: invalid, naming the parameter.
  Result<std::optional<Instant>> instant(std::string_view name) const;
  Result<std::optional<std::int64_t>> number(std::string_view name, std::int64_t low, std::int64_t high) const;

 private:
  const std::string* find(std::string_view name) const;

  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace parallax::collector
