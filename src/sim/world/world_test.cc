#include "sim/world/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/queue.h"

namespace parallax::sim {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;

TEST(VirtualWorld, JumpsOverTheTimeInWhichAllWait) {
  VirtualWorld world({.seed = 1});
  Instant before{};
  const Result<> outcome = world.run([&] {
    before = world.clock().now();
    EXPECT_TRUE(world.clock().sleep_for(hours(24 * 7), {}));
  });
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(world.utc() - before, hours(24 * 7));
}

TEST(VirtualWorld, WakesASleeperAtOnceWhenItIsAskedToStop) {
  VirtualWorld world({.seed = 2});
  const Monotonic begin = world.now();
  bool slept_through = true;
  const Result<> outcome = world.run([&] {
    const auto task = world.executor().spawn(
        "sleeper", [&](const std::stop_token& stop) { slept_through = world.clock().sleep_for(hours(5), stop); });
    world.clock().sleep_for(Seconds(3), {});
    task->request_stop();
    task->join();
  });
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_FALSE(slept_through);
  EXPECT_EQ(world.now() - begin, Seconds(3));
}

TEST(VirtualWorld, SaysWhoWaitsInADeadlock) {
  VirtualWorld world({.seed = 3});
  const Result<> outcome = world.run([&] {
    const auto event = world.make_event();
    event->wait_until(event->ticket(), Monotonic::max(), {});
  });
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("seed 3 failed: deadlock"));
  EXPECT_THAT(outcome.error().message, HasSubstr("world/main"));
}

TEST(VirtualWorld, EndsATaskThatNeverLetsTimePass) {
  VirtualWorld world({.seed = 4, .steps_max = 5000});
  const Result<> outcome = world.run([&] {
    for (;;) {
      world.clock().sleep_until(world.now(), {});
    }
  });
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("some task never waits"));
}

// Producers and consumers over a bounded queue, with timers; the order of everything depends on the seed.
std::pair<std::uint64_t, std::uint64_t> busy_fingerprint(std::uint64_t seed, StrandKind strands) {
  VirtualWorld world({.seed = seed, .strands = strands});
  const Result<> outcome = world.run([&] {
    BoundedQueue<int> queue(world.executor(), 3);
    std::vector<std::unique_ptr<Task>> tasks;
    for (int producer = 0; producer < 4; ++producer) {
      tasks.push_back(world.executor().spawn("producer", [&, producer](const std::stop_token& stop) {
        for (int i = 0; i < 20; ++i) {
          queue.push(producer * 100 + i, Monotonic::max(), stop);
          world.clock().sleep_for(Micros(static_cast<std::int64_t>(world.rng("gaps").below(50))), stop);
        }
      }));
    }
    const auto consumer = world.executor().spawn("consumer", [&](const std::stop_token& stop) {
      while (const auto item = queue.pop(Monotonic::max(), stop)) {
        world.note("item", std::to_string(*item));
      }
    });
    for (const auto& task : tasks) {
      task->join();
    }
    queue.close();
    consumer->join();
  });
  EXPECT_TRUE(outcome) << outcome.error().text();
  return world.fingerprint();
}

TEST(VirtualWorld, GoesTheSameWayWithFibersAndWithBatonThreads) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto threads = busy_fingerprint(seed, StrandKind::threads);
    EXPECT_EQ(threads, busy_fingerprint(seed, default_strand_kind())) << seed;
    EXPECT_EQ(threads, busy_fingerprint(seed, StrandKind::threads)) << seed;
    EXPECT_NE(threads, busy_fingerprint(seed + 1000, default_strand_kind())) << seed;
  }
}

TEST(VirtualWorld, KeepsRandomStreamsApart) {
  VirtualWorld one({.seed = 5});
  VirtualWorld other({.seed = 5});
  one.rng("noise").next();
  EXPECT_EQ(one.rng("latency").next(), other.rng("latency").next());
  EXPECT_NE(one.rng("latency").next(), one.rng("noise").next());
}

TEST(VirtualWorld, GivesAHostItsOwnWrongClock) {
  VirtualWorld world({.seed = 6});
  world.set_clock_error("vantage", Seconds(-90));
  Process& process = world.start_process("probe", "vantage");
  EXPECT_EQ(world.utc() - process.clock().now(), Seconds(90));
}

// A program with a helper task that it joins on its way out, which counts what it completes and what it destroys.
struct Program {
  int steps = 0;
  int made = 0;
  int destroyed = 0;

  void run(Process& process) {
    struct Guard {
      int& count;

      ~Guard() { ++count; }
    };

    const Guard guard{destroyed};
    ++made;
    const auto helper = process.executor().spawn("helper", [&](const std::stop_token& stop) {
      const Guard inner{destroyed};
      ++made;
      process.clock().sleep_for(hours(1), stop);
    });
    for (int i = 0; i < 5; ++i) {
      process.clock().sleep_for(Seconds(10), {});
      ++steps;
    }
  }
};

TEST(Process, CanBeKilledAtEveryOneOfItsPoints) {
  std::uint64_t points = 0;
  for (std::uint64_t kill_at = 0; kill_at <= points; ++kill_at) {
    VirtualWorld world({.seed = 7});
    Program program;
    Process& process = world.start_process("program", "host");
    process.kill_at(kill_at, KillKind::signal);
    const Result<> outcome =
        world.run([&] { process.start("main", [&](const std::stop_token& /*stop*/) { program.run(process); }); });
    ASSERT_TRUE(outcome) << outcome.error().text();
    if (kill_at == 0) {
      points = process.points();
      EXPECT_EQ(program.steps, 5);
      EXPECT_EQ(program.made, 2);
      ASSERT_GT(points, 10U);
    } else {
      EXPECT_FALSE(process.alive());
    }
    EXPECT_EQ(program.destroyed, program.made);
  }
}

TEST(Process, LeavesOthersAloneWhenItIsKilled) {
  VirtualWorld world({.seed = 8});
  Process& victim = world.start_process("victim", "a");
  Process& other = world.start_process("other", "b");
  bool victim_done = false;
  bool other_done = false;
  const Result<> outcome = world.run([&] {
    victim.start("main", [&](const std::stop_token& stop) { victim_done = victim.clock().sleep_for(hours(1), stop); });
    other.start("main", [&](const std::stop_token& stop) { other_done = other.clock().sleep_for(hours(1), stop); });
    world.clock().sleep_for(Seconds(5), {});
    victim.kill(KillKind::signal);
  });
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_FALSE(victim_done);
  EXPECT_TRUE(other_done);
}

TEST(Process, MayWaitInADestructorWhileItIsUnwound) {
  VirtualWorld world({.seed = 9});
  Process& process = world.start_process("program", "host");
  bool waited = true;
  const Result<> outcome = world.run([&] {
    process.start("main", [&](const std::stop_token& /*stop*/) {
      struct LastWill {
        Clock& clock;
        bool& waited;

        ~LastWill() { waited = clock.sleep_for(hours(1), {}); }
      };

      const LastWill will{process.clock(), waited};
      process.clock().sleep_for(hours(1), {});
    });
    world.clock().sleep_for(Seconds(1), {});
    process.kill(KillKind::signal);
  });
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_FALSE(waited);
}

}  // namespace
}  // namespace parallax::sim
