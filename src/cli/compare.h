// What changed between two results: pairs of the same query, their verdicts, their rows, and how much longer or shorter
// each phase took, with an interval. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cli/results.h"
#include "codec/json.h"

namespace parallax::cli {

// A number of which only a bound may be known, since a time-out is longer than its limit: low == high where it is
// exact, infinite at the open side.
struct Bounded {
  double low = 0;
  double high = 0;

  bool exact() const { return low == high; }
};

// The median of paired values and the interval of order statistics that covers it with 95 % at least, without any
// assumption on their distribution; absent below kPairsMin values, of which there is none.
struct MedianInterval {
  Bounded median;
  std::optional<Bounded> low, high;
};

inline constexpr std::size_t kPairsMin = 6;

MedianInterval median_interval(const std::vector<Bounded>& values);

struct PhaseComparison {
  std::string phase;                        // "resolve", ..., "total"
  std::size_t pairs = 0;                    // that have this phase on both sides
  std::size_t censored = 0;                 // of these, with a time-out in it on one side
  double median_a_us = 0, median_b_us = 0;  // of the sides that were no time-out
  MedianInterval difference_us;             // B - A
  std::optional<MedianInterval> ratio;      // B / A, where no A is zero
};

struct Change {
  std::size_t line_a = 0, line_b = 0;
  std::string what;  // "ra,dec,radius", or the URL
  std::string from, to;
};

struct SeriesComparison {
  std::string name;  // "IPAC_2MASS cone", "IPAC_2MASS tap-sync"
  std::string vantage;
  std::size_t pairs = 0, only_a = 0, only_b = 0;
  std::size_t timed = 0;      // pairs in `phases`: both succeeded, or one did and the other was a time-out
  std::size_t both_late = 0;  // time-outs on both sides: nothing is known of the difference
  std::vector<Change> verdicts, rows;
  std::vector<PhaseComparison> phases;
};

struct Comparison {
  std::vector<SeriesComparison> series;  // by name
  bool by_vantage = false;               // both files have several vantages, and queries are paired within each

  std::size_t pairs() const;
  bool changed() const;  // a verdict or a number of rows
};

// Pairs the k-th query of A with the k-th of B (by time) that ask the same: service, type, mode, connection and cone,
// or URL where there is no cone.
Comparison compare(const Results& a, const Results& b);

std::string compare_text(const Comparison& comparison);
Json compare_json(const Comparison& comparison);
std::string compare_csv(const Comparison& comparison);

}  // namespace parallax::cli
