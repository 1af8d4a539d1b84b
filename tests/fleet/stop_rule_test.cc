// deadman = "guest+scheduler": every start sets the machine's stop rule first.
#include "fleet/stop_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"
#include "fleet/exec.h"
#include "fleet/plan.h"
#include "tests/fleet/change_bench.h"
#include "tests/fleet/quick_guest.h"

namespace parallax::testing {
namespace {

using fleet::FleetDeps;
using ::testing::HasSubstr;

fleet::Spec guarded() {
  fleet::Spec spec = change_spec();
  spec.deadman = fleet::Deadman::guest_and_scheduler;
  return spec;
}

fleet::StopRules rules_of(const fleet::Observed& seen, const fleet::Spec& spec) {
  return {spec.fleet, seen.account, seen.partition};
}

// The fleet, set up; who may stop its machines.
fleet::StopRules set_up(const FleetDeps& deps, const fleet::Spec& spec) {
  fleet::ObserveOptions options;
  options.regions = spec.regions;
  const fleet::Observed seen = fleet::observe(deps, spec, options, {});
  const fleet::ChangeOutcome made = change(deps, spec, seen, fleet::plan_apply(spec, seen));
  EXPECT_EQ(made.exit_code, 0) << to_text(made);
  return rules_of(seen, spec);
}

fleet::RoundSpec round_of(const FleetDeps& deps, const fleet::Spec& spec, const fleet::StopRules& rules) {
  fleet::RoundSpec round;
  round.fleet = spec.fleet;
  round.round_id = make_ulid(deps.clock.now(), deps.rng);
  round.command = "echo hello";
  round.stop_rules = rules;
  return round;
}

fleet::RoundOutcome run_away(const FleetDeps& deps, const fleet::RoundSpec& round) {
  const auto found = fleet::find_vantages(deps, round.fleet, {kAway}, Seconds(60), {});
  return fleet::run_round(deps, round, {.owner = "test:1"}, found, {}, {}, {});
}

// The one machine there.
Json machine_of(FleetFixture& fixture) {
  const Json answer = fixture.by_hand(kAway, "DescribeInstances", Json::object());
  return answer.list("Reservations").front().list("Instances").front();
}

std::string expression_of(FleetFixture& fixture, const std::string& id) {
  return fixture.by_hand(kAway, "GetSchedule", Json::object({{"Name", fleet::schedule_name(id)}}), "scheduler")
      .text("ScheduleExpression");
}

TEST(StopRule, FiresAtTheFirstMinuteThatIsNotBefore) {
  EXPECT_EQ(fleet::stop_expression(*parse_iso8601("2026-11-22T10:07:00Z")), "cron(7 10 * * ? *)");
  EXPECT_EQ(fleet::stop_expression(*parse_iso8601("2026-11-22T10:07:00.000001Z")), "cron(8 10 * * ? *)");
  EXPECT_EQ(fleet::stop_expression(*parse_iso8601("2026-11-22T23:59:01Z")), "cron(0 0 * * ? *)");
}

TEST(StopRule, IsSetBeforeTheMachineIsStartedToTheEndOfItsRun) {
  const fleet::Spec spec = guarded();
  FleetFixture fixture({.cloud = empty_cloud()});
  QuickGuest guest(fixture.cloud());
  fixture.cloud().set_guest(&guest);
  fixture.run([&](const FleetDeps& deps) {
    const fleet::RoundSpec round = round_of(deps, spec, set_up(deps, spec));
    const std::string id = machine_of(fixture).text("InstanceId");
    const Instant begin = deps.clock.now();
    fixture.forget_calls();
    const fleet::RoundOutcome outcome = run_away(deps, round);
    ASSERT_EQ(outcome.exit_code, 0) << fleet::describe_outcome(outcome.regions[0].vantages[0]);
    const std::vector<sim::Call>& calls = fixture.calls();
    const auto place = [&](std::string_view operation) {
      return std::find_if(calls.begin(), calls.end(),
                          [&](const sim::Call& call) { return call.operation == operation; });
    };
    EXPECT_LT(place("UpdateSchedule"), place("StartInstances"));
    const fleet::RunOptions defaults;
    const Micros longest = defaults.start_timeout + defaults.agent_timeout + round.job_timeout + round.margin;
    EXPECT_THAT(expression_of(fixture, id), ::testing::AnyOf(fleet::stop_expression(begin + longest),
                                                             fleet::stop_expression(begin + longest + Seconds(60))));
  });
}

TEST(StopRule, StopsAMachineWhoseSystemHangsWithoutAController) {
  const fleet::Spec spec = guarded();
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    const fleet::StopRules rules = set_up(deps, spec);
    const std::string id = machine_of(fixture).text("InstanceId");
    // No timer inside: as if the guest hung before it was armed.
    fixture.by_hand(kAway, "ModifyInstanceAttribute",
                    Json::object({{"InstanceId", id}, {"UserData", Json::object({{"Value", ""}})}}));
    const auto set = fleet::set_stop_rules(deps, rules, kAway, {id}, deps.clock.now() + Seconds(1800),
                                           {deps.clock.monotonic() + Seconds(30), {}});
    ASSERT_TRUE(set.front()) << set.front().error().text();
    fixture.by_hand(kAway, "StartInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    fixture.sleep(Seconds(1500));
    EXPECT_EQ(*machine_of(fixture).at("State", "Name")->string(), "running");
    fixture.sleep(Seconds(600));
    EXPECT_EQ(*machine_of(fixture).at("State", "Name")->string(), "stopped");
  });
}

TEST(StopRule, ThatIsMissingKeepsTheMachineFromBeingStarted) {
  const fleet::Spec spec = guarded();
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    const fleet::RoundSpec round = round_of(deps, spec, set_up(deps, spec));
    const std::string id = machine_of(fixture).text("InstanceId");
    fixture.by_hand(kAway, "DeleteSchedule", Json::object({{"Name", fleet::schedule_name(id)}}), "scheduler");
    fixture.forget_calls();
    const fleet::RoundOutcome outcome = run_away(deps, round);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.regions[0].vantages[0].run.cause, HasSubstr("no stop rule"));
    EXPECT_EQ(fixture.count("StartInstances"), 0);
  });
}

}  // namespace
}  // namespace parallax::testing
