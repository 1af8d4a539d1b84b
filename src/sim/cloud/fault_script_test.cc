#include "sim/cloud/fault_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/cloud/cloud.h"
#include "sim/cloud/regions.h"
#include "sim/cloud/test_clock.h"

namespace parallax::sim {
namespace {

std::string complaint(std::string_view text) {
  const Result<FaultScript> script = parse_fault_script("f.toml", text);
  return script ? "" : script.error().message;
}

TEST(FaultScript, ReadsRulesCapacityAndLatency) {
  const FaultScript script = parse_fault_script("f.toml", R"(
[[fault]]
kind = "throttle"
region = "eu-*"
operation = "Describe*"
nth = 3

[[fault]]
kind = "slow"
probability = 0.25
duration = "5s"
after = "1m"
until = "10m"
count = 20

[capacity]
"us-west-2a/t3.micro" = 1

[latency]
ap-southeast-2 = "160ms"

[timings]
pending = "12s"
image_copy = ["2m", "15m"]
)")
                                 .value();
  ASSERT_EQ(script.rules.size(), 2U);
  EXPECT_EQ(script.rules[0].kind, FaultKind::throttle);
  EXPECT_EQ(script.rules[0].first, 3U);
  EXPECT_EQ(script.rules[0].count, 1U) << "the nth call alone";
  EXPECT_EQ(script.rules[1].duration, Seconds(5));
  EXPECT_EQ(script.rules[1].until, Seconds(600));
  EXPECT_EQ(script.rules[1].count, 20U);
  EXPECT_EQ(script.capacity.at("us-west-2a/t3.micro"), 1);
  EXPECT_EQ(script.round_trips.at("ap-southeast-2"), Millis(160));
  EXPECT_EQ(script.timings.at("pending").min, Seconds(12));
  EXPECT_EQ(script.timings.at("pending").max, Seconds(12));
  EXPECT_EQ(script.timings.at("image_copy").max, Seconds(900));
}

TEST(FaultScript, PointsAtWhatIsWrong) {
  EXPECT_EQ(complaint("[timings]\npendin = \"1s\"\n"),
            "f.toml:2:1: unknown timing 'pendin'; did you mean 'pending'?\n  pendin = \"1s\"\n  ^");
  EXPECT_THAT(complaint("[timings]\nagent = [\"9s\", \"8s\"]\n"),
              testing::HasSubstr("f.toml:2:9: 'agent': the first duration is the longer one"));
  EXPECT_THAT(complaint("[timings]\nagent = [\"9s\"]\n"), testing::HasSubstr("'agent' must be a duration"));
  EXPECT_EQ(complaint("[[fault]]\nkind = \"trottle\"\n"),
            "f.toml:2:8: unknown kind of fault 'trottle'; did you mean 'throttle'?\n  kind = \"trottle\"\n         ^");
  EXPECT_EQ(complaint("[[fault]]\nkind = \"slow\"\noperations = \"*\"\n"),
            "f.toml:3:1: unknown key 'operations'; did you mean 'operation'?\n  operations = \"*\"\n  ^");
  EXPECT_THAT(complaint("[[fault]]\nkind = \"slow\"\nregion = \"us-esat-1\"\n"),
              testing::HasSubstr("f.toml:3:10: unknown region 'us-esat-1'; did you mean 'us-east-1'?"));
  EXPECT_THAT(complaint("[[fault]]\nkind = \"agent_never\"\noperation = \"x\"\n"),
              testing::HasSubstr("'agent_never' is no fault of a request: it has no 'operation'"));
  EXPECT_THAT(complaint("[[fault]]\nkind = \"slow\"\nprobability = 2\n"), testing::HasSubstr("f.toml:3:15:"));
  EXPECT_THAT(complaint("[[fault]]\nkind = \"slow\"\nafter = \"2m\"\nuntil = \"1m\"\n"), testing::HasSubstr("never"));
  EXPECT_THAT(complaint("[[fault]]\nnth = 1\n"), testing::HasSubstr("no 'kind'"));
  EXPECT_THAT(complaint("[fault]\nkind = \"slow\"\n"), testing::HasSubstr("[[fault]]"));
  EXPECT_THAT(complaint("[capacity]\nus-west-2a = 1\n"), testing::HasSubstr("ZONE/TYPE"));
  EXPECT_THAT(complaint("[capacity]\n\"us-west-2*/t3.micro\" = 1\n"), testing::HasSubstr("ZONE/TYPE"));
  EXPECT_THAT(complaint("[latency]\nmars-1 = \"1s\"\n"), testing::HasSubstr("unknown region 'mars-1'"));
  EXPECT_THAT(complaint("[falt]\n"), testing::HasSubstr("did you mean 'fault'?"));
}

FaultRule rule(FaultKind kind) {
  FaultRule out;
  out.kind = kind;
  return out;
}

TEST(FaultDice, CountsPerRegion) {
  FaultRule third = rule(FaultKind::throttle);
  third.operation = "Describe*";
  third.first = 3;
  third.count = 2;
  FaultDice dice({third}, 1);
  const auto struck = [&](std::string_view region, std::string_view operation) {
    return dice.draw({FaultKind::none, region, "ec2", operation, Micros(0)}) != nullptr;
  };
  std::string seen;
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(struck("eu-west-3", "StartInstances"));
    seen += struck("eu-west-3", "DescribeInstances") ? '1' : '0';
  }
  EXPECT_EQ(seen, "001100");
  EXPECT_FALSE(struck("us-east-1", "DescribeInstances")) << "its own count";
}

TEST(FaultDice, KeepsToItsTimes) {
  FaultRule later = rule(FaultKind::answer_lost);
  later.after = Seconds(10);
  later.until = Seconds(20);
  FaultDice dice({later}, 1);
  for (const auto& [at, expected] : {std::pair{9, false}, {10, true}, {19, true}, {20, false}}) {
    EXPECT_EQ(dice.draw({FaultKind::none, "eu-west-3", "ec2", "X", Seconds(at)}) != nullptr, expected) << at;
  }
}

TEST(FaultDice, EqualSeedsStrikeAlikeWhateverOtherRegionsDo) {
  const auto run = [](std::uint64_t seed, int others) {
    FaultDice dice(seeded_faults(seed), seed);
    std::string out;
    for (int i = 0; i < 300; ++i) {
      for (int k = 0; k < others; ++k) {
        dice.draw({FaultKind::none, "us-east-1", "ec2", "DescribeInstances", Micros(0)});
      }
      const FaultRule* hit = dice.draw({FaultKind::none, "eu-west-3", "ec2", "DescribeInstances", Micros(0)});
      out += hit == nullptr ? '.' : to_string(hit->kind)[0];
    }
    return out;
  };
  EXPECT_EQ(run(7, 0), run(7, 3));
  EXPECT_NE(run(7, 0), run(8, 0));
  EXPECT_NE(run(7, 0).find_first_not_of('.'), std::string::npos);
}

TEST(FaultRules, AnInstanceOfAScriptedRegionNeverGetsItsAgent) {
  TestClock clock;
  Xoshiro rng(5);
  CloudOptions options;
  FaultRule never = rule(FaultKind::agent_never);
  never.region = "eu-west-3";
  options.fault_rules = {never};
  Cloud cloud(options, clock, rng);
  for (const InstanceView& view : cloud.instances()) {
    ASSERT_TRUE(cloud.call({view.region, "ec2", "StartInstances"},
                           Json::object({{"InstanceIds", JsonArray{view.instance_id}}})));
  }
  clock.pass(Seconds(300));
  cloud.advance();
  for (const InstanceView& view : cloud.instances()) {
    EXPECT_EQ(view.state, "running");
    EXPECT_EQ(view.agent_online, view.region != "eu-west-3") << view.region;
  }
}

TEST(Worlds, ARegionMayLackItsDefaultVpc) {
  TestClock clock;
  Xoshiro rng(5);
  CloudOptions options;
  options.without_default_vpc = {"eu-west-3", "us-east-2"};
  Cloud cloud(options, clock, rng);
  const auto vpcs = [&](const char* region) {
    return cloud.call({region, "ec2", "DescribeVpcs"}, Json::object())->list("Vpcs");
  };
  EXPECT_TRUE(vpcs("us-east-2").empty());
  ASSERT_EQ(vpcs("eu-west-3").size(), 1U) << "its instance lies somewhere";
  EXPECT_FALSE(vpcs("eu-west-3")[0].boolean("IsDefault", true));
  EXPECT_TRUE(vpcs("us-west-2")[0].boolean("IsDefault", false));
}

TEST(Worlds, RegionsAreOptedInOneByOne) {
  TestClock clock;
  Xoshiro rng(5);
  CloudOptions options;
  options.opted_in = {"af-south-1"};
  const Cloud cloud(options, clock, rng);
  EXPECT_TRUE(cloud.region_enabled("af-south-1"));
  EXPECT_FALSE(cloud.region_enabled("me-south-1"));
}

TEST(Regions, LatencyGrowsWithTheDistance) {
  const auto ms = [](const char* from, const char* to) {
    return std::chrono::duration_cast<Millis>(estimated_round_trip(*find_region(from), *find_region(to))).count();
  };
  EXPECT_EQ(ms("us-west-2", "us-west-2"), 2);
  EXPECT_NEAR(static_cast<double>(ms("us-west-2", "us-east-1")), 47, 15);
  EXPECT_NEAR(static_cast<double>(ms("us-west-2", "ap-southeast-2")), 150, 25);
  EXPECT_EQ(ms("us-west-2", "eu-west-3"), ms("eu-west-3", "us-west-2"));
}

}  // namespace
}  // namespace parallax::sim
