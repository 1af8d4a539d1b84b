#include "cli/compare.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace parallax::cli {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Measurement measured(double ra, std::int64_t first_byte_us, std::int64_t rows = 3) {
  Measurement m;
  m.service = "s";
  m.type = "cone";
  m.ra = ra;
  m.dec = 2;
  m.radius = 0.5;
  m.times.first_byte_us = first_byte_us;
  m.total_us = first_byte_us;
  m.rows = rows;
  m.columns = 1;
  m.started_at = Instant(Seconds(1'700'000'000));
  return m;
}

Measurement late(double ra, std::int64_t limit_us) {
  Measurement m = measured(ra, limit_us);
  m.verdict = Verdict::timeout;
  m.code = m.failed_phase = "first_byte";
  m.limit_us = limit_us;
  m.rows.reset();
  return m;
}

Results results_of(const std::vector<Measurement>& list) {
  Results results;
  for (std::size_t i = 0; i < list.size(); ++i) {
    results.rows.push_back({i + 1, list[i]});
  }
  return results;
}

const PhaseComparison& phase_of(const Comparison& comparison, std::string_view name) {
  for (const PhaseComparison& phase : comparison.series.at(0).phases) {
    if (phase.phase == name) {
      return phase;
    }
  }
  static const PhaseComparison none;
  return none;
}

TEST(MedianIntervalTest, HasTheRanksOfTheBinomial) {
  // Median, 95 %: n = 24 ranks 7 to 18, 48: 17 to 32, 100: 40 to 61; 6: all of them; none below.
  for (const auto& [n, low, high] : {std::tuple(6, 1, 6), {24, 7, 18}, {48, 17, 32}, {100, 40, 61}}) {
    std::vector<Bounded> values;
    for (int i = n; i >= 1; --i) {
      values.push_back({static_cast<double>(i), static_cast<double>(i)});
    }
    const MedianInterval interval = median_interval(values);
    EXPECT_DOUBLE_EQ(interval.median.low, (n + 1) / 2.0);
    ASSERT_TRUE(interval.low && interval.high) << n;
    EXPECT_DOUBLE_EQ(interval.low->low, low) << n;
    EXPECT_DOUBLE_EQ(interval.high->high, high) << n;
  }
  EXPECT_FALSE(median_interval({{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}}).low);
}

TEST(MedianIntervalTest, CoversTheMedianAsOftenAsItSays) {
  Xoshiro rng(7);
  int covered = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Bounded> values;
    for (int i = 0; i < 25; ++i) {
      const double value = static_cast<double>(rng.below(1'000'000'007)) / 1e9 - 0.5;
      values.push_back({value * value * value, value * value * value});
    }
    const MedianInterval interval = median_interval(values);
    covered += interval.low->low <= 0 && 0 <= interval.high->high ? 1 : 0;
  }
  EXPECT_GE(covered, kTrials * 94 / 100);
  EXPECT_LE(covered, kTrials * 98 / 100) << "not wider than it needs to be (95.7 % at 25)";
}

TEST(MedianIntervalTest, ABoundStaysABound) {
  const MedianInterval interval =
      median_interval({{1, 1}, {2, 2}, {3, 3}, {4, kInfinity}, {4, kInfinity}, {4, kInfinity}, {0, 0}});
  EXPECT_TRUE(interval.median.exact());
  EXPECT_DOUBLE_EQ(interval.median.low, 3);
  EXPECT_DOUBLE_EQ(interval.high->low, 4);
  EXPECT_DOUBLE_EQ(interval.high->high, kInfinity);
}

TEST(CompareTest, PairsBySameQueryAndTellsWhatChanged) {
  Measurement broken = measured(3, 50);
  broken.verdict = Verdict::http_error;
  broken.code = "http-500";
  broken.rows.reset();
  const Results a = results_of({measured(1, 10), measured(2, 20), measured(3, 30), measured(9, 1)});
  const Results b = results_of({broken, measured(2, 21, 5), measured(1, 12)});
  const Comparison comparison = compare(a, b);
  ASSERT_EQ(comparison.series.size(), 1U);
  const SeriesComparison& series = comparison.series[0];
  EXPECT_EQ(series.name, "s cone");
  EXPECT_EQ(series.pairs, 3U);
  EXPECT_EQ(series.only_a, 1U);
  EXPECT_EQ(series.only_b, 0U);
  ASSERT_EQ(series.verdicts.size(), 1U);
  EXPECT_EQ(series.verdicts[0].from, "ok");
  EXPECT_EQ(series.verdicts[0].to, "http-error http-500");
  EXPECT_EQ(series.verdicts[0].line_a, 3U);
  EXPECT_EQ(series.verdicts[0].line_b, 1U);
  ASSERT_EQ(series.rows.size(), 1U);
  EXPECT_EQ(series.rows[0].from + series.rows[0].to, "35");
  EXPECT_EQ(phase_of(comparison, "total").pairs, 2U) << "a failure's duration is none of the service's";
  EXPECT_TRUE(comparison.changed());
  EXPECT_FALSE(compare(a, a).changed());
}

TEST(CompareTest, MedianDifferenceAndRatio) {
  std::vector<Measurement> a;
  std::vector<Measurement> b;
  for (int i = 0; i < 20; ++i) {
    a.push_back(measured(i, 100 + 7 * i));
    b.push_back(measured(i, 2 * (100 + 7 * i)));
  }
  const Comparison comparison = compare(results_of(a), results_of(b));
  const PhaseComparison& phase = phase_of(comparison, "first_byte");
  EXPECT_EQ(phase.pairs, 20U);
  ASSERT_TRUE(phase.ratio);
  EXPECT_DOUBLE_EQ(phase.ratio->median.low, 2);
  EXPECT_DOUBLE_EQ(phase.ratio->low->low, 2);
  EXPECT_DOUBLE_EQ(phase.difference_us.median.low, 166.5);
  EXPECT_LT(phase.difference_us.low->low, 166.5);
  EXPECT_EQ(phase_of(comparison, "tls").pairs, 0U) << "a phase that nobody had";
}

TEST(CompareTest, ATimeOutIsLongerThanItsLimitAndNoNumber) {
  std::vector<Measurement> a;
  std::vector<Measurement> b;
  for (int i = 0; i < 9; ++i) {
    a.push_back(measured(i, 100));
    b.push_back(i < 3 ? late(i, 1000) : measured(i, 110 + i));
  }
  b.push_back(late(50, 1000));
  a.push_back(late(50, 1000));
  const Comparison comparison = compare(results_of(a), results_of(b));
  const PhaseComparison& phase = phase_of(comparison, "first_byte");
  EXPECT_EQ(comparison.series[0].both_late, 1U);
  EXPECT_EQ(phase.pairs, 9U);
  EXPECT_EQ(phase.censored, 3U);
  EXPECT_TRUE(phase.difference_us.median.exact()) << "most did come";
  EXPECT_DOUBLE_EQ(phase.difference_us.median.low, 17);
  EXPECT_DOUBLE_EQ(phase.difference_us.high->low, 900);
  EXPECT_DOUBLE_EQ(phase.difference_us.high->high, kInfinity);
  EXPECT_DOUBLE_EQ(phase.median_b_us, 115.5) << "of those that came";
  const std::string text = compare_text(comparison);
  EXPECT_NE(text.find("9 (3 late)"), std::string::npos) << text;
  EXPECT_NE(text.find("> +900 us"), std::string::npos) << text;
  // The other way around it is a saving of unknown size.
  const PhaseComparison back = phase_of(compare(results_of(b), results_of(a)), "first_byte");
  EXPECT_DOUBLE_EQ(back.difference_us.low->high, -900);
  EXPECT_DOUBLE_EQ(back.difference_us.low->low, -kInfinity);
}

TEST(CompareTest, ServicemonsTimeUntilTheAnswerIsNoPhaseOfOurs) {
  Results ours = results_of({measured(1, 10)});
  Results theirs = results_of({measured(1, 10)});
  theirs.format = ResultFormat::servicemon;
  EXPECT_EQ(phase_of(compare(ours, theirs), "first_byte").pairs, 0U);
  EXPECT_EQ(phase_of(compare(ours, theirs), "total").pairs, 1U);
  EXPECT_EQ(phase_of(compare(theirs, theirs), "first_byte").pairs, 1U);
}

TEST(CompareTest, SeveralVantagesArePairedWithThemselves) {
  Measurement here = measured(1, 10);
  here.vantage = "here";
  Measurement there = measured(1, 99);
  there.vantage = "there";
  const Comparison both = compare(results_of({here, there}), results_of({there, here}));
  EXPECT_TRUE(both.by_vantage);
  ASSERT_EQ(both.series.size(), 2U);
  EXPECT_DOUBLE_EQ(both.series[0].phases.back().difference_us.median.low, 0);
  const Comparison one = compare(results_of({here}), results_of({there}));
  EXPECT_FALSE(one.by_vantage);
  EXPECT_EQ(one.pairs(), 1U);
}

TEST(CompareTest, JsonAndCsvHaveTheSameNumbers) {
  const Comparison comparison = compare(results_of({measured(1, 10)}), results_of({measured(1, 30, 4)}));
  const Json json = compare_json(comparison);
  EXPECT_TRUE(json.boolean("changed", false));
  const Json& series = json.list("series").front();
  EXPECT_EQ(series.list("row_changes").front().text("b"), "4");
  EXPECT_EQ(series.list("phases").front().at("difference_us", "median")->number(), 20);
  EXPECT_TRUE(series.list("phases").front().at("difference_us", "low_95")->is_null());
  const std::string csv = compare_csv(comparison);
  EXPECT_NE(csv.find("\ns cone,,1,0,0,0,1,first_byte,1,0,10,30,20,,,3,,\n"), std::string::npos) << csv;
}

}  // namespace
}  // namespace parallax::cli
