#include "sim/world/disk.h"

#include <gtest/gtest.h>

namespace parallax::sim {
namespace {

// Runs `body` as a task of a process on the host "h".
void on_host(VirtualWorld& world, Disks& disks, const std::function<void(Process&, Files&)>& body) {
  Process& process = world.start_process("program", "h");
  const auto files = disks.files(process);
  const Result<> outcome =
      world.run([&] { process.start("main", [&](const std::stop_token& /*stop*/) { body(process, *files); }); });
  ASSERT_TRUE(outcome) << outcome.error().text();
}

TEST(Disks, KeepsFilesBeyondTheProcessThatWroteThem) {
  VirtualWorld world({.seed = 1});
  Disks disks(world);
  on_host(world, disks, [&](Process& process, Files& files) {
    ASSERT_TRUE(files.make_directories("/a/b", 0700));
    ASSERT_TRUE(files.write("/a/b/one", "1", 0600));
    ASSERT_TRUE(files.write("/a/two", "2", 0600));
    const auto lock = files.lock("/a/lock");
    ASSERT_TRUE(lock);
    EXPECT_EQ(files.lock("/a/lock").error().kind, ErrorKind::conflict);
    process.kill(KillKind::signal);
  });
  Process& next = world.start_process("next", "h");
  const auto files = disks.files(next);
  EXPECT_EQ(files->read("/a/b/one", 10).value(), "1");
  EXPECT_EQ(files->list("/a").value(), (std::vector<std::string>{"b", "lock", "two"}));
  EXPECT_TRUE(files->lock("/a/lock"));
  EXPECT_EQ(files->list("/nowhere").error().kind, ErrorKind::not_found);
}

TEST(Disks, LosesAtAPowerCutOnlyWhatWasNotSynced) {
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    VirtualWorld world({.seed = seed});
    Disks disks(world);
    on_host(world, disks, [&](Process& process, Files& files) {
      const auto file = std::move(files.open_append("/f", 0600)).value();
      ASSERT_TRUE(file->append("synced"));
      ASSERT_TRUE(file->sync());
      ASSERT_TRUE(file->append("unsynced"));
      process.kill(KillKind::power_cut);
    });
    const std::string left = disks.content("h", "/f");
    EXPECT_TRUE(left.starts_with("synced")) << left;
    EXPECT_TRUE(std::string("syncedunsynced").starts_with(left)) << left;
    lost = lost || left.size() < 14;
  }
  EXPECT_TRUE(lost);
}

TEST(Disks, TearsAndRefusesWritesAsDrawn) {
  VirtualWorld world({.seed = 2});
  Disks disks(world);
  disks.set_faults("h", {.append_torn = 1, .write_fails = 1});
  on_host(world, disks, [&](Process& /*process*/, Files& files) {
    const auto file = std::move(files.open_append("/f", 0600)).value();
    EXPECT_EQ(file->append("0123456789").error().kind, ErrorKind::unavailable);
    EXPECT_EQ(disks.content("h", "/f").size(), file->size());
    EXPECT_FALSE(files.write("/g", "x", 0600));
    EXPECT_EQ(files.read("/g", 10).error().kind, ErrorKind::not_found);
  });
  EXPECT_TRUE(std::string("0123456789").starts_with(disks.content("h", "/f")));
}

TEST(Disks, TakesNoWriteFromADeadProcess) {
  for (std::uint64_t point = 1; point <= 4; ++point) {
    VirtualWorld world({.seed = 3});
    Disks disks(world);
    Process& process = world.start_process("program", "h");
    const auto files = disks.files(process);
    process.kill_at(point, KillKind::signal);
    const Result<> outcome = world.run([&] {
      process.start("main", [&](const std::stop_token& /*stop*/) {
        ignore(files->write("/f", "first", 0600), "the kill may come before or after");
        ignore(files->write("/g", "second", 0600), "the kill may come before or after");
      });
    });
    ASSERT_TRUE(outcome) << outcome.error().text();
    // Points: 1 before and 2 after the first write, 3 before and 4 after the second one.
    EXPECT_EQ(disks.content("h", "/f"), point >= 2 ? "first" : "") << point;
    EXPECT_EQ(disks.content("h", "/g"), point >= 4 ? "second" : "") << point;
  }
}

}  // namespace
}  // namespace parallax::sim
