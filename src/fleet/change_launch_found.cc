// Machines that a launch has made already: known by its token, or made by another change meanwhile.
#include <set>

#include <fmt/format.h>

#include "codec/hash.h"
#include "fleet/change_work.h"
#include "fleet/lease.h"

namespace parallax::fleet {

namespace {

constexpr int kPagesMax = 1000;
constexpr std::size_t kTokenLength = 64;  // EC2's limit

}  // namespace

Result<ChangeWork::TokenFate> ChangeWork::fate_of_token(const std::string& token) {
  const Json answer =
      TRY(calls_.ec2("DescribeInstances", Json::object({{"Filters", filter_list({{"client-token", {token}}})}}),
                     {.timeout = state_timeout()}));
  TokenFate fate;
  for (const Json& reservation : answer.list("Reservations")) {
    for (const Json& item : reservation.list("Instances")) {
      const Instance instance = read_instance(item, calls_.region());
      if (instance.state == InstanceState::terminated || instance.state == InstanceState::shutting_down) {
        fate.ended = instance.state_reason.empty() ? "terminated" : instance.state_reason;
      } else {
        Launched machine;
        machine.id = instance.id;
        machine.at = instance.launch_time;
        fate.living.push_back(std::move(machine));
      }
    }
  }
  return fate;
}

// Living ones that a launch with this token made.
Result<std::vector<ChangeWork::Launched>> ChangeWork::machines_of_token(const std::string& token) {
  return TRY(fate_of_token(token)).living;
}

// Of a token that EC2 says was used: what it made may be shown only after a while. Nothing: it is long gone.
Result<ChangeWork::TokenFate> ChangeWork::known_fate_of_token(const std::string& token) {
  const Monotonic deadline = calls_.now() + kVisibleWithin;
  for (;;) {
    TokenFate fate = TRY(fate_of_token(token));
    if (!fate.living.empty() || !fate.ended.empty() || calls_.now() >= deadline) {
      return fate;
    }
    if (!calls_.pause(context_.options.state_poll)) {
      return interrupted();
    }
  }
}

Result<std::vector<Instance>> ChangeWork::living_machines() {
  Json params = Json::object(
      {{"Filters", filter_list({{fmt::format("tag:{}", kFleetTag), {context_.spec.fleet}},
                                {"instance-state-name", {"pending", "running", "stopping", "stopped"}}})}});
  std::vector<Instance> all;
  for (int page = 0; page < kPagesMax; ++page) {
    const Json answer = TRY(calls_.ec2("DescribeInstances", params, {.timeout = state_timeout()}));
    for (const Json& reservation : answer.list("Reservations")) {
      for (const Json& item : reservation.list("Instances")) {
        all.push_back(read_instance(item, calls_.region()));
      }
    }
    const std::string next = answer.text("NextToken");
    if (next.empty()) {
      break;
    }
    params.set("NextToken", next);
  }
  return all;
}

// Machines for these slots that nobody knew of when the plan was made: another change made them meanwhile, perhaps in
// another zone, where our token does not reach.
Result<std::vector<ChangeWork::Launched>> ChangeWork::launched_by_others(Steps steps) {
  const std::vector<Instance> all = TRY(living_machines());
  std::set<std::string> known;
  for (const MachineSeen& machine : seen() != nullptr ? seen()->machines : std::vector<MachineSeen>()) {
    known.insert(machine.instance.id);
  }
  for (const auto& [id, machine] : launched_) {
    known.insert(id);
  }
  std::vector<Launched> found;
  const bool by_slot = context_.spec.instances_per_region > 1;
  for (const Instance& instance : all) {
    const bool fits =
        !by_slot || (steps.size() == 1 && instance.tag(kSlotTag) == std::to_string(steps.front().step.slot));
    if (fits && found.size() < steps.size() && !known.contains(instance.id) && instance.tag(kOriginalTag).empty()) {
      Launched machine;
      machine.id = instance.id;
      machine.at = instance.launch_time;
      machine.note = "launched by another change meanwhile";
      found.push_back(std::move(machine));
    }
  }
  return found;
}

// A function of what is wanted alone, so that two changes at once, or one that is repeated, make one machine.
std::string ChangeWork::launch_token(Steps steps, const LaunchParts& parts, const Placement& place, int attempt) const {
  std::string slots;
  for (const StepOutcome& outcome : steps) {
    slots += fmt::format("{} ", outcome.step.slot);
  }
  return sha256_hex(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", context_.spec.fleet, calls_.region(), slots,
                                parts.image.id, place.type, place.zone, attempt))
      .substr(0, kTokenLength);
}

}  // namespace parallax::fleet
