#include <gtest/gtest.h>

#include "sim/cloud/cloud.h"
#include "sim/cloud/schedule_time.h"
#include "sim/cloud/test_clock.h"

namespace parallax::sim {
namespace {

Instant at(const std::string& text) {
  return parse_iso8601(text).value();
}

struct NextCase {
  const char* expression;
  const char* from;
  const char* expected;  // "": never
};

TEST(ScheduleExpression, FindsTheNextTime) {
  const Instant begin = at("2026-11-22T10:00:30Z");  // a Sunday
  const NextCase cases[] = {
      {"at(2026-12-01T03:04:05)", "2026-11-22T10:00:30Z", "2026-12-01T03:04:05Z"},
      {"at(2026-11-01T03:04:05)", "2026-11-22T10:00:30Z", ""},
      {"rate(5 minutes)", "2026-11-22T10:00:30Z", "2026-11-22T10:00:30Z"},
      {"rate(5 minutes)", "2026-11-22T10:00:31Z", "2026-11-22T10:05:30Z"},
      {"rate(1 day)", "2026-11-24T10:00:31Z", "2026-11-25T10:00:30Z"},
      {"cron(0/15 * * * ? *)", "2026-11-22T10:00:30Z", "2026-11-22T10:15:00Z"},
      {"cron(30 3 * * ? *)", "2026-11-22T10:00:30Z", "2026-11-23T03:30:00Z"},
      {"cron(0 9 ? * MON-FRI *)", "2026-11-22T10:00:30Z", "2026-11-23T09:00:00Z"},
      {"cron(0 9 ? * 1 *)", "2026-11-22T10:00:30Z", "2026-11-29T09:00:00Z"},
      {"cron(0 0 L 2 ? *)", "2026-11-22T10:00:30Z", "2027-02-28T00:00:00Z"},
      {"cron(0 0 29 FEB ? *)", "2026-11-22T10:00:30Z", "2028-02-29T00:00:00Z"},
      {"cron(0 0 1,15 * ? 2027)", "2026-11-22T10:00:30Z", "2027-01-01T00:00:00Z"},
      {"cron(0 0 1 1 ? 2020)", "2026-11-22T10:00:30Z", ""},
  };
  for (const NextCase& c : cases) {
    const auto expression = parse_schedule_expression(c.expression);
    ASSERT_TRUE(expression.has_value()) << c.expression;
    const auto next = next_time(*expression, begin, at(c.from));
    EXPECT_EQ(next ? to_iso8601_seconds(*next) : "", c.expected) << c.expression;
  }
}

TEST(ScheduleExpression, RefusesWhatCannotBeRead) {
  for (const char* text : {"", "at()", "at(2026-12-01)", "at(2026-12-01T00:00:00Z)", "rate(0 hours)", "rate(5)",
                           "rate(5 weeks)", "cron(* * * * * *)", "cron(60 * * * ? *)", "cron(0 0 ? * ? *)",
                           "cron(0 0 * * ?)", "cron(0 0 32 * ? *)", "every day"}) {
    EXPECT_FALSE(parse_schedule_expression(text).has_value()) << text;
  }
}

// A world with one instance in us-west-2 and a role whose rights a test chooses.
class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() : cloud_({}, clock_, rng_) {
    for (const InstanceView& view : cloud_.instances()) {
      if (view.region == "us-west-2") {
        id_ = view.instance_id;
      }
    }
  }

  Result<Json> call(const std::string& service, const std::string& operation, const Json& input) {
    return cloud_.call(Call{"us-west-2", service, operation}, input);
  }

  void make_role(const std::string& action) {
    ASSERT_TRUE(call("iam", "CreateRole",
                     Json::object({{"RoleName", "stop"},
                                   {"AssumeRolePolicyDocument",
                                    R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
                                        "Principal":{"Service":"scheduler.amazonaws.com"}}})"}}))
                    .has_value());
    ASSERT_TRUE(call("iam", "PutRolePolicy",
                     Json::object({{"RoleName", "stop"},
                                   {"PolicyName", "p"},
                                   {"PolicyDocument",
                                    R"({"Statement":{"Effect":"Allow","Resource":"*","Action":")" + action + "\"}}"}}))
                    .has_value());
  }

  Result<Json> schedule(const std::string& operation, const std::string& expression) {
    const std::string input = R"({"InstanceIds":[")" + id_ + "\"]}";
    return call("scheduler", "CreateSchedule",
                Json::object({{"Name", "s"},
                              {"ScheduleExpression", expression},
                              {"ActionAfterCompletion", "DELETE"},
                              {"FlexibleTimeWindow", Json::object({{"Mode", "OFF"}})},
                              {"Target", Json::object({{"Arn", "arn:aws:scheduler:::aws-sdk:ec2:" + operation},
                                                       {"RoleArn", "arn:aws:iam::000000000000:role/stop"},
                                                       {"Input", input}})}}));
  }

  std::string in_an_hour() {
    std::string text = to_iso8601_seconds(clock_.now() + Seconds(3600));
    text.pop_back();
    return "at(" + text + ")";
  }

  std::string state() {
    for (const InstanceView& view : cloud_.instances()) {
      if (view.instance_id == id_) {
        return view.state;
      }
    }
    return "";
  }

  void pass(Micros duration) {
    clock_.pass(duration);
    cloud_.advance();
  }

  TestClock clock_;
  Xoshiro rng_{11};
  Cloud cloud_;
  std::string id_;
};

TEST_F(SchedulerTest, CallsItsTargetAtItsTimeAndGoes) {
  make_role("ec2:StartInstances");
  ASSERT_TRUE(schedule("startInstances", in_an_hour()).has_value());
  pass(Seconds(3599));
  EXPECT_EQ(state(), "stopped");
  EXPECT_TRUE(call("scheduler", "GetSchedule", Json::object({{"Name", "s"}})).has_value());
  pass(Seconds(1));
  EXPECT_EQ(state(), "pending");
  EXPECT_EQ(call("scheduler", "GetSchedule", Json::object({{"Name", "s"}})).error().code, "ResourceNotFoundException");
}

TEST_F(SchedulerTest, DoesNothingThatItsRoleMayNotDo) {
  make_role("ec2:StopInstances");
  ASSERT_TRUE(schedule("startInstances", in_an_hour()).has_value());
  pass(Seconds(3700));
  EXPECT_EQ(state(), "stopped");
}

TEST_F(SchedulerTest, ADeletedScheduleDoesNothing) {
  make_role("ec2:StartInstances");
  ASSERT_TRUE(schedule("startInstances", in_an_hour()).has_value());
  ASSERT_TRUE(call("scheduler", "DeleteSchedule", Json::object({{"Name", "s"}})).has_value());
  pass(Seconds(3700));
  EXPECT_EQ(state(), "stopped");
}

TEST_F(SchedulerTest, ARateComesAgain) {
  make_role("ec2:StartInstances");
  ASSERT_TRUE(schedule("startInstances", "rate(1 hour)").has_value());
  pass(Seconds(1));
  ASSERT_EQ(state(), "pending") << "the first time is at once";
  pass(Seconds(60));
  ASSERT_TRUE(call("ec2", "StopInstances", Json::object({{"InstanceIds", JsonArray{id_}}})).has_value());
  pass(Seconds(600));
  ASSERT_EQ(state(), "stopped");
  pass(Seconds(2941));
  EXPECT_EQ(state(), "pending");
}

TEST_F(SchedulerTest, NeedsARoleThatTrustsIt) {
  const auto refused =
      call("scheduler", "CreateSchedule",
           Json::object({{"Name", "s"},
                         {"ScheduleExpression", "rate(1 hour)"},
                         {"FlexibleTimeWindow", Json::object({{"Mode", "OFF"}})},
                         {"Target", Json::object({{"Arn", "arn:aws:scheduler:::aws-sdk:ec2:stopInstances"},
                                                  {"RoleArn", "arn:aws:iam::000000000000:role/parallax-NAVO"}})}}));
  EXPECT_EQ(refused.error().message,
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.");
}

}  // namespace
}  // namespace parallax::sim
