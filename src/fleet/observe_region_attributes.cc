// What no listing tells of machines: their user data and shutdown behaviour, a call each.
#include <algorithm>

#include <fmt/format.h>

#include "codec/base64.h"
#include "codec/hash.h"
#include "fleet/observe_region.h"

namespace parallax::fleet {

namespace {

constexpr std::string_view kShutdownBehaviour = "instanceInitiatedShutdownBehavior";
constexpr std::string_view kUserData = "userData";

// As a person calls it.
std::string_view name_of(std::string_view attribute) {
  return attribute == kUserData ? "user data" : "shutdown behaviour";
}

void keep(MachineSeen& machine, std::string_view attribute, const std::string& value) {
  if (attribute == kShutdownBehaviour) {
    machine.shutdown_behaviour = value;
    return;
  }
  const Result<std::string> decoded = base64_decode(value);
  machine.user_data_digest = sha256_hex(decoded ? *decoded : value);
}

}  // namespace

Result<> RegionLook::ask_attributes(const std::vector<MachineSeen*>& machines, std::string_view attribute) {
  for (MachineSeen* machine : machines) {
    const std::string& id = machine->instance.id;
    const Result<std::string> value = api_.machine_attribute(id, attribute);
    if (value) {
      keep(*machine, attribute, *value);
    } else if (value.error().kind != ErrorKind::not_found) {  // not found: gone since it was listed
      return Result<>(value.error()).with_context(fmt::format("asking for the {} of {}", name_of(attribute), id));
    }
  }
  return {};
}

// The first call that fails ends it: it is most often the right that is missing. What EC2 showed before is not hidden
// by that.
void RegionLook::look_at_attributes() {
  if (options_.attributes == Attributes::none) {
    return;
  }
  const bool all = options_.attributes == Attributes::all;
  const std::string version = boot_timer_version(spec_.boot_timer);
  std::vector<MachineSeen*> behaviour;
  std::vector<MachineSeen*> user_data;
  for (MachineSeen& machine : seen_.machines) {
    if (!is_ours(machine.instance.tags, spec_.fleet)) {
      continue;
    }
    if (all || machine.instance.state == InstanceState::running) {
      behaviour.push_back(&machine);
    }
    // One whose tag says another version gets ours whatever it has.
    if ((all || !options_.for_check) && machine.instance.tag(kBootTimerTag) == version) {
      user_data.push_back(&machine);
    }
  }
  for (const auto& [machines, attribute] :
       {std::pair(behaviour, kShutdownBehaviour), std::pair(user_data, kUserData)}) {
    if (!all && machines.size() > kAttributesAskedMax) {
      seen_.attributes_left_out += fmt::format("{}{} of {} machines", seen_.attributes_left_out.empty() ? "" : " and ",
                                               name_of(attribute), machines.size());
      continue;
    }
    if (const Result<> asked = ask_attributes(machines, attribute); !asked) {
      seen_.attributes_problem = asked.error().text();
      return;
    }
  }
}

}  // namespace parallax::fleet
