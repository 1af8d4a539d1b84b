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
security_group = { like_home = "NAVO" }
instance_profile = "parallax"
deadman = "guest"
budget_usd_per_month = 10
instances_per_region = 2
boot_timer = "40m"
subnets = { "eu-west-3" = "subnet-0123" }
[[local]]
name = "desk"
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
  EXPECT_EQ(config->fleet.image_copy, "NAVO");
  EXPECT_EQ(config->fleet.public_key, "navo.pub");
  EXPECT_EQ(config->fleet.group_name, "");
  EXPECT_EQ(config->fleet.group_like_home, "NAVO");
  EXPECT_EQ(config->fleet.budget_usd_per_month, 10);
  EXPECT_EQ(config->fleet.instances_per_region, 2);
  EXPECT_EQ(config->fleet.boot_timer, std::chrono::minutes(40));
  EXPECT_EQ(config->fleet.subnets.at("eu-west-3"), "subnet-0123");
  EXPECT_EQ(config->locals.at(0).name, "desk");
  EXPECT_EQ(config->schedule.mode, "paired");
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

// A [fleet] table with one more line.
std::string complaint_of_fleet(const std::string& line) {
  return complaint("[fleet]\nname = \"N\"\nregions = [\"eu-west-3\"]\n" + line + "\n");
}

TEST(Config, PointsAtWhatIsWrongInTheFleetsResources) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"image = { kopy = \"NAVO\" }", "4:11: unknown key 'kopy' in [fleet.image]; did you mean 'copy'?"},
      {"image = { copy = \"NAVO\", stock = \"al2023\" }", "4:34: an image is either a 'copy' or 'stock', not both"},
      {"image = {}", "4:9: 'image' must be { copy = \"NAME\" } or { stock = \"al2023\" }"},
      {"image = \"NAVO\"", "4:9: 'image' must be a table, { ... }"},
      {"image = { copy = \"NA\" }", "4:18: the name of an image has at least 3 characters"},
      {"image = { stock = \"al2\" }",
       "4:19: 'stock' must be \"al2023\" or the path of a public SSM parameter that "
       "holds an image id, beginning with '/'"},
      {"security_group = { like = \"NAVO\" }", "4:20: unknown key 'like' in [fleet.security_group]"},
      {"security_group = { name = \"sg-1\" }",
       "4:27: 'name' must be 1 to 100 letters, digits, blanks and ._-:/()@, and not begin with sg-"},
      {"subnets = { \"eu-west-2\" = \"subnet-1\" }",
       "4:13: 'eu-west-2' is none of this fleet's regions; did you mean 'eu-west-3'?"},
      {"subnets = { \"eu-west-3\" = \"vpc-1\" }", "4:27: a subnet is named by its id, \"subnet-0123\""},
      {"subnets = 1", "4:11: 'subnets' must be a table such as { \"eu-west-3\" = \"subnet-0123\" }"},
      {"boot_timer = \"5m\"", "4:14: 'boot_timer' must be from 10 min 00 s to 24 h 00 min"},
      {"instances_per_region = 0", "4:24: 'instances_per_region' must be an integer from 1 to 10000"},
      {"instance_types = []", "4:18: 'instance_types' must name at least one type"},
      {"instance_profile = \"arn:aws:iam::1:instance-profile/x\"",
       "4:20: 'instance_profile' is the name of a profile, not its ARN: letters, digits, _+=,.@-"},
      {"deadman = \"guests\"", "4:11: 'deadman' must be one of 'guest', 'guest+scheduler'; did you mean 'guest'?"},
      {"[[local]]\nname = \"eu-west-3\"",
       "5:8: 'eu-west-3' is the name of a region; a local vantage needs one of its own"},
      {"[local]\nname = \"a\"", "4:2: 'local' must be a list of tables, [[local]]"},
  };
  for (const auto& [line, said] : rows) {
    EXPECT_EQ(complaint_of_fleet(line).substr(0, 14 + said.size()), "parallax.toml:" + said) << line;
  }
}

}  // namespace
}  // namespace parallax::cli
