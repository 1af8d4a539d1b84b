#include "tests/fleet/fleet_fixture.h"

#include <gtest/gtest.h>

namespace parallax::testing {
namespace {

FleetSetup two_regions() {
  FleetSetup setup;
  setup.cloud.regions = {"us-west-2", "eu-west-3"};
  return setup;
}

TEST(FleetFixture, RunsFleetCodeAgainstTheCloudAndRecordsItsCalls) {
  FleetFixture fixture(two_regions());
  fixture.run([&](const fleet::FleetDeps& deps) {
    const auto found = fleet::find_vantages(deps, "NAVO", {"us-west-2", "eu-west-3"}, Seconds(60), {});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].vantages.size(), 1U) << found[0].problem;
    EXPECT_EQ(fixture.count("DescribeInstances"), 2) << fixture.call_list();
    EXPECT_EQ(fixture.count_region("eu-west-3"), 1) << fixture.call_list();
    EXPECT_EQ(fixture.count_changes(), 0);
    EXPECT_EQ(fixture.machines("eu-west-3").size(), 1U);
  });
}

TEST(FleetFixture, GivesTheLimitedKeyNoRightThatThePolicyLacks) {
  FleetSetup setup = two_regions();
  setup.cloud.policy = R"({"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*",
       "Condition": {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}}]})";
  setup.key = Key::limited;
  FleetFixture fixture(setup);
  fixture.run([&](const fleet::FleetDeps& deps) {
    const auto found = fleet::find_vantages(deps, "NAVO", {"us-west-2", "eu-west-3"}, Seconds(60), {});
    EXPECT_EQ(found[0].problem, "");
    EXPECT_NE(found[1].problem, "");
  });
}

TEST(FleetFixture, LetsAHookStrikeCalls) {
  FleetFixture fixture(two_regions());
  fixture.set_hook(FleetFixture::throttle("eu-west-3", "DescribeInstances"));
  fixture.run([&](const fleet::FleetDeps& deps) {
    const auto found = fleet::find_vantages(deps, "NAVO", {"us-west-2", "eu-west-3"}, Seconds(30), {});
    EXPECT_EQ(found[0].problem, "");
    EXPECT_NE(found[1].problem, "");
  });
}

TEST(FleetFixture, KillsAControllerAtAPointAndLetsAnotherGoOn) {
  FleetFixture fixture(two_regions());
  fixture.play([&] {
    bool finished = false;
    const FleetFixture::Body look = [&](const fleet::FleetDeps& deps) {
      const auto found = fleet::find_vantages(deps, "NAVO", {"eu-west-3"}, Seconds(60), {});
      finished = found[0].vantages.size() == 1;
    };
    const FleetFixture::Ended first = fixture.control(look, 2);
    EXPECT_TRUE(first.died);
    EXPECT_FALSE(finished);
    const FleetFixture::Ended second = fixture.control(look);
    EXPECT_FALSE(second.died);
    EXPECT_GT(second.points, 2U);
    EXPECT_TRUE(finished);
  });
}

}  // namespace
}  // namespace parallax::testing
