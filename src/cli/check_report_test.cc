#include "cli/check_report.h"

#include <gtest/gtest.h>

#include "fleet/lease.h"

namespace parallax::cli {
namespace {

// A fleet of one region, seen and planned: each test changes what it is about.
struct Seen {
  fleet::Spec spec;
  fleet::Observed observed;
  fleet::Plan plan;

  explicit Seen(std::size_t machines = 1) {
    spec.fleet = "NAVO";
    spec.home = "us-west-2";
    spec.regions = {"eu-west-3"};
    observed.account = "000000000000";
    fleet::RegionSeen region;
    region.region = "eu-west-3";
    for (std::size_t i = 0; i < machines; ++i) {
      fleet::MachineSeen machine;
      machine.instance.id = "i-" + std::to_string(i);
      machine.instance.region = "eu-west-3";
      machine.instance.type = "t3.micro";
      machine.instance.state = fleet::InstanceState::stopped;
      region.machines.push_back(machine);
    }
    observed.regions.push_back(region);
    fleet::RegionPlan planned;
    planned.region = "eu-west-3";
    planned.usd_per_month_at_rest = 0.7;
    planned.usd_per_month_running = 0.05;
    plan.regions.push_back(planned);
  }

  fleet::RegionSeen& region() { return observed.regions.front(); }

  fleet::RegionPlan& planned() { return plan.regions.front(); }

  CheckData data() const { return {spec, observed, plan, parse_iso8601("2026-11-22T12:00:00Z").value()}; }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CheckReport, ShowsAHealthyRegionAndEndsWith0) {
  const Seen seen;
  const std::string text = check_text(seen.data());
  EXPECT_TRUE(contains(text, "eu-west-3  i-0       t3.micro  stopped  -      0.0118\n")) << text;
  EXPECT_TRUE(contains(text, "a month: $0.70 at rest, $0.05 more for the rounds\n")) << text;
  EXPECT_EQ(check_exit_code(seen.data()), 0);
  EXPECT_TRUE(region_problems(seen.data(), 0).empty());
}

TEST(CheckReport, TellsOfMachinesThatShouldNotRun) {
  Seen seen;
  seen.region().machines[0].instance.state = fleet::InstanceState::running;
  EXPECT_EQ(region_problems(seen.data(), 0),
            std::vector<std::string>{
                "eu-west-3 i-0: running without a lease: not started by parallax, or its controller died"});
  EXPECT_EQ(check_exit_code(seen.data()), 3);
  const fleet::Lease lease{"RUN", "host:1", parse_iso8601("2026-11-22T11:00:00Z").value()};
  seen.region().machines[0].instance.tags[fleet::kLeaseTag] = fleet::to_text(lease);
  EXPECT_EQ(
      region_problems(seen.data(), 0),
      std::vector<std::string>{"eu-west-3 i-0: running although its lease (run RUN) expired at 2026-11-22T11:00:00Z"});
}

TEST(CheckReport, SaysHowDeepApplyMustLookToSeeTheSame) {
  Seen seen;
  seen.planned().drift = {{"eu-west-3", "i-0", "its user data are others", true}};
  EXPECT_TRUE(contains(check_text(seen.data()), "i-0: its user data are others (apply mends it)\n"));
  seen.plan.deep = true;
  EXPECT_TRUE(contains(check_text(seen.data()), "i-0: its user data are others (apply --deep mends it)\n"));
}

TEST(CheckReport, WritesTheAttributesOfMachinesThatWereAskedForThem) {
  Seen seen;
  Json machine = region_to_json(seen.data(), 0).list("instances")[0];
  EXPECT_TRUE(machine.find("shutdown_behaviour")->is_null());
  EXPECT_TRUE(machine.find("user_data_sha256")->is_null());
  seen.region().machines[0].shutdown_behaviour = "terminate";
  seen.region().machines[0].user_data_digest = "00ff";
  machine = region_to_json(seen.data(), 0).list("instances")[0];
  EXPECT_EQ(machine.text("shutdown_behaviour"), "terminate");
  EXPECT_EQ(machine.text("user_data_sha256"), "00ff");
}

TEST(CheckReport, SumsUpARegionOfManyMachinesInTheTableAndNotInJson) {
  Seen seen(kMachinesShownMax + 1);
  seen.region().machines[3].instance.state = fleet::InstanceState::running;
  seen.region().pings["i-3"] = Instant{};
  const std::string text = check_text(seen.data());
  EXPECT_TRUE(contains(text, "eu-west-3  21 machines  t3.micro  1 running, 20 stopped  1 online")) << text;
  EXPECT_TRUE(contains(text, "each one: --output json")) << text;
  EXPECT_FALSE(contains(text, "i-3")) << text;
  EXPECT_EQ(region_to_json(seen.data(), 0).list("instances").size(), kMachinesShownMax + 1);
  EXPECT_TRUE(contains(check_text(Seen(kMachinesShownMax).data()), "eu-west-3/i-3"));
}

TEST(CheckReport, ListsDriftLeftoversAndWhatIsMissing) {
  Seen seen;
  fleet::Step step;
  step.kind = fleet::StepKind::make_group;
  step.resource = fleet::ResourceKind::security_group;
  step.name = "NAVO";
  step.why = "there is none";
  seen.planned().steps = {step};
  seen.planned().drift = {{"eu-west-3", "i-0", "its type is t2.small", false}};
  seen.planned().leftovers = {{fleet::ResourceKind::volume, "eu-west-3", "vol-1", "", "attached to nothing", 0.74}};
  const std::string text = check_text(seen.data());
  EXPECT_TRUE(contains(text, "eu-west-3: " + step.text() + "\n")) << text;
  EXPECT_TRUE(contains(text, "eu-west-3 i-0: its type is t2.small (apply leaves it)\n")) << text;
  EXPECT_TRUE(
      contains(text, "left over, $0.74 a month:\n  eu-west-3: volume vol-1: attached to nothing, $0.74 a month\n"))
      << text;
  EXPECT_EQ(check_exit_code(seen.data()), 3);
  const Json json = region_to_json(seen.data(), 0);
  EXPECT_EQ(json.list("leftovers")[0].number("usd_per_month", 0), 0.74);
  EXPECT_EQ(json.list("drift")[0].text("text"), "its type is t2.small");
  EXPECT_EQ(json.list("to_do")[0].text("why"), "there is none");
}

TEST(CheckReport, KnowsNothingOfARegionThatCouldNotBeSeen) {
  Seen seen;
  seen.region().problem = make_error(ErrorKind::unavailable, "connection refused");
  seen.planned().problem = "connection refused";
  EXPECT_EQ(region_problems(seen.data(), 0), std::vector<std::string>{"eu-west-3: connection refused"});
  EXPECT_EQ(check_exit_code(seen.data()), 1);
  EXPECT_TRUE(contains(check_text(seen.data()), "a month: unknown at rest, unknown more for the rounds\n"));
}

TEST(CheckReport, SaysUnknownAndNotNothingWhereNothingCouldBePlanned) {
  Seen seen;
  seen.plan = {};
  seen.plan.problem = "the account could not be looked at";
  const std::string text = check_text(seen.data());
  EXPECT_TRUE(contains(text, "a month: unknown at rest, unknown more for the rounds\n")) << text;
  EXPECT_TRUE(contains(text, "unknown    unknown")) << text;
  EXPECT_EQ(check_exit_code(seen.data()), 3);
  EXPECT_EQ(check_summary_to_json(seen.data()).at("month_at_rest", "whole")->boolean(), false);
}

TEST(CheckReport, SaysThatAPriceIsNotKnownWithoutCallingItAProblem) {
  Seen seen;
  seen.region().machines[0].instance.type = "z9.huge";
  EXPECT_EQ(region_remarks(seen.data(), 0),
            std::vector<std::string>{"eu-west-3: the price of z9.huge is not known here: costs print as unknown"});
  EXPECT_EQ(check_exit_code(seen.data()), 0);
}

}  // namespace
}  // namespace parallax::cli
