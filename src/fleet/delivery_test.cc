#include "fleet/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/job.h"

namespace parallax::fleet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Bundle sample() {
  return {"0.1.0+abc", std::string(64, 'a'), "https://collector.example.org/api/v1/bundle/0.1.0+abc", 14'000'000,
          36'000'000};
}

Order sample_order() {
  Order order;
  order.run_id = "01JD8Y3W0G0123456789ABCDEF";
  order.token = "v1.key.payload.signature";
  return order;
}

TEST(Delivery, ComesAfterTimerAndOrderAndBeforeTheProbe) {
  RoundSpec round;
  round.bundle = sample();
  const std::string script = job_script(round, sample_order());
  const std::size_t timer = script.find("shutdown -P +");
  const std::size_t order = script.find("cat >\"$PARALLAX_ORDER\"");
  const std::size_t delivery = script.find("build='0.1.0+abc'");
  const std::size_t probe = script.find("\"$program\" probe --order \"$PARALLAX_ORDER\" --output none");
  EXPECT_LT(timer, order);
  EXPECT_LT(order, delivery);
  EXPECT_LT(delivery, probe);
  EXPECT_NE(probe, std::string::npos);
}

TEST(Delivery, KeepsTheTokenOutOfAllArguments) {
  RoundSpec round;
  round.bundle = sample();
  const std::string script = job_script(round, sample_order());
  // Once in the order, once in the file of its own; each in a here-document.
  const std::size_t first = script.find("v1.key.payload.signature");
  const std::size_t second = script.find("v1.key.payload.signature", first + 1);
  EXPECT_EQ(script.substr(second - 1, 26), "\nv1.key.payload.signature\n");
  EXPECT_EQ(script.find("v1.key.payload.signature", second + 1), std::string::npos);
}

TEST(Delivery, IsNotForAJobOfTheUsers) {
  RoundSpec round;
  round.bundle = sample();
  round.command = "cd /home/ec2-user/ServiceMon && ./aws.sh";
  const std::string script = job_script(round, sample_order());
  EXPECT_THAT(script, HasSubstr("\ncd /home/ec2-user/ServiceMon && ./aws.sh\n"));
  EXPECT_THAT(script, Not(HasSubstr("bundle")));
}

TEST(Delivery, AsksForRoomForTheArchiveAndWhatIsInIt) {
  EXPECT_THAT(delivery_lines(sample()), HasSubstr("\nbytes=14000000\nneeded_kb=49852\n"));
}

TEST(Delivery, TakesNothingThatCouldBeMoreThanTextInAScript) {
  EXPECT_TRUE(check_bundle(sample()));
  const auto refused = [](auto change) {
    Bundle bundle = sample();
    change(bundle);
    return !check_bundle(bundle).has_value();
  };
  EXPECT_TRUE(refused([](Bundle& b) { b.build = "1'; reboot '"; }));
  EXPECT_TRUE(refused([](Bundle& b) { b.build = ".."; }));
  EXPECT_TRUE(refused([](Bundle& b) { b.build = "a/b"; }));
  EXPECT_TRUE(refused([](Bundle& b) { b.url += "'`id`"; }));
  EXPECT_TRUE(refused([](Bundle& b) { b.url += "\n"; }));
  EXPECT_TRUE(refused([](Bundle& b) { b.url += "\"$HOME"; }));
  EXPECT_TRUE(refused([](Bundle& b) { b.sha256.pop_back(); }));
  EXPECT_TRUE(refused([](Bundle& b) { b.bytes = 0; }));
}

TEST(Delivery, ItsProblemsAreToldOnlyOnItsOwnWord) {
  const std::string said = "parallax: no program: https://c/ could not be fetched: curl: (22) 404\n";
  EXPECT_EQ(delivery_problem(kFetchFailedExitCode, said).value(),
            "the program could not be had, so nothing was run: https://c/ could not be fetched: curl: (22) 404");
  EXPECT_FALSE(delivery_problem(kFetchFailedExitCode, "the user's own job ended so"));
  EXPECT_FALSE(delivery_problem(1, said));
  EXPECT_EQ(delivery_problem(kNoRoomExitCode, "parallax: no program: \x1b[2J\n")->find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace parallax::fleet
