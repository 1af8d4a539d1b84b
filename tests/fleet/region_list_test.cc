#include "fleet/region_list.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/fleet/fleet_fixture.h"

namespace parallax::fleet {
namespace {

using testing::FleetFixture;
using testing::FleetSetup;

Spec spec_of_two() {
  Spec spec;
  spec.fleet = "NAVO";
  spec.profile.name = fleet::our_profile(spec.fleet);
  spec.home = "us-west-2";
  spec.regions = {"us-west-2", "eu-west-3"};
  spec.instance_types = {"t3.micro", "t2.micro"};
  return spec;
}

FleetSetup world_of_two() {
  FleetSetup setup;
  setup.cloud.regions = spec_of_two().regions;
  return setup;
}

const RegionRow& row(const RegionList& list, std::string_view id) {
  return *std::find_if(list.rows.begin(), list.rows.end(), [&](const RegionRow& each) { return each.id == id; });
}

TEST(RegionListOfTheCloud, TellsWhatOfOursIsInEachEnabledRegion) {
  FleetFixture fleet(world_of_two());
  fleet.run([&](const FleetDeps& deps) {
    const RegionList list = list_regions(deps, spec_of_two(), Seconds(60), {});
    ASSERT_FALSE(list.problem.has_value()) << list.problem->text();
    EXPECT_EQ(list.partition, "aws");
    EXPECT_EQ(list.rows.front().id, "us-west-2") << "nothing is nearer to home";
    const RegionRow& paris = row(list, "eu-west-3");
    EXPECT_TRUE(paris.in_fleet);
    EXPECT_EQ(paris.name, "Paris");
    EXPECT_EQ(paris.priced_type, "t3.micro");
    ASSERT_TRUE(paris.resources.has_value());
    EXPECT_EQ(paris.resources->at("instance"), 1);
    EXPECT_EQ(paris.resources->at("volume"), 1);
    EXPECT_EQ(paris.resources->at("image"), 1);
    EXPECT_TRUE(row(list, "us-east-1").resources.value().empty());
    const RegionRow& cape_town = row(list, "af-south-1");
    EXPECT_FALSE(cape_town.enabled());
    EXPECT_FALSE(cape_town.resources.has_value()) << "it cannot be asked";
    EXPECT_TRUE(cape_town.distance_km.has_value());
    EXPECT_FALSE(list.rows.back().enabled()) << "those come last";
    EXPECT_EQ(fleet.count("DescribeRegions"), 1);
    EXPECT_EQ(fleet.count_changes(), 0);
    const auto enabled =
        std::count_if(list.rows.begin(), list.rows.end(), [](const RegionRow& each) { return each.enabled(); });
    EXPECT_EQ(fleet.count("DescribeTags"), enabled);
  });
}

TEST(RegionListOfTheCloud, KeepsOneRegionsTroubleFromTheOthers) {
  FleetFixture fleet(world_of_two());
  fleet.set_hook(FleetFixture::throttle("eu-west-3", "DescribeTags"));
  fleet.run([&](const FleetDeps& deps) {
    const RegionList list = list_regions(deps, spec_of_two(), Seconds(20), {});
    EXPECT_NE(row(list, "eu-west-3").problem, "");
    EXPECT_FALSE(row(list, "eu-west-3").resources.has_value());
    EXPECT_EQ(row(list, "us-west-2").problem, "");
  });
}

}  // namespace
}  // namespace parallax::fleet
