#include "cli/config.h"

#include <gtest/gtest.h>

namespace parallax::cli {
namespace {

std::string complaint(std::string_view text) {
  const Result<Config> config = parse_config("parallax.toml", text);
  return config ? "" : config.error().message;
}

TEST(Config, ReadsTheWholeExampleOfTheManual) {
  const Result<Config> config = parse_config("parallax.toml", R"(
[fleet]
name = "NAVO"
home = "us-west-2"
regions = ["us-west-2", "eu-west-3"]
instance_types = ["t3.micro", "t2.micro"]
image = { copy = "NAVO" }
public_key = "navo.pub"
security_group = { name = "NAVO" }
instance_profile = "parallax"
deadman = "guest"
budget_usd_per_month = 10
[job]
timeout = "20m"
cones = 7
[schedule]
mode = "paired"
rounds_per_day = 4
window = "20m"
[collector]
url = "https://collector.example.org"
database = "sqlite:parallax.db"
[provider.IRSA]
queries_per_second = 1
parallel = 1
simultaneous = false
[[service]]
name = "IPAC_2MASS"
provider = "IRSA"
type = "cone"
url = "https://irsa.ipac.caltech.edu/SCS?table=fp_psc"
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->fleet.regions.size(), 2U);
  EXPECT_EQ(config->job.timeout, std::chrono::minutes(20));
  EXPECT_EQ(config->services.at(0).name, "IPAC_2MASS");
  EXPECT_EQ(config->providers.at(0).name, "IRSA");
}

TEST(Config, PointsAtAnUnknownRegion) {
  EXPECT_EQ(complaint("[fleet]\nname = \"N\"\nregions = [\"us-esat-1\", \"eu-west-3\"]\n"),
            "parallax.toml:3:12: unknown region 'us-esat-1'; did you mean 'us-east-1'?\n"
            "  regions = [\"us-esat-1\", \"eu-west-3\"]\n"
            "             ^");
}

TEST(Config, AcceptsARegionThatIsNewerThanTheTable) {
  EXPECT_EQ(complaint("[fleet]\nname = \"N\"\nregions = [\"ap-southeast-9\"]\n"), "");
}

TEST(Config, PointsAtUnknownKeysWithASuggestion) {
  EXPECT_EQ(complaint("[fleet]\nname = \"N\"\nregoins = [\"eu-west-3\"]\n"),
            "parallax.toml:3:1: unknown key 'regoins' in [fleet]; did you mean 'regions'?\n"
            "  regoins = [\"eu-west-3\"]\n"
            "  ^");
}

TEST(Config, NamesWhatIsMissing) {
  EXPECT_EQ(complaint("[fleet]\nregions = [\"eu-west-3\"]\n"), "parallax.toml: [fleet] needs a 'name'");
  EXPECT_EQ(complaint("[fleet]\nname = \"N\"\n"), "parallax.toml: [fleet] needs 'regions'");
}

TEST(Config, RefusesADurationWithoutAUnit) {
  EXPECT_EQ(complaint("[fleet]\nname = \"N\"\nregions = [\"eu-west-3\"]\n[job]\ntimeout = 30\n"),
            "parallax.toml:5:11: 'timeout': a duration is a string such as \"30m\"\n  timeout = 30\n            ^");
}

TEST(Config, ReadsVantagesOfOnesOwn) {
  const Result<Config> config = parse_config("parallax.toml",
                                             "[fleet]\nname = \"N\"\nregions = [\"eu-west-3\"]\n"
                                             "[[local]]\nname = \"desk\"\n"
                                             "[[local]]\nname = \"attic\"\ninterval = \"6h\"\n");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->locals.size(), 2U);
  EXPECT_EQ(config->locals[0].interval, std::chrono::hours(24));
  EXPECT_EQ(config->locals[1].name, "attic");
  EXPECT_EQ(config->locals[1].interval, std::chrono::hours(6));
}

TEST(Config, RefusesALocalVantageThatStandsTwiceOrHasNoName) {
  const std::string fleet = "[fleet]\nname = \"N\"\nregions = [\"eu-west-3\"]\n";
  EXPECT_EQ(complaint(fleet + "[[local]]\nname = \"desk\"\n[[local]]\nname = \"desk\"\n"),
            "parallax.toml:7:8: local vantage 'desk' appears twice\n  name = \"desk\"\n         ^");
  EXPECT_EQ(complaint(fleet + "[[local]]\ninterval = \"6h\"\n").substr(0, 72),
            "parallax.toml:4:1: [[local]] needs a 'name' of 1 to 100 characters\n  [[l");
}

}  // namespace
}  // namespace parallax::cli
