#include "fleet/select.h"

#include <gtest/gtest.h>

namespace parallax::fleet {
namespace {

Vantage machine(const std::string& id, const std::string& rack) {
  Vantage vantage;
  vantage.name = id;
  vantage.instance.id = id;
  vantage.instance.tags = {{"rack", rack}};
  return vantage;
}

std::vector<RegionVantages> two_regions() {
  return {{"eu-west-3", "", {machine("i-01", "a"), machine("i-02", "b"), machine("i-03", "a")}, false},
          {"us-east-1", "", {machine("i-11", "b")}, false}};
}

std::string ids(const Result<std::vector<RegionVantages>>& regions) {
  if (!regions) {
    return regions.error().text();
  }
  std::string text;
  for (const RegionVantages& region : *regions) {
    text += region.region + ":";
    for (const Vantage& vantage : region.vantages) {
      text += " " + vantage.instance.id;
    }
    text += ";";
  }
  return text;
}

TEST(Select, TakesAllWithoutAChoice) {
  EXPECT_EQ(ids(select_vantages(two_regions(), {})), "eu-west-3: i-01 i-02 i-03;us-east-1: i-11;");
}

TEST(Select, TakesThoseNamedAndLeavesOtherRegionsOut) {
  EXPECT_EQ(ids(select_vantages(two_regions(), {.instances = {"i-03", "i-01"}, .tags = {}, .count = {}})),
            "eu-west-3: i-01 i-03;");
}

TEST(Select, NamesAnInstanceThatIsNobodys) {
  const auto chosen = select_vantages(two_regions(), {.instances = {"i-01", "i-12"}, .tags = {}, .count = {}});
  ASSERT_FALSE(chosen.has_value());
  EXPECT_EQ(chosen.error().kind, ErrorKind::invalid);
  EXPECT_EQ(chosen.error().text(),
            "--instance: 'i-12' is no machine of the fleet in eu-west-3, us-east-1; did you mean 'i-02'?");
}

TEST(Select, DoesNotCallAnInstanceNobodysWhereARegionCouldNotBeLookedAt) {
  std::vector<RegionVantages> found = two_regions();
  found[1] = {"us-east-1", "denied", {}, true};
  const auto chosen = select_vantages(found, {.instances = {"i-11"}, .tags = {}, .count = {}});
  ASSERT_FALSE(chosen.has_value());
  EXPECT_EQ(chosen.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(chosen.error().text(), "--instance: 'i-11' was not found, and us-east-1 could not be looked at");
}

TEST(Select, TakesThoseWithEveryTag) {
  EXPECT_EQ(ids(select_vantages(two_regions(), {.instances = {}, .tags = {{"rack", "b"}}, .count = {}})),
            "eu-west-3: i-02;us-east-1: i-11;");
  EXPECT_EQ(ids(select_vantages(two_regions(), {.instances = {}, .tags = {{"rack", "b"}, {"x", ""}}, .count = {}})),
            "no machine chosen has the tag rack=b and x=");
}

TEST(Select, CountsInEachRegionAfterTheOtherChoices) {
  EXPECT_EQ(ids(select_vantages(two_regions(), {.instances = {}, .tags = {{"rack", "a"}}, .count = 1})),
            "eu-west-3: i-01;");
  EXPECT_EQ(ids(select_vantages(two_regions(), {.instances = {}, .tags = {}, .count = 2})),
            "eu-west-3: i-01 i-02;us-east-1: i-11;");
}

TEST(Select, KeepsTheProblemOfARegionThatCouldNotBeLookedAt) {
  std::vector<RegionVantages> found = two_regions();
  found[1] = {"us-east-1", "denied", {}, true};
  EXPECT_EQ(ids(select_vantages(found, {.instances = {}, .tags = {}, .count = 1})), "eu-west-3: i-01;us-east-1:;");
}

TEST(Select, ReadsTags) {
  EXPECT_EQ(parse_tag("a=b=c").value(), std::pair(std::string("a"), std::string("b=c")));
  EXPECT_EQ(parse_tag("a=").value().second, "");
  EXPECT_EQ(parse_tag("a").error().text(), "--tag: 'a' is not KEY=VALUE");
  EXPECT_FALSE(parse_tag("=b").has_value());
}

}  // namespace
}  // namespace parallax::fleet
