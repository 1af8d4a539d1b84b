// The world's data, inside the cloud's lock. Included by src/sim/cloud alone.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/cloud.h"
#include "sim/cloud/iam_state.h"
#include "sim/cloud/scheduler_state.h"
#include "sim/cloud/ssm_state.h"
#include "sim/cloud/throttle.h"

namespace parallax::sim {

using Tags = std::map<std::string, std::string>;

enum class InstanceState {
  pending = 0,
  running = 16,
  shutting_down = 32,
  terminated = 48,
  stopping = 64,
  stopped = 80
};

std::string_view to_string(InstanceState state);  // "shutting-down"

// What a Describe call shows of an instance's life; kept for a while, so that a stale read can show an older one.
struct InstanceStatus {
  InstanceState state = InstanceState::stopped;
  std::string reason_code;        // "Client.UserInitiatedShutdown"; empty: none
  std::string transition_reason;  // "User initiated (2026-01-02 03:04:05 GMT)"
  Instant launch_time;
  std::string public_ip;
};

// A volume at an instance.
struct BlockDevice {
  std::string device;  // "/dev/xvda"
  std::string volume_id;
  bool delete_on_termination = true;
  Instant attached;
};

struct Instance {
  std::string id;
  std::string type;
  std::string image_id;
  std::string key_name;
  std::string zone;
  std::string subnet_id;
  std::string vpc_id;
  std::string private_ip;
  std::string profile_arn;  // of the association that is in force; empty: none
  std::string architecture = "x86_64";
  std::string root_device = "/dev/xvda";
  std::string interface_id;
  std::string reservation_id;
  std::string client_token;
  std::string user_data;  // base64, as it was sent
  int launch_index = 0;
  std::vector<BlockDevice> devices;  // the root's first
  std::vector<std::string> group_ids;
  Tags tags;
  Monotonic visible_at = Monotonic::min();  // other calls know the id from then on
  // What Describe calls see until then instead of `tags`.
  std::optional<std::pair<Monotonic, Tags>> tags_before;
  Json options;             // members of the model's Instance that never change by themselves, rendered as they are
  bool monitoring = false;  // detailed monitoring
  bool public_ip_wanted = true;             // an address is assigned at each start
  std::string elastic_ip;                   // takes the place of the assigned address
  Micros status_checks_take{Seconds(120)};  // in this boot

  std::string shutdown_behavior = "stop";
  bool api_termination_disabled = false;
  bool api_stop_disabled = false;
  bool source_dest_check = true;
  bool ebs_optimized = false;

  InstanceStatus status;
  std::deque<std::pair<Monotonic, InstanceStatus>> history;  // {when it began, what it was}, oldest first, present last
  std::uint64_t boot = 0;                                    // counts starts
  Monotonic left_running{};                                  // when it last stopped running

  bool agent_online = false;
  std::optional<Instant> registered_at;  // of the boot that the shown ping belongs to
  std::optional<Instant> last_ping;      // fixed once that boot ended; else pings go on

  std::optional<Monotonic> guest_timer;
  std::uint64_t guest_timer_id = 0;

  std::vector<RunningInterval> intervals;
};

// Everything but instances: described by data alone.
enum class ResourceKind {
  image,
  snapshot,
  volume,
  key_pair,
  security_group,
  vpc,
  subnet,
  security_group_rule,
  internet_gateway,
  route_table,
  network_interface,
  address,
  profile_association,
  count
};

struct Resource {
  std::string id;
  Json description;  // members as in the model, without Tags
  Tags tags;
  Monotonic visible_at = Monotonic::min();                // other calls know the id from then on
  std::optional<std::pair<Monotonic, Tags>> tags_before;  // what Describe calls see until then instead of `tags`
};

// What a call with a ClientToken did.
struct TokenRecord {
  std::string parameters;  // canonical
  Json answer;
  std::vector<std::string> ids;
  Monotonic used{};
};

struct Invocation {
  std::string instance_id;
  std::string status = "Pending";
  std::string details = "Pending";
  int response_code = -1;
  std::uint64_t boot = 0;  // in which it runs
  std::optional<Instant> started;
  std::optional<Instant> ended;
  std::string out;
  std::string err;
};

struct Command {
  std::string id;
  std::uint64_t sequence = 0;
  std::string comment;
  std::string document;
  std::string document_version;
  Json parameters;
  Json targets;
  JsonArray instance_ids;
  std::string max_concurrency;
  std::string max_errors;
  std::int64_t timeout_s = 3600;
  std::int64_t execution_timeout_s = 3600;
  Instant requested;
  Monotonic visible_at{};
  Monotonic deliver_at{};
  std::vector<Invocation> invocations;
};

struct RegionState {
  std::string name;
  bool enabled = true;
  std::string opt_in_status = "opt-in-not-required";
  RegionFaults faults;
  std::map<std::string, Instance> instances;
  std::array<std::map<std::string, Resource>, static_cast<std::size_t>(ResourceKind::count)> resources;
  std::map<std::string, Command> commands;
  std::map<std::string, Parameter> parameters;  // of Parameter Store
  SchedulerState scheduler;
  std::map<std::string, TokenBucket> buckets;
  std::map<std::string, TokenRecord> client_tokens;   // by operation, token and zone
  std::map<std::string, Monotonic> image_names_held;  // names of deregistered images, until when
  std::map<std::string, Monotonic> images_gone;       // deregistered: unavailable, until they are unknown
  bool encrypt_volumes = false;                       // EbsEncryptionByDefault
  std::uint64_t last_sequence = 0;
  std::vector<RunningInterval> past_intervals;  // of instances that are gone

  std::map<std::string, Resource>& of(ResourceKind kind) { return resources[static_cast<std::size_t>(kind)]; }

  const std::map<std::string, Resource>& of(ResourceKind kind) const {
    return resources[static_cast<std::size_t>(kind)];
  }
};

struct World {
  CloudOptions options;
  Clock* clock = nullptr;
  Rng* rng = nullptr;
  Guest* guest = nullptr;
  // Hands a guest's result back to the cloud, from any thread.
  std::function<void(const InstanceRef&, const std::string& command_id, GuestResult)> finish;

  FaultDice dice;
  Monotonic began{};

  // The present: of the request, or of the event that is being carried out.
  Instant now;
  Monotonic mono{};

  std::map<std::string, RegionState> regions;
  IamState iam;  // one for all regions
  std::multimap<Monotonic, std::function<void(World&)>> events;
  std::vector<std::function<void()>> outbox;  // to be called without the lock, in order

  RegionState& region(const std::string& name) { return regions.at(name); }

  void at(Monotonic when, std::function<void(World&)> what) { events.emplace(when, std::move(what)); }

  // Tells options.observe that a machine or an image has a new state.
  void tell(std::string_view what, std::string_view region, std::string_view id, std::string_view state);

  // Uniform in the range, divided by the time scale.
  Micros draw(const DurationRange& range);
  Micros scaled(Micros duration) const;
  std::string hex_id(std::string_view prefix);  // "i-0123456789abcdef0"
  std::string uuid();
  std::string ipv4(int first_octet);
};

// Fills the regions as options.world says.
void build_world(World& world);

}  // namespace parallax::sim
