// The machines of a region: those that are missing, and what differs of those that are there.
#include <algorithm>
#include <charconv>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fleet/plan_region.h"

namespace parallax::fleet {

namespace {

constexpr std::size_t kNamedMax = 5;  // ids that a sentence lists

std::optional<int> slot_of(const MachineSeen& machine) {
  const std::string text = machine.instance.tag(kSlotTag);
  int slot = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), slot);
  return status == std::errc() && end == text.data() + text.size() ? std::optional(slot) : std::nullopt;
}

}  // namespace

// Each machine of ours gets the slot that its tag says, else the first one that is free; in the order of their ids, so
// that it is the same each time. Who gets none is surplus.
void RegionPlanner::sort_machines() {
  const auto slots = static_cast<std::size_t>(std::max(0, spec_.instances_per_region));
  used_.assign(slots, nullptr);
  std::vector<const MachineSeen*> ours;
  std::vector<const MachineSeen*> without;
  for (const MachineSeen& machine : seen_.machines) {
    if (is_ours(machine.instance.tags)) {
      ours.push_back(&machine);
    }
  }
  std::sort(ours.begin(), ours.end(),
            [](const MachineSeen* a, const MachineSeen* b) { return a->instance.id < b->instance.id; });
  for (const MachineSeen* machine : ours) {
    const std::optional<int> slot = slot_of(*machine);
    const std::size_t at = slot && *slot >= 0 ? static_cast<std::size_t>(*slot) : slots;
    if (at < slots && used_[at] == nullptr) {
      used_[at] = machine;
    } else {
      without.push_back(machine);
    }
  }
  std::size_t free = 0;
  for (const MachineSeen* machine : without) {
    while (free < slots && used_[free] != nullptr) {
      ++free;
    }
    if (free < slots) {
      used_[free] = machine;
      continue;
    }
    leave(ResourceKind::instance, machine->instance.id, machine->instance.name,
          fmt::format("surplus: the configuration asks for {}", count_of(slots, "machine")),
          volume_cost(seen_.region, {machine->gib, machine->volume_type}));
  }
  launches_ = std::find(used_.begin(), used_.end(), nullptr) != used_.end();
}

void RegionPlanner::plan_machines() {
  std::vector<std::string> nobodys;
  for (const MachineSeen& machine : seen_.machines) {
    if (is_nobodys(machine.instance.tags)) {
      nobodys.push_back(machine.instance.id);
      leave(ResourceKind::instance, machine.instance.id, machine.instance.name,
            "bears the name and not our tag: 'parallax fleet adopt' takes it over",
            volume_cost(seen_.region, {machine.gib, machine.volume_type}));
    }
  }
  if (launches_ && !nobodys.empty()) {
    const std::size_t more = nobodys.size() > kNamedMax ? nobodys.size() - kNamedMax : 0;
    nobodys.resize(nobodys.size() - more);
    block(
        fmt::format("{}{} bears the Name {} and not our tag: take it over with 'parallax fleet adopt', or give it "
                    "another name",
                    fmt::join(nobodys, ", "), more == 0 ? "" : fmt::format(" and {} more", more), spec_.fleet));
  }
  if (launches_) {
    plan_launches();
  }
  for (const MachineSeen* machine : used_) {
    if (machine != nullptr) {
      plan_machine(*machine);
    }
  }
  tell_attributes_problem();
  plan_schedules();
  stop_launched();
}

std::string RegionPlanner::first_type() const {
  for (const std::string& type : spec_.instance_types) {
    if (!seen_.places || !seen_.places->types_problem.empty() || seen_.places->zones_of.contains(type)) {
      return type;
    }
  }
  return "";
}

void RegionPlanner::check_places() {
  if (!seen_.places) {
    block(fmt::format("where machines can be launched in {} was not looked up", seen_.region));
    return;
  }
  const LaunchPlaces& places = *seen_.places;
  if (!places.vpc_problem.empty() || places.vpc.empty()) {
    block(!places.vpc_problem.empty()
              ? places.vpc_problem
              : fmt::format("{} has no default VPC; name a subnet in [fleet] subnets", seen_.region));
  }
  if (!places.types_problem.empty()) {
    block(fmt::format("which types {} offers could not be asked: {}", seen_.region, places.types_problem));
  } else if (first_type().empty()) {
    block(
        fmt::format("{} offers none of {} where machines can be launched; name another type in [fleet] instance_types",
                    seen_.region, fmt::join(spec_.instance_types, ", ")));
  }
  if (spec_.image.kind == ImageSpec::Kind::stock && places.stock_image.empty()) {
    block(places.stock_problem.empty() ? "Amazon's image was not looked up" : places.stock_problem);
  }
  check_architecture();
}

// Every type, for a lack of capacity leads from one to the next. What the names do not tell, EC2 will.
void RegionPlanner::check_architecture() {
  const bool stock = spec_.image.kind == ImageSpec::Kind::stock;
  const std::optional<ImageSeen>& image = stock ? seen_.places->stock : observed_.home_image;
  if (!image || (image->architecture != "arm64" && image->architecture != "x86_64")) {
    return;
  }
  std::vector<std::string> others;
  std::copy_if(spec_.instance_types.begin(), spec_.instance_types.end(), std::back_inserter(others),
               [&](const std::string& type) {
                 const std::string_view architecture = architecture_of(type);
                 return !architecture.empty() && architecture != image->architecture;
               });
  if (!others.empty()) {
    block(
        fmt::format("the image {} is for {}, but not {} in [fleet] instance_types: name types of one architecture, "
                    "or an image of theirs in [fleet] image",
                    image->id, image->architecture, fmt::join(others, ", ")));
  }
}

void RegionPlanner::plan_launches() {
  check_places();
  if (!blocked_.empty()) {
    return;
  }
  const std::string type = first_type();
  for (std::size_t slot = 0; slot < used_.size(); ++slot) {
    if (used_[slot] == nullptr) {
      launch(static_cast<int>(slot), type);
    }
  }
}

void RegionPlanner::launch(int slot, const std::string& type) {
  const bool several = spec_.instances_per_region > 1;
  Step& step = add(StepKind::launch, ResourceKind::instance, "",
                   several ? fmt::format("{} {}", spec_.fleet, slot) : spec_.fleet, "there is none");
  step.slot = slot;
  step.usd_per_month = volume_cost(seen_.region, size_);
  std::vector<std::string> others;
  for (const std::string& other : spec_.instance_types) {
    if (other != type && (!seen_.places->types_problem.empty() || seen_.places->zones_of.contains(other))) {
      others.push_back(other);
    }
  }
  const auto zones = seen_.places->zones_of.find(type);
  step.details.push_back(
      fmt::format("{}{}{}", type,
                  zones == seen_.places->zones_of.end() ? "" : fmt::format(" in {}", fmt::join(zones->second, " or ")),
                  others.empty() ? "" : fmt::format(", else {}", fmt::join(others, ", "))));
  const auto subnet = spec_.subnets.find(seen_.region);
  step.details.push_back(subnet == spec_.subnets.end() ? fmt::format("in the default VPC {}", seen_.places->vpc)
                                                       : fmt::format("in {} of {}", subnet->second, seen_.places->vpc));
  if (!seen_.places->public_addresses) {
    step.details.emplace_back(
        "which gives no public address: its agent needs a NAT gateway, or endpoints of SSM in the VPC");
  }
  step.details.push_back(image_id_.empty() ? fmt::format("from the image {}", spec_.image.name)
                                           : fmt::format("from {}", image_id_));
  step.details.push_back(fmt::format("instance profile {}, IMDSv2, encrypted volume{}, boot timer {}",
                                     spec_.profile.name, size_.gib == 0 ? "" : fmt::format(" of {} GiB", size_.gib),
                                     to_human(spec_.boot_timer)));
}

bool RegionPlanner::repair(const MachineSeen& machine, StepKind kind, const std::string& differs, bool minor) {
  const bool mended = machine.instance.state == InstanceState::stopped;
  drift(machine.instance.id,
        mended
            ? differs
            : fmt::format("{}; it is {}: apply again when it is stopped", differs, to_string(machine.instance.state)),
        mended, minor);
  if (mended) {
    add(kind, ResourceKind::instance, machine.instance.id, machine.instance.name, differs).minor = minor;
  }
  return mended;
}

void RegionPlanner::plan_machine(const MachineSeen& machine) {
  const std::string& id = machine.instance.id;
  plan_user_data(machine);
  plan_shutdown_behaviour(machine);
  if (!machine.imds_v2_required) {
    repair(machine, StepKind::require_imds_v2, "its metadata service takes requests without a session (IMDSv1)");
  }
  if (machine.profile != spec_.profile.name) {
    repair(machine, StepKind::set_profile,
           fmt::format("its instance profile is {}, not {}", machine.profile.empty() ? "none" : machine.profile,
                       spec_.profile.name));
  }
  plan_groups_of(machine);
  if (const auto subnet = spec_.subnets.find(seen_.region);
      subnet != spec_.subnets.end() && !machine.subnet.empty() && machine.subnet != subnet->second) {
    drift(id, fmt::format("it is in {}, the configuration names {}", machine.subnet, subnet->second), false);
  }
  if (std::find(spec_.instance_types.begin(), spec_.instance_types.end(), machine.instance.type) ==
      spec_.instance_types.end()) {
    drift(id, fmt::format("its type is {}, none of the configuration's", machine.instance.type), false);
  }
  if (spec_.key && machine.key_name != spec_.key->name) {
    drift(id,
          fmt::format("it was launched with {}, not {}",
                      machine.key_name.empty() ? "no key pair" : "key pair " + machine.key_name, spec_.key->name),
          false);
  }
  if (spec_.image.kind == ImageSpec::Kind::copy && !image_id_.empty() && machine.image != image_id_) {
    drift(id, fmt::format("it was made from {}, this region's image is {}", machine.image, image_id_), false);
  }
}

void RegionPlanner::plan_user_data(const MachineSeen& machine) {
  const std::string has = machine.instance.tag(kBootTimerTag);
  if (has != boot_timer_version_) {
    repair(machine, StepKind::set_user_data,
           has.empty() ? "it has no boot timer; its user data is replaced"
                       : fmt::format("its boot timer is {}, not {}", has, boot_timer_version_),
           has.empty());
  } else if (machine.user_data_digest && *machine.user_data_digest != boot_timer_digest_) {
    repair(machine, StepKind::set_user_data, "its user data were changed by hand, so its boot timer may be gone");
  }
}

// Of a machine in any state: EC2 takes it while it runs too.
void RegionPlanner::plan_shutdown_behaviour(const MachineSeen& machine) {
  if (machine.shutdown_behaviour && *machine.shutdown_behaviour != kStopBehaviour) {
    const std::string differs = fmt::format("its shutdown behaviour is '{}', not '{}': a run is refused",
                                            *machine.shutdown_behaviour, kStopBehaviour);
    drift(machine.instance.id, differs, true);
    add(StepKind::set_shutdown_behaviour, ResourceKind::instance, machine.instance.id, machine.instance.name, differs);
  }
}

// It hides nothing else, and nothing is planned because of it.
void RegionPlanner::tell_attributes_problem() {
  if (!seen_.attributes_problem.empty()) {
    drift("", fmt::format("not all user data and shutdown behaviours could be looked at: {}", seen_.attributes_problem),
          false);
  }
}

// A machine stays in its VPC, and so does a group.
void RegionPlanner::plan_groups_of(const MachineSeen& machine) {
  if (!makes_group_ && group_id_.empty()) {
    return;  // told already
  }
  if (!makes_group_ && machine.groups.size() == 1 && machine.groups.front() == group_id_) {
    return;
  }
  const std::string differs =
      fmt::format("its security groups are {}, not {}",
                  machine.groups.empty() ? "none" : fmt::format("{}", fmt::join(machine.groups, ", ")),
                  makes_group_ ? "the new one" : group_id_);
  if (!machine.vpc.empty() && machine.vpc != group_vpc_) {
    drift(machine.instance.id,
          fmt::format("{}; it is in {} and the group in {}: terminate it and apply again", differs, machine.vpc,
                      group_vpc_),
          false);
    return;
  }
  repair(machine, StepKind::set_groups, differs);
}

void RegionPlanner::make_schedule(const std::string& machine, int slot, const std::string& why) {
  Step& step = add(StepKind::make_schedule, ResourceKind::schedule, machine, spec_.fleet, why);
  step.slot = slot;
  step.usd_per_month.reset();  // no price could be sourced
  step.details.push_back(fmt::format("{} UTC", schedule_expression()));
}

void RegionPlanner::plan_schedules() {
  std::unordered_map<std::string, const ScheduleSeen*> of_machine;
  for (const ScheduleSeen& schedule : seen_.schedules) {
    of_machine[schedule.instance_id] = &schedule;
  }
  const bool wanted = spec_.deadman == Deadman::guest_and_scheduler;
  for (std::size_t slot = 0; wanted && slot < used_.size(); ++slot) {
    const MachineSeen* machine = used_[slot];
    if (machine == nullptr) {
      if (blocked_.empty()) {
        make_schedule("", static_cast<int>(slot), "the machine is new");
      }
      continue;
    }
    const std::string& id = machine->instance.id;
    const auto found = of_machine.find(id);
    if (found == of_machine.end()) {
      drift(id, "it has no stop rule", true);
      make_schedule(id, static_cast<int>(slot), "there is none");
      continue;
    }
    const ScheduleSeen& schedule = *found->second;
    const bool other = !schedule.expression.empty() && schedule.expression != schedule_expression();
    if (other || schedule.state == "DISABLED") {
      const std::string differs =
          other ? fmt::format("its stop rule says {}", schedule.expression) : std::string("its stop rule is disabled");
      drift(id, differs, true);
      make_schedule(id, static_cast<int>(slot), differs);
    }
  }
  for (const MachineSeen& machine : seen_.machines) {
    of_machine.erase(machine.instance.id);
  }
  for (const ScheduleSeen& schedule : seen_.schedules) {
    if (of_machine.contains(schedule.instance_id)) {
      leave(ResourceKind::schedule, schedule.name, schedule.name,
            fmt::format("of {}, which is no more", schedule.instance_id), 0);
    }
  }
}

// Only what this plan launches is ever stopped by it.
void RegionPlanner::stop_launched() {
  for (std::size_t slot = 0; blocked_.empty() && slot < used_.size(); ++slot) {
    if (used_[slot] == nullptr) {
      const bool several = spec_.instances_per_region > 1;
      Step& step = add(StepKind::stop, ResourceKind::instance, "",
                       several ? fmt::format("{} {}", spec_.fleet, slot) : spec_.fleet, "it is new; runs start it");
      step.slot = static_cast<int>(slot);
    }
  }
}

}  // namespace parallax::fleet
