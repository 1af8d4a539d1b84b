#include "aws/wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/test_support.h"

namespace parallax::aws {
namespace {

using testing::Bench;
using testing::ec2_error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kIds = R"({"InstanceIds":["i-1"]})";

std::string state(const std::string& name) {
  return "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>"
         "<instanceState><name>" +
         name + "</name></instanceState></item></instancesSet></item></reservationSet></DescribeInstancesResponse>";
}

Result<Json> wait_for(Bench& bench, std::string_view waiter, std::string_view params, Micros time,
                      const std::string& service = "ec2") {
  return wait(bench.client, {service, "eu-west-3"}, waiter, parse_json(params).value(), bench.within(time));
}

TEST(Wait, PollsUntilTheStateIsThere) {
  Bench bench;
  bench.http.answer(200, state("pending")).answer(200, state("pending")).answer(200, state("running"));
  const Result<Json> result = wait_for(bench, "InstanceRunning", kIds, Seconds(300));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->list("Reservations").at(0).list("Instances").at(0).text("InstanceId"), "i-1");
  // The first poll at once; half of the jitter is none.
  EXPECT_THAT(bench.clock.waits, ElementsAre(Seconds(2), Seconds(4)));
}

TEST(Wait, PausesNoLongerThanTheModelSays) {
  Bench bench;
  for (int i = 0; i < 7; ++i) {
    bench.http.answer(200, state("pending"));
  }
  bench.http.answer(200, state("running"));
  ASSERT_TRUE(wait_for(bench, "InstanceRunning", kIds, Seconds(300)).has_value());
  EXPECT_THAT(bench.clock.waits,
              ElementsAre(Seconds(2), Seconds(4), Seconds(8), Seconds(15), Seconds(15), Seconds(15), Seconds(15)));
}

TEST(Wait, HasALittleJitter) {
  for (const double unit : {0.0, 0.999}) {
    class UnitRng final : public Rng {
     public:
      explicit UnitRng(double value) : bits_(static_cast<std::uint64_t>(value * 0x1.0p53) << 11U) {}

      std::uint64_t next() override { return bits_; }

     private:
      std::uint64_t bits_;
    } rng(unit);

    Bench bench;
    Client client({bench.http, bench.clock, rng, bench.credentials}, {});
    bench.http.answer(200, state("pending")).answer(200, state("running"));
    ASSERT_TRUE(
        wait(client, {"ec2", "eu-west-3"}, "InstanceRunning", parse_json(kIds).value(), bench.within(Seconds(300)))
            .has_value());
    EXPECT_NEAR(static_cast<double>(bench.clock.waits.at(0).count()), (1.8 + 0.4 * unit) * 1e6, 2);
  }
}

TEST(Wait, SaysWhichStateMakesItHopeless) {
  Bench bench;
  bench.http.answer(200, state("pending")).answer(200, state("shutting-down"));
  const Error error = wait_for(bench, "InstanceRunning", kIds, Seconds(300)).error();
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_EQ(error.code, "waiter-failed");
  EXPECT_EQ(error.text(),
            "InstanceRunning will not be reached: Reservations[].Instances[].State.Name has \"shutting-down\" "
            "(Reservations[].Instances[].State.Name = [\"shutting-down\"]) (waiting for ec2:InstanceRunning in "
            "eu-west-3)");
}

TEST(Wait, SaysWhatWasLastSeenOfAStateThatTheWaiterForgot) {
  // InstanceRunning knows nothing of `stopped`: it would poll a stopped machine for ever.
  Bench bench;
  for (int i = 0; i < 5; ++i) {
    bench.http.answer(200, state("stopped"));
  }
  const Error error = wait_for(bench, "InstanceRunning", kIds, Seconds(30)).error();
  EXPECT_EQ(error.kind, ErrorKind::timeout);
  EXPECT_EQ(error.code, "waiter-deadline");
  EXPECT_EQ(error.message,
            "InstanceRunning was not reached within 30.0 s (5 polls); last seen: "
            "Reservations[].Instances[].State.Name = [\"stopped\"], for which the waiter names no outcome: it goes on "
            "for ever if that does not change");
  // The last poll comes two seconds before the deadline.
  EXPECT_THAT(bench.clock.waits, ElementsAre(Seconds(2), Seconds(4), Seconds(8), Micros(13'960'000)));
  EXPECT_TRUE(bench.http.is_done());
}

TEST(Wait, GoesOnBeyondTheModelsAttempts) {
  // 40 attempts are the model's; a copy of an image may need more.
  Bench bench;
  const std::string image = "<R><imagesSet><item><imageState>";
  for (int i = 0; i < 60; ++i) {
    bench.http.answer(200, image + "pending</imageState></item></imagesSet></R>");
  }
  bench.http.answer(200, image + "available</imageState></item></imagesSet></R>");
  EXPECT_TRUE(wait_for(bench, "ImageAvailable", R"({"ImageIds":["ami-1"]})", std::chrono::hours(1)).has_value());
}

TEST(Wait, TakesAnExpectedErrorForWhatItMeans) {
  Bench bench;
  bench.http.answer(400, ec2_error("InvalidInstanceID.NotFound")).answer(200, state("running"));
  EXPECT_TRUE(wait_for(bench, "InstanceRunning", kIds, Seconds(300)).has_value());

  Bench gone;
  gone.http.answer(200, "<R><volumeSet><item><status>in-use</status></item></volumeSet></R>")
      .answer(400, ec2_error("InvalidVolume.NotFound"));
  const Result<Json> result = wait_for(gone, "VolumeDeleted", R"({"VolumeIds":["vol-1"]})", Seconds(300));
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->is_null());
}

TEST(Wait, ReadsStatuses) {
  Bench bench;
  const std::string missing =
      "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>m</Message></Error></ErrorResponse>";
  bench.http.answer(404, missing)
      .answer(200, "<R><GetInstanceProfileResult><InstanceProfile/></GetInstanceProfileResult></R>");
  EXPECT_TRUE(
      wait_for(bench, "InstanceProfileExists", R"({"InstanceProfileName":"p"})", Seconds(60), "iam").has_value());
  // The model says one second.
  EXPECT_THAT(bench.clock.waits, ElementsAre(Seconds(1)));
}

TEST(Wait, HandsOnAnErrorThatNoAcceptorKnows) {
  Bench bench;
  bench.http.answer(403, ec2_error("UnauthorizedOperation"));
  const Error error = wait_for(bench, "InstanceRunning", kIds, Seconds(300)).error();
  EXPECT_EQ(error.code, "UnauthorizedOperation");
  EXPECT_THAT(error.context, ElementsAre("calling ec2:DescribeInstances in eu-west-3",
                                         "waiting for ec2:InstanceRunning in eu-west-3"));
}

TEST(Wait, SitsOutThrottlingAndOutages) {
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    bench.http.answer(503, ec2_error("RequestLimitExceeded"));
  }
  for (int i = 0; i < 3; ++i) {
    bench.http.fail(http::Phase::connect, ErrorKind::timeout, "timeout");
  }
  bench.http.answer(200, state("running"));
  EXPECT_TRUE(wait_for(bench, "InstanceRunning", kIds, Seconds(300)).has_value());
}

TEST(Wait, TellsOfTheOutageWhenItNeverEnded) {
  Bench bench;
  for (int i = 0; i < 40; ++i) {
    bench.http.fail(http::Phase::connect, ErrorKind::unavailable, "connect-refused");
  }
  const Error error = wait_for(bench, "InstanceRunning", kIds, Seconds(20)).error();
  EXPECT_EQ(error.code, "waiter-deadline");
  EXPECT_THAT(error.message, HasSubstr("last seen: scripted"));
}

TEST(Wait, SuggestsTheWaiterThatWasMeant) {
  Bench bench;
  EXPECT_EQ(wait_for(bench, "InstanceRuning", "{}", Seconds(9)).error().message,
            "service 'ec2' has no waiter 'InstanceRuning'; did you mean 'InstanceRunning'?");
  EXPECT_THAT(wait_for(bench, "x", "{}", Seconds(9), "ssm").error().message, HasSubstr("it has: CommandExecuted"));
  EXPECT_EQ(wait_for(bench, "x", "{}", Seconds(9), "sts").error().message,
            "service 'sts' has no waiter 'x': it has none at all");
  EXPECT_EQ(wait_for(bench, "x", "{}", Seconds(9), "nothing").error().kind, ErrorKind::invalid);
  EXPECT_THAT(bench.http.requests, IsEmpty());
}

TEST(Wait, KnowsAWaiterByTheNameThatTheAwsCliUses) {
  Bench bench;
  bench.http.answer(200, state("running"));
  EXPECT_TRUE(wait_for(bench, "instance-running", kIds, Seconds(9)).has_value());
}

TEST(Wait, RefusesWrongParametersAtOnce) {
  Bench bench;
  EXPECT_EQ(wait_for(bench, "InstanceRunning", R"({"Ids":[]})", Seconds(300)).error().kind, ErrorKind::invalid);
  EXPECT_THAT(bench.clock.waits, IsEmpty());
}

TEST(Wait, StopsWhenItIsAskedTo) {
  Bench bench;
  bench.http.then([&](const http::Request&) {
    bench.stop.request_stop();
    return testing::FakeHttp::answer_of(200, state("pending"));
  });
  EXPECT_EQ(wait_for(bench, "InstanceRunning", kIds, Seconds(300)).error().kind, ErrorKind::cancelled);
}

TEST(Wait, CanUseEveryWaiterOfEveryService) {
  for (const std::string_view service : service_names()) {
    for (const std::string_view waiter : find_service(service)->waiter_names()) {
      Bench bench;
      // Wrong parameters: it comes as far as the call, so the waiter itself is understood.
      const Error error = wait_for(bench, waiter, R"({"_":1})", Seconds(9), std::string(service)).error();
      EXPECT_NE(error.code, "bad-waiter") << service << " " << waiter << ": " << error.text();
    }
  }
}

}  // namespace
}  // namespace parallax::aws
