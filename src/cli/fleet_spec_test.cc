#include "cli/fleet_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parallax::cli {
namespace {

using ::testing::HasSubstr;

// Files that hold one text under one name.
class OneFile : public Files {
 public:
  OneFile(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}

  Result<std::string> read(const std::string& path, std::size_t /*bytes_max*/) override {
    if (path == path_) {
      return text_;
    }
    return make_error(ErrorKind::not_found, path + " does not exist");
  }

  Result<> write(const std::string&, std::string_view, unsigned) override { return refused(); }

  Result<std::unique_ptr<AppendFile>> open_append(const std::string&, unsigned) override { return refused(); }

  Result<> truncate(const std::string&, std::uint64_t) override { return refused(); }

  Result<> rename(const std::string&, const std::string&) override { return refused(); }

  Result<> remove(const std::string&) override { return refused(); }

  Result<> make_directories(const std::string&, unsigned) override { return refused(); }

  Result<std::vector<std::string>> list(const std::string&) override { return refused(); }

  Result<std::unique_ptr<FileLock>> lock(const std::string&) override { return refused(); }

 private:
  static Error refused() { return make_error(ErrorKind::refused, "reading alone"); }

  std::string path_, text_;
};

Result<fleet::Spec> spec_of(const std::string& more, const std::string& key_path = "/etc/parallax/navo.pub") {
  OneFile files(key_path, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIER81L77cu0vc0KBWwktlqXCdu35074SZAYjvyPuOR2p me@host\n");
  const Config config =
      TRY(parse_config("parallax.toml", "[fleet]\nname = \"NAVO\"\nregions = [\"us-west-2\"]\n" + more + "\n"));
  return make_spec(files, config, "/etc/parallax/parallax.toml");
}

TEST(FleetSpec, LeavesNothingOpenWhereTheConfigurationSaysLittle) {
  const Result<fleet::Spec> spec = spec_of("");
  ASSERT_TRUE(spec) << spec.error().text();
  EXPECT_EQ(spec->fleet, "NAVO");
  EXPECT_EQ(spec->home, "us-west-2");
  EXPECT_EQ(spec->image.kind, fleet::ImageSpec::Kind::stock);
  EXPECT_EQ(spec->image.name, "al2023");
  EXPECT_EQ(spec->group.name, "NAVO");
  EXPECT_EQ(spec->group.like_home, "");
  EXPECT_FALSE(spec->key);
  EXPECT_EQ(spec->profile.name, "parallax-NAVO");
  EXPECT_TRUE(spec->profile.ours);
  EXPECT_EQ(spec->deadman, fleet::Deadman::guest);
  EXPECT_EQ(spec->boot_timer, std::chrono::minutes(20));
  EXPECT_EQ(spec->job_timeout, std::chrono::minutes(30));
  EXPECT_EQ(spec->rounds_per_day, 4);
}

TEST(FleetSpec, TakesEachKeyOfTheConfiguration) {
  const Result<fleet::Spec> spec = spec_of(R"(image = { copy = "Original" }
security_group = { name = "Group", like_home = "Home" }
public_key = "navo.pub"
instance_profile = "SSM"
deadman = "guest+scheduler"
subnets = { "us-west-2" = "subnet-1" }
boot_timer = "30m"
instances_per_region = 3
budget_usd_per_month = 2.5
[job]
timeout = "10m"
[schedule]
mode = "rotate"
rounds_per_day = 6)");
  ASSERT_TRUE(spec) << spec.error().text();
  EXPECT_EQ(spec->image.kind, fleet::ImageSpec::Kind::copy);
  EXPECT_EQ(spec->image.name, "Original");
  EXPECT_EQ(spec->group.name, "Group");
  EXPECT_EQ(spec->group.like_home, "Home");
  EXPECT_EQ(spec->key.value_or(fleet::KeySpec()).name, "NAVO");
  EXPECT_EQ(spec->key.value_or(fleet::KeySpec()).digest, "SHA256:O9Oh4+HiO+6Uj4PbsuOwEOcW/x84CxKnalco0IiGSUs");
  EXPECT_EQ(spec->profile.name, "SSM");
  EXPECT_FALSE(spec->profile.ours);
  EXPECT_EQ(spec->deadman, fleet::Deadman::guest_and_scheduler);
  EXPECT_EQ(spec->subnets.at("us-west-2"), "subnet-1");
  EXPECT_EQ(spec->boot_timer, std::chrono::minutes(30));
  EXPECT_EQ(spec->instances_per_region, 3);
  EXPECT_EQ(spec->budget_usd_per_month, 2.5);
  EXPECT_EQ(spec->job_timeout, std::chrono::minutes(10));
  EXPECT_EQ(spec->rounds_per_day, 6);
}

TEST(FleetSpec, NamesThePublicKeysFileThatIsMissingOrWrong) {
  const Result<fleet::Spec> missing = spec_of("public_key = \"other.pub\"");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::invalid);
  EXPECT_THAT(missing.error().text(), HasSubstr("/etc/parallax/other.pub does not exist"));
  EXPECT_THAT(missing.error().text(), HasSubstr("named by [fleet] public_key in /etc/parallax/parallax.toml"));

  OneFile files("/k.pub", "ssh-dss AAAA");
  Config config;
  config.fleet.name = "NAVO";
  config.fleet.public_key = "/k.pub";
  const Result<fleet::Spec> wrong = make_spec(files, config, "parallax.toml");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "/k.pub: EC2 takes keys of the types ssh-rsa and ssh-ed25519, not 'ssh-dss'");
}

}  // namespace
}  // namespace parallax::cli
