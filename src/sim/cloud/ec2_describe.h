// What every Describe operation of EC2 does: choose by id, filter, page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/ec2_common.h"
#include "sim/cloud/filters.h"

namespace parallax::sim {

struct DescribeSpec {
  std::string_view operation;
  std::string_view result;  // member of the answer
  FilterPaths filters;
  PageLimits limits{5, 1000, 1000};
};

// The resources that `ids` name, or all that are known, with their tags. One bad id fails the call.
Result<std::vector<Json>> choose_resources(Context& context, ResourceKind kind, const std::vector<std::string>& ids);

Result<Json> finish_describe(const DescribeSpec& spec, std::vector<Json> rendered, const Json& input);

// MaxResults together with ids of the resources is refused: InvalidParameterCombination.
Result<> ids_without_pages(const Json& input, std::string_view ids, std::string_view wire_name);

}  // namespace parallax::sim
