// Key pair and security group of a region.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fleet/plan_region.h"

namespace parallax::fleet {

namespace {

const Rule kAllOut{true, "-1", {}, {}, "0.0.0.0/0", ""};
const Rule kAllOutV6{true, "-1", {}, {}, "::/0", ""};

struct WantedRules {
  std::set<Rule> rules;
  std::set<Rule> tolerated;  // neither asked for nor taken away
  std::vector<std::string> dropped;
};

// No rule in, all out, as EC2 gives to a new group; or home's, without those whose peer is of home's region alone.
WantedRules wanted_rules(const Spec& spec, const std::optional<GroupSeen>& home) {
  WantedRules wanted;
  if (spec.group.like_home.empty()) {
    wanted.rules.insert(kAllOut);
  } else if (home) {
    for (const Rule& rule : home->rules) {
      if (rule.peer.starts_with("sg-") || rule.peer.starts_with("pl-")) {
        wanted.dropped.push_back(fmt::format("not copied: {}, which names a {} of {}", to_text(rule),
                                             rule.peer.starts_with("sg-") ? "security group" : "prefix list",
                                             spec.home));
      } else {
        wanted.rules.insert(rule);
      }
    }
  }
  // EC2 gives it to a new group where the VPC has IPv6.
  if (wanted.rules.contains(kAllOut)) {
    wanted.tolerated.insert(kAllOutV6);
  }
  return wanted;
}

std::vector<std::string> texts_of(const std::vector<Rule>& rules) {
  std::vector<std::string> texts;
  texts.reserve(rules.size());
  for (const Rule& rule : rules) {
    texts.push_back(to_text(rule));
  }
  return texts;
}

}  // namespace

std::optional<bool> RegionPlanner::is_our_key(const KeySeen& key) const {
  const auto tag = key.tags.find(kPublicKeyTag);
  if (tag != key.tags.end() && tag->second == spec_.key->digest && key.public_key.empty()) {
    return true;
  }
  if (!key.public_key.empty()) {
    const Result<KeySpec> found = parse_public_key(key.public_key, key.name);
    return found && found->digest == spec_.key->digest;
  }
  const Result<std::string> fingerprint = imported_fingerprint(*spec_.key);
  if (fingerprint && *fingerprint == key.fingerprint) {
    return true;
  }
  // EC2 shows another fingerprint of an RSA key that it made itself.
  constexpr std::size_t kSha1FingerprintLength = 59;
  return key.fingerprint.empty() || key.fingerprint.size() == kSha1FingerprintLength ? std::nullopt
                                                                                     : std::optional(false);
}

void RegionPlanner::plan_key() {
  const KeySeen* ours = nullptr;
  const KeySeen* nobodys = nullptr;
  if (spec_.key) {
    for (const KeySeen& key : seen_.keys) {
      if (key.name == spec_.key->name) {
        (is_ours(key.tags) ? ours : nobodys) = &key;
      }
    }
    if (ours != nullptr) {
      plan_our_key(*ours);
    } else if (nobodys != nullptr) {
      block(
          fmt::format("key pair {} ({}) bears the name and not our tag: take it over with 'parallax fleet adopt', or "
                      "delete it",
                      nobodys->name, nobodys->id));
      drift(nobodys->id, fmt::format("key pair {} has no tag of ours, so there is none for this fleet", nobodys->name),
            false);
    } else {
      import_key("there is none");
    }
  }
  leave_other_keys(ours);
}

void RegionPlanner::plan_our_key(const KeySeen& key) {
  const std::optional<bool> same = is_our_key(key);
  if (same.value_or(false)) {
    const auto tag = key.tags.find(kPublicKeyTag);
    if (tag == key.tags.end() || tag->second != spec_.key->digest) {
      Step& step = add(StepKind::tag, ResourceKind::key_pair, key.id, key.name, "its tag does not say which key it is");
      step.tags[kPublicKeyTag] = spec_.key->digest;
      drift(key.id, fmt::format("key pair {} lacks the tag {}", key.name, kPublicKeyTag), true);
    }
    return;
  }
  const auto users =
      static_cast<std::size_t>(std::count_if(seen_.machines.begin(), seen_.machines.end(),
                                             [&](const MachineSeen& machine) { return machine.key_name == key.name; }));
  const std::string differs =
      same ? fmt::format("key pair {} holds another key than {}", key.name, spec_.key->digest)
           : fmt::format("whether key pair {} holds {} cannot be told: EC2 does not show its public key", key.name,
                         spec_.key->digest);
  if (!same || users > 0 || is_original(key.tags)) {
    const std::string reason = !same ? ""
                               : is_original(key.tags)
                                   ? "; it is home's original and stays"
                                   : fmt::format("; {} launched with it", count_of(users, "machine"));
    drift(key.id, differs + reason, false);
    return;
  }
  drift(key.id, differs, true);
  add(StepKind::delete_key, ResourceKind::key_pair, key.id, key.name, "it holds another key, and no machine uses it");
  import_key("the one before held another key");
}

void RegionPlanner::import_key(const std::string& why) {
  Step& step = add(StepKind::import_key, ResourceKind::key_pair, "", spec_.key->name, why);
  step.details.push_back(fmt::format("{}, {}", spec_.key->type, spec_.key->digest));
}

void RegionPlanner::leave_other_keys(const KeySeen* used) {
  for (const KeySeen& key : seen_.keys) {
    if (&key == used || is_original(key.tags)) {
      continue;
    }
    const std::string what = !is_ours(key.tags) ? "bears the name and not our tag: 'parallax fleet adopt' takes it over"
                             : spec_.key        ? "ours, and not the key pair of the configuration"
                                                : "ours, and the configuration names no public key";
    leave(ResourceKind::key_pair, key.id, key.name, what, 0);
  }
}

// In the VPC where machines are launched. Where nobody asked for it, for no machine is missing, the one that a machine
// has: a fleet that has moved to another subnet may have two.
const GroupSeen* RegionPlanner::find_group(bool ours) const {
  const std::string vpc = seen_.places ? seen_.places->vpc : "";
  const GroupSeen* found = nullptr;
  for (const GroupSeen& group : seen_.groups) {
    const bool there = vpc.empty() || group.vpc == vpc;
    const bool whose = ours ? is_ours(group.tags) : is_nobodys(group.tags);
    if (group.name != spec_.group.name || !there || !whose) {
      continue;
    }
    const bool used = std::any_of(used_.begin(), used_.end(), [&](const MachineSeen* machine) {
      return machine != nullptr &&
             std::find(machine->groups.begin(), machine->groups.end(), group.id) != machine->groups.end();
    });
    if (found == nullptr || (vpc.empty() && used)) {
      found = &group;
    }
    if (used) {
      break;
    }
  }
  return found;
}

void RegionPlanner::plan_group() {
  const GroupSeen* used = nullptr;
  if (is_home() && spec_.group.name == spec_.group.like_home) {
    plan_home_group();
  } else if (used = find_group(true); used != nullptr) {
    plan_our_group(*used);
  } else if (const GroupSeen* nobodys = find_group(false); nobodys != nullptr) {
    block(
        fmt::format("security group {} ({}) bears the name and not our tag: take it over with 'parallax fleet adopt', "
                    "or name another one by [fleet] security_group",
                    nobodys->name, nobodys->id));
    drift(nobodys->id,
          fmt::format("security group {} has no tag of ours, so there is none for this fleet", nobodys->name), false);
  } else {
    make_group();
  }
  leave_other_groups(used);
}

// The original serves home's own machines.
void RegionPlanner::plan_home_group() {
  if (observed_.home_group) {
    group_id_ = observed_.home_group->id;
    group_vpc_ = observed_.home_group->vpc;
    if (seen_.places && !seen_.places->vpc.empty() && group_vpc_ != seen_.places->vpc) {
      block(fmt::format("home's security group {} is in {}, machines are launched in {}", group_id_, group_vpc_,
                        seen_.places->vpc));
    }
  } else {
    block(fmt::format("{} has no security group named {}, which [fleet] security_group names as like_home", spec_.home,
                      spec_.group.like_home));
  }
}

void RegionPlanner::plan_our_group(const GroupSeen& group) {
  group_id_ = group.id;
  group_vpc_ = group.vpc;
  if (is_original(spec_, seen_.region, group)) {
    return;
  }
  if (!spec_.group.like_home.empty() && !observed_.home_group) {
    drift(group.id,
          fmt::format("whether the rules of {} are those of home's {} is not known: {}", group.name,
                      spec_.group.like_home,
                      observed_.home_problem ? observed_.home_problem->text() : "home has no such group"),
          false);
    return;
  }
  const WantedRules wanted = wanted_rules(spec_, observed_.home_group);
  std::vector<Rule> missing;
  std::vector<Rule> surplus;
  std::set_difference(wanted.rules.begin(), wanted.rules.end(), group.rules.begin(), group.rules.end(),
                      std::back_inserter(missing));
  std::set_difference(group.rules.begin(), group.rules.end(), wanted.rules.begin(), wanted.rules.end(),
                      std::back_inserter(surplus));
  std::erase_if(surplus, [&](const Rule& rule) { return wanted.tolerated.contains(rule); });
  if (missing.empty() && surplus.empty()) {
    return;
  }
  std::vector<std::string> parts;
  if (!missing.empty()) {
    parts.push_back(fmt::format("missing: {}", fmt::join(texts_of(missing), ", ")));
  }
  if (!surplus.empty()) {
    parts.push_back(fmt::format("too many: {}", fmt::join(texts_of(surplus), ", ")));
  }
  const std::string differs = fmt::format("{}", fmt::join(parts, "; "));
  drift(group.id, fmt::format("the rules of security group {} differ; {}", group.name, differs), true);
  Step& step = add(StepKind::repair_rules, ResourceKind::security_group, group.id, group.name, differs);
  step.add = std::move(missing);
  step.remove = std::move(surplus);
  step.details = wanted.dropped;
}

void RegionPlanner::make_group() {
  if (!seen_.places || seen_.places->vpc.empty()) {
    const std::string why = seen_.places && !seen_.places->vpc_problem.empty()
                                ? seen_.places->vpc_problem
                                : fmt::format("{} has no default VPC; name a subnet in [fleet] subnets", seen_.region);
    block(why);
    drift("", fmt::format("there is no security group {}: {}", spec_.group.name, why), false);
    return;
  }
  if (!spec_.group.like_home.empty() && !observed_.home_group) {
    const std::string why =
        observed_.home_problem
            ? fmt::format("home's security group could not be looked at: {}", observed_.home_problem->text())
            : fmt::format("{} has no security group named {}, which [fleet] security_group names as like_home",
                          spec_.home, spec_.group.like_home);
    block(why);
    drift("", fmt::format("there is no security group {}: {}", spec_.group.name, why), false);
    return;
  }
  makes_group_ = true;
  group_vpc_ = seen_.places->vpc;
  const WantedRules wanted = wanted_rules(spec_, observed_.home_group);
  Step& step = add(StepKind::make_group, ResourceKind::security_group, "", spec_.group.name, "there is none");
  step.add.assign(wanted.rules.begin(), wanted.rules.end());
  if (!wanted.rules.contains(kAllOut)) {
    step.remove = {kAllOut, kAllOutV6};  // what EC2 gives to a new group
  }
  step.details = texts_of(step.add);
  step.details.push_back(fmt::format("in {}", group_vpc_));
  step.details.insert(step.details.end(), wanted.dropped.begin(), wanted.dropped.end());
}

void RegionPlanner::leave_other_groups(const GroupSeen* used) {
  for (const GroupSeen& group : seen_.groups) {
    if (&group == used || is_original(spec_, seen_.region, group)) {
      continue;
    }
    leave(ResourceKind::security_group, group.id, group.name,
          is_ours(group.tags) ? "ours, and not the security group of the configuration"
                              : "bears the name and not our tag: 'parallax fleet adopt' takes it over",
          0);
  }
}

}  // namespace parallax::fleet
