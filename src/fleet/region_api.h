// The few AWS calls that a run needs, in one region, with types instead of JSON.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "aws/client.h"
#include "base/error.h"
#include "base/time.h"

namespace parallax::fleet {

// EC2's instance states; `unknown` is a word that this version does not know.
enum class InstanceState { pending, running, shutting_down, terminated, stopping, stopped, unknown };

std::string_view to_string(InstanceState state);

struct Instance {
  std::string id, region, zone, type, name, public_dns;
  InstanceState state = InstanceState::unknown;
  std::optional<Instant> launch_time;  // EC2's clock; of the latest start
  std::string state_reason;            // "Client.UserInitiatedShutdown"
  std::optional<Instant> stopped_at;   // from StateTransitionReason, where it says
  std::map<std::string, std::string> tags;

  std::string tag(const std::string& key) const;
};

struct StateChange {
  std::string id;
  InstanceState previous = InstanceState::unknown;
  InstanceState current = InstanceState::unknown;
};

// Of an item of DescribeInstances' or RunInstances' answer.
Instance read_instance(const Json& json, const std::string& region);

// Where a command sent through SSM stands.
struct Invocation {
  std::string status, details;  // "InProgress", "Success", ...; details without blanks
  std::optional<int> exit_code;
  std::string output, error_output;

  bool ended() const;

  bool succeeded() const { return status == "Success"; }
};

// Of SendCommand, DescribeInstanceInformation. (aws-facts 3)
inline constexpr std::size_t kSsmIdsMax = 50;
// Values of one filter; also how many machines one call starts, stops or tags.
inline constexpr std::size_t kEc2IdsMax = 200;

struct CommandRequest {
  std::vector<std::string> instance_ids;  // kSsmIdsMax at most
  std::string script;
  std::string comment;  // at most 100 characters; how a command is found again after a lost answer
  Micros delivery_timeout{Seconds(60)};
  Micros execution_timeout{Seconds(3600)};
};

// Thread safety: const and without state of its own; calls may run side by side. Every call ends by `deadline`.
// Errors are those of aws::Client with the call's name as context.
class RegionApi {
 public:
  RegionApi(aws::Client& client, std::string region) : client_(client), region_(std::move(region)) {}

  const std::string& region() const { return region_; }

  struct Limits {
    Monotonic deadline;
    std::stop_token stop;
  };

  // All instances with tag `key` = `value` in any state but terminated and shutting-down. Every page is read.
  Result<std::vector<Instance>> instances_by_tag(const std::string& key, const std::string& value,
                                                 const Limits& limits) const;
  // By id; instances that EC2 does not know (yet) are missing in the answer.
  Result<std::vector<Instance>> instances_by_id(const std::vector<std::string>& ids, const Limits& limits) const;

  // Not repeated after a lost answer: who sees previous == stopped is the one who started it.
  Result<std::vector<StateChange>> start(const std::vector<std::string>& ids, const Limits& limits) const;
  Result<std::vector<StateChange>> stop(const std::vector<std::string>& ids, bool force, const Limits& limits) const;
  // "stop" or "terminate".
  Result<std::string> shutdown_behaviour(const std::string& id, const Limits& limits) const;
  Result<> set_tag(const std::vector<std::string>& ids, const std::string& key, const std::string& value,
                   const Limits& limits) const;

  // The last ping of each agent that is Online.
  Result<std::map<std::string, Instant>> agent_pings(const std::vector<std::string>& ids, const Limits& limits) const;
  // The id of the command. Not repeated after a lost answer: look with find_command() first.
  Result<std::string> send_command(const CommandRequest& request, const Limits& limits) const;
  // The id of a command with this comment on this instance, or empty.
  Result<std::string> find_command(const std::string& instance_id, const std::string& comment,
                                   const Limits& limits) const;
  Result<Invocation> invocation(const std::string& command_id, const std::string& instance_id,
                                const Limits& limits) const;
  // Command and instance -> where it stands, of all commands that were sent after `since`; of the output the first 2500
  // characters (stdout and stderr together). One call for each 50.
  using Invocations = std::map<std::pair<std::string, std::string>, Invocation>;
  Result<Invocations> invocations_since(Instant since, const Limits& limits) const;
  Result<> cancel(const std::string& command_id, const std::string& instance_id, const Limits& limits) const;

 private:
  Result<Json> call(std::string_view service, std::string_view operation, const Json& params,
                    const Limits& limits) const;
  Result<std::vector<Instance>> describe(Json params, const Limits& limits) const;

  aws::Client& client_;
  std::string region_;
};

}  // namespace parallax::fleet
