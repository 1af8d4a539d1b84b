#include "sim/cloud/ec2_describe.h"

#include <fmt/format.h>

namespace parallax::sim {

Result<std::vector<Json>> choose_resources(Context& context, ResourceKind kind, const std::vector<std::string>& ids) {
  std::vector<Json> rendered;
  rendered.reserve(ids.size());
  for (const std::string& id : ids) {
    rendered.push_back(with_tags(context.world, *TRY(find_resource(context, kind, id))));
  }
  if (ids.empty()) {
    for (const auto& [id, resource] : context.region.of(kind)) {
      if (resource.visible_at <= context.world.mono) {
        rendered.push_back(with_tags(context.world, resource));
      }
    }
  }
  return rendered;
}

Result<Json> finish_describe(const DescribeSpec& spec, std::vector<Json> rendered, const Json& input) {
  rendered = TRY(apply_filters(std::move(rendered), input, spec.filters));
  return page_of(spec.operation, std::string(spec.result), std::move(rendered), input, spec.limits);
}

Result<> ids_without_pages(const Json& input, std::string_view ids, std::string_view wire_name) {
  if (!input.list(ids).empty() && input.find("MaxResults") != nullptr) {
    return bad_combination(fmt::format("The parameter {} cannot be used with the parameter maxResults", wire_name));
  }
  return {};
}

}  // namespace parallax::sim
