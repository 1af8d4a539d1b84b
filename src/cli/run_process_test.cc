#include "cli/run_process.h"

#include <gtest/gtest.h>

namespace parallax::cli {
namespace {

Result<std::string> run(const std::string& script, Micros limit = Seconds(30), std::stop_token stop = {}) {
  const std::unique_ptr<Clock> clock = make_system_clock();
  return run_process(*clock, {"sh", "-c", script}, limit, std::move(stop));
}

TEST(RunProcess, GivesWhatWasPrinted) {
  EXPECT_EQ(run("printf 'one\\ntwo'").value(), "one\ntwo");
  EXPECT_EQ(run("cat; echo end").value(), "end\n") << "standard input is empty";
}

TEST(RunProcess, ExpandsNothing) {
  const std::unique_ptr<Clock> clock = make_system_clock();
  EXPECT_EQ(run_process(*clock, {"printf", "%s", "$HOME;*"}, Seconds(30), {}).value(), "$HOME;*");
}

TEST(RunProcess, SaysHowItEndedButNotWhatItPrinted) {
  const Error failed = run("echo hush; exit 3").error();
  EXPECT_EQ(failed.kind, ErrorKind::unavailable);
  EXPECT_EQ(failed.message, "sh ended with status 3");
  EXPECT_EQ(run("kill -9 $$").error().message, "sh was ended by signal 9");
}

TEST(RunProcess, NamesAProgramThatIsNotThere) {
  const std::unique_ptr<Clock> clock = make_system_clock();
  const Error error = run_process(*clock, {"/nowhere/keys"}, Seconds(30), {}).error();
  EXPECT_EQ(error.kind, ErrorKind::invalid);
  EXPECT_EQ(error.message, "/nowhere/keys: cannot be started: No such file or directory");
  EXPECT_EQ(run_process(*clock, {}, Seconds(30), {}).error().kind, ErrorKind::invalid);
}

TEST(RunProcess, EndsTheWholeGroupAtTheLimit) {
  // The grandchild keeps the pipe open: it must not be waited for.
  EXPECT_EQ(run("sleep 300 & sleep 300", Millis(200)).error().kind, ErrorKind::timeout);
}

TEST(RunProcess, EndsWhenItIsToldTo) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(run("sleep 300", Seconds(60), stop.get_token()).error().kind, ErrorKind::cancelled);
}

TEST(RunProcess, TakesSoMuchAndNoMore) {
  EXPECT_EQ(run("head -c 65536 /dev/zero")->size(), kProcessOutputBytesMax);
  EXPECT_EQ(run("head -c 65537 /dev/zero").error().kind, ErrorKind::refused);
  EXPECT_EQ(run("yes").error().kind, ErrorKind::refused);
}

}  // namespace
}  // namespace parallax::cli
