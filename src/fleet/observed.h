// What is: the resources of a fleet in its regions, as Describe calls show them, and nothing else (design, invariant
// 5).
//
// To observe a healthy region takes four calls: DescribeTags (everything with our tag or our Name, of any kind),
// DescribeInstances, DescribeImages, DescribeSecurityGroups. What these show decides whether more is asked: key pairs,
// volumes, snapshots, addresses and schedules only where the tags or the specification say that there is something to
// see; VPCs, subnets, type offerings and the stock image only where something has to be made.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "fleet/region_api.h"
#include "fleet/run.h"
#include "fleet/spec.h"

namespace parallax::fleet {

using Tags = std::map<std::string, std::string>;

struct ImageSeen {
  std::string id, name, state, state_reason;  // "available", "pending", "failed", ...
  std::string architecture, root_device;
  std::string source_image, source_region;  // empty where EC2 does not tell
  std::vector<std::string> snapshots;       // of its block devices
  std::vector<std::int64_t> snapshot_gib;   // of their volumes, in the same order
  std::int64_t gib = 0;                     // of its block devices together
  std::string volume_type;                  // "gp3", of the first of them
  std::optional<Instant> created;
  Tags tags;
};

// Of a snapshot in an image's block devices no call asks: state and description are empty then, and the tags are the
// fleet's own alone.
struct SnapshotSeen {
  std::string id, state, description;
  std::int64_t gib = 0;  // of the volume: an upper bound of what is billed
  Tags tags;
};

struct VolumeSeen {
  std::string id, state, type, attached_to;
  std::int64_t gib = 0;
  bool encrypted = false;
  Tags tags;
};

struct AddressSeen {
  std::string allocation_id, public_ip, attached_to;
  Tags tags;
};

struct KeySeen {
  std::string id, name, type, fingerprint;
  std::string public_key;  // the OpenSSH line, where it was asked for
  Tags tags;
};

// One rule of a group with one peer. Its identity leaves the description out, as EC2's does.
struct Rule {
  bool egress = false;
  std::string protocol;         // "tcp", "-1", ...
  std::optional<int> from, to;  // ports; absent: all, or none for -1
  std::string peer;             // CIDR, "sg-..." or "pl-..."
  std::string description;

  auto identity() const { return std::tie(egress, protocol, from, to, peer); }

  friend bool operator<(const Rule& a, const Rule& b) { return a.identity() < b.identity(); }

  friend bool operator==(const Rule& a, const Rule& b) { return a.identity() == b.identity(); }
};

// "in tcp 22 from 203.0.113.0/24"
std::string to_text(const Rule& rule);

struct GroupSeen {
  std::string id, name, vpc, description;
  std::set<Rule> rules;
  Tags tags;
};

struct MachineSeen {
  Instance instance;
  std::string image, key_name, profile, subnet, vpc;  // profile: the name in its ARN
  std::vector<std::string> groups;                    // ids
  std::vector<std::string> volumes;                   // ids of its block devices
  bool imds_v2_required = false;
  std::int64_t gib = 0;     // of its volumes together, where that is known without a call for it; 0: not known
  std::string volume_type;  // of the first of them, likewise
  // Of DescribeInstanceAttribute, where it was asked for (ObserveOptions::attributes).
  std::optional<std::string> shutdown_behaviour;  // "stop", "terminate"
  std::optional<std::string> user_data_digest;    // SHA-256 of the decoded bytes, hexadecimal
};

// Of a machine of ours, by its name (schedule_name in spec.h). The list tells no expression: empty means not asked for.
struct ScheduleSeen {
  std::string name, instance_id, state;
  std::string expression;
};

// What is asked only where something has to be made.
struct LaunchPlaces {
  std::string vpc;               // the default one, or the configured subnet's
  std::string vpc_problem;       // why there is none: a sentence
  bool public_addresses = true;  // of machines launched there
  // Instance type: zones that offer it and have a subnet to launch in (default subnets, or the configured one).
  std::map<std::string, std::set<std::string>> zones_of;
  std::string types_problem;  // why zones_of is not known: a sentence
  std::string stock_image;
  std::string stock_problem;
  std::optional<ImageSeen> stock;  // what that image is: its architecture, root device and size
};

struct RegionSeen {
  std::string region;
  std::optional<Error> problem;  // the region could not be looked at: nothing else is known
  // With our tag, or with our name and no fleet's tag (is_ours tells which).
  std::vector<MachineSeen> machines;  // living states alone
  std::vector<ImageSeen> images;
  std::vector<GroupSeen> groups;
  std::vector<KeySeen> keys;
  std::vector<SnapshotSeen> snapshots;  // with our tag, or in our images' block devices
  std::vector<VolumeSeen> volumes;      // with our tag and attached to none of our machines
  std::vector<AddressSeen> addresses;
  std::vector<ScheduleSeen> schedules;
  std::map<std::string, Instant> pings;  // of agents of running machines; asked for by check alone
  std::string pings_problem;             // why they could not be asked for: a sentence
  std::string attributes_problem;        // why machines' attributes could not be asked for: a sentence
  std::string attributes_left_out;       // which were not, for there are too many machines: a sentence
  std::optional<LaunchPlaces> places;
  int calls = 0;  // how many requests it took
};

struct ProfileSeen {
  bool role_exists = false, profile_exists = false, role_in_profile = false;
  std::string role_name, role_path, trust, arn;  // arn: the role's
  std::string profile_arn;
  std::map<std::string, std::string> inline_policies;  // name: document, decoded
  std::vector<std::string> attached_policies;          // ARNs
  Tags role_tags, profile_tags;
};

struct Observed {
  std::string account, partition;
  std::optional<Error> problem;       // the account could not be asked: nothing can be planned
  std::optional<Error> home_problem;  // home's originals could not be seen: what needs them cannot be planned
  std::optional<ImageSeen> home_image;
  std::optional<GroupSeen> home_group;
  std::string home_note;                      // a sentence, where home has several images or groups of the name
  std::optional<ProfileSeen> profile;         // absent where IAM was not asked
  std::optional<Error> profile_problem;       // IAM could not be asked
  std::optional<ProfileSeen> scheduler_role;  // role alone
  std::vector<RegionSeen> regions;            // in the order asked for
  bool deep = false;                          // looked at with Attributes::all
};

bool is_ours(const Tags& tags, const std::string& fleet);

// User data and shutdown behaviour are in no listing: each takes a call for each machine.
enum class Attributes {
  none,
  // Where at most kAttributesAskedMax of a region's machines are concerned: the shutdown behaviour of those that run
  // and, but in a check, the user data of those whose tag says that they have ours.
  few,
  all,  // both, of all machines of ours
};

inline constexpr std::size_t kAttributesAskedMax = 20;

struct ObserveOptions {
  std::vector<std::string> regions;
  Micros timeout{Seconds(120)};
  bool for_clear = false;  // everything that could have to be deleted; nothing of what is needed to make things
  bool for_check = false;  // agents' pings; places and IAM only where something lacks
  bool by_name = false;    // adopt: also look for what bears our names without any fleet's tag
  Attributes attributes = Attributes::none;
};

// All regions at once; a region's failure is its own, a denied call is one. Throttled calls are asked again until the
// time-out. Asks for nothing that changes anything. A machine, key pair, group or image of our name with no fleet's tag
// is seen by every observation where the answers show it, or where we would make one; by_name looks for it anyway.
Observed observe(const FleetDeps& deps, const Spec& spec, const ObserveOptions& options, std::stop_token stop,
                 const TroubleObserver& trouble = {});

}  // namespace parallax::fleet
