#include "fleet/change.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "fleet/policy.h"
#include "tests/fleet/change_bench.h"

namespace parallax::testing {
namespace {

using fleet::ChangeOutcome;
using fleet::FleetDeps;
using fleet::Observed;
using fleet::Plan;
using fleet::RegionPlan;
using fleet::Spec;
using fleet::StepKind;
using fleet::StepState;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RegionPlan part_of(const std::string& region) {
  RegionPlan part;
  part.region = region;
  return part;
}

// In that region alone; `count` 0: always.
sim::FaultRule away(sim::FaultKind kind, std::uint64_t count) {
  sim::FaultRule rule;
  rule.kind = kind;
  rule.region = kAway;
  rule.count = count;
  return rule;
}

Json the_machine(FleetFixture& fixture, const std::string& region) {
  const Json reservation_answer = fixture.by_hand(region, "DescribeInstances", Json::object());
  for (const Json& reservation : reservation_answer.list("Reservations")) {
    for (const Json& instance : reservation.list("Instances")) {
      if (*instance.at("State", "Name")->string() != "terminated") {
        return instance;
      }
    }
  }
  ADD_FAILURE() << "no machine in " << region;
  return {};
}

std::map<std::string, std::string> tags_of(const Json& resource) {
  std::map<std::string, std::string> tags;
  for (const Json& tag : resource.list("Tags")) {
    tags[tag.text("Key")] = tag.text("Value");
  }
  return tags;
}

const std::vector<std::string> kFresh = {
    "eu-west-3 group NAVO in 0 out 1 of NAVO", "eu-west-3 instance stopped of NAVO",
    "eu-west-3 key pair NAVO of NAVO",         "eu-west-3 volume in-use encrypted of NAVO",
    "profile parallax-NAVO with 1 roles",      "role parallax-NAVO with 1 policies",
    "us-west-2 group NAVO in 0 out 1 of NAVO", "us-west-2 instance stopped of NAVO",
    "us-west-2 key pair NAVO of NAVO",         "us-west-2 volume in-use encrypted of NAVO"};

// A fresh account, set up by one controller; then `check`.
void set_up(FleetSetup setup, const Spec& spec, const std::function<void(FleetFixture&)>& prepare,
            const std::function<void(FleetFixture&, const ChangeOutcome&)>& check) {
  FleetFixture fixture(std::move(setup));
  fixture.run([&](const FleetDeps& deps) {
    const Observed observed = observed_by_hand(fixture, spec);
    if (prepare) {
      prepare(fixture);
    }
    const ChangeOutcome outcome = change(deps, spec, observed, fresh_plan(spec));
    check(fixture, outcome);
  });
}

TEST(Change, SetsUpTwoRegionsAndLeavesTheirMachinesStopped) {
  const Spec spec = change_spec();
  set_up({.cloud = empty_cloud()}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
    EXPECT_THAT(outcome.left_running, IsEmpty());
    EXPECT_EQ(account_contents(fixture, spec), kFresh);
    for (const std::string& region : spec.regions) {
      const Json machine = the_machine(fixture, region);
      EXPECT_EQ(tags_of(machine), (std::map<std::string, std::string>{
                                      {"Name", "NAVO"},
                                      {"parallax:fleet", "NAVO"},
                                      {"parallax:boot-timer", fleet::boot_timer_version(spec.boot_timer)}}));
      EXPECT_EQ(*machine.at("MetadataOptions", "HttpTokens")->string(), "required");
      EXPECT_EQ(machine.text("InstanceType"), "t3.micro");
      EXPECT_EQ(machine.text("KeyName"), "NAVO");
      EXPECT_EQ(machine.list("SecurityGroups").front().text("GroupName"), "NAVO");
      EXPECT_THAT(*machine.at("IamInstanceProfile", "Arn")->string(), HasSubstr("instance-profile/parallax"));
      const auto attribute = [&](const char* name) {
        return fixture.by_hand(region, "DescribeInstanceAttribute",
                               Json::object({{"InstanceId", machine.text("InstanceId")}, {"Attribute", name}}));
      };
      EXPECT_EQ(
          *attribute("instanceInitiatedShutdownBehavior").at("InstanceInitiatedShutdownBehavior", "Value")->string(),
          "stop");
      EXPECT_EQ(base64_decode(*attribute("userData").at("UserData", "Value")->string()).value(),
                fleet::boot_user_data(spec.boot_timer));
    }
  });
}

// Observation before: at most seven calls (contracts of the plan). 17 is what the reference needs.
TEST(Change, AsksNoMoreThanTenCallsOfARegionBesideWaits) {
  const Spec spec = change_spec();
  set_up(
      {.cloud = empty_cloud()}, spec, [](FleetFixture& fixture) { fixture.forget_calls(); },
      [&](FleetFixture& fixture, const ChangeOutcome&) {
        for (const std::string& region : spec.regions) {
          std::map<std::string, int> once;
          for (const sim::Call& call : fixture.calls()) {
            if (call.region == region && call.service == "ec2") {
              once[call.operation] = 1;  // what is repeated are waits
            }
          }
          EXPECT_LE(once.size(), 10U) << fixture.call_list();
          EXPECT_EQ(fixture.count("StopInstances", region), 1);
        }
      });
}

TEST(Change, CarriesOutNothingWhereNothingIsPlanned) {
  const Spec spec = change_spec();
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    Plan plan;
    plan.regions = {part_of(kHome), part_of(kAway)};
    const ChangeOutcome outcome = change(deps, spec, Observed{}, plan);
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(fixture.calls(), IsEmpty());
  });
}

TEST(Change, ARegionThatFailsLeavesTheOthersAloneAndExitsWith3) {
  const Spec spec = change_spec();
  set_up(
      {.cloud = empty_cloud()}, spec,
      [](FleetFixture& fixture) { fixture.set_hook(FleetFixture::throttle(kAway, "CreateSecurityGroup")); },
      [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
        EXPECT_EQ(outcome.exit_code, 3) << to_text(outcome);
        EXPECT_EQ(fixture.machines(kHome).size(), 1U);
        EXPECT_THAT(fixture.machines(kAway), IsEmpty());  // F5: nothing that costs money
        ASSERT_EQ(outcome.regions.size(), 3U);
        EXPECT_EQ(outcome.regions[1].problem, "");
        EXPECT_THAT(outcome.regions[2].problem, HasSubstr("RequestLimitExceeded"));
        EXPECT_EQ(outcome.regions[2].steps.back().state, StepState::left);
      });
}

TEST(Change, CapacityFallsThroughZonesThenTypesAndIsRecorded) {
  const Spec spec = change_spec();
  sim::CloudOptions cloud = empty_cloud();
  cloud.capacity["*/t3.micro"] = 0;
  set_up({.cloud = cloud}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
    EXPECT_EQ(the_machine(fixture, kAway).text("InstanceType"), "t2.micro");
    EXPECT_THAT(outcome.regions[2].steps.back().note,
                HasSubstr("t2.micro in eu-west-3a after InsufficientInstanceCapacity"));
  });
}

TEST(Change, TellsOfEachMachineWhichPlacesHadNoRoomForIt) {
  Spec spec = change_spec();
  spec.instances_per_region = 3;
  sim::CloudOptions cloud = empty_cloud();
  cloud.capacity["eu-west-3a/t3.micro"] = 2;
  cloud.capacity["eu-west-3b/t3.micro"] = 0;
  set_up({.cloud = cloud}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
    std::map<std::string, std::string> notes;  // by zone, of its machines
    for (const fleet::StepOutcome& step : outcome.regions[2].steps) {
      if (step.step.kind == fleet::StepKind::launch) {
        const Json seen =
            fixture.by_hand(kAway, "DescribeInstances", Json::object({{"InstanceIds", Json::array({step.id})}}));
        notes[seen.list("Reservations").at(0).list("Instances").at(0).find("Placement")->text("AvailabilityZone")] +=
            step.note + "|";
      }
    }
    EXPECT_EQ(notes["eu-west-3a"], "||");
    EXPECT_EQ(notes["eu-west-3c"],
              "t3.micro in eu-west-3b after InsufficientInstanceCapacity for t3.micro in eu-west-3a; t3.micro in "
              "eu-west-3c after InsufficientInstanceCapacity for t3.micro in eu-west-3b|");
  });
}

TEST(Change, SaysWhereNoZoneHasRoom) {
  const Spec spec = change_spec();
  sim::CloudOptions cloud = empty_cloud();
  cloud.capacity["*/t3.micro"] = 0;
  cloud.capacity["*/t2.micro"] = 0;
  set_up({.cloud = cloud}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_THAT(outcome.regions[1].problem, HasSubstr("InsufficientInstanceCapacity"));
    EXPECT_THAT(fixture.machines(), IsEmpty());
  });
}

TEST(Change, AQuotaFailsTheRegionWithoutTryingOtherPlaces) {
  const Spec spec = change_spec();
  sim::CloudOptions cloud = empty_cloud();
  cloud.vcpu_limit = 1;
  cloud.timings.profile = {Micros(0), Micros(0)};
  set_up({.cloud = cloud}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_THAT(outcome.regions[1].problem, HasSubstr("VcpuLimitExceeded"));
    EXPECT_EQ(fixture.count("RunInstances", kHome), 1);
  });
}

TEST(Change, ALaunchThatEndsByItselfForLackOfRoomGoesToTheNextPlace) {
  const Spec spec = change_spec();
  sim::CloudOptions cloud = empty_cloud();
  cloud.fault_rules = {away(sim::FaultKind::start_fails, 1)};
  set_up({.cloud = cloud}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
    EXPECT_EQ(account_contents(fixture, spec), kFresh);
  });
}

TEST(Change, WaitsUntilEc2KnowsANewProfile) {
  const Spec spec = change_spec();
  sim::CloudOptions cloud = empty_cloud();
  cloud.timings.profile = {Seconds(90), Seconds(100)};
  set_up({.cloud = cloud}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
    EXPECT_GT(fixture.count("RunInstances", kAway), 2);
    EXPECT_LT(fixture.count("RunInstances", kAway), 15);
  });
}

TEST(Change, GivesAProfileUpThatEc2NeverKnows) {
  const Spec spec = change_spec();
  sim::CloudOptions cloud = empty_cloud();
  cloud.timings.profile = {Seconds(3600), Seconds(3600)};
  set_up({.cloud = cloud}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_THAT(outcome.regions[1].problem, HasSubstr("IAM Instance Profile"));
    EXPECT_THAT(fixture.machines(), IsEmpty());
  });
}

TEST(Change, CopiesRulesAndTakesTheDefaultEgressRuleAway) {
  const Spec spec = change_spec();
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    Plan plan;
    RegionPlan part = part_of(kAway);
    part.steps = {step(StepKind::make_group, kAway)};
    part.steps[0].add = {{false, "tcp", 22, 22, "203.0.113.0/24", "office"},
                         {false, "tcp", 22, 22, "2001:db8::/32", ""},
                         {false, "-1", std::nullopt, std::nullopt, "198.51.100.7/32", ""},
                         {true, "tcp", 443, 443, "0.0.0.0/0", ""}};
    part.steps[0].remove = {{true, "-1", std::nullopt, std::nullopt, "0.0.0.0/0", ""}};
    plan.regions = {part};
    const Observed observed = observed_by_hand(fixture, spec);
    fixture.forget_calls();
    EXPECT_EQ(change(deps, spec, observed, plan).exit_code, 0);
    EXPECT_EQ(fixture.calls().size(), 4U) << fixture.call_list();
    // Again: who made it is found, and what is there stays as it is.
    const ChangeOutcome again = change(deps, spec, observed, plan);
    EXPECT_EQ(again.exit_code, 0) << to_text(again);
    EXPECT_THAT(account_contents(fixture, spec), Contains("eu-west-3 group NAVO in 2 out 1 of NAVO"));
  });
}

TEST(Change, RepairsRulesAddingAndRemoving) {
  const Spec spec = change_spec();
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    const Observed observed = observed_by_hand(fixture, spec);
    Plan plan;
    plan.regions = {part_of(kAway)};
    plan.regions[0].steps = {step(StepKind::make_group, kAway)};
    plan.regions[0].steps[0].add = {{false, "tcp", 22, 22, "0.0.0.0/0", ""}};
    const ChangeOutcome made = change(deps, spec, observed, plan);
    fleet::Step repair = step(StepKind::repair_rules, kAway, made.regions[0].steps[0].id);
    repair.add = {{false, "tcp", 443, 443, "203.0.113.0/24", ""}, {false, "tcp", 22, 22, "0.0.0.0/0", "there already"}};
    repair.remove = {{false, "udp", 53, 53, "0.0.0.0/0", "not there"},
                     {true, "-1", std::nullopt, std::nullopt, "0.0.0.0/0", ""}};
    plan.regions[0].steps = {repair};
    const ChangeOutcome outcome = change(deps, spec, observed, plan);
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
    EXPECT_THAT(account_contents(fixture, spec), Contains("eu-west-3 group NAVO in 2 out 0 of NAVO"));
  });
}

TEST(Change, TouchesNoGroupAndNoRoleOfTheSameNameThatAreNotOurs) {
  const Spec spec = change_spec();
  set_up(
      {.cloud = empty_cloud()}, spec,
      [&](FleetFixture& fixture) {
        fixture.by_hand(kAway, "CreateSecurityGroup",
                        Json::object({{"GroupName", "NAVO"}, {"Description", "of somebody else"}}));
      },
      [&](FleetFixture&, const ChangeOutcome& outcome) {
        EXPECT_EQ(outcome.exit_code, 3);
        EXPECT_THAT(outcome.regions[2].problem, HasSubstr("without our tag: adopt it"));
      });
  set_up(
      {.cloud = empty_cloud()}, spec,
      [&](FleetFixture& fixture) {
        const Json trust = fleet::trust_document(fleet::PolicyFor::machine, "000000000000", "aws");
        fixture.by_hand(kHome, "CreateRole",
                        Json::object({{"RoleName", spec.profile.name}, {"AssumeRolePolicyDocument", trust.dump()}}),
                        "iam");
      },
      [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
        EXPECT_EQ(outcome.exit_code, 1) << to_text(outcome);
        EXPECT_THAT(outcome.regions[0].problem, HasSubstr("exists without our tag"));
        EXPECT_EQ(outcome.regions[1].problem, "what the account needs first failed");
        EXPECT_EQ(fixture.count_region(kAway), 0);
      });
}

TEST(Change, AnotherKeyOfTheSameNameIsAnError) {
  const Spec spec = change_spec();
  set_up(
      {.cloud = empty_cloud()}, spec,
      [&](FleetFixture& fixture) {
        fixture.by_hand(kAway, "CreateKeyPair", Json::object({{"KeyName", "NAVO"}, {"KeyType", "ed25519"}}));
      },
      [&](FleetFixture&, const ChangeOutcome& outcome) {
        EXPECT_EQ(outcome.exit_code, 3);
        EXPECT_THAT(outcome.regions[2].problem, HasSubstr("exists and is another key"));
      });
}

TEST(Change, LaunchesHundredsOfMachinesInFewCalls) {
  Spec spec = change_spec();
  spec.regions = {kAway};
  spec.instances_per_region = 250;
  sim::CloudOptions cloud = empty_cloud();
  set_up({.cloud = cloud}, spec, {}, [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.regions.back().problem;
    const auto machines = fixture.machines(kAway);
    ASSERT_THAT(machines, SizeIs(250));
    std::set<std::string> slots;
    for (const sim::InstanceView& machine : machines) {
      EXPECT_EQ(machine.state, "stopped");
      slots.insert(machine.tags.at("parallax:slot"));
    }
    EXPECT_THAT(slots, SizeIs(250));
    EXPECT_LE(fixture.count("RunInstances"), 20);
    EXPECT_LE(fixture.count("StopInstances"), 30);
  });
}

// ---- images

struct CopyWorld {
  Spec spec = copy_spec();
  Observed observed;
};

void copy(sim::CloudOptions cloud, const std::function<void(FleetFixture&, const FleetDeps&, CopyWorld&)>& body) {
  FleetFixture fixture({.cloud = std::move(cloud)});
  fixture.run([&](const FleetDeps& deps) {
    CopyWorld world;
    const fleet::ImageSeen image = home_image(fixture, world.spec);
    world.observed = observed_by_hand(fixture, world.spec);
    world.observed.home_image = image;
    fixture.forget_calls();
    body(fixture, deps, world);
  });
}

TEST(ChangeImage, CopiesHomesImageWithTagsAndWaitsForIt) {
  copy(empty_cloud(), [](FleetFixture& fixture, const FleetDeps& deps, CopyWorld& world) {
    const ChangeOutcome outcome = change(deps, world.spec, world.observed, fresh_plan(world.spec));
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
    const std::vector<std::string> all = account_contents(fixture, world.spec);
    EXPECT_THAT(all, Contains("eu-west-3 image NAVO available of NAVO"));
    EXPECT_THAT(all, Contains("eu-west-3 snapshot completed of NAVO"));
    EXPECT_THAT(all, Contains("eu-west-3 instance stopped of NAVO"));
    EXPECT_THAT(all, Contains("us-west-2 instance stopped of NAVO"));
    EXPECT_EQ(fixture.count("CopyImage"), 1);
  });
}

TEST(ChangeImage, ReplacesAFailedCopyOnceAndSaysSo) {
  sim::CloudOptions cloud = empty_cloud();
  cloud.fault_rules = {away(sim::FaultKind::copy_fails, 1)};
  copy(cloud, [](FleetFixture& fixture, const FleetDeps& deps, CopyWorld& world) {
    const ChangeOutcome outcome = change(deps, world.spec, world.observed, fresh_plan(world.spec));
    EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
    EXPECT_THAT(outcome.regions[2].steps[1].note, HasSubstr("is 'failed'"));
    EXPECT_THAT(outcome.regions[2].steps[1].note, HasSubstr("deleted and copied again"));
    const std::vector<std::string> all = account_contents(fixture, world.spec);
    EXPECT_EQ(std::count(all.begin(), all.end(), "eu-west-3 image NAVO available of NAVO"), 1);
    EXPECT_EQ(std::count(all.begin(), all.end(), "eu-west-3 snapshot completed of NAVO"), 1);
    EXPECT_EQ(outcome.regions[2].steps[1].id,
              fixture.by_hand(kAway, "DescribeImages", Json::object({{"Owners", Json::array({"self"})}}))
                  .list("Images")
                  .front()
                  .text("ImageId"));
  });
}

TEST(ChangeImage, GivesUpAfterTheSecondFailedCopy) {
  sim::CloudOptions cloud = empty_cloud();
  cloud.fault_rules = {away(sim::FaultKind::copy_fails, 0)};
  copy(cloud, [](FleetFixture& fixture, const FleetDeps& deps, CopyWorld& world) {
    const ChangeOutcome outcome = change(deps, world.spec, world.observed, fresh_plan(world.spec));
    EXPECT_EQ(outcome.exit_code, 3) << to_text(outcome);
    EXPECT_THAT(outcome.regions[2].problem, HasSubstr("it was the second one"));
    EXPECT_THAT(fixture.machines(kAway), IsEmpty());
  });
}

TEST(ChangeImage, CopiesAgainAfterTheFirstCopyWasDeregistered) {
  copy(empty_cloud(), [](FleetFixture& fixture, const FleetDeps& deps, CopyWorld& world) {
    Plan plan;
    plan.regions = {part_of(kAway)};
    plan.regions[0].steps = {step(StepKind::copy_image, kAway), step(StepKind::wait_image, kAway)};
    const ChangeOutcome first = change(deps, world.spec, world.observed, plan);
    const std::string id = first.regions[0].steps[1].id;
    fixture.by_hand(kAway, "DeregisterImage", Json::object({{"ImageId", id}}));
    fixture.sleep(Seconds(3600));
    const ChangeOutcome second = change(deps, world.spec, world.observed, plan);
    EXPECT_EQ(second.exit_code, 0) << to_text(second);
    EXPECT_NE(second.regions[0].steps[1].id, id);
    EXPECT_THAT(account_contents(fixture, world.spec), Contains("eu-west-3 image NAVO available of NAVO"));
  });
}

// ---- lost answers, errors, throttling: at the first and the second call of each operation

struct Strike {
  const char* operation;
  sim::FaultKind kind;
  int occasion;
};

class ChangeStruck : public ::testing::TestWithParam<Strike> {};

TEST_P(ChangeStruck, EndsInTheSameStateWithoutDuplicates) {
  const Strike strike = GetParam();
  const Spec spec = change_spec();
  int seen = 0;
  set_up(
      {.cloud = empty_cloud()}, spec,
      [&](FleetFixture& fixture) {
        fixture.set_hook([&seen, strike](const sim::Call& call) {
          const bool hit = call.operation == strike.operation && ++seen >= strike.occasion &&
                           seen < strike.occasion + 4;  // longer than the client's own attempts
          return sim::Fault{hit ? strike.kind : sim::FaultKind::none, Micros(0)};
        });
      },
      [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
        EXPECT_GT(seen, 0) << "never called";
        EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
        EXPECT_EQ(account_contents(fixture, spec), kFresh);
        EXPECT_THAT(outcome.left_running, IsEmpty());
      });
}

std::vector<Strike> strikes() {
  std::vector<Strike> all;
  for (const char* operation :
       {"CreateRole", "PutRolePolicy", "CreateInstanceProfile", "AddRoleToInstanceProfile", "ImportKeyPair",
        "CreateSecurityGroup", "DescribeImages", "RunInstances", "DescribeInstances", "StopInstances"}) {
    for (const sim::FaultKind kind :
         {sim::FaultKind::answer_lost, sim::FaultKind::request_lost, sim::FaultKind::throttle,
          sim::FaultKind::server_error, sim::FaultKind::bare_server_error}) {
      for (const int occasion : {1, 2}) {
        const bool in_account_alone = std::string_view(operation).find("Role") != std::string_view::npos ||
                                      std::string_view(operation).find("Profile") != std::string_view::npos;
        if (occasion == 1 || !in_account_alone) {
          all.push_back({operation, kind, occasion});
        }
      }
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Calls, ChangeStruck, ::testing::ValuesIn(strikes()),
                         [](const ::testing::TestParamInfo<Strike>& strike) {
                           std::string name = fmt::format("{}_{}_{}", strike.param.operation,
                                                          sim::to_string(strike.param.kind), strike.param.occasion);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Change, BearsIdsThatAreUnknownAndViewsThatAreStale) {
  const Spec spec = change_spec();
  sim::RegionFaults faults;
  faults.new_id_unknown = 0.5;
  faults.stale_read = 0.3;
  faults.tags_lag = 0.5;
  faults.slow = 0.2;
  faults.throttle = 0.2;
  faults.answer_lost = 0.1;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    set_up(
        {.cloud = empty_cloud(), .seed = seed}, spec,
        [&](FleetFixture& fixture) {
          for (const std::string& region : spec.regions) {
            fixture.cloud().set_faults(region, faults);
          }
        },
        [&](FleetFixture& fixture, const ChangeOutcome& outcome) {
          for (const std::string& region : spec.regions) {
            fixture.cloud().set_faults(region, {});
          }
          fixture.sleep(Seconds(60));
          EXPECT_EQ(outcome.exit_code, 0) << seed << to_text(outcome);
          EXPECT_EQ(account_contents(fixture, spec), kFresh) << seed;
        });
  }
}

// ---- interrupted

TEST(ChangeInterrupted, StopsWhatItLaunchedAndExitsWith130) {
  const Spec spec = change_spec();
  for (const StepKind at : {StepKind::make_role, StepKind::import_key, StepKind::make_group, StepKind::launch}) {
    FleetFixture fixture({.cloud = empty_cloud()});
    fixture.run([&](const FleetDeps& deps) {
      const Observed observed = observed_by_hand(fixture, spec);
      std::stop_source stop;
      const ChangeOutcome outcome = change(deps, spec, observed, fresh_plan(spec), stop.get_token(),
                                           [&](const std::string&, const fleet::StepOutcome& told) {
                                             if (told.step.kind == at && told.state == StepState::doing) {
                                               stop.request_stop();
                                             }
                                           });
      EXPECT_EQ(outcome.exit_code, 130) << to_text(outcome);
      EXPECT_THAT(outcome.left_running, IsEmpty());
      for (const sim::InstanceView& machine : fixture.machines()) {
        EXPECT_EQ(machine.state, "stopped");
      }
    });
  }
}

TEST(ChangeInterrupted, StopsAMachineWhoseLaunchWasNeverAnswered) {
  Spec spec = change_spec();
  spec.regions = {kAway};
  sim::CloudOptions cloud = empty_cloud();
  cloud.timings.profile = {Micros(0), Micros(0)};
  FleetFixture fixture({.cloud = cloud});
  fixture.run([&](const FleetDeps& deps) {
    const Observed observed = observed_by_hand(fixture, spec);
    std::stop_source stop;
    fixture.set_hook([&](const sim::Call& call) {
      if (call.operation != "RunInstances") {
        return sim::Fault{};
      }
      stop.request_stop();
      return sim::Fault{sim::FaultKind::answer_lost, Micros(0)};
    });
    const ChangeOutcome outcome = change(deps, spec, observed, fresh_plan(spec), stop.get_token());
    EXPECT_EQ(outcome.exit_code, 130) << to_text(outcome);
    EXPECT_THAT(outcome.left_running, IsEmpty());
    ASSERT_THAT(fixture.machines(), SizeIs(1));
    EXPECT_EQ(fixture.machines().front().state, "stopped");
  });
}

TEST(ChangeInterrupted, NamesMachinesThatItCannotStopWithTheirTimer) {
  Spec spec = change_spec();
  spec.regions = {kAway};
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    const Observed observed = observed_by_hand(fixture, spec);
    fixture.set_hook(FleetFixture::throttle("", "StopInstances"));
    const ChangeOutcome outcome = change(deps, spec, observed, fresh_plan(spec));
    EXPECT_EQ(outcome.exit_code, 1) << to_text(outcome);
    ASSERT_THAT(outcome.left_running, SizeIs(1));
    EXPECT_THAT(outcome.left_running.front(), HasSubstr("its boot timer powers it off at about"));
    fixture.sleep(spec.boot_timer);
    EXPECT_EQ(fixture.machines().front().state, "stopped");
  });
}

// ---- machines that are there

TEST(ChangeMachine, MendsUserDataMetadataProfileGroupsAndTags) {
  const Spec spec = change_spec();
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    const Observed observed = observed_by_hand(fixture, spec);
    const ChangeOutcome made = change(deps, spec, observed, fresh_plan(spec));
    ASSERT_EQ(made.exit_code, 0) << to_text(made);
    const std::string stock = observed.regions[1].places->stock_image;
    const Json run = fixture.by_hand(
        kAway, "RunInstances",
        Json::object({{"ImageId", stock}, {"InstanceType", "t3.micro"}, {"MinCount", 1}, {"MaxCount", 1}}));
    const std::string id = run.list("Instances").front().text("InstanceId");
    fixture.sleep(Seconds(60));
    fixture.by_hand(kAway, "StopInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    fixture.sleep(Seconds(120));
    Observed now = observed;
    fleet::GroupSeen group;
    group.id = made.regions[2].steps[1].id;
    group.name = "NAVO";
    group.vpc = observed.regions[1].places->vpc;
    group.tags = {{fleet::kFleetTag, "NAVO"}};
    now.regions[1].groups = {group};
    Plan plan;
    plan.regions = {part_of(kAway)};
    plan.regions[0].steps = {step(StepKind::tag, kAway, id),
                             step(StepKind::set_user_data, kAway, id),
                             step(StepKind::set_shutdown_behaviour, kAway, id),
                             step(StepKind::require_imds_v2, kAway, id),
                             step(StepKind::set_profile, kAway, id),
                             step(StepKind::set_groups, kAway, id)};
    plan.regions[0].steps[0].tags = {{fleet::kFleetTag, "NAVO"}, {"Name", "NAVO"}};
    for (int i = 0; i < 2; ++i) {  // each can be repeated
      const ChangeOutcome outcome = change(deps, spec, now, plan);
      EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
      const Json answer =
          fixture.by_hand(kAway, "DescribeInstances", Json::object({{"InstanceIds", Json::array({id})}}));
      const Json machine = answer.list("Reservations").front().list("Instances").front();
      EXPECT_EQ(tags_of(machine)["parallax:boot-timer"], fleet::boot_timer_version(spec.boot_timer));
      EXPECT_EQ(tags_of(machine)["parallax:fleet"], "NAVO");
      EXPECT_EQ(*machine.at("MetadataOptions", "HttpTokens")->string(), "required");
      EXPECT_THAT(*machine.at("IamInstanceProfile", "Arn")->string(), HasSubstr("parallax"));
      EXPECT_EQ(machine.list("SecurityGroups").front().text("GroupId"), group.id);
    }
  });
}

TEST(ChangeMachine, MakesASchedulePerMachineThatStopsIt) {
  Spec spec = change_spec();
  spec.deadman = fleet::Deadman::guest_and_scheduler;
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    const Observed observed = observed_by_hand(fixture, spec);
    Plan plan = fresh_plan(spec);
    plan.steps.push_back(step(StepKind::make_scheduler_role));
    for (RegionPlan& part : plan.regions) {
      part.steps.push_back(step(StepKind::make_schedule, part.region));
    }
    const ChangeOutcome outcome = change(deps, spec, observed, plan);
    ASSERT_EQ(outcome.exit_code, 0) << to_text(outcome);
    EXPECT_THAT(account_contents(fixture, spec), Contains("eu-west-3 schedule ENABLED"));
    const std::string id = the_machine(fixture, kAway).text("InstanceId");
    const Json schedule =
        fixture.by_hand(kAway, "GetSchedule", Json::object({{"Name", fleet::schedule_name(id)}}), "scheduler");
    EXPECT_EQ(schedule.text("ScheduleExpression"), fleet::schedule_expression());
    // A machine that somebody left running without a timer is stopped within a day.
    fixture.by_hand(kAway, "ModifyInstanceAttribute",
                    Json::object({{"InstanceId", id}, {"UserData", Json::object({{"Value", ""}})}}));
    fixture.by_hand(kAway, "StartInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    fixture.sleep(Seconds(86400));
    EXPECT_EQ(*the_machine(fixture, kAway).at("State", "Name")->string(), "stopped");
    // Made again it is the same one.
    Plan again;
    again.regions = {part_of(kAway)};
    again.regions[0].steps = {step(StepKind::make_schedule, kAway, id)};
    EXPECT_EQ(change(deps, spec, observed, again).exit_code, 0);
    again.regions[0].steps = {step(StepKind::delete_schedule, kAway, id), step(StepKind::delete_schedule, kAway, id)};
    EXPECT_EQ(change(deps, spec, observed, again).exit_code, 0);
  });
}

TEST(ChangeMachine, StopsRunningMachines) {
  const Spec spec = change_spec();
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    const Observed observed = observed_by_hand(fixture, spec);
    ASSERT_EQ(change(deps, spec, observed, fresh_plan(spec)).exit_code, 0);
    const std::string id = the_machine(fixture, kAway).text("InstanceId");
    fixture.by_hand(kAway, "StartInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    Plan plan;
    plan.regions = {part_of(kAway)};
    plan.regions[0].steps = {step(StepKind::stop, kAway, id)};
    EXPECT_EQ(change(deps, spec, observed, plan).exit_code, 0);
    EXPECT_EQ(*the_machine(fixture, kAway).at("State", "Name")->string(), "stopped");
  });
}

}  // namespace
}  // namespace parallax::testing
