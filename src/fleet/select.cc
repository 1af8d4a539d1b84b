#include "fleet/select.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::fleet {

namespace {

bool fits(const Vantage& vantage, const Selection& selection) {
  const Instance& instance = vantage.instance;
  const bool named = selection.instances.empty() || std::find(selection.instances.begin(), selection.instances.end(),
                                                              instance.id) != selection.instances.end();
  return named && std::all_of(selection.tags.begin(), selection.tags.end(), [&](const auto& tag) {
           const auto found = instance.tags.find(tag.first);
           return found != instance.tags.end() && found->second == tag.second;
         });
}

std::string regions_of(const std::vector<RegionVantages>& found, bool with_problem) {
  std::string names;
  for (const RegionVantages& region : found) {
    // A region without machines says so as its problem, and was looked at all the same.
    if (!with_problem || region.unseen) {
      names += (names.empty() ? "" : ", ") + region.region;
    }
  }
  return names;
}

Result<> check_ids(const std::vector<RegionVantages>& found, const Selection& selection) {
  std::vector<std::string_view> known;
  for (const RegionVantages& region : found) {
    for (const Vantage& vantage : region.vantages) {
      known.emplace_back(vantage.instance.id);
    }
  }
  for (const std::string& id : selection.instances) {
    if (std::find(known.begin(), known.end(), id) != known.end()) {
      continue;
    }
    const std::string unseen = regions_of(found, true);
    if (!unseen.empty()) {
      return make_error(ErrorKind::unavailable,
                        fmt::format("--instance: '{}' was not found, and {} could not be looked at", id, unseen));
    }
    const std::string_view best = suggest(id, known);
    return make_error(ErrorKind::invalid,
                      fmt::format("--instance: '{}' is no machine of the fleet in {}{}", id, regions_of(found, false),
                                  best.empty() ? "" : fmt::format("; did you mean '{}'?", best)));
  }
  return {};
}

}  // namespace

Result<std::pair<std::string, std::string>> parse_tag(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return make_error(ErrorKind::invalid, fmt::format("--tag: '{}' is not KEY=VALUE", text));
  }
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

Result<std::vector<RegionVantages>> select_vantages(std::vector<RegionVantages> found, const Selection& selection) {
  if (selection.empty()) {
    return found;
  }
  TRY(check_ids(found, selection));
  std::size_t left = 0;
  bool unseen = false;
  for (RegionVantages& region : found) {
    std::erase_if(region.vantages, [&](const Vantage& vantage) { return !fits(vantage, selection); });
    if (selection.count && region.vantages.size() > *selection.count) {
      region.vantages.resize(*selection.count);
    }
    left += region.vantages.size();
    unseen = unseen || region.unseen;
  }
  std::erase_if(found, [](const RegionVantages& region) { return region.vantages.empty() && !region.unseen; });
  if (left > 0 || unseen) {
    return found;
  }
  std::string tags;
  for (const auto& [key, value] : selection.tags) {
    tags += fmt::format("{}{}={}", tags.empty() ? "" : " and ", key, value);
  }
  return make_error(ErrorKind::not_found, tags.empty() ? "no machine of the fleet is left to choose from"
                                                       : fmt::format("no machine chosen has the tag {}", tags));
}

}  // namespace parallax::fleet
