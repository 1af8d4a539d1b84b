#include "cli/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace parallax::cli {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct NamedPhase {
  std::string_view name;
  std::optional<std::int64_t> PhaseTimes::*time;
};

constexpr std::array<NamedPhase, 6> kPhases = {{{"resolve", &PhaseTimes::resolve_us},
                                                {"connect", &PhaseTimes::connect_us},
                                                {"tls", &PhaseTimes::tls_us},
                                                {"send", &PhaseTimes::send_us},
                                                {"first_byte", &PhaseTimes::first_byte_us},
                                                {"transfer", &PhaseTimes::transfer_us}}};

std::string what_of(const Measurement& m) {
  return m.ra && m.dec && m.radius ? fmt::format("{:.6f},{:.6f},{:.6f}", *m.ra, *m.dec, *m.radius) : m.url;
}

std::string series_of(const Measurement& m) {
  return fmt::format("{} {}{}{}", m.service, m.type, m.mode.empty() ? "" : "-" + m.mode,
                     m.connection.empty() || m.connection == "cold" ? "" : " " + m.connection);
}

using Pointers = std::vector<const ResultRow*>;

struct Sides {
  Pointers a, b;
};

struct SeriesKey {
  std::string name, vantage;

  friend bool operator<(const SeriesKey& a, const SeriesKey& b) {
    return std::tie(a.name, a.vantage) < std::tie(b.name, b.vantage);
  }
};

using Grouped = std::map<SeriesKey, std::map<std::string, Sides>>;

std::size_t vantages_of(const Results& results) {
  std::set<std::string_view> names;
  for (const ResultRow& row : results.rows) {
    names.insert(row.m.vantage);
  }
  return names.size();
}

void group(const Results& results, bool by_vantage, Pointers Sides::*side, Grouped& groups) {
  for (const ResultRow& row : results.rows) {
    const SeriesKey key{series_of(row.m), by_vantage ? row.m.vantage : ""};
    (groups[key][what_of(row.m)].*side).push_back(&row);
  }
}

void sort_by_time(Pointers& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const ResultRow* a, const ResultRow* b) {
    return a->m.started_at.value_or(Instant()) < b->m.started_at.value_or(Instant());
  });
}

// How long the phase took; of the phase in which a time-out fell, longer than that.
std::optional<Bounded> duration_of(const Measurement& m, std::string_view phase,
                                   const std::optional<std::int64_t>& time) {
  const bool late = m.verdict == Verdict::timeout && (phase == "total" || m.failed_phase == phase);
  std::optional<std::int64_t> known = time;
  if (late && !known) {
    known = m.limit_us;
  }
  if (!known) {
    return std::nullopt;
  }
  const auto value = static_cast<double>(*known);
  Bounded duration{value, value};
  if (late) {
    duration.high = kInfinity;
  }
  return duration;
}

double median_of(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Pair {
  Bounded a, b;
};

PhaseComparison compare_phase(std::string_view phase, const std::vector<Pair>& pairs) {
  PhaseComparison result;
  result.phase = phase;
  result.pairs = pairs.size();
  std::vector<double> a;
  std::vector<double> b;
  std::vector<Bounded> differences;
  std::vector<Bounded> ratios;
  for (const Pair& pair : pairs) {
    result.censored += pair.a.exact() && pair.b.exact() ? 0U : 1U;
    if (pair.a.exact()) {
      a.push_back(pair.a.low);
    }
    if (pair.b.exact()) {
      b.push_back(pair.b.low);
    }
    differences.push_back({pair.b.low - pair.a.high, pair.b.high - pair.a.low});
    if (pair.a.low > 0) {
      ratios.push_back({pair.a.exact() ? pair.b.low / pair.a.low : -kInfinity, pair.b.high / pair.a.low});
    }
  }
  result.median_a_us = median_of(std::move(a));
  result.median_b_us = median_of(std::move(b));
  result.difference_us = median_interval(differences);
  if (ratios.size() == pairs.size()) {
    result.ratio = median_interval(ratios);
  }
  return result;
}

// Whether the pair says something of durations.
bool is_timed(const Measurement& a, const Measurement& b) {
  const bool late_a = a.verdict == Verdict::timeout;
  const bool late_b = b.verdict == Verdict::timeout;
  return (is_success(a.verdict) || late_a) && (is_success(b.verdict) || late_b) && !(late_a && late_b);
}

void compare_times(const std::vector<std::pair<const Measurement*, const Measurement*>>& timed, bool same_phases,
                   SeriesComparison& series) {
  const auto add = [&](std::string_view name, const auto& time_of) {
    std::vector<Pair> pairs;
    for (const auto& [a, b] : timed) {
      const std::optional<Bounded> in_a = duration_of(*a, name, time_of(*a));
      const std::optional<Bounded> in_b = duration_of(*b, name, time_of(*b));
      if (in_a && in_b) {
        pairs.push_back({*in_a, *in_b});
      }
    }
    if (!pairs.empty()) {
      series.phases.push_back(compare_phase(name, pairs));
    }
  };
  for (const NamedPhase& phase : kPhases) {
    // servicemon's time until the answer is there begins before the name is looked up.
    if (phase.name == "first_byte" && !same_phases) {
      continue;
    }
    add(phase.name, [&](const Measurement& m) { return m.times.*phase.time; });
  }
  add("total", [](const Measurement& m) { return std::optional(m.total_us); });
}

std::string verdict_text(const Measurement& m) {
  return m.code.empty() ? std::string(to_string(m.verdict)) : fmt::format("{} {}", to_string(m.verdict), m.code);
}

SeriesComparison compare_series(const SeriesKey& key, bool same_phases, std::map<std::string, Sides>& queries) {
  SeriesComparison series;
  series.name = key.name;
  series.vantage = key.vantage;
  std::vector<std::pair<const Measurement*, const Measurement*>> timed;
  for (auto& [what, sides] : queries) {
    sort_by_time(sides.a);
    sort_by_time(sides.b);
    const std::size_t both = std::min(sides.a.size(), sides.b.size());
    series.pairs += both;
    series.only_a += sides.a.size() - both;
    series.only_b += sides.b.size() - both;
    for (std::size_t i = 0; i < both; ++i) {
      const ResultRow& a = *sides.a[i];
      const ResultRow& b = *sides.b[i];
      if (a.m.verdict != b.m.verdict) {
        series.verdicts.push_back({a.line, b.line, what, verdict_text(a.m), verdict_text(b.m)});
      }
      if (is_success(a.m.verdict) && is_success(b.m.verdict) && a.m.rows && b.m.rows && *a.m.rows != *b.m.rows) {
        series.rows.push_back({a.line, b.line, what, std::to_string(*a.m.rows), std::to_string(*b.m.rows)});
      }
      if (is_timed(a.m, b.m)) {
        timed.emplace_back(&a.m, &b.m);
      }
      series.both_late += a.m.verdict == Verdict::timeout && b.m.verdict == Verdict::timeout ? 1U : 0U;
    }
  }
  series.timed = timed.size();
  compare_times(timed, same_phases, series);
  return series;
}

// The rank (from 1) of the lower end: the largest d with P(fewer than d of n below the median) <= 2.5 %; 0 where there
// is none.
std::size_t lower_rank(std::size_t n) {
  constexpr double kTail = 0.025;
  const double log_half = static_cast<double>(n) * std::log(0.5);
  double below = 0;
  std::size_t rank = 0;
  double log_choose = 0;
  for (std::size_t k = 0; k < n; ++k) {
    below += std::exp(log_choose + log_half);
    if (below > kTail) {
      break;
    }
    rank = k + 1;
    log_choose += std::log(static_cast<double>(n - k)) - std::log(static_cast<double>(k + 1));
  }
  return rank;
}

}  // namespace

MedianInterval median_interval(const std::vector<Bounded>& values) {
  MedianInterval result;
  const std::size_t n = values.size();
  if (n == 0) {
    return result;
  }
  // What is sorted by its lower bounds and what is sorted by its upper bounds have the statistic between them.
  std::vector<double> low;
  std::vector<double> high;
  for (const Bounded& value : values) {
    low.push_back(value.low);
    high.push_back(value.high);
  }
  std::sort(low.begin(), low.end());
  std::sort(high.begin(), high.end());
  const auto at = [&](std::size_t i) { return Bounded{low[i], high[i]}; };
  const Bounded left = at((n - 1) / 2);
  const Bounded right = at(n / 2);
  result.median = n % 2 == 1 ? left : Bounded{(left.low + right.low) / 2, (left.high + right.high) / 2};
  const std::size_t rank = n < kPairsMin ? 0 : lower_rank(n);
  if (rank > 0) {
    result.low = at(rank - 1);
    result.high = at(n - rank);
  }
  return result;
}

std::size_t Comparison::pairs() const {
  std::size_t sum = 0;
  for (const SeriesComparison& one : series) {
    sum += one.pairs;
  }
  return sum;
}

bool Comparison::changed() const {
  return std::any_of(series.begin(), series.end(),
                     [](const SeriesComparison& one) { return !one.verdicts.empty() || !one.rows.empty(); });
}

Comparison compare(const Results& a, const Results& b) {
  Comparison comparison;
  comparison.by_vantage = vantages_of(a) > 1 && vantages_of(b) > 1;
  Grouped groups;
  group(a, comparison.by_vantage, &Sides::a, groups);
  group(b, comparison.by_vantage, &Sides::b, groups);
  const bool same_phases = (a.format == ResultFormat::servicemon) == (b.format == ResultFormat::servicemon);
  for (auto& [key, queries] : groups) {
    comparison.series.push_back(compare_series(key, same_phases, queries));
  }
  return comparison;
}

}  // namespace parallax::cli
