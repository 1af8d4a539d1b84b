#include "cli/prompt.h"

#include <gtest/gtest.h>

#include "cli/world_for_test.h"

namespace parallax::cli {
namespace {

TEST(Prompt, TakesOnlyTheWordYesForYes) {
  for (const char* yes : {"yes", " YES \t", "Yes"}) {
    WorldForTest test;
    test.answer(yes);
    EXPECT_TRUE(confirm({}, test.world, "Delete all?", "use --yes").value()) << yes;
    EXPECT_EQ(test.questions, std::vector<std::string>{"Delete all? Only 'yes' is taken for yes: "});
  }
  for (const char* no : {"", "y", "no", "yes please", "ja"}) {
    WorldForTest test;
    test.answer(no);
    EXPECT_FALSE(confirm({}, test.world, "Delete all?", "use --yes").value()) << no;
  }
}

TEST(Prompt, DoesNotAskWithYesGiven) {
  WorldForTest test;
  test.answer("no");
  Arguments arguments;
  arguments.values["--yes"] = {};
  EXPECT_TRUE(confirm(arguments, test.world, "Delete all?", "").value());
  EXPECT_TRUE(test.questions.empty());
}

TEST(Prompt, IsWrongUsageWhereNobodyCanAnswer) {
  WorldForTest test;
  const Result<bool> answer = confirm({}, test.world, "Delete all?", "agree with --yes");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::invalid);
  EXPECT_EQ(answer.error().text(), "nothing was done: there is no terminal to ask on; agree with --yes");
  EXPECT_FALSE(ask_yes(test.world, "Go on?").value());
}

TEST(Prompt, HandsOnAnInterruption) {
  WorldForTest test;
  test.world.ask = [](const std::string& /*question*/) -> Result<std::string> {
    return make_error(ErrorKind::cancelled, "interrupted");
  };
  EXPECT_EQ(confirm({}, test.world, "Delete all?", "").error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace parallax::cli
