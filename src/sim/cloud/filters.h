// EC2's filters over rendered descriptions, and pages of a list.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace parallax::sim {

// A filter's name and where the value lies in the description: member names joined by dots; lists on the way are
// searched item by item.
using FilterPaths = std::vector<std::pair<std::string_view, std::string_view>>;

// '*' and '?' as wildcards, '\' takes the next character literally; case-sensitive.
bool matches_wildcard(std::string_view pattern, std::string_view text);

// The descriptions that pass all filters of the input: different names and, values of one name or. tag:K, tag-key and
// tag-value are known everywhere. Error: InvalidParameterValue for an unknown name, FilterLimitExceeded.
Result<std::vector<Json>> apply_filters(std::vector<Json> descriptions, const Json& input, const FilterPaths& paths);

struct PageLimits {
  std::int64_t min = 5;
  std::int64_t max = 1000;
  std::int64_t default_size = 1000;
};

// {member: the page, "NextToken": if there is more}. A token holds the place and belongs to one operation.
Result<Json> page_of(std::string_view operation, std::string member, std::vector<Json> all, const Json& input,
                     const PageLimits& limits);

}  // namespace parallax::sim
