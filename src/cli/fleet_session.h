// What every `fleet` command needs: the configuration, the regions asked for, an AWS client.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/aws_session.h"
#include "cli/config.h"
#include "cli/world.h"
#include "fleet/run.h"

namespace parallax::cli {

struct FleetSession {
  Config config;
  std::vector<std::string> regions;
  AwsSession aws;

  fleet::FleetDeps deps(World& world) const { return {*aws.client, world.clock, world.rng, world.executor, nullptr}; }
};

// --config, --region, --all and those of aws_session.h: the same for all fleet commands.
std::vector<Option> fleet_options();

// Which regions --region may name. `any`: also one that the configuration does not list (any more), for what looks at
// or deletes what is there; it is remarked upon.
enum class RegionChoice { of_fleet, any };

// Error: invalid (configuration, a region that is not the fleet's, no credentials).
Result<FleetSession> open_fleet(const Arguments& arguments, World& world, RegionChoice choice = RegionChoice::of_fleet);

// "host:pid": who holds a lease.
std::string controller_name();

// Where the controller's journals lie: --state, else $XDG_STATE_HOME/parallax/FLEET or ~/.local/state/parallax/FLEET.
std::string state_directory(const Arguments& arguments, World& world, const std::string& fleet);

}  // namespace parallax::cli
