#include "aws/auth/config_file.h"

#include <gtest/gtest.h>

#include "aws/auth/test_files.h"

namespace parallax::aws {
namespace {

using testing::HomeFiles;
using testing::TestEnvironment;

ConfigSections parse(std::string_view text) {
  return parse_config("config", text).value();
}

std::string error_of(std::string_view text) {
  return parse_config("config", text).error().message;
}

TEST(ConfigFile, ReadsWhatPythonsParserReads) {
  const ConfigSections sections = parse(
      "# comment\n"
      "[default]\n"
      "Region = eu-west-3\n"
      "output: json   \n"
      "; comment\n"
      "  indented = continues\n"
      "url = http://h/?a=b#c ; no comment\r\n"
      "[ profile odd ] trailing\n"
      "empty =\n");
  EXPECT_EQ(*config_text(sections.at("default"), "region"), "eu-west-3");
  EXPECT_EQ(*config_text(sections.at("default"), "output"), "json\nindented = continues");
  EXPECT_EQ(*config_text(sections.at("default"), "url"), "http://h/?a=b#c ; no comment");
  EXPECT_EQ(*config_text(sections.at(" profile odd "), "empty"), "");
  EXPECT_FALSE(config_text(sections.at("default"), "absent"));
}

TEST(ConfigFile, ReadsAnIndentedBlockBelowAnEmptyKey) {
  const ConfigSections sections =
      parse("[services s]\nec2 =\n  endpoint_url = http://h:1/\n\n  # why\n  Other=x\nnext = 1\n");
  const ConfigValue& block = sections.at("services s").at("ec2");
  EXPECT_TRUE(block.is_nested);
  EXPECT_EQ(block.nested.at("endpoint_url"), "http://h:1/");
  EXPECT_EQ(block.nested.at("Other"), "x");
  EXPECT_EQ(*config_text(sections.at("services s"), "next"), "1");
  EXPECT_FALSE(config_text(sections.at("services s"), "ec2")) << "a block has no text";
}

TEST(ConfigFile, GivesEachSectionTheKeysOfDEFAULT) {
  const ConfigSections sections = parse("[DEFAULT]\nregion = a\noutput = b\n[x]\nregion = c\n");
  EXPECT_EQ(*config_text(sections.at("x"), "region"), "c");
  EXPECT_EQ(*config_text(sections.at("x"), "output"), "b");
  EXPECT_FALSE(sections.contains("DEFAULT"));
}

TEST(ConfigFile, NamesFileLineAndNoValue) {
  EXPECT_EQ(error_of("[a]\nsecrethush\n"), "config:2: this line is no 'key = value', no [section] and no comment");
  EXPECT_EQ(error_of("[a]\n= hush\n"), "config:2: this line is no 'key = value', no [section] and no comment");
  EXPECT_EQ(error_of("key = hush\n"), "config:1: a key before the first [section]");
  EXPECT_EQ(error_of("[a]\nk = 1\nK = hush\n"), "config:3: key 'k' is there a second time in its section");
  EXPECT_EQ(error_of("[a]\n[a]\n"), "config:2: section [a] is there a second time");
  EXPECT_EQ(error_of("[a]\ns3 =\n  hush\n"), "config:3: an indented line below an empty key must be 'key = value'");
}

TEST(ConfigFile, HasLimits) {
  EXPECT_EQ(parse_config("config", std::string(2U << 20U, '#')).error().kind, ErrorKind::refused);
  EXPECT_TRUE(parse_config("f", "[a]\n[b]\n", {.sections_max = 2}).has_value());
  EXPECT_FALSE(parse_config("f", "[a]\n[b]\n[c]\n", {.sections_max = 2}).has_value());
  EXPECT_TRUE(parse_config("f", "[a]\nx=1\ny=2\n", {.keys_max = 2}).has_value());
  EXPECT_FALSE(parse_config("f", "[a]\nx=1\ny=2\nz=3\n", {.keys_max = 2}).has_value());
}

TEST(ShellSplit, SplitsAsAShellWould) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(shell_split("a  b\tc").value(), (Words{"a", "b", "c"}));
  EXPECT_EQ(shell_split(R"("/opt/my keys" --name 'it''s' a\ b "q\"\\\n" '')").value(),
            (Words{"/opt/my keys", "--name", "its", "a b", "q\"\\\\n", ""}));
  EXPECT_EQ(shell_split("$HOME `x` *").value(), (Words{"$HOME", "`x`", "*"}));
  EXPECT_EQ(shell_split("").value(), Words());
  EXPECT_EQ(shell_split("'open").error().message, "a quotation is not closed");
  EXPECT_EQ(shell_split("open\\").error().message, "a backslash at the very end");
}

TEST(ExpandPath, KnowsHomeAndVariables) {
  TestEnvironment environment;
  environment.variables["DIR"] = "/d";
  EXPECT_EQ(expand_path("~/.aws/config", environment.reader()), "/home/u/.aws/config");
  EXPECT_EQ(expand_path("$DIR/a${DIR}b$NONE/${NONE}$", environment.reader()), "/d/a/db$NONE/${NONE}$");
  EXPECT_EQ(expand_path("~other/x", environment.reader()), "~other/x");
  environment.variables.erase("HOME");
  EXPECT_EQ(expand_path("~/.aws/config", environment.reader()), "");
}

TEST(Configuration, JoinsBothFilesAndSortsSections) {
  HomeFiles files;
  TestEnvironment environment;
  files.content["/home/u/.aws/config"] =
      "[default]\nregion = a\n[profile one]\nregion = b\naws_access_key_id = C\n[profile \"two words\"]\nx = 1\n"
      "[sso-session corp]\nsso_region = r\n[services local]\nec2 =\n  endpoint_url = u\n[one]\nregion = no profile\n";
  files.content["/home/u/.aws/credentials"] = "[one]\naws_access_key_id = S\n[three]\n";
  const auto both = load_configuration(environment.reader(), files).value();
  EXPECT_EQ(*config_text(*both->profile("one"), "region"), "b");
  EXPECT_EQ(*config_text(*both->profile("one"), "aws_access_key_id"), "S") << "the credentials file wins";
  EXPECT_EQ(*config_text(both->config_profiles.at("one"), "aws_access_key_id"), "C");
  EXPECT_NE(both->profile("two words"), nullptr);
  EXPECT_NE(both->profile("three"), nullptr);
  EXPECT_EQ(both->profile("corp"), nullptr);
  EXPECT_TRUE(both->sso_sessions.contains("corp"));
  EXPECT_EQ(both->services.at("local").at("ec2").nested.at("endpoint_url"), "u");
}

TEST(Configuration, TakesFilesFromElsewhereAndAbsentOnesAsEmpty) {
  HomeFiles files;
  TestEnvironment environment;
  EXPECT_TRUE(load_configuration(environment.reader(), files).value()->profiles.empty());
  environment.variables["AWS_CONFIG_FILE"] = "~/other";
  environment.variables["AWS_SHARED_CREDENTIALS_FILE"] = "/etc/keys";
  files.content["/home/u/other"] = "[default]\nregion = a\n";
  files.content["/etc/keys"] = "[k]\nx = 1\n";
  const auto both = load_configuration(environment.reader(), files).value();
  EXPECT_NE(both->profile("default"), nullptr);
  EXPECT_NE(both->profile("k"), nullptr);
}

}  // namespace
}  // namespace parallax::aws
