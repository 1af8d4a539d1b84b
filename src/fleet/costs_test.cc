#include "fleet/costs.h"

#include <gtest/gtest.h>

namespace parallax::fleet {
namespace {

TEST(Costs, TakesTheRegionsOwnRowBeforeTheOneOfAllRegions) {
  EXPECT_DOUBLE_EQ(unit_price("us-east-1", "public-ipv4").value(), 0.005);
  ASSERT_TRUE(unit_price("us-east-1", "ebs-gp3").has_value());
  ASSERT_TRUE(unit_price("sa-east-1", "ebs-gp3").has_value());
  EXPECT_NE(*unit_price("us-east-1", "ebs-gp3"), *unit_price("sa-east-1", "ebs-gp3"));
}

TEST(Costs, KnowsNoPriceThatTheTableLacks) {
  EXPECT_FALSE(unit_price("us-east-1", "m7i.48xlarge").has_value());
  EXPECT_FALSE(unit_price("us-east-1", "ebs-io2").has_value());
  EXPECT_FALSE(volume_month("us-east-1", "", 8).has_value()) << "a type that nobody knows";
  EXPECT_FALSE(volume_month("mx-central-1", "gp3", 8).has_value()) << "newer than the table";
}

TEST(Costs, GivesTheRowOfAllRegionsToTheCommercialPartitionAlone) {
  EXPECT_TRUE(address_month("mx-central-1").has_value());
  EXPECT_FALSE(address_month("cn-north-1").has_value());
  EXPECT_FALSE(address_month("us-gov-west-1").has_value());
  EXPECT_FALSE(address_month("xx-nowhere-1").has_value());
}

TEST(Costs, CountsVolumesAndSnapshotsByTheirSize) {
  EXPECT_DOUBLE_EQ(volume_month("us-east-1", "gp3", 8).value(), 8 * *unit_price("us-east-1", "ebs-gp3"));
  EXPECT_DOUBLE_EQ(snapshot_month("us-east-1", 20).value(), 20 * *unit_price("us-east-1", "ebs-snapshot"));
  EXPECT_DOUBLE_EQ(volume_month("us-east-1", "gp3", 0).value(), 0);
}

TEST(Costs, CountsAnAddressAllMonth) {
  EXPECT_NEAR(address_month("eu-west-3").value(), 3.65, 1e-9);
}

// The example of the facts: 24 runs of ten minutes a day on a t3.micro at 0.0104, and its address.
TEST(Costs, CountsMachineAndAddressWhileTheyRun) {
  const double days = 730.0 / 24;
  EXPECT_NEAR(running_month("us-east-1", "t3.micro", 24, 600).value(), (0.0416 + 0.02) * days, 1e-9);
  EXPECT_FALSE(running_month("us-east-1", "unheard.of", 24, 600).has_value());
}

TEST(Costs, WritesMoneyForPeople) {
  EXPECT_EQ(money(1.234), "$1.23");
  EXPECT_EQ(money(0.0), "$0.00");
  EXPECT_EQ(money(-3.65), "-$3.65");
  EXPECT_EQ(money(-0.001), "$0.00");
  EXPECT_EQ(money(std::nullopt), "unknown");
}

}  // namespace
}  // namespace parallax::fleet
