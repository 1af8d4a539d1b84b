// A tiny language for observations: what a healthy fleet looks like, and how it is changed. For the tests of plans.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "fleet/lease.h"
#include "fleet/plan.h"
#include "fleet/policy.h"

namespace parallax::fleet {

inline constexpr const char* kTestKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIER81L77cu0vc0KBWwktlqXCdu35074SZAYjvyPuOR2p";
inline constexpr const char* kOtherKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

inline Tags ours() {
  return {{kFleetTag, "NAVO"}, {"Name", "NAVO"}};
}

// The reference's fleet in two regions and home: an image to copy, a key pair, a group without inbound rules.
inline Spec test_spec() {
  Spec spec;
  spec.fleet = "NAVO";
  spec.home = "us-west-2";
  spec.regions = {"eu-west-3"};
  spec.instance_types = {"t3.micro", "t2.micro"};
  spec.image = {ImageSpec::Kind::copy, "NAVO"};
  spec.group.name = "NAVO";
  spec.key = parse_public_key(kTestKey, "NAVO").value();
  return spec;
}

inline Rule rule_in(int port, const std::string& peer) {
  return {false, "tcp", port, port, peer, ""};
}

inline Rule rule_all_out() {
  return {true, "-1", {}, {}, "0.0.0.0/0", ""};
}

inline ImageSeen image(const std::string& id, const std::string& state = "available") {
  ImageSeen seen;
  seen.id = id;
  seen.name = "NAVO";
  seen.state = state;
  seen.snapshots = {"snap-of-" + id};
  seen.gib = 8;
  seen.volume_type = "gp3";
  seen.root_device = "/dev/xvda";
  seen.tags = ours();
  return seen;
}

inline SnapshotSeen snapshot(const std::string& id, const Tags& tags = ours()) {
  return {id, "completed", "", 8, tags};
}

inline KeySeen key(const std::string& line = "", const Tags& tags = ours()) {
  KeySeen seen;
  seen.id = "key-1";
  seen.name = "NAVO";
  seen.type = "ed25519";
  seen.public_key = line;
  seen.tags = tags;
  return seen;
}

inline GroupSeen group(const Tags& tags = ours()) {
  GroupSeen seen;
  seen.id = "sg-1";
  seen.name = "NAVO";
  seen.vpc = "vpc-1";
  seen.rules = {rule_all_out()};
  seen.tags = tags;
  return seen;
}

inline MachineSeen machine(const std::string& id, const Spec& spec, InstanceState state = InstanceState::stopped) {
  MachineSeen seen;
  seen.instance.id = id;
  seen.instance.name = "NAVO";
  seen.instance.type = "t3.micro";
  seen.instance.state = state;
  seen.instance.tags = ours();
  seen.instance.tags[kBootTimerTag] = boot_timer_version(spec.boot_timer);
  seen.image = "ami-copy";
  seen.key_name = "NAVO";
  seen.profile = "parallax";
  seen.vpc = "vpc-1";
  seen.groups = {"sg-1"};
  seen.volumes = {"vol-of-" + id};
  seen.imds_v2_required = true;
  seen.gib = 8;
  seen.volume_type = "gp3";
  seen.shutdown_behaviour = kStopBehaviour;
  seen.user_data_digest = boot_timer_digest(spec.boot_timer);
  return seen;
}

inline LaunchPlaces places() {
  LaunchPlaces seen;
  seen.vpc = "vpc-1";
  seen.zones_of = {{"t3.micro", {"eu-west-3a", "eu-west-3b"}}, {"t2.micro", {"eu-west-3a"}}};
  return seen;
}

inline RegionSeen empty_region(const std::string& region = "eu-west-3") {
  RegionSeen seen;
  seen.region = region;
  seen.places = places();
  return seen;
}

inline RegionSeen healthy_region(const Spec& spec, const std::string& region = "eu-west-3") {
  RegionSeen seen;
  seen.region = region;
  seen.machines = {machine("i-1", spec)};
  seen.images = {image("ami-copy")};
  seen.snapshots = {snapshot("snap-of-ami-copy")};
  KeySeen imported = key();
  imported.tags[kPublicKeyTag] = spec.key->digest;
  seen.keys = {imported};
  seen.groups = {group()};
  return seen;
}

inline ProfileSeen made_role(const Spec& spec, PolicyFor whom, const std::string& name) {
  ProfileSeen seen;
  seen.role_exists = true;
  seen.role_name = name;
  seen.role_tags = ours();
  seen.trust = trust_document(whom, "111122223333", "aws").pretty();
  seen.inline_policies[kRolePolicyName] = policy_document(spec, whom, "111122223333", "aws").pretty();
  return seen;
}

inline Observed observed(const Spec& spec, std::vector<RegionSeen> regions) {
  Observed seen;
  seen.account = "111122223333";
  seen.partition = "aws";
  ImageSeen original = image("ami-home");
  original.tags.clear();
  seen.home_image = original;
  ProfileSeen profile = made_role(spec, PolicyFor::machine, "parallax");
  profile.profile_exists = true;
  profile.role_in_profile = true;
  profile.profile_tags = ours();
  seen.profile = profile;
  seen.regions = std::move(regions);
  return seen;
}

// The kinds of a region's steps, "copy-image wait-image"; those of the account with "account" as region.
inline std::string kinds(const std::vector<Step>& steps) {
  std::string text;
  for (const Step& step : steps) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", to_string(step.kind));
  }
  return text;
}

inline std::string kinds(const Plan& plan, std::size_t region = 0) {
  return kinds(plan.regions.at(region).steps);
}

// All drift of a region, a line each, "+" before what is mended.
inline std::string drift_of(const Plan& plan, std::size_t region = 0) {
  std::string text;
  for (const Drift& drift : plan.regions.at(region).drift) {
    text += fmt::format("{}{} {}\n", drift.mended ? "+" : "-", drift.id, drift.text);
  }
  return text;
}

inline std::string leftovers_of(const Plan& plan, std::size_t region = 0) {
  std::string text;
  for (const Leftover& left : plan.regions.at(region).leftovers) {
    text += fmt::format("{} {}: {}\n", to_string(left.resource), left.id, left.what);
  }
  return text;
}

}  // namespace parallax::fleet
