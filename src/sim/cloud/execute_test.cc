// Runs real processes. Nothing here calls a power command before the covers have been looked at.
#include "sim/cloud/execute.h"

#include <csignal>
#include <filesystem>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/mutex.h"

namespace parallax::sim {
namespace {

using testing::HasSubstr;

// Writes down what the machine was asked to do.
class Recorder final : public GuestControl {
 public:
  explicit Recorder(Executor& executor) : changed(executor.make_event()) {}

  void schedule_shutdown(const InstanceRef& ref, Micros after) override {
    put("schedule " + ref.instance_id + " " + std::to_string(after.count()));
  }

  void cancel_shutdown(const InstanceRef& ref) override { put("cancel " + ref.instance_id); }

  void power_off_now(const InstanceRef& ref) override { put("off " + ref.instance_id); }

  void end_system(const InstanceRef& ref, SystemEnd how, Micros after) override {
    put((how == SystemEnd::halted ? "halt " : "reboot ") + ref.instance_id + " " + std::to_string(after.count()));
  }

  std::vector<std::string> requests() const {
    const MutexLock lock(mutex_);
    return requests_;
  }

  void put(std::string request) {
    {
      const MutexLock lock(mutex_);
      requests_.push_back(std::move(request));
    }
    changed->notify();
  }

  std::unique_ptr<Event> changed;

 private:
  mutable Mutex mutex_;
  std::vector<std::string> requests_ GUARDED_BY(mutex_);
};

class ExecuteTest : public testing::Test {
 protected:
  ExecuteTest() {
    options_.directory =
        std::filesystem::canonical(testing::TempDir()).string() + "/parallax-execute-" + std::to_string(::getpid());
    options_.minute = Seconds(1);
    options_.environment[""]["SHARED"] = "one";
    options_.environment["eu-west-3"]["SHARED"] = "two";
  }

  ~ExecuteTest() override {
    guest_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(options_.directory, ignored);
  }

  void SetUp() override {
    auto guest = ProcessGuest::start(options_, *clock_, *executor_, recorder_);
    if (!guest.has_value() && guest.error().kind == ErrorKind::denied) {
      GTEST_SKIP() << guest.error().text();
    }
    ASSERT_TRUE(guest.has_value()) << guest.error().text();
    guest_ = std::move(guest).value();
  }

  bool contained() const { return guest_->containment() != Containment::shims; }

  static InstanceRef machine(std::uint64_t boot = 1) { return {"eu-west-3", "i-0123456789abcdef0", boot}; }

  // Waits for something that another process does.
  template <typename Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) {
        return true;
      }
      clock_->sleep_for(Millis(5), {});
    }
    return false;
  }

  void begin(const std::string& script, const InstanceRef& ref = machine(), const std::string& id = "c-1") {
    guest_->run(GuestCommand{ref, id, script + "\n", ""}, [this](GuestResult result) {
      const MutexLock lock(mutex_);
      results_.push_back(std::move(result));
    });
  }

  std::size_t result_count() {
    const MutexLock lock(mutex_);
    return results_.size();
  }

  GuestResult run(const std::string& script) {
    const std::size_t before = result_count();
    begin(script);
    EXPECT_TRUE(eventually([&] { return result_count() > before; })) << script;
    const MutexLock lock(mutex_);
    return results_.empty() ? GuestResult{} : results_.back();
  }

  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<Executor> executor_ = make_thread_executor();
  std::unique_ptr<Files> files_ = make_system_files();
  Recorder recorder_{*executor_};
  ExecuteOptions options_;
  std::unique_ptr<ProcessGuest> guest_;
  Mutex mutex_;
  std::vector<GuestResult> results_ GUARDED_BY(mutex_);
};

TEST_F(ExecuteTest, ReportsOutputAndExitCode) {
  const GuestResult result = run("echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST_F(ExecuteTest, GivesCommandsTheirRegionsVariablesAndNotOurs) {
  ASSERT_EQ(::setenv("PARALLAX_SECRET_OF_THE_TEST", "x", 1), 0);
  EXPECT_EQ(run("echo \"$SHARED,$PARALLAX_SECRET_OF_THE_TEST,$AWS_SSM_REGION_NAME\"").out, "two,,eu-west-3\n");
}

TEST_F(ExecuteTest, KeepsABoundedPartOfALongOutput) {
  EXPECT_EQ(run("head -c 1000000 /dev/zero | tr '\\0' x").out.size(), kGuestOutputBytesMax);
}

TEST_F(ExecuteTest, DoesNotWaitForWhatACommandLeavesInTheBackground) {
  EXPECT_EQ(run("sleep 600 & echo done").out, "done\n");
}

TEST_F(ExecuteTest, KeepsTheHomeFromBootToBoot) {
  EXPECT_EQ(run("echo kept > file; test -w /dev/shm").exit_code, 0);
  guest_->kill_all(machine());
  begin("cat file", machine(2), "c-2");
  ASSERT_TRUE(eventually([&] { return result_count() == 2; }));
  const MutexLock lock(mutex_);
  EXPECT_EQ(results_[1].out, "kept\n");
}

// The files themselves, before anything is executed.
TEST_F(ExecuteTest, CoversTheRealPowerCommandsByTheirRealPaths) {
  if (!contained()) {
    GTEST_SKIP() << "no namespaces here";
  }
  const GuestResult result = run(
      "for d in /sbin /usr/sbin /bin /usr/bin; do for n in shutdown poweroff halt reboot systemctl telinit init; do\n"
      "  if [ -e $d/$n ]; then head -n 2 $d/$n | grep -q 'Simulated instance' || echo \"bare: $d/$n\"; fi\n"
      "done; done; [ -e /sbin/shutdown ] && echo covered; ls -A /run/systemd /run/dbus 2>/dev/null | grep -v : ;\n"
      "[ ! -w /proc/sysrq-trigger ] || [ -c /proc/sysrq-trigger ] || echo sysrq");
  EXPECT_THAT(result.out, HasSubstr("covered"));
  EXPECT_THAT(result.out, testing::Not(HasSubstr("bare")));
  EXPECT_THAT(result.out, testing::Not(HasSubstr("private")));
  EXPECT_THAT(result.out, testing::Not(HasSubstr("sysrq")));
}

TEST_F(ExecuteTest, TakesAwayTheRightsToRebootAndToUncover) {
  if (!contained()) {
    GTEST_SKIP() << "no namespaces here";
  }
  const GuestResult result =
      run("sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status; umount /usr/sbin 2>&1 || echo no");
  ASSERT_GE(result.out.size(), 16U);
  const std::uint64_t effective = std::stoull(result.out.substr(0, 16), nullptr, 16);
  for (const unsigned bit : {16U, 17U, 19U, 21U, 22U}) {  // module, rawio, ptrace, admin, boot
    EXPECT_EQ(effective >> bit & 1U, 0U) << bit;
  }
  EXPECT_THAT(result.out, HasSubstr("no"));
}

// A script asks first whether what it is about to call is the simulated command.
constexpr const char* kSafely =
    "safely() { grep -q 'Simulated instance' \"$1\" || { echo 'not covered' >&2; exit 99; }; \"$@\"; }\n";

TEST_F(ExecuteTest, ShutdownByItsRealPathReachesTheSimulatedInstanceAlone) {
  if (!contained()) {
    GTEST_SKIP() << "no namespaces here";
  }
  const GuestResult result =
      run(std::string(kSafely) + "safely /sbin/shutdown -P +5\nsafely /usr/sbin/shutdown --show");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(recorder_.requests(), std::vector<std::string>{"schedule i-0123456789abcdef0 5000000"});
  EXPECT_THAT(result.out, HasSubstr("MODE=poweroff"));
}

TEST_F(ExecuteTest, PowerCommandsOnThePathReachTheSimulatedInstance) {
  const GuestResult result =
      run("case $(command -v shutdown) in */shims/shutdown) ;; *) exit 99 ;; esac\n"
          "shutdown -P +2; shutdown -c; poweroff; halt; shutdown -r +3; shutdown -P soon || echo refused");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(recorder_.requests(),
            (std::vector<std::string>{"schedule i-0123456789abcdef0 2000000", "cancel i-0123456789abcdef0",
                                      "off i-0123456789abcdef0", "halt i-0123456789abcdef0 0",
                                      "reboot i-0123456789abcdef0 3000000"}));
  EXPECT_THAT(result.out, HasSubstr("refused"));
}

TEST_F(ExecuteTest, StoppingKillsTheWholeTreeWhateverItForked) {
  // A grandchild in a session of its own, twice forked away from the command.
  const std::string beat = options_.directory + "/beat";
  run("setsid sh -c '(while :; do echo x >> " + beat + "; sleep 0.02; done) &' >/dev/null 2>&1");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(beat) && std::filesystem::file_size(beat) > 10; }));
  guest_->kill_all(machine());
  ASSERT_TRUE(eventually([&] {
    const auto before = std::filesystem::file_size(beat);
    clock_->sleep_for(Millis(200), {});
    return std::filesystem::file_size(beat) == before;
  }));
}

TEST_F(ExecuteTest, ARebootedMachineTakesCommandsWhenItsProcessesAreGone) {
  const std::string beat = options_.directory + "/beat";
  begin("echo $$ > " + beat + "; sleep 600");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(beat) && std::filesystem::file_size(beat) > 0; }));
  guest_->kill_all(machine());
  EXPECT_EQ(run("echo again").out, "again\n");
  EXPECT_EQ(result_count(), 1U);  // nobody reports what the reboot killed
}

TEST_F(ExecuteTest, KillEndsOneCommandAndReports137) {
  begin("sleep 600");
  begin("echo other", machine(), "c-2");
  ASSERT_TRUE(eventually([&] { return result_count() == 1; }));
  guest_->kill(machine(), "c-1");
  ASSERT_TRUE(eventually([&] { return result_count() == 2; }));
  const MutexLock lock(mutex_);
  EXPECT_EQ(results_[0].out, "other\n");
  EXPECT_EQ(results_[1].exit_code, 137);
}

TEST_F(ExecuteTest, LeavesNoScriptBehind) {
  run("cat > /dev/null <<E\nsecret\nE");
  EXPECT_TRUE(std::filesystem::is_empty(options_.directory + "/" + machine().instance_id + "/commands"));
}

TEST(ExecuteOptions, RefusesADirectoryThatWouldBeCovered) {
  const auto clock = make_system_clock();
  const auto executor = make_thread_executor();
  Recorder recorder(*executor);
  for (const char* directory : {"relative", "/run/systemd/x", "/dev/shm/x", "/tmp/a b", "/tmp/a:b"}) {
    ExecuteOptions options;
    options.directory = directory;
    const auto guest = ProcessGuest::start(options, *clock, *executor, recorder);
    ASSERT_FALSE(guest.has_value()) << directory;
    EXPECT_EQ(guest.error().kind, ErrorKind::invalid);
  }
}

TEST_F(ExecuteTest, RunsABootHookWithItsShims) {
  guest_->boot(machine(), "#cloud-boothook\n#!/bin/sh\nshutdown -P +7\n");
  EXPECT_TRUE(eventually([&] {
    const std::vector<std::string> asked = recorder_.requests();
    return std::find(asked.begin(), asked.end(), "schedule i-0123456789abcdef0 7000000") != asked.end();
  }));
}

}  // namespace
}  // namespace parallax::sim
