#include "fleet/sweep.h"

#include <gtest/gtest.h>

#include "fleet/lease.h"

namespace parallax::fleet {
namespace {

const Instant kStart = parse_iso8601("2026-11-22T10:00:00Z").value();
constexpr Micros kBootTimer{Seconds(1200)};

Instance running(const std::optional<Instant>& lease_until) {
  Instance instance;
  instance.id = "i-1";
  instance.state = InstanceState::running;
  instance.launch_time = kStart;
  if (lease_until) {
    instance.tags[kLeaseTag] = to_text(Lease{"01RUN", "host:7", *lease_until});
  }
  return instance;
}

TEST(Sweep, LetsAMachineRunUntilItsLeaseHasEnded) {
  const Instance instance = running(kStart + Seconds(3600));
  EXPECT_EQ(why_overdue(instance, kBootTimer, kStart + Seconds(3600 + 300)), std::nullopt);
  EXPECT_EQ(why_overdue(instance, kBootTimer, kStart + Seconds(3600 + 301)),
            "its lease (run 01RUN of host:7) ended at 2026-11-22T11:00:00Z");
}

TEST(Sweep, GivesAMachineWithoutALeaseTheTimeOfItsBootTimer) {
  EXPECT_EQ(why_overdue(running({}), kBootTimer, kStart + Seconds(1500)), std::nullopt);
  EXPECT_EQ(
      why_overdue(running({}), kBootTimer, kStart + Seconds(1501)),
      "it runs since 2026-11-22T10:00:00Z without a lease, and its boot timer should have ended it after 20 min 00 s");
}

TEST(Sweep, TakesALeaseOfAnEarlierStartForNone) {
  const Instance instance = running(kStart - Seconds(60));
  EXPECT_EQ(why_overdue(instance, kBootTimer, kStart + Seconds(600)), std::nullopt);
  EXPECT_NE(why_overdue(instance, kBootTimer, kStart + Seconds(1501)), std::nullopt);
}

TEST(Sweep, LeavesMachinesAloneThatDoNotRun) {
  Instance instance = running({});
  instance.state = InstanceState::stopping;
  EXPECT_EQ(why_overdue(instance, kBootTimer, kStart + Seconds(100'000)), std::nullopt);
}

}  // namespace
}  // namespace parallax::fleet
