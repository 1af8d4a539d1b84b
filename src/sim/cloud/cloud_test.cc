#include "sim/cloud/cloud.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/cloud/filters.h"
#include "sim/cloud/plain_guest.h"
#include "sim/cloud/regions.h"
#include "sim/cloud/ssm.h"
#include "sim/cloud/test_clock.h"

namespace parallax::sim {
namespace {

// Remembers what it was asked; the test says when a command ends.
class HandGuest final : public Guest {
 public:
  void run(const GuestCommand& command, std::function<void(GuestResult)> done) override {
    commands.push_back(command);
    dones.push_back(std::move(done));
  }

  void kill(const InstanceRef& /*instance*/, const std::string& command_id) override { killed.push_back(command_id); }

  void kill_all(const InstanceRef& instance) override { powered_off.push_back(instance); }

  std::vector<GuestCommand> commands;
  std::vector<std::function<void(GuestResult)>> dones;
  std::vector<std::string> killed;
  std::vector<InstanceRef> powered_off;
};

class CloudTest : public testing::Test {
 protected:
  explicit CloudTest(CloudOptions options = {}) : rng_(7), cloud_(std::move(options), clock_, rng_) {
    cloud_.set_guest(&guest_);
    id_ = cloud_.instances().front().instance_id;
    region_ = cloud_.instances().front().region;
  }

  Result<Json> ec2(const std::string& operation, const Json& input) {
    return cloud_.call(Call{region_, "ec2", operation}, input);
  }

  Result<Json> ssm(const std::string& operation, const Json& input) {
    return cloud_.call(Call{region_, "ssm", operation}, input);
  }

  Json ids() const { return Json::object({{"InstanceIds", Json::array({id_})}}); }

  InstanceView view() const {
    for (const InstanceView& instance : cloud_.instances()) {
      if (instance.instance_id == id_) {
        return instance;
      }
    }
    return {};
  }

  void pass(Micros duration) {
    clock_.pass(duration);
    cloud_.advance();
  }

  // Moves from event to event until the condition holds or an hour has passed.
  template <typename Condition>
  void until(Condition condition) {
    const Monotonic end = clock_.monotonic() + Seconds(7200);
    while (!condition() && clock_.monotonic() < end) {
      const Monotonic next = std::min(cloud_.next_event(), end);
      pass(std::max(Micros(1), next - clock_.monotonic()));
    }
    ASSERT_TRUE(condition());
  }

  void start_and_register() {
    ASSERT_TRUE(ec2("StartInstances", ids()).has_value());
    until([&] { return view().agent_online; });
  }

  Result<Json> send(const std::string& script, Json more = Json::object()) {
    Json input = ids();
    input.set("DocumentName", "AWS-RunShellScript");
    Json parameters = Json::object({{"commands", Json::array({script})}});
    for (const auto& [name, value] : *more.members()) {
      parameters.set(name, value);
    }
    input.set("Parameters", parameters);
    return ssm("SendCommand", input);
  }

  Json invocation(const std::string& command_id) {
    const auto answer = ssm("GetCommandInvocation", Json::object({{"CommandId", command_id}, {"InstanceId", id_}}));
    EXPECT_TRUE(answer.has_value()) << (answer.has_value() ? "" : answer.error().code);
    return answer.value_or(Json::object());
  }

  TestClock clock_;
  Xoshiro rng_;
  HandGuest guest_;
  Cloud cloud_;
  std::string id_;
  std::string region_;
};

TEST_F(CloudTest, BeginsWithOneStoppedInstanceInEachOfSixRegions) {
  const auto instances = cloud_.instances();
  ASSERT_EQ(instances.size(), 6U);
  for (const InstanceView& instance : instances) {
    EXPECT_EQ(instance.state, "stopped");
    EXPECT_EQ(instance.name, "NAVO");
    EXPECT_EQ(instance.tags.at("parallax:fleet"), "NAVO");
  }
}

TEST_F(CloudTest, StartsThroughPendingWithinTheKnownTimes) {
  const auto answer = ec2("StartInstances", ids());
  ASSERT_TRUE(answer.has_value());
  const Json& change = answer->list("StartingInstances").at(0);
  EXPECT_EQ(change.at("PreviousState", "Name")->string()[0], "stopped");
  EXPECT_EQ(change.at("CurrentState", "Name")->string()[0], "pending");
  pass(Seconds(5) - Micros(1));
  EXPECT_EQ(view().state, "pending");
  pass(Seconds(12) + Micros(1));
  EXPECT_EQ(view().state, "running");
  EXPECT_FALSE(view().agent_online);
  pass(Seconds(60));
  EXPECT_TRUE(view().agent_online);
}

TEST_F(CloudTest, BillsFromRunningToStopping) {
  start_and_register();
  pass(Seconds(100));
  const Instant stop = clock_.now();
  ASSERT_TRUE(ec2("StopInstances", ids()).has_value());
  until([&] { return view().state == "stopped"; });
  const auto intervals = cloud_.running_intervals();
  ASSERT_EQ(intervals.size(), 1U);
  EXPECT_EQ(intervals[0].to, stop);
  EXPECT_GT(intervals[0].from, TestClock::kStart + Seconds(4));
}

TEST_F(CloudTest, RefusesToStartWhatIsStopping) {
  start_and_register();
  ASSERT_TRUE(ec2("StopInstances", ids()).has_value());
  const auto answer = ec2("StartInstances", ids());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "IncorrectInstanceState");
  EXPECT_EQ(answer.error().message, "The instance '" + id_ + "' is not in a state from which it can be started.");
  EXPECT_EQ(answer.error().status, 400);
}

TEST_F(CloudTest, RefusesToStopWhatIsPending) {
  ASSERT_TRUE(ec2("StartInstances", ids()).has_value());
  const auto answer = ec2("StopInstances", ids());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "IncorrectInstanceState");
}

TEST_F(CloudTest, StoppingAStoppedInstanceChangesNothing) {
  const auto answer = ec2("StopInstances", ids());
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(*answer->list("StoppingInstances").at(0).at("CurrentState", "Name")->string(), "stopped");
  EXPECT_EQ(cloud_.next_event(), Monotonic::max());
}

TEST_F(CloudTest, OneBadIdFailsTheWholeCall) {
  const auto unknown =
      ec2("StartInstances", Json::object({{"InstanceIds", Json::array({id_, "i-00000000000000000"})}}));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, "InvalidInstanceID.NotFound");
  EXPECT_EQ(unknown.error().message, "The instance ID 'i-00000000000000000' does not exist");
  EXPECT_EQ(view().state, "stopped");
  const auto malformed = ec2("DescribeInstances", Json::object({{"InstanceIds", Json::array({"i-zzz"})}}));
  ASSERT_FALSE(malformed.has_value());
  EXPECT_EQ(malformed.error().code, "InvalidInstanceID.Malformed");
}

TEST_F(CloudTest, DryRunAnswers412AndChangesNothing) {
  Json input = ids();
  input.set("DryRun", true);
  const auto answer = ec2("StartInstances", input);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "DryRunOperation");
  EXPECT_EQ(answer.error().status, 412);
  EXPECT_EQ(view().state, "stopped");
}

TEST_F(CloudTest, SendCommandBeforeRegistrationIsInvalidInstanceId) {
  ASSERT_FALSE(send("true").has_value());
  ASSERT_TRUE(ec2("StartInstances", ids()).has_value());
  until([&] { return view().state == "running"; });
  const auto answer = send("true");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "InvalidInstanceId");
  EXPECT_EQ(answer.error().message, "Instances [[" + id_ + "]] not in a valid state for account 000000000000");
}

TEST_F(CloudTest, ShowsTheOldPingUntilTheAgentHasRegisteredAnew) {
  ASSERT_TRUE(ssm("DescribeInstanceInformation", Json::object())->list("InstanceInformationList").empty());
  ASSERT_TRUE(ec2("StartInstances", ids()).has_value());
  const double launch = static_cast<double>(clock_.now().time_since_epoch().count()) / 1e6;
  until([&] { return view().state == "running"; });
  const Json stale = *ssm("DescribeInstanceInformation", Json::object());
  ASSERT_EQ(stale.list("InstanceInformationList").size(), 1U);
  EXPECT_EQ(stale.list("InstanceInformationList")[0].text("PingStatus"), "Online");
  EXPECT_LT(stale.list("InstanceInformationList")[0].number("LastPingDateTime", 0), launch);
  until([&] { return view().agent_online; });
  const Json fresh = *ssm("DescribeInstanceInformation", Json::object());
  EXPECT_GT(fresh.list("InstanceInformationList")[0].number("LastPingDateTime", 0), launch);
}

TEST_F(CloudTest, RunsACommandAndReportsItsEnd) {
  start_and_register();
  const auto sent = send("echo hello");
  ASSERT_TRUE(sent.has_value());
  const std::string command = sent->find("Command")->text("CommandId");
  EXPECT_EQ(command.size(), 36U);
  const auto early = ssm("GetCommandInvocation", Json::object({{"CommandId", command}, {"InstanceId", id_}}));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, "InvocationDoesNotExist");
  until([&] { return !guest_.commands.empty(); });
  EXPECT_EQ(guest_.commands[0].script, "echo hello\n");
  pass(Seconds(2));
  EXPECT_EQ(invocation(command).text("Status"), "InProgress");
  EXPECT_EQ(invocation(command).integer("ResponseCode", 0), -1);
  guest_.dones[0](GuestResult{3, "out", "err"});
  const Json end = invocation(command);
  EXPECT_EQ(end.text("Status"), "Failed");
  EXPECT_EQ(end.integer("ResponseCode", 0), 3);
  EXPECT_EQ(end.text("StandardOutputContent"), "out");
  EXPECT_EQ(end.text("StandardErrorContent"), "err");
  EXPECT_NE(end.text("ExecutionEndDateTime"), "");
}

TEST_F(CloudTest, AnInstanceThatVanishesLeavesItsCommandInProgressToTheTotalTime) {
  start_and_register();
  const std::string command =
      send("sleep", Json::object({{"executionTimeout", Json::array({"600"})}}))->find("Command")->text("CommandId");
  until([&] { return !guest_.commands.empty(); });
  cloud_.cut_power(region_, id_);
  ASSERT_EQ(guest_.powered_off.size(), 1U);
  guest_.dones[0](GuestResult{0, "too late", ""});
  pass(Seconds(4190));
  EXPECT_EQ(invocation(command).text("Status"), "InProgress");
  pass(Seconds(20));
  EXPECT_EQ(invocation(command).text("Status"), "TimedOut");
  EXPECT_EQ(invocation(command).text("StatusDetails"), "DeliveryTimedOut");
  EXPECT_EQ(invocation(command).integer("ResponseCode", 0), -1);
}

TEST_F(CloudTest, KillsACommandAtItsExecutionTimeout) {
  start_and_register();
  const std::string command =
      send("sleep", Json::object({{"executionTimeout", Json::array({"60"})}}))->find("Command")->text("CommandId");
  until([&] { return !guest_.commands.empty(); });
  pass(Seconds(61));
  EXPECT_EQ(guest_.killed, std::vector<std::string>{command});
  EXPECT_EQ(invocation(command).text("StatusDetails"), "ExecutionTimedOut");
  EXPECT_EQ(invocation(command).integer("ResponseCode", 0), 137);
}

TEST_F(CloudTest, ListsACommandByItsComment) {
  start_and_register();
  ASSERT_TRUE(send("true").has_value());
  const Json listed = *ssm("ListCommands", Json::object({{"InstanceId", id_}}));
  ASSERT_EQ(listed.list("Commands").size(), 1U);
  Json later = Json::object(
      {{"Filters", Json::array({Json::object({{"key", "InvokedAfter"}, {"value", "2099-01-01T00:00:00Z"}})})}});
  EXPECT_TRUE(ssm("ListCommands", later)->list("Commands").empty());
}

TEST_F(CloudTest, AGuestTimerStopsTheMachineAndSaysSo) {
  start_and_register();
  const InstanceRef ref{region_, id_, view().boot};
  cloud_.schedule_shutdown(ref, Seconds(120));
  cloud_.schedule_shutdown(ref, Seconds(600));  // replaces the first
  pass(Seconds(599));
  EXPECT_EQ(view().state, "running");
  pass(Seconds(2));
  EXPECT_EQ(view().state, "stopping");
  EXPECT_EQ(view().state_reason, "Client.InstanceInitiatedShutdown");
}

TEST_F(CloudTest, ATimerOfAnEarlierBootIsLost) {
  start_and_register();
  cloud_.schedule_shutdown(InstanceRef{region_, id_, view().boot}, Seconds(600));
  ASSERT_TRUE(ec2("StopInstances", ids()).has_value());
  until([&] { return view().state == "stopped"; });
  start_and_register();
  pass(Seconds(1000));
  EXPECT_EQ(view().state, "running");
}

TEST_F(CloudTest, AHaltedMachineStaysOnWithoutAnAgent) {
  start_and_register();
  const std::string command = send("sleep 100")->find("Command")->text("CommandId");
  until([&] { return guest_.commands.size() == 1; });
  const InstanceRef ref{region_, id_, view().boot};
  cloud_.schedule_shutdown(ref, Seconds(600));
  cloud_.end_system(ref, SystemEnd::halted, Micros(0));
  ASSERT_EQ(guest_.powered_off.size(), 1U);
  guest_.dones[0](GuestResult{});  // too late: nobody is there to report it
  pass(Seconds(1));                // by then GetCommandInvocation knows it
  EXPECT_EQ(invocation(command).text("Status"), "InProgress");
  pass(Seconds(100'000));  // past its execution time-out and the timer, which went with the system
  EXPECT_EQ(view().state, "running");
  EXPECT_FALSE(view().agent_online);
  EXPECT_EQ(invocation(command).text("StatusDetails"), "DeliveryTimedOut");  // by SSM itself, not by an agent
}

TEST_F(CloudTest, ARebootKillsTheJobAndTheTimerAndTheAgentComesBack) {
  start_and_register();
  const std::string command = send("sleep 100")->find("Command")->text("CommandId");
  until([&] { return guest_.commands.size() == 1; });
  const InstanceRef ref{region_, id_, view().boot};
  cloud_.schedule_shutdown(ref, Seconds(600));
  cloud_.end_system(ref, SystemEnd::rebooted, Seconds(60));
  EXPECT_TRUE(view().agent_online);
  EXPECT_FALSE(view().guest_timer.has_value());
  until([&] { return !view().agent_online; });
  EXPECT_EQ(guest_.powered_off.size(), 1U);
  until([&] { return view().agent_online; });
  EXPECT_EQ(view().state, "running");
  EXPECT_EQ(invocation(command).text("Status"), "InProgress");
  pass(Seconds(100'000));
  EXPECT_EQ(invocation(command).text("StatusDetails"), "ExecutionTimedOut");
  EXPECT_EQ(view().state, "running");
}

TEST_F(CloudTest, AGuestShutdownTerminatesWhereTheInstanceSaysSo) {
  Json input = Json::object({{"InstanceId", id_}});
  input.set("InstanceInitiatedShutdownBehavior", Json::object({{"Value", "terminate"}}));
  ASSERT_TRUE(ec2("ModifyInstanceAttribute", input).has_value());
  start_and_register();
  cloud_.power_off_now(InstanceRef{region_, id_, view().boot});
  EXPECT_EQ(view().state, "shutting-down");
  until([&] { return view().state == "terminated"; });
}

TEST_F(CloudTest, PlainGuestHonoursShutdownLinesAndRunsNothing) {
  PlainGuest plain(clock_, cloud_);
  cloud_.set_guest(&plain);
  start_and_register();
  const std::string command = send("shutdown -P +10\necho hi")->find("Command")->text("CommandId");
  pass(Seconds(5));
  EXPECT_EQ(invocation(command).integer("ResponseCode", 0), 126);
  EXPECT_TRUE(view().guest_timer.has_value());
  const std::string shutdown_alone = send("shutdown -P +10\n")->find("Command")->text("CommandId");
  pass(Seconds(5));
  EXPECT_EQ(invocation(shutdown_alone).integer("ResponseCode", -1), 0);
}

TEST_F(CloudTest, PlainGuestTakesAScriptForAJobThatSucceedsAfterAWhile) {
  PlainGuest plain(clock_, cloud_,
                   [this](std::function<void()> done) { cloud_.call_later(Seconds(10), std::move(done)); });
  cloud_.set_guest(&plain);
  start_and_register();
  const std::string command = send("shutdown -P +10\necho hi")->find("Command")->text("CommandId");
  pass(Seconds(2));  // delivered
  pass(Seconds(9));
  EXPECT_EQ(invocation(command).text("Status"), "InProgress");
  EXPECT_TRUE(view().guest_timer.has_value());
  pass(Seconds(2));
  EXPECT_EQ(invocation(command).text("Status"), "Success");
}

TEST(CloudScale, HoldsForRoundTripsAndRequestLimitsWhereAsked) {
  for (const bool all : {false, true}) {
    TestClock clock;
    Xoshiro rng(7);
    CloudOptions options;
    options.time_scale = 10;
    options.scale_all = all;
    options.round_trips["eu-west-3"] = Millis(140);
    Cloud cloud(options, clock, rng);
    EXPECT_EQ(cloud.round_trip("eu-west-3"), all ? Millis(14) : Millis(140));
    const Call call{"eu-west-3", "ec2", "StartInstances"};  // five at once, then two a second
    const Json input = Json::object({{"InstanceIds", JsonArray{"i-1"}}});
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(cloud.take_token(call, input));
    }
    EXPECT_FALSE(cloud.take_token(call, input));
    clock.pass(Millis(50));
    EXPECT_EQ(cloud.take_token(call, input), all);
  }
}

TEST(CloudObserver, IsToldOfStatesInOrder) {
  TestClock clock;
  Xoshiro rng(7);
  std::vector<std::string> told;
  CloudOptions options;
  options.regions = {"eu-west-3"};
  options.observe = [&](const Json& happened) { told.push_back(happened.text("what") + " " + happened.text("state")); };
  Cloud cloud(options, clock, rng);
  const Json ids = Json::object({{"InstanceIds", JsonArray{cloud.instances()[0].instance_id}}});
  ASSERT_TRUE(cloud.call({"eu-west-3", "ec2", "StartInstances"}, ids));
  clock.pass(Seconds(30));
  ASSERT_TRUE(cloud.call({"eu-west-3", "ec2", "StopInstances"}, ids));
  clock.pass(Seconds(60));
  cloud.advance();
  EXPECT_THAT(told, testing::ElementsAre("machine pending", "machine running", "machine stopping", "machine stopped"));
}

TEST_F(CloudTest, PagesThroughAListWithTokensOfTheSameOperation) {
  Json input = Json::object({{"MaxResults", 5}});
  const Json first = *cloud_.call(Call{region_, "ec2", "DescribeInstanceTypeOfferings"},
                                  Json::object({{"MaxResults", 5}, {"LocationType", "availability-zone"}}));
  EXPECT_EQ(first.list("InstanceTypeOfferings").size(), 5U);
  ASSERT_FALSE(first.text("NextToken").empty());
  input.set("NextToken", first.text("NextToken"));
  const auto foreign = ec2("DescribeInstances", input);
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code, "InvalidNextToken");
}

TEST_F(CloudTest, RefusesMaxResultsTogetherWithIds) {
  Json input = ids();
  input.set("MaxResults", 5);
  EXPECT_EQ(ec2("DescribeInstances", input).error().code, "InvalidParameterCombination");
}

TEST_F(CloudTest, FiltersByTagAndStateWithWildcards) {
  const auto count = [&](const std::string& name, const std::string& value) {
    const Json filter = Json::object({{"Name", name}, {"Values", Json::array({value})}});
    const auto answer = ec2("DescribeInstances", Json::object({{"Filters", Json::array({filter})}}));
    return answer.has_value() ? std::to_string(answer->list("Reservations").size()) : answer.error().code;
  };
  EXPECT_EQ(count("tag:Name", "NA*"), "1");
  EXPECT_EQ(count("tag:Name", "na*"), "0");
  EXPECT_EQ(count("instance-state-name", "stopp??"), "1");
  EXPECT_EQ(count("instance-state-name", "running"), "0");
  EXPECT_EQ(count("tag-key", "parallax:fleet"), "1");
  EXPECT_EQ(count("colour", "blue"), "InvalidParameterValue");
}

TEST_F(CloudTest, ThrottlesStartsAfterThePublishedBurst) {
  const Call call{region_, "ec2", "StartInstances"};
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(cloud_.take_token(call, ids())) << i;
  }
  EXPECT_FALSE(cloud_.take_token(call, ids()));
  clock_.pass(Seconds(1));
  EXPECT_TRUE(cloud_.take_token(call, ids()));
}

TEST_F(CloudTest, AStaleReadShowsTheEarlierState) {
  pass(Seconds(10));
  RegionFaults faults;
  faults.stale_read = 1;
  cloud_.set_faults(region_, faults);
  ASSERT_TRUE(ec2("StartInstances", ids()).has_value());
  const auto state = [&] {
    return *ec2("DescribeInstances", ids())->list("Reservations")[0].list("Instances")[0].at("State", "Name")->string();
  };
  EXPECT_EQ(state(), "stopped");
  pass(Seconds(5));
  EXPECT_NE(state(), "stopped");
}

TEST_F(CloudTest, AStartThatFailsSaysWhy) {
  RegionFaults faults;
  faults.start_fails = 1;
  cloud_.set_faults(region_, faults);
  ASSERT_TRUE(ec2("StartInstances", ids()).has_value());
  until([&] { return view().state == "stopped"; });
  EXPECT_EQ(view().state_reason, "Server.InsufficientInstanceCapacity");
  EXPECT_TRUE(cloud_.running_intervals().empty());
}

TEST(CloudWorld, ListsEnabledRegionsAndTheRestOnRequest) {
  TestClock clock;
  Xoshiro rng(1);
  Cloud cloud({}, clock, rng);
  const Call call{"us-east-1", "ec2", "DescribeRegions"};
  EXPECT_EQ(cloud.call(call, Json::object())->list("Regions").size(), 17U);
  EXPECT_EQ(cloud.call(call, Json::object({{"AllRegions", true}}))->list("Regions").size(), 34U);
}

TEST(CloudWorld, RepeatsExactlyFromOneSeed) {
  const auto play = [](std::uint64_t seed) {
    TestClock clock;
    Xoshiro rng(seed);
    Cloud cloud({}, clock, rng);
    std::string trace;
    for (const InstanceView& instance : cloud.instances()) {
      EXPECT_TRUE(cloud
                      .call(Call{instance.region, "ec2", "StartInstances"},
                            Json::object({{"InstanceIds", Json::array({instance.instance_id})}}))
                      .has_value());
    }
    while (cloud.next_event() != Monotonic::max()) {
      clock.pass(cloud.next_event() - clock.monotonic());
      cloud.advance();
      for (const InstanceView& instance : cloud.instances()) {
        trace += instance.instance_id + instance.state + std::to_string(clock.now().time_since_epoch().count());
      }
    }
    return trace;
  };
  EXPECT_EQ(play(3), play(3));
  EXPECT_NE(play(3), play(4));
}

TEST(CutOutput, KeepsWholeCharactersAndMarksTheCut) {
  const std::string cut = cut_output(std::string(30, 'x') + "\xC3\xA9" + std::string(100, 'y'), 54);
  EXPECT_LE(cut.size(), 54U);
  EXPECT_THAT(cut, testing::EndsWith("\n--output truncated--"));
  EXPECT_EQ(cut_output("short", 54), "short");
}

TEST(Wildcards, FollowAwsRules) {
  EXPECT_TRUE(matches_wildcard("a*c?", "abbbcd"));
  EXPECT_TRUE(matches_wildcard("*", ""));
  EXPECT_FALSE(matches_wildcard("?", ""));
  EXPECT_TRUE(matches_wildcard("\\*", "*"));
  EXPECT_FALSE(matches_wildcard("\\*", "x"));
}

}  // namespace
}  // namespace parallax::sim
