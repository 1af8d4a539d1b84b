// The state of one simulated AWS account: regions with instances and what belongs to them, and SSM commands. It knows
// nothing of HTTP; endpoint.h puts it on the wire. It is stricter than AWS where AWS is vague.
//
// Time: whatever happens by itself (pending becomes running, the agent registers, a timer fires) is a timed event.
// Somebody must call advance() when next_event() is due: run_ticker() does. Durations of the cloud are divided by
// `time_scale`; time stamps are the real clock, and guest timers and SSM time limits are real time, because the jobs
// beside them run in real time.
//
// Thread safety: every method may be called from any task. Guest and wake callbacks run without a lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "codec/json.h"
#include "sim/cloud/faults.h"
#include "sim/cloud/guest.h"
#include "sim/cloud/signature_check.h"

namespace parallax::sim {

constexpr std::string_view kSimulatedAccount = "000000000000";
constexpr std::string_view kSimulatedAccessKey = "AKIAPARALLAXSIM00001";
constexpr std::string_view kSimulatedSecret = "parallax-simulated-secret";

enum class WorldKind {
  adopted,    // one stopped instance a region with Name and fleet tag, and what belongs to it
  reference,  // the same with the Name alone: what the reference scripts leave behind
  empty,      // default VPCs and nothing else
};

// Error: invalid, listing the names.
Result<WorldKind> parse_world(std::string_view name);

struct DurationRange {
  Micros min{0};
  Micros max{0};
};

struct CloudTimings {
  DurationRange pending{Seconds(5), Seconds(17)};       // pending -> running
  DurationRange agent{Seconds(8), Seconds(60)};         // running -> agent registered
  DurationRange stopping{Seconds(10), Seconds(40)};     // stopping -> stopped
  DurationRange delivery{Millis(200), Millis(1500)};    // SendCommand -> on the instance
  DurationRange invocation{Millis(200), Millis(1000)};  // SendCommand -> GetCommandInvocation knows it
  DurationRange profile{Seconds(5), Seconds(20)};       // CreateInstanceProfile, AddRole... -> EC2 in a region knows
  Micros terminated_visible{Seconds(3600)};
  Micros ping_after_stop{Seconds(30)};  // DescribeInstanceInformation still shows an instance that stopped
  DurationRange status_checks{Seconds(90), Seconds(300)};     // running -> status checks passed
  DurationRange interface_lingers{Seconds(10), Seconds(30)};  // terminated -> its network interface is gone
  DurationRange image_create{Seconds(60), Seconds(300)};      // CreateImage: pending -> available
  DurationRange image_copy{Seconds(120), Seconds(900)};       // CopyImage: pending -> available
  DurationRange snapshot{Seconds(20), Seconds(180)};          // CreateSnapshot, CopySnapshot: pending -> completed
  Micros image_name_held{Seconds(120)};  // a name cannot be used again for so long after DeregisterImage
};

struct CloudOptions {
  WorldKind world = WorldKind::adopted;
  std::vector<std::string> regions = {"us-west-2", "us-east-1",      "sa-east-1",
                                      "eu-west-3", "ap-northeast-1", "ap-southeast-2"};
  int instances_per_region = 1;
  // An IAM policy document: a second user has exactly these rights (kLimitedAccessKey, identity.h). Empty: no such
  // user.
  std::string policy;
  std::string fleet = "NAVO";
  double time_scale = 1;  // > 0
  // Round trips and the refill of request limits are scaled too: for a client whose own time runs as quickly.
  bool scale_all = false;
  CloudTimings timings;
  // A start shows the agent's ping of an earlier boot until it has registered anew.
  bool stale_ping = true;
  bool throttling = true;  // the published token buckets
  // Room for instances that are pending or running, by "ZONE/TYPE", "ZONE/*" or "*/TYPE": the first of these that is
  // there counts. Absent: enough. More answers InsufficientInstanceCapacity.
  std::map<std::string, int> capacity;
  // On-Demand standard vCPUs that may be pending or running in a region. More answers VcpuLimitExceeded.
  int vcpu_limit = 2000;
  std::vector<std::string> without_default_vpc;  // regions whose owner deleted it
  RegionFaults faults;                           // of every region, until set_faults
  std::map<std::string, Micros> round_trips;     // from the client to a region and back; absent: at once
  std::vector<FaultRule> fault_rules;            // before the probabilities of `faults`
  std::uint64_t fault_seed = 1;                  // of the rules' own probabilities
  // Regions that must be opted in and are, beside those in `regions`.
  std::vector<std::string> opted_in;
  // Told of each change of a machine's or an image's state: {"at", "what": "machine" or "image", "region", "id",
  // "state"}. From any task, in order of time for each region, without the cloud's lock. May be empty.
  std::function<void(Json)> observe;
};

struct Call {
  std::string region;
  std::string service;  // "ec2", "ssm", "sts"
  std::string operation;
};

// For tests and the cost view: when an instance was billed.
struct RunningInterval {
  std::string region;
  std::string instance_id;
  Instant from;
  std::optional<Instant> to;  // absent: still running
};

struct InstanceView {
  std::string region;
  std::string instance_id;
  std::string name;   // the Name tag
  std::string state;  // "stopped"
  std::uint64_t boot = 0;
  bool agent_online = false;
  std::optional<Monotonic> guest_timer;  // when the timer inside the machine fires
  std::string state_reason;              // "Client.UserInitiatedShutdown"
  std::map<std::string, std::string> tags;
  bool has_user_data = false;
};

// One thing of the account as it is now, for tests of what may change: everything but instances.
struct ResourceView {
  std::string region;   // empty: of the whole account (IAM)
  std::string kind;     // "image", "security group", "role", ...
  std::string id;       // or name
  std::string content;  // what describes it, tags apart, in a stable form
  std::map<std::string, std::string> tags;
};

struct World;      // state.h
struct AccessKey;  // iam_state.h
struct Principal;

class Cloud final : public GuestControl {
 public:
  // Uses both until destroyed; `rng` under the cloud's lock only.
  Cloud(CloudOptions options, Clock& clock, Rng& rng);
  ~Cloud() override;

  // `guest` must outlive every later call. nullptr (the start): commands are never picked up.
  void set_guest(Guest* guest);
  // Called when next_event() may have become earlier.
  void set_wake(std::function<void()> wake);
  void set_fault_hook(FaultHook hook);
  void set_faults(const std::string& region, const RegionFaults& faults);
  // CloudOptions::vcpu_limit from now on; what runs beyond it runs on.
  void set_vcpu_limit(int vcpus);

  // Carries out one operation whose input fits its model. Members of the answer are named as in the model, instants
  // are numbers (epoch seconds). The error's status, code and message are what AWS would send.
  // `caller`: in whose name, with that principal's permissions; nullptr: with all rights.
  Result<Json> call(const Call& call, const Json& input, const Principal* caller = nullptr);

  // A copy of what signs requests under this id: a user's key or a session, expired ones included.
  std::optional<AccessKey> access_key(const std::string& id) const;

  // True where the region exists and is enabled for the account.
  bool region_enabled(const std::string& region) const;
  // Draws what goes wrong with this call (hook first, then the region's probabilities).
  Fault draw_fault(const Call& call);
  // Takes a token from the published bucket of the call. False: over the limit.
  bool take_token(const Call& call, const Json& input);
  // The key that signs with that id; nullopt where nobody has it.
  std::optional<SigningKey> find_signing_key(std::string_view key_id) const;
  // Tells options.observe of a request that was answered; `code` is empty where it went well.
  void tell(const Call& call, int status, const std::string& code);
  // Calls `action` after a while, divided by the time scale.
  void call_later(Micros after, std::function<void()> action);
  // How long a byte takes to that region and back; zero where no latency was asked for.
  Micros round_trip(const std::string& region) const;
  // A random UUID from the injected Rng.
  std::string make_request_id();

  // When something happens by itself next; Monotonic::max() when nothing will.
  Monotonic next_event() const;
  // Lets happen what is due.
  void advance();

  std::vector<InstanceView> instances() const;
  std::vector<RunningInterval> running_intervals() const;
  // The present truth, whatever lag or stale view Describe calls are given: images (Amazon's apart), snapshots,
  // volumes, key pairs, security groups with their rules, addresses and schedules of these regions, and IAM's roles,
  // profiles and users. In the order of regions, kinds and ids.
  std::vector<ResourceView> resources(const std::vector<std::string>& regions) const;
  // The host under the instance fails: it stops by itself.
  void cut_power(const std::string& region, const std::string& instance_id);

  void schedule_shutdown(const InstanceRef& instance, Micros after) override;
  void cancel_shutdown(const InstanceRef& instance) override;
  void power_off_now(const InstanceRef& instance) override;
  void end_system(const InstanceRef& instance, SystemEnd how, Micros after) override;

 private:
  void run_due_events() REQUIRES(mutex_);
  // Runs what `body` does with the world at the present time, then what it left to be done without the lock.
  void with_world(const std::function<void(World&)>& body) EXCLUDES(mutex_);

  Clock& clock_;
  mutable Mutex mutex_;
  std::unique_ptr<World> world_ GUARDED_BY(mutex_);
  FaultHook fault_hook_ GUARDED_BY(mutex_);
  std::function<void()> wake_ GUARDED_BY(mutex_);
};

// Calls advance() whenever an event is due, until `stop`. The body of one task.
void run_ticker(Cloud& cloud, Executor& executor, const std::stop_token& stop);

}  // namespace parallax::sim
