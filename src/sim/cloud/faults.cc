#include "sim/cloud/faults.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/cloud/state.h"

namespace parallax::sim {

namespace {

constexpr std::array<std::pair<FaultKind, std::string_view>, 15> kNames = {{
    {FaultKind::throttle, "throttle"},
    {FaultKind::server_error, "server_error"},
    {FaultKind::bare_server_error, "bare_server_error"},
    {FaultKind::answer_lost, "answer_lost"},
    {FaultKind::request_lost, "request_lost"},
    {FaultKind::slow, "slow"},
    {FaultKind::capacity, "capacity"},
    {FaultKind::start_fails, "start_fails"},
    {FaultKind::copy_fails, "copy_fails"},
    {FaultKind::stale_read, "stale_read"},
    {FaultKind::new_id_unknown, "new_id_unknown"},
    {FaultKind::tags_lag, "tags_lag"},
    {FaultKind::agent_never, "agent_never"},
    {FaultKind::agent_late, "agent_late"},
    {FaultKind::instance_dies, "instance_dies"},
}};

// "*" stands for any run of characters.
bool fits(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) {
    return pattern == text;
  }
  if (!text.starts_with(pattern.substr(0, star))) {
    return false;
  }
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t i = star; i <= text.size(); ++i) {
    if (fits(rest, text.substr(i))) {
      return true;
    }
  }
  return false;
}

// FNV-1a, so that each region has its own sequence of draws.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = 14695981039346656037ULL ^ seed;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  return hash;
}

struct Chance {
  double probability;
  Micros duration;
};

Chance chance_of(const RegionFaults& faults, FaultKind kind) {
  switch (kind) {
    case FaultKind::capacity:
      return {faults.capacity, Micros(0)};
    case FaultKind::start_fails:
      return {faults.start_fails, Micros(0)};
    case FaultKind::copy_fails:
      return {faults.copy_fails, Micros(0)};
    case FaultKind::stale_read:
      return {faults.stale_read, faults.stale_age};
    case FaultKind::new_id_unknown:
      return {faults.new_id_unknown, faults.new_id_unknown_for};
    case FaultKind::tags_lag:
      return {faults.tags_lag, faults.tags_lag_for};
    case FaultKind::agent_never:
      return {faults.agent_never, Micros(0)};
    case FaultKind::agent_late:
      return {faults.agent_late, faults.agent_late_by};
    case FaultKind::instance_dies:
      return {faults.instance_dies, faults.instance_dies_within};
    default:
      return {0, Micros(0)};  // requests are drawn by Cloud::draw_fault
  }
}

}  // namespace

std::string_view to_string(FaultKind kind) {
  const auto* const found = std::ranges::find(kNames, kind, &std::pair<FaultKind, std::string_view>::first);
  return found == kNames.end() ? "none" : found->second;
}

std::optional<FaultKind> parse_fault_kind(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name, &std::pair<FaultKind, std::string_view>::second);
  return found == kNames.end() ? std::nullopt : std::optional<FaultKind>(found->first);
}

const std::vector<FaultKind>& fault_kinds() {
  static const std::vector<FaultKind> kKinds = [] {
    std::vector<FaultKind> kinds;
    kinds.reserve(kNames.size());
    for (const auto& [kind, name] : kNames) {
      kinds.push_back(kind);
    }
    return kinds;
  }();
  return kKinds;
}

bool strikes_requests(FaultKind kind) {
  return kind >= FaultKind::throttle && kind <= FaultKind::slow;
}

bool FaultDice::strikes(std::size_t rule, std::string_view region) {
  auto found = counts_.find(region);
  if (found == counts_.end()) {
    found = counts_.emplace(std::string(region), std::vector<Count>(rules_.size())).first;
    random_.emplace(std::string(region), Xoshiro(hash_of(region, seed_)));
  }
  Count& count = found->second[rule];
  const FaultRule& what = rules_[rule];
  if (++count.seen < what.first || (what.count > 0 && count.struck >= what.count)) {
    return false;
  }
  if (what.probability < 1 && !random_.find(region)->second.chance(what.probability)) {
    return false;
  }
  ++count.struck;
  return true;
}

const FaultRule* FaultDice::draw(const Occasion& occasion) {
  const FaultRule* struck = nullptr;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const FaultRule& rule = rules_[i];
    const bool kind = occasion.kind == FaultKind::none ? strikes_requests(rule.kind) && rule.kind != FaultKind::slow
                                                       : rule.kind == occasion.kind;
    if (!kind || !fits(rule.region, occasion.region) || occasion.age < rule.after || occasion.age >= rule.until) {
      continue;
    }
    if (strikes_requests(rule.kind) &&
        (!fits(rule.service, occasion.service) || !fits(rule.operation, occasion.operation))) {
      continue;
    }
    if (strikes(i, occasion.region) && struck == nullptr) {
      struck = &rule;
    }
  }
  return struck;
}

std::optional<Micros> strikes(World& world, const RegionState& region, FaultKind kind) {
  const Chance chance = chance_of(region.faults, kind);
  if (const FaultRule* rule = world.dice.draw({kind, region.name, "", "", world.mono - world.began})) {
    return rule->duration.value_or(chance.duration);
  }
  if (chance.probability > 0 && world.rng->chance(chance.probability)) {
    return chance.duration;
  }
  return std::nullopt;
}

}  // namespace parallax::sim
