#include "sim/cloud/power.h"

#include <gtest/gtest.h>

namespace parallax::sim {
namespace {

struct Row {
  const char* line;
  PowerAction action;
  std::int64_t minutes;
};

TEST(PowerCommand, ReadsWhatTheRealProgramsRead) {
  const Row rows[] = {{"shutdown -P +30", PowerAction::power_off, 30},
                      {"/sbin/shutdown -h now", PowerAction::power_off, 0},
                      {"shutdown", PowerAction::power_off, 1},
                      {"sudo shutdown -P 5 going down", PowerAction::power_off, 5},
                      {"shutdown -H +2", PowerAction::halt, 2},
                      {"shutdown -r now", PowerAction::reboot, 0},
                      {"shutdown -c", PowerAction::cancel, 0},
                      {"shutdown --help", PowerAction::none, 0},
                      {"shutdown -P 00:10", PowerAction::power_off, 10},
                      {"poweroff -f", PowerAction::power_off, 0},
                      {"halt", PowerAction::halt, 0},
                      {"halt -p", PowerAction::power_off, 0},
                      {"reboot", PowerAction::reboot, 0},
                      {"systemctl poweroff", PowerAction::power_off, 0},
                      {"systemctl --force halt", PowerAction::halt, 0},
                      {"systemctl start poweroff.target", PowerAction::power_off, 0},
                      {"systemctl status sshd", PowerAction::none, 0},
                      {"init 0", PowerAction::power_off, 0},
                      {"telinit 6", PowerAction::reboot, 0}};
  const Instant midnight{};
  for (const Row& row : rows) {
    const auto request = parse_power_command(words_of_line(row.line), midnight);
    ASSERT_TRUE(request.has_value()) << row.line;
    EXPECT_EQ(request->action, row.action) << row.line;
    EXPECT_EQ(request->after_minutes, row.minutes) << row.line;
  }
}

TEST(PowerCommand, IsNotEveryProgram) {
  EXPECT_FALSE(parse_power_command(words_of_line("echo shutdown -P now"), Instant{}).has_value());
  EXPECT_FALSE(parse_power_command({}, Instant{}).has_value());
}

TEST(PowerCommand, PlacesAClockTimeTomorrowWhenItHasPassed) {
  const auto request = parse_power_command({"shutdown", "01:00"}, Instant{std::chrono::hours(2)});
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->after_minutes, 23 * 60);
}

TEST(PowerCommand, FindsTheBootHookInUserData) {
  EXPECT_EQ(boothook_of("#cloud-boothook\n#!/bin/sh\nshutdown -P +20\n"), "#!/bin/sh\nshutdown -P +20\n");
  EXPECT_EQ(boothook_of("#!/bin/sh\nshutdown -P +20\n"), "");
  EXPECT_EQ(boothook_of("#cloud-boothooks\nshutdown -P +20\n"), "");
  EXPECT_EQ(boothook_of("#cloud-boothook"), "");
  EXPECT_EQ(boothook_of(""), "");
}

}  // namespace
}  // namespace parallax::sim
