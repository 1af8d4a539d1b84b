#include "cli/args.h"

#include <gtest/gtest.h>

namespace parallax::cli {
namespace {

Command tree() {
  const auto nothing = [](const Arguments&, World&) -> Result<int> { return 0; };
  return Command{"parallax",
                 "test",
                 {},
                 nullptr,
                 {Command{"probe",
                          "measure",
                          {Option{"--services", OptionKind::value, "FILE", "", true},
                           Option{"--region", OptionKind::list, "R", ""}, Option{"--all", OptionKind::flag, "", ""},
                           Option{"file", OptionKind::value, "FILE", "", false, true}},
                          nothing,
                          {}},
                  Command{"fleet", "machines", {}, nullptr, {Command{"check", "look", {}, nothing, {}}}}}};
}

Parsed parse(std::vector<const char*> words) {
  static const Command kTree = tree();
  words.insert(words.begin(), "parallax");
  return parse_arguments(kTree, static_cast<int>(words.size()), words.data());
}

TEST(Arguments, ReadsFlagsValuesListsAndPositionals) {
  const Parsed parsed = parse({"probe", "--services", "a.toml", "--region", "x", "--region", "y", "--all", "out.csv"});
  ASSERT_NE(parsed.command, nullptr) << parsed.problem;
  EXPECT_EQ(parsed.arguments.value("--services"), "a.toml");
  EXPECT_EQ(parsed.arguments.list("--region"), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(parsed.arguments.has("--all"));
  EXPECT_EQ(parsed.arguments.value("file"), "out.csv");
}

TEST(Arguments, LeavesTheWordAfterAValueToThePositional) {
  const Parsed parsed = parse({"probe", "--services", "a.toml", "out.csv"});
  ASSERT_NE(parsed.command, nullptr) << parsed.problem;
  EXPECT_EQ(parsed.arguments.value("--services"), "a.toml");
  EXPECT_EQ(parsed.arguments.value("file"), "out.csv");
}

TEST(Arguments, SuggestsForAMistypedWord) {
  EXPECT_EQ(parse({"prob"}).problem,
            "The following argument was not expected: prob (did you mean 'probe'?)\nTry 'parallax --help'.");
  EXPECT_EQ(parse({"prob"}).exit_code, 2);
  EXPECT_NE(parse({"fleet", "chek"}).problem.find("did you mean 'check'?"), std::string::npos);
}

TEST(Arguments, ListsTheCommandsWhereOneIsMissing) {
  EXPECT_EQ(parse({"fleet"}).problem, "parallax fleet what? One of:\n  check      look\nTry 'parallax fleet --help'.");
}

TEST(Arguments, WantsWhatIsRequiredAndOnce) {
  EXPECT_EQ(parse({"probe"}).exit_code, 2);
  EXPECT_EQ(parse({"probe", "--services", "a", "--services", "b"}).exit_code, 2);
}

TEST(Arguments, RefusesNumbersOutOfRange) {
  Arguments arguments;
  arguments.values["--cones"] = {"12x"};
  EXPECT_EQ(arguments.integer("--cones", 1, 1, 10).error().message, "--cones: '12x' is not an integer from 1 to 10");
  arguments.values["--cones"] = {"11"};
  EXPECT_FALSE(arguments.integer("--cones", 1, 1, 10));
  arguments.values["--seed"] = {"18446744073709551615"};
  EXPECT_EQ(arguments.seed("--seed", 0).value(), 18446744073709551615U);
  arguments.values["--max-radius"] = {"nan"};
  EXPECT_FALSE(arguments.number("--max-radius", 1, 0, 180));
}

}  // namespace
}  // namespace parallax::cli
