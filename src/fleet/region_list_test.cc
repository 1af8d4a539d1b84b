#include "fleet/region_list.h"

#include <gtest/gtest.h>

namespace parallax::fleet {
namespace {

RegionInfo at(double latitude, double longitude) {
  RegionInfo info;
  info.latitude = latitude;
  info.longitude = longitude;
  return info;
}

TEST(RegionList, MeasuresDistancesAlongTheGreatCircle) {
  EXPECT_NEAR(distance_km(at(0, 0), at(0, 90)), 10007.5, 0.1);
  EXPECT_NEAR(distance_km(at(0, 0), at(0, 180)), 20015.1, 0.1);
  EXPECT_NEAR(distance_km(at(90, 0), at(-90, 77)), 20015.1, 0.1);
  EXPECT_DOUBLE_EQ(distance_km(at(45.8, -119.7), at(45.8, -119.7)), 0);
}

TEST(RegionList, GoesTheShortWayAcrossTheDateLine) {
  EXPECT_NEAR(distance_km(at(0, 179), at(0, -179)), 222.4, 0.1);
}

TEST(RegionList, KnowsHowFarParisIsFromTokyo) {
  const RegionInfo* paris = find_region("eu-west-3");
  const RegionInfo* tokyo = find_region("ap-northeast-1");
  ASSERT_NE(paris, nullptr);
  ASSERT_NE(tokyo, nullptr);
  EXPECT_NEAR(distance_km(*paris, *tokyo), 9710, 60);
}

}  // namespace
}  // namespace parallax::fleet
