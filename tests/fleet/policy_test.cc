// Each command works with exactly its policy, and without any one statement of it fails with a message that names
// action and resource, leaving nothing running.
#include "fleet/policy.h"

#include <algorithm>
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "base/ids.h"
#include "codec/base64.h"
#include "fleet/change.h"
#include "fleet/drain.h"
#include "fleet/image_making.h"
#include "fleet/regions.h"
#include "fleet/run.h"
#include "tests/fleet/change_bench.h"
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
  spec.profile.name = fleet::our_profile(spec.fleet);
  spec.home = "us-west-2";
  spec.regions = kRegions;
  spec.instance_types = {"t3.micro"};
  return spec;
}

Json document(const fleet::Spec& spec, fleet::PolicyFor whom) {
  return fleet::policy_document(spec, whom, std::string(sim::kSimulatedAccount), "aws");
}

// A way in which a command is used.
struct Use {
  FleetSetup setup;
  std::function<void(const fleet::FleetDeps& deps, FleetFixture& fixture)> prepare;  // with all rights
  Act act;                                                                           // with the policy alone
};

struct Tried {
  std::string problem;
  std::vector<std::string> running;  // an hour and a half later
};

Tried try_with(const Json& policy, const Use& use) {
  FleetSetup setup = use.setup;
  setup.cloud.regions = kRegions;
  setup.cloud.policy = policy.dump();
  Tried tried;
  FleetFixture fixture(setup);
  QuickGuest guest(fixture.cloud());
  fixture.cloud().set_guest(&guest);
  fixture.play([&] {
    if (use.prepare) {
      fixture.control([&](const fleet::FleetDeps& deps) { use.prepare(deps, fixture); });
    }
    fixture.use(Key::limited);
    fixture.control([&](const fleet::FleetDeps& deps) { tried.problem = use.act(deps, fixture); });
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

// Every use works with the whole policy; without any one statement one of them fails, and says by what. Statements of
// `known` are proven elsewhere.
void prove(fleet::PolicyFor whom, const fleet::Spec& spec, const std::vector<Use>& uses,
           const std::set<std::string>& known = {}) {
  const Json policy = document(spec, whom);
  for (const Use& use : uses) {
    const Tried whole = try_with(policy, use);
    ASSERT_EQ(whole.problem, "") << policy.pretty();
    EXPECT_TRUE(whole.running.empty()) << whole.running.front();
  }
  const JsonArray& statements = policy.list("Statement");
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (known.contains(statements[i].text("Sid"))) {
      continue;
    }
    SCOPED_TRACE("without " + statements[i].text("Sid"));
    std::string said;
    bool named = false;
    for (const Use& use : uses) {
      const Tried tried = try_with(without(policy, i), use);
      said += tried.problem + "\n";
      named = named || names_action_and_resource(tried.problem, statements[i]);
      EXPECT_TRUE(tried.running.empty()) << tried.running.front();
    }
    EXPECT_TRUE(named) << said;
  }
}

void add(std::string& problems, const std::optional<Error>& error) {
  problems += error ? error->text() + "; " : "";
}

std::string problems_of(const fleet::Observed& observed) {
  std::string problems;
  add(problems, observed.problem);
  add(problems, observed.home_problem);
  add(problems, observed.profile_problem);
  for (const fleet::RegionSeen& region : observed.regions) {
    add(problems, region.problem);
    problems += region.pings_problem;
    if (region.places) {
      problems += region.places->vpc_problem + region.places->stock_problem;
    }
  }
  return problems;
}

// Where something failed, the outcome lists what was made: nothing is there that no step speaks of.
void expect_all_told(const fleet::ChangeOutcome& outcome, std::size_t before, std::size_t after) {
  std::size_t made = 0;
  for (const fleet::RegionChange& region : outcome.regions) {
    for (const fleet::StepOutcome& step : region.steps) {
      made += step.state == fleet::StepState::done || !step.id.empty() ? 1U : 0U;
    }
  }
  EXPECT_LE(after, before + made) << to_text(outcome);
}

std::size_t count_resources(FleetFixture& fixture, const fleet::Spec& spec) {
  const std::vector<std::string> all = account_contents(fixture, spec);
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const std::string& line) {
    // Made by EC2 along with machines and images.
    return line.find(" volume ") == std::string::npos && line.find(" snapshot ") == std::string::npos;
  }));
}

std::string carry_out(const fleet::FleetDeps& deps, FleetFixture& fixture, const fleet::Spec& spec,
                      const fleet::Observed& observed, const fleet::Plan& plan) {
  std::string problems = problems_of(observed) + plan.problem;
  for (const fleet::RegionPlan& region : plan.regions) {
    problems += region.problem;
  }
  const std::size_t before = count_resources(fixture, spec);
  const fleet::ChangeOutcome outcome = change(deps, spec, observed, plan);
  for (const fleet::RegionChange& region : outcome.regions) {
    problems += region.problem;
    for (const fleet::StepOutcome& step : region.steps) {
      add(problems, step.error);
    }
  }
  if (plan.kind == fleet::PlanKind::apply) {
    expect_all_told(outcome, before, count_resources(fixture, spec));
  }
  if (problems.empty()) {
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
  }
  return problems;
}

fleet::Observed observed_now(const fleet::FleetDeps& deps, const fleet::Spec& spec,
                             const std::function<void(fleet::ObserveOptions&)>& how = {}) {
  fleet::ObserveOptions options;
  options.regions = spec.regions;
  if (how) {
    how(options);
  }
  return fleet::observe(deps, spec, options, {});
}

std::string apply(const fleet::FleetDeps& deps, FleetFixture& fixture, const fleet::Spec& spec) {
  const fleet::Observed observed = observed_now(deps, spec);
  return carry_out(deps, fixture, spec, observed, fleet::plan_apply(spec, observed));
}

FleetSetup empty_world() {
  FleetSetup setup;
  setup.cloud = empty_cloud();
  return setup;
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
  prove(fleet::PolicyFor::run, spec_of(), {{{}, {}, run_act}});
}

// Of the fleet, with a key that is not the specification's and that no machine uses.
void import_another_key(FleetFixture& fixture, const fleet::Spec& spec) {
  const std::string material = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIApT9Faqafjr311QikAZ1raCZYW0rdk4M+lw7r5h8ArZ";
  fixture.by_hand(
      kAway, "ImportKeyPair",
      Json::object(
          {{"KeyName", spec.key->name},
           {"PublicKeyMaterial", base64_encode(material)},
           {"TagSpecifications",
            Json::array({Json::object(
                {{"ResourceType", "key-pair"},
                 {"Tags", Json::array({Json::object({{"Key", fleet::kFleetTag}, {"Value", spec.fleet}})})}})})}}));
}

std::string first_id(FleetFixture& fixture, const std::string& operation, const std::string& list,
                     const std::string& member, const std::string& name) {
  const Json answer = fixture.by_hand(kAway, operation, Json::object());
  for (const Json& item : answer.list(list)) {
    if (item.dump().find("\"" + name + "\"") != std::string::npos) {
      return item.text(member);
    }
  }
  ADD_FAILURE() << operation << " shows no " << name;
  return "";
}

// What somebody may have changed by hand since.
void drift(FleetFixture& fixture) {
  const std::string group = first_id(fixture, "DescribeSecurityGroups", "SecurityGroups", "GroupId", "NAVO");
  fixture.by_hand(
      kAway, "AuthorizeSecurityGroupIngress",
      Json::object(
          {{"GroupId", group}, {"IpProtocol", "tcp"}, {"FromPort", 22}, {"ToPort", 22}, {"CidrIp", "0.0.0.0/0"}}));
  const std::string key = first_id(fixture, "DescribeKeyPairs", "KeyPairs", "KeyPairId", "NAVO");
  fixture.by_hand(kAway, "DeleteTags",
                  Json::object({{"Resources", Json::array({key})},
                                {"Tags", Json::array({Json::object({{"Key", fleet::kPublicKeyTag}})})}}));
  const std::string other = first_id(fixture, "DescribeSecurityGroups", "SecurityGroups", "GroupId", "default");
  for (const sim::InstanceView& machine : fixture.machines(kAway)) {
    fixture.by_hand(kAway, "ModifyInstanceAttribute",
                    Json::object({{"InstanceId", machine.instance_id}, {"Groups", Json::array({other})}}));
  }
}

Use fresh_use(const fleet::Spec& spec) {
  return {empty_world(), [spec](const fleet::FleetDeps&, FleetFixture& fixture) { import_another_key(fixture, spec); },
          [spec](const fleet::FleetDeps& deps, FleetFixture& fixture) { return apply(deps, fixture, spec); }};
}

TEST(Policy, OfSetUpIsEnoughAndEachStatementOfItIsNeeded) {
  fleet::Spec spec = change_spec();
  spec.deadman = fleet::Deadman::guest_and_scheduler;
  const Use mend = {empty_world(),
                    [spec](const fleet::FleetDeps& deps, FleetFixture& fixture) {
                      EXPECT_EQ(apply(deps, fixture, spec), "");
                      drift(fixture);
                    },
                    fresh_use(spec).act};
  prove(fleet::PolicyFor::setup, spec, {fresh_use(spec), mend});
}

TEST(Policy, OfSetUpWithAnImageOfHomesIsEnoughAndEachStatementOfItIsNeeded) {
  const fleet::Spec spec = copy_spec();
  Use copy = {empty_world(), [spec](const fleet::FleetDeps&, FleetFixture& fixture) { home_image(fixture, spec); },
              fresh_use(spec).act};
  sim::FaultRule fails;  // the first copy: it is deleted and made again
  fails.kind = sim::FaultKind::copy_fails;
  fails.region = kAway;
  fails.count = 1;
  copy.setup.cloud.fault_rules = {fails};
  const Use make = {{}, {}, [spec](const fleet::FleetDeps& deps, FleetFixture& fixture) {
                      fleet::ImageMaking making;
                      making.instance_id = fixture.machines(kHome).front().instance_id;
                      making.name = "another";
                      const auto made = fleet::make_image(deps, spec, making, {}, {});
                      return made ? std::string() : made.error().text();
                    }};
  const Json stock = document(change_spec(), fleet::PolicyFor::setup);
  std::set<std::string> known;
  for (const Json& statement : stock.list("Statement")) {
    known.insert(statement.text("Sid"));
  }
  known.erase("LaunchFromImage");  // of another owner here
  prove(fleet::PolicyFor::setup, spec, {copy, make}, known);
}

TEST(Policy, OfCheckIsEnoughAndEachStatementOfItIsNeeded) {
  fleet::Spec spec = change_spec();
  spec.instances_per_region = 2;  // one is missing, so IAM is asked
  const auto start_one = [](const fleet::FleetDeps&, FleetFixture& fixture) {
    fixture.by_hand(kAway, "StartInstances",
                    Json::object({{"InstanceIds", Json::array({fixture.machines(kAway).front().instance_id})}}));
    fixture.sleep(Seconds(120));
  };
  const auto check = [spec](const fleet::FleetDeps& deps, FleetFixture& fixture) {
    const std::string problems =
        problems_of(observed_now(deps, spec, [](fleet::ObserveOptions& options) { options.for_check = true; }));
    fixture.by_hand(kAway, "StopInstances",
                    Json::object({{"InstanceIds", Json::array({fixture.machines(kAway).front().instance_id})}}));
    return problems;
  };
  prove(fleet::PolicyFor::check, spec, {{{}, start_one, check}});
}

TEST(Policy, OfClearIsEnoughAndEachStatementOfItIsNeeded) {
  fleet::Spec spec = change_spec();
  spec.deadman = fleet::Deadman::guest_and_scheduler;
  const auto set_up = [spec](const fleet::FleetDeps& deps, FleetFixture& fixture) {
    EXPECT_EQ(apply(deps, fixture, spec), "");
  };
  const auto clear = [spec](const fleet::FleetDeps& deps, FleetFixture& fixture) {
    std::string problems;
    fleet::RoundSpec round;
    round.fleet = spec.fleet;
    round.round_id = make_ulid(deps.clock.now(), deps.rng);
    round.stop_rules = {spec.fleet, std::string(sim::kSimulatedAccount), "aws"};
    const auto found = fleet::find_vantages(deps, spec.fleet, spec.regions, Seconds(60), {});
    for (const fleet::DrainOutcome& drained :
         fleet::drain_spools(deps, round, {.owner = "test:1"}, found, {}, {}, {})) {
      problems += drained.problem;
    }
    const fleet::Observed observed =
        observed_now(deps, spec, [](fleet::ObserveOptions& options) { options.for_clear = true; });
    return problems + carry_out(deps, fixture, spec, observed, fleet::plan_clear(spec, observed));
  };
  prove(fleet::PolicyFor::clear, spec, {{empty_world(), set_up, clear}});
}

TEST(Policy, OfAdoptIsEnoughAndEachStatementOfItIsNeeded) {
  const fleet::Spec spec = change_spec();
  FleetSetup reference;
  reference.cloud.world = sim::WorldKind::reference;
  const auto adopt = [spec](const fleet::FleetDeps& deps, FleetFixture& fixture) {
    fleet::Observed observed = observed_now(deps, spec, [](fleet::ObserveOptions& options) { options.by_name = true; });
    observed.profile_problem.reset();  // roles are no matter of adopt's
    return carry_out(deps, fixture, spec, observed, fleet::plan_adopt(spec, observed));
  };
  prove(fleet::PolicyFor::adopt, spec, {{reference, {}, adopt}});
}

// The regions that there are, and names as long as the configuration takes them: "every option".
fleet::Spec largest(std::string_view partition, std::size_t name_length) {
  fleet::Spec spec = change_spec();
  spec.fleet = std::string(name_length, 'N');
  spec.regions.clear();
  for (const fleet::RegionInfo& region : fleet::known_regions()) {
    if (region.partition == partition) {
      spec.regions.push_back(region.id);
    }
  }
  spec.home = spec.regions.front();
  spec.image = {fleet::ImageSpec::Kind::copy, spec.fleet};
  spec.group.name = spec.fleet;
  spec.key->name = spec.fleet;
  spec.profile = {fleet::our_profile(spec.fleet), true};
  spec.deadman = fleet::Deadman::guest_and_scheduler;
  return spec;
}

TEST(Policy, OfEveryCommandFitsIntoAManagedPolicyForAllRegionsWithEveryOption) {
  fleet::Spec spec = largest("aws", 4);
  ASSERT_EQ(spec.regions.size(), 34U);
  for (const bool stock : {false, true}) {
    if (stock) {
      spec.image = {fleet::ImageSpec::Kind::stock, "/" + std::string(200, 'p')};
    }
    for (const fleet::PolicyFor whom : fleet::kPolicies) {
      for (const std::string partition : {"aws", "aws-us-gov"}) {
        const Json policy = fleet::policy_document(spec, whom, std::string(sim::kSimulatedAccount), partition);
        EXPECT_LE(policy.dump().size(), fleet::kManagedPolicyMax) << to_string(whom) << policy.pretty();
      }
    }
  }
}

TEST(Policy, IsCutIntoPartsWhereNamesAreLongAndEachCanBeMadeInTheCloud) {
  const fleet::Spec spec = largest("aws", 100);
  const std::string account(sim::kSimulatedAccount);
  FleetFixture fixture(empty_world());
  fixture.play([&] {
    for (const fleet::PolicyFor whom : fleet::kPolicies) {
      const std::vector<Json> parts = fleet::policy_parts(spec, whom, account, "aws");
      std::size_t statements = 0;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        EXPECT_LE(parts[i].dump().size(), fleet::kManagedPolicyMax);
        statements += parts[i].list("Statement").size();
        const std::string name = std::string(to_string(whom)) + std::to_string(i);
        fixture.by_hand(kHome, "CreatePolicy",
                        Json::object({{"PolicyName", name}, {"PolicyDocument", parts[i].pretty()}}), "iam");
      }
      EXPECT_EQ(statements, fleet::policy_document(spec, whom, account, "aws").list("Statement").size());
      EXPECT_EQ(parts.size(), whom == fleet::PolicyFor::setup ? 2U : 1U) << to_string(whom);
    }
  });
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
