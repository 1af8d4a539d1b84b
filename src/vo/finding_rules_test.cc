#include "vo/finding_rules.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "test_data.h"

namespace parallax::vo {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The constants between `findings.add(` or `note(` and the first comma.
std::set<std::string> codes_in(const std::string& text) {
  static const std::regex call(R"re((?:findings_?\.add|\bnote)\(([^,;]*),)re");
  static const std::regex constant("\"([a-z0-9]+(?:-[a-z0-9]+)*)\"");
  std::set<std::string> codes;
  for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) {
    const std::string argument = (*at)[1];
    for (std::sregex_iterator code(argument.begin(), argument.end(), constant); code != end; ++code) {
      codes.insert((*code)[1]);
    }
  }
  return codes;
}

std::set<std::string> emitted_codes() {
  std::set<std::string> codes;
  for (const char* module : {"vo", "probe"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::string(PARALLAX_TEST_DATA "/../src/") + module)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".cc") && !name.ends_with("_test.cc")) {
        codes.merge(codes_in(content_of(entry.path())));
      }
    }
  }
  return codes;
}

TEST(FindingRulesTest, EveryCodeThatTheSourcesEmitHasARule) {
  const std::set<std::string> codes = emitted_codes();
  EXPECT_GT(codes.size(), 20U);
  EXPECT_TRUE(codes.contains("status-at-root")) << "one of two in a choice";
  EXPECT_TRUE(codes.contains("https-downgrade"));
  for (const std::string& code : codes) {
    EXPECT_NE(finding_rule(code), nullptr) << code << " has no rule in src/vo/finding_rules.cc";
  }
}

TEST(FindingRulesTest, EachRuleIsDocumentedAndSaysWhere) {
  const std::string page = content_of(PARALLAX_TEST_DATA "/../docs/user/measurements.md");
  std::string_view before;
  for (const FindingRule& rule : finding_rules()) {
    EXPECT_LT(before, rule.code) << "by code, each once";
    before = rule.code;
    EXPECT_FALSE(rule.where.empty()) << rule.code;
    EXPECT_FALSE(rule.rule.empty()) << rule.code;
    EXPECT_NE(page.find("`" + std::string(rule.code) + "`"), std::string::npos) << rule.code;
  }
}

TEST(FindingRulesTest, EachVerdictSaysWhy) {
  for (int i = 0; i <= static_cast<int>(Verdict::refused); ++i) {
    EXPECT_FALSE(verdict_rule(static_cast<Verdict>(i)).empty()) << to_string(static_cast<Verdict>(i));
  }
}

}  // namespace
}  // namespace parallax::vo
