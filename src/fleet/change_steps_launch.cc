// Machines are launched with everything that they need from the call that makes them on, and stopped as soon as they
// run: whatever happens to this program in between, their boot timer is in their user data.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "aws/protocol/errors.h"
#include "base/sim_bugs.h"
#include "codec/base64.h"
#include "fleet/change_work.h"

namespace parallax::fleet {

namespace {

constexpr std::size_t kLaunchBatch = 100;  // machines a call
constexpr int kTokensMax = 20;
constexpr int kStartTakes = 6;  // seconds: EC2 needs 5 to 17 until a new machine runs

// The profile is known to IAM and not yet to EC2 in this region.
bool is_profile_delay(const Error& error) {
  return error.code.starts_with("InvalidParameter") &&
         (error.message.find("IAM Instance Profile") != std::string::npos ||
          error.message.find("iamInstanceProfile") != std::string::npos);
}

// Another zone or another type may do.
bool is_of_the_place(const Error& error) {
  return aws::is_capacity(error.code) || error.code == "Unsupported" || error.code == "MissingInput" ||
         error.code == "InsufficientFreeAddressesInSubnet";
}

std::string describe(const std::string& type, const std::string& zone) {
  return zone.empty() ? type : fmt::format("{} in {}", type, zone);
}

// Of a machine that ended by itself: "Server.InsufficientInstanceCapacity" is the code of the call, with its sender.
std::string reason_code(const std::string& ended) {
  return ended.substr(ended.find('.') + 1);
}

bool ended_without_room(const std::string& ended) {
  return aws::is_capacity(reason_code(ended));
}

std::optional<Instant> instant_of(const Json& json, std::string_view member) {
  const Result<Instant> instant = parse_iso8601(json.text(member));
  return instant ? std::optional(*instant) : std::nullopt;
}

}  // namespace

Result<ChangeWork::LaunchParts> ChangeWork::launch_parts() {
  LaunchParts parts;
  parts.group_id = TRY(group_id());
  parts.image = TRY(usable_image());
  parts.user_data = base64_encode(boot_user_data(context_.spec.boot_timer));
  return parts;
}

// Every zone of the first type, then of the next: types in the order of the specification. Where zones are not known or
// a subnet is configured, the types alone.
std::vector<ChangeWork::Placement> ChangeWork::placements() const {
  std::vector<Placement> places;
  const bool known = seen() != nullptr && seen()->places && seen()->places->types_problem.empty();
  const bool choose_zone = known && !context_.spec.subnets.contains(calls_.region());
  for (const std::string& type : context_.spec.instance_types) {
    std::set<std::string> zones;
    if (known && seen()->places->zones_of.contains(type)) {
      zones = seen()->places->zones_of.at(type);
    }
    if (choose_zone) {
      for (const std::string& zone : zones) {
        places.push_back({type, zone});
      }
    } else if (!known || !zones.empty()) {
      places.push_back({type, ""});
    }
  }
  return places;
}

Json ChangeWork::launch_parameters(Steps steps, const LaunchParts& parts, const Placement& place) const {
  const Spec& spec = context_.spec;
  Tags machine_tags = our_tags();
  machine_tags[kBootTimerTag] = boot_timer_version(spec.boot_timer);
  if (spec.instances_per_region > 1 && steps.size() == 1) {
    machine_tags[kSlotTag] = std::to_string(steps.front().step.slot);
  }
  Json params = Json::object({{"ImageId", parts.image.id},
                              {"InstanceType", place.type},
                              {"MinCount", 1},
                              {"MaxCount", static_cast<std::int64_t>(steps.size())},
                              {"SecurityGroupIds", Json::array({parts.group_id})},
                              {"IamInstanceProfile", Json::object({{"Name", spec.profile.name}})},
                              {"InstanceInitiatedShutdownBehavior", "stop"},
                              {"UserData", parts.user_data}});
  params.set("MetadataOptions", Json::object({{"HttpTokens", "required"}, {"HttpEndpoint", "enabled"}}));
  params.set(
      "BlockDeviceMappings",
      Json::array({Json::object({{"DeviceName", parts.image.root_device},
                                 {"Ebs", Json::object({{"Encrypted", true}, {"DeleteOnTermination", true}})}})}));
  params.set("TagSpecifications",
             Json::array({tag_specification("instance", machine_tags), tag_specification("volume", our_tags())}));
  if (spec.key) {
    params.set("KeyName", spec.key->name);
  }
  if (const auto subnet = spec.subnets.find(calls_.region()); subnet != spec.subnets.end()) {
    params.set("SubnetId", subnet->second);
  } else if (!place.zone.empty()) {
    params.set("Placement", Json::object({{"AvailabilityZone", place.zone}}));
  }
  return params;
}

// As many of these slots as there is room for; at least one. A token whose machine is gone is followed by the next
// one's attempt, or by the next place where that machine found no room: who meets the token later goes the same way as
// who saw the machine end.
Result<std::vector<ChangeWork::Launched>> ChangeWork::launch_batch(Steps steps, const LaunchParts& parts,
                                                                   const Placement& place, PlaceSearch& search) {
  const Micros profile_timeout = context_.options.profile_timeout;
  const Patience patience{.timeout = state_timeout(),
                          .codes = {"InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound", "InvalidAMIID.NotFound",
                                    "InvalidAMIID.Unavailable", "InvalidKeyPair.NotFound"},
                          .passes = [profile_timeout](const Error& error, Micros waited) {
                            return is_profile_delay(error) && waited < profile_timeout;
                          }};
  Json params = launch_parameters(steps, parts, place);
  int without_room = 0;
  for (int attempt = 1; attempt <= kTokensMax; ++attempt) {
    const std::string token = launch_token(steps, parts, place, attempt);
    if (!sim_bug(&SimBugs::launch_without_token)) {
      params.set("ClientToken", token);
      std::vector<Launched> others = TRY(launched_by_others(steps));
      if (!others.empty()) {
        return others;
      }
    }
    const Result<Json> answer = calls_.ec2("RunInstances", params, patience);
    if (answer) {
      std::vector<Launched> machines;
      for (const Json& instance : answer->list("Instances")) {
        Launched machine;
        machine.id = instance.text("InstanceId");
        machine.at = instant_of(instance, "LaunchTime");
        machine.next_look = calls_.now() + about_seconds(kStartTakes);
        machines.push_back(std::move(machine));
      }
      return machines;
    }
    const Error& error = answer.error();
    // A mismatch: launched before with other parameters. Where it lives it is ours; a next apply tells what differs.
    if (error.code != "IdempotentParameterMismatch" && error.code != "IdempotentInstanceTerminated") {
      if (calls_.was_unclear()) {
        unclear_[token] = fmt::format("a machine of type {}", describe(place.type, place.zone));
      }
      return error;
    }
    TokenFate fate = TRY(known_fate_of_token(token));
    if (!fate.living.empty() && error.code == "IdempotentParameterMismatch") {
      return std::move(fate.living);
    }
    if (ended_without_room(fate.ended) && without_room++ >= search.lap) {
      search.remembered = true;
      Error no_room = make_error(ErrorKind::unavailable, "a machine that was launched there before ended without room");
      no_room.code = reason_code(fate.ended);
      return no_room;
    }
  }
  return make_error(ErrorKind::conflict,
                    fmt::format("{} launches in a row gave back machines that are gone", kTokensMax));
}

Result<> ChangeWork::tag_slots(Steps steps) {
  if (context_.spec.instances_per_region <= 1 || steps.size() <= 1) {
    return {};
  }
  for (const StepOutcome& outcome : steps) {
    TRY(calls_.ec2("CreateTags",
                   Json::object({{"Resources", Json::array({outcome.id})},
                                 {"Tags", tag_list({{kSlotTag, std::to_string(outcome.step.slot)}})}}),
                   {.timeout = state_timeout(), .codes = {"InvalidInstanceID.NotFound"}}));
  }
  return {};
}

// Whether a place is left to try, of so many.
bool ChangeWork::PlaceSearch::any_left(std::size_t places) {
  if (place >= places && remembered) {
    place = 0;
    ++lap;
    remembered = false;
  }
  return place < places;
}

// The first of these, as many as one call launches.
ChangeWork::Steps ChangeWork::without_machine(Steps steps) {
  const Steps some = steps.subspan(0, std::min(steps.size(), kLaunchBatch));
  const auto end =
      std::find_if(some.begin(), some.end(), [](const StepOutcome& outcome) { return !outcome.id.empty(); });
  return some.subspan(0, static_cast<std::size_t>(end - some.begin()));
}

// What is asked next, where `here` had no room.
void ChangeWork::note_next_place(PlaceSearch& search, const std::vector<Placement>& places, const Placement& here,
                                 const std::string& code) {
  const std::string next =
      search.place < places.size() ? describe(places[search.place].type, places[search.place].zone) : "nothing";
  search.note +=
      fmt::format("{}{} after {} for {}", search.note.empty() ? "" : "; ", next, code, describe(here.type, here.zone));
  tell(search.note);
}

// Gives every step without a machine one, from `search.place` on: where the last one fitted. Where no place is left and
// one was passed over only for what it had no room for before, all are asked once more.
Result<> ChangeWork::launch_all(Steps steps, const LaunchParts& parts, PlaceSearch& search) {
  const std::vector<Placement> places = placements();
  if (places.empty()) {
    return make_error(ErrorKind::conflict, fmt::format("no zone of {} offers {}", calls_.region(),
                                                       fmt::join(context_.spec.instance_types, " or ")));
  }
  std::optional<Error> no_room;
  for (std::size_t begin = 0; begin < steps.size();) {
    if (!steps[begin].id.empty()) {
      ++begin;
      continue;
    }
    if (!search.any_left(places.size())) {
      return no_room ? *no_room : make_error(ErrorKind::unavailable, "no zone and no type is left to try");
    }
    const Placement& here = places[search.place];
    const Steps batch = without_machine(steps.subspan(begin));
    const Result<std::vector<Launched>> machines = launch_batch(batch, parts, here, search);
    if (!machines && is_of_the_place(machines.error())) {
      no_room = machines.error();
      ++search.place;
      note_next_place(search, places, here, no_room->code);
      continue;
    }
    if (!machines) {
      return machines.error();
    }
    const std::size_t count = std::min(machines->size(), batch.size());
    for (const Launched& machine : *machines) {
      launched_[machine.id] = machine;
    }
    for (std::size_t i = 0; i < count; ++i) {
      batch[i].id = (*machines)[i].id;
      std::string& note = launched_[batch[i].id].note;
      note = note.empty() ? search.note : note;
    }
    TRY(tag_slots(batch.subspan(0, count)));
    begin += count;
  }
  return {};
}

// After its machines have settled: done where one is stopped. True: one ended by itself for lack of room, and its step
// needs another place. Error: it ended for another reason.
Result<bool> ChangeWork::close_launches(Steps steps) {
  bool again = false;
  for (StepOutcome& outcome : steps) {
    const Launched* machine = launched_of(outcome.id);
    if (machine == nullptr || outcome.state != StepState::doing) {
      continue;
    }
    std::string& history = histories_[outcome.step.slot];
    if (machine->stopped) {
      outcome.note = history + (history.empty() || machine->note.empty() ? "" : "; ") + machine->note;
      outcome.state = StepState::done;
    } else if (!machine->ended.empty()) {
      // It went from pending to terminated by itself: "Server.InsufficientInstanceCapacity".
      if (!ended_without_room(machine->ended)) {
        return make_error(ErrorKind::conflict, fmt::format("machine {} was terminated as soon as it was launched: {}",
                                                           machine->id, machine->ended));
      }
      history += fmt::format("{}{} ended with {}", history.empty() ? "" : "; ", machine->id, machine->ended);
      tell(history);
      outcome.id.clear();
      again = true;
    }
  }
  return again;
}

Result<> ChangeWork::launch(Steps steps) {
  const LaunchParts parts = TRY(launch_parts());
  PlaceSearch search;
  for (;;) {
    const Result<> launched = launch_all(steps, parts, search);
    std::vector<Launched*> machines;
    for (const StepOutcome& outcome : steps) {
      if (Launched* machine = launched_of(outcome.id)) {
        machines.push_back(machine);
      }
    }
    // What was launched before another launch failed is stopped before anything else is said.
    const Result<> settled = settle(std::move(machines));
    const bool again = TRY(close_launches(steps));
    if (!launched && !search.note.empty()) {
      remark(search.note);  // of those that found no place
    }
    TRY(launched);
    TRY(settled);
    if (!again) {
      return {};
    }
    ++search.place;
    if (calls_.stopped()) {
      return interrupted();
    }
  }
}

}  // namespace parallax::fleet
