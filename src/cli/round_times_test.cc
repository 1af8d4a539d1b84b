#include "cli/round_times.h"

#include <set>

#include <gtest/gtest.h>

namespace parallax::cli {
namespace {

const std::vector<std::string> kSix = {"us-west-2", "us-east-1",      "sa-east-1",
                                       "eu-west-3", "ap-northeast-1", "ap-southeast-2"};

Config::Schedule schedule(const std::string& mode, int rounds) {
  Config::Schedule made;
  made.mode = mode;
  made.rounds_per_day = rounds;
  return made;
}

TEST(RoundTimes, RotateIsTheReferencesCrontabForItsSixRegions) {
  const std::string text = to_crontab(round_times(schedule("rotate", 4), kSix).value(), "parallax fleet run");
  EXPECT_EQ(text.substr(text.find("\nCRON_TZ") + 1),
            "CRON_TZ=UTC\n"
            "30 0,6,12,18 * * * parallax fleet run --region us-west-2\n"
            "30 1,7,13,19 * * * parallax fleet run --region us-east-1\n"
            "30 2,8,14,20 * * * parallax fleet run --region sa-east-1\n"
            "30 3,9,15,21 * * * parallax fleet run --region eu-west-3\n"
            "30 4,10,16,22 * * * parallax fleet run --region ap-northeast-1\n"
            "30 5,11,17,23 * * * parallax fleet run --region ap-southeast-2\n");
}

TEST(RoundTimes, PairedCoversEveryHourWithinTheGapBetweenTwoRounds) {
  for (const int rounds : {1, 2, 4, 5, 7, 24}) {
    SCOPED_TRACE(rounds);
    const auto times = round_times(schedule("paired", rounds), kSix).value();
    const int gap = (24 + rounds - 1) / rounds;
    const std::vector<DueRound> due = due_rounds(times, parse_iso8601("2026-11-01T09:00:00Z").value(), gap);
    EXPECT_EQ(due.size(), static_cast<std::size_t>(gap * rounds));
    std::set<std::int64_t> hours;
    for (const DueRound& round : due) {
      hours.insert(count_seconds(round.at.time_since_epoch()) / 3600 % 24);
      EXPECT_EQ(round.region, "");
    }
    EXPECT_EQ(hours.size(), 24U);
  }
}

TEST(RoundTimes, PairedIsTheSameInTableCrontabAndUnits) {
  const auto times = round_times(schedule("paired", 4), kSix).value();
  const std::vector<DueRound> due = due_rounds(times, parse_iso8601("2026-11-08T23:00:00Z").value(), 1);
  ASSERT_EQ(due.size(), 4U);
  EXPECT_EQ(to_iso8601_seconds(due[0].at), "2026-11-08T01:30:00Z");
  EXPECT_NE(to_crontab(times, "p").find("\n30 1,7,13,19 2,8,14,20,26 * * p --all\n"), std::string::npos);
  EXPECT_NE(to_systemd(times, "p").find("\nOnCalendar=*-*-02,08,14,20,26 01,07,13,19:30:00 UTC\n"), std::string::npos);
}

TEST(RoundTimes, ListsRunsInTheOrderOfTime) {
  const auto times = round_times(schedule("rotate", 2), {"a", "b", "c"}).value();
  std::string text;
  for (const DueRound& round : due_rounds(times, parse_iso8601("2026-11-08T00:00:00Z").value(), 1)) {
    text += to_iso8601_seconds(round.at).substr(11, 5) + round.region + " ";
  }
  EXPECT_EQ(text, "00:30a 04:30b 08:30c 12:30a 16:30b 20:30c ");
}

TEST(RoundTimes, EscapesPercentSigns) {
  const auto times = round_times(schedule("paired", 24), kSix).value();
  EXPECT_NE(to_crontab(times, "p a%b").find("30 * * * * p a\\%b --all\n"), std::string::npos);
  EXPECT_NE(to_systemd(times, "p a%b").find("/usr/bin/env p a%%b --all\n"), std::string::npos);
}

TEST(RoundTimes, RefusesMoreThanTheyCanHold) {
  EXPECT_EQ(round_times(schedule("paired", 25), kSix).error().kind, ErrorKind::invalid);
  EXPECT_EQ(round_times(schedule("rotate", 300), kSix).error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace parallax::cli
