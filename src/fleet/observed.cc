#include "fleet/observed.h"

#include <fmt/format.h>

#include "base/sim_bugs.h"
#include "fleet/lease.h"

namespace parallax::fleet {

namespace {

std::string ports_text(const Rule& rule) {
  if (!rule.from && !rule.to) {
    return "";
  }
  const int from = rule.from.value_or(*rule.to);
  const int to = rule.to.value_or(*rule.from);
  return from == to ? fmt::format(" {}", from) : fmt::format(" {}-{}", from, to);
}

}  // namespace

std::string to_text(const Rule& rule) {
  return fmt::format("{} {}{} {} {}", rule.egress ? "out" : "in", rule.protocol == "-1" ? "all" : rule.protocol,
                     ports_text(rule), rule.egress ? "to" : "from", rule.peer);
}

bool is_ours(const Tags& tags, const std::string& fleet) {
  if (sim_bug(&SimBugs::trust_the_name) && tags.contains("Name") && tags.at("Name") == fleet) {
    return true;
  }
  const auto tag = tags.find(kFleetTag);
  return tag != tags.end() && tag->second == fleet;
}

}  // namespace parallax::fleet
