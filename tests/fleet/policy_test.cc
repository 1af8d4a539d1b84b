// Each command works with exactly its policy, and without any one statement of it fails with a message that names
// action and resource, leaving nothing running.
#include "fleet/policy.h"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "base/ids.h"
#include "fleet/run.h"
#include "fleet/stop.h"
#include "tests/fleet/fleet_fixture.h"
#include "tests/fleet/quick_guest.h"

namespace parallax::testing {
namespace {

const std::vector<std::string> kRegions = {"us-west-2", "eu-west-3"};

// What a command said of what went wrong; empty: it did what it should.
using Act = std::function<std::string(const fleet::FleetDeps& deps, FleetFixture& fixture)>;

fleet::Spec spec_of() {
  fleet::Spec spec;
  spec.fleet = "NAVO";
  spec.home = "us-west-2";
  spec.regions = kRegions;
  spec.instance_types = {"t3.micro"};
  return spec;
}

Json document(const fleet::Spec& spec, fleet::PolicyFor whom) {
  return fleet::policy_document(spec, whom, std::string(sim::kSimulatedAccount), "aws");
}

struct Tried {
  std::string problem;
  std::vector<std::string> running;  // an hour and a half later
};

Tried try_with(const Json& policy, FleetSetup setup, const Act& act) {
  setup.cloud.regions = kRegions;
  setup.cloud.policy = policy.dump();
  setup.key = Key::limited;
  Tried tried;
  FleetFixture fixture(setup);
  QuickGuest guest(fixture.cloud());
  fixture.cloud().set_guest(&guest);
  fixture.run([&](const fleet::FleetDeps& deps) {
    tried.problem = act(deps, fixture);
    fixture.sleep(Seconds(5400));
    for (const sim::InstanceView& machine : fixture.machines()) {
      if (machine.state != "stopped" && machine.state != "terminated") {
        tried.running.push_back(machine.instance_id + " " + machine.state);
      }
    }
  });
  return tried;
}

Json without(const Json& policy, std::size_t index) {
  Json less = policy;
  JsonArray statements = policy.list("Statement");
  statements.erase(statements.begin() + static_cast<std::ptrdiff_t>(index));
  less.set("Statement", std::move(statements));
  return less;
}

std::vector<std::string> texts(const Json& value) {
  std::vector<std::string> all;
  if (value.string() != nullptr) {
    all.push_back(*value.string());
  }
  for (const Json& item : value.items() == nullptr ? JsonArray{} : *value.items()) {
    all.push_back(*item.string());
  }
  return all;
}

bool names_action_and_resource(const std::string& problem, const Json& statement) {
  const std::vector<std::string> actions = texts(*statement.find("Action"));
  const bool action = std::any_of(actions.begin(), actions.end(), [&](const std::string& name) {
    return problem.find("to perform: " + name + " on resource: ") != std::string::npos;
  });
  return action;
}

void prove(fleet::PolicyFor whom, const fleet::Spec& spec, const FleetSetup& setup, const Act& act) {
  const Json policy = document(spec, whom);
  const Tried whole = try_with(policy, setup, act);
  ASSERT_EQ(whole.problem, "") << policy.pretty();
  EXPECT_TRUE(whole.running.empty());
  const JsonArray& statements = policy.list("Statement");
  for (std::size_t i = 0; i < statements.size(); ++i) {
    SCOPED_TRACE("without " + statements[i].text("Sid"));
    const Tried tried = try_with(without(policy, i), setup, act);
    EXPECT_TRUE(names_action_and_resource(tried.problem, statements[i])) << tried.problem;
    EXPECT_TRUE(tried.running.empty()) << tried.running.front();
  }
}

std::string run_act(const fleet::FleetDeps& deps, FleetFixture& /*fixture*/) {
  fleet::RoundSpec round;
  round.fleet = "NAVO";
  round.round_id = make_ulid(deps.clock.now(), deps.rng);
  round.command = "echo hello";
  std::string problems;
  const auto found = fleet::find_vantages(deps, round.fleet, kRegions, Seconds(60), {});
  const fleet::RoundOutcome outcome = fleet::run_round(deps, round, {.owner = "test:1"}, found, {}, {}, {});
  for (const fleet::RegionOutcome& region : outcome.regions) {
    problems += region.problem;
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      problems += vantage.run.cause;
    }
  }
  EXPECT_EQ(problems.empty(), outcome.exit_code == 0) << problems;
  return problems;
}

TEST(Policy, OfRunIsEnoughAndEachStatementOfItIsNeeded) {
  prove(fleet::PolicyFor::run, spec_of(), {}, run_act);
}

TEST(Policy, SpeaksOfEveryRegionAndOfNothingElsewhere) {
  const Json policy = document(spec_of(), fleet::PolicyFor::run);
  EXPECT_NE(policy.dump().find(R"("aws:RequestedRegion":["us-west-2","eu-west-3"])"), std::string::npos);
  EXPECT_EQ(policy.dump().find("\"*:*\""), std::string::npos);
}

TEST(Policy, OfTheMachineHasNoParameterStore) {
  const std::string text = document(spec_of(), fleet::PolicyFor::machine).dump();
  EXPECT_EQ(text.find("Parameter"), std::string::npos);
  EXPECT_NE(text.find("ssm:UpdateInstanceInformation"), std::string::npos);
}

TEST(Policy, NamesItsWordsWhereOneIsWrong) {
  EXPECT_EQ(fleet::parse_policy_for("set-up").error().text(),
            "'set-up' is none of setup, run, check, clear, adopt, machine, scheduler");
}

}  // namespace
}  // namespace parallax::testing
