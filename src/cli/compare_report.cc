#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/compare.h"
#include "cli/table.h"
#include "codec/csv.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kChangesShown = 20;  // of a series and kind, in the table; JSON has all

std::string signed_time(double micros) {
  const auto whole = Micros(std::llround(std::abs(micros)));
  return (micros < 0 && whole > Micros(0) ? "-" : "+") + to_human(whole);
}

std::string factor(double value) {
  return fmt::format("{:.3g}", value);
}

// "12 ms"; "> 12 ms" or "< 12 ms" where only a bound is known.
template <typename Show>
std::string shown(const Bounded& value, Show show) {
  if (value.exact()) {
    return show(value.low);
  }
  if (std::isfinite(value.low)) {
    return (value.high > value.low ? "> " : "") + show(value.low);
  }
  return std::isfinite(value.high) ? "< " + show(value.high) : "unknown";
}

template <typename Show>
std::string interval(const MedianInterval& value, Show show) {
  if (!value.low || !value.high) {
    return fmt::format("fewer than {} pairs", kPairsMin);
  }
  return fmt::format("{} to {}", shown(*value.low, show), shown(*value.high, show));
}

std::string changes_text(std::string_view title, const std::vector<Change>& changes) {
  std::string text;
  for (std::size_t i = 0; i < changes.size() && i < kChangesShown; ++i) {
    const Change& change = changes[i];
    text += fmt::format("  {}: {} -> {}  {}  (lines {} and {})\n", title, terminal_safe(change.from, 100),
                        terminal_safe(change.to, 100), terminal_safe(change.what, 300), change.line_a, change.line_b);
  }
  if (changes.size() > kChangesShown) {
    text += fmt::format("  {}: and {} more (--output json has all)\n", title, changes.size() - kChangesShown);
  }
  return text;
}

std::string series_text(const SeriesComparison& series) {
  std::string text = fmt::format("{}{}{}\n", terminal_safe(series.name, 200), series.vantage.empty() ? "" : " from ",
                                 terminal_safe(series.vantage, 100));
  text += fmt::format("  {} pairs, {} only in A, {} only in B; {} verdicts and {} numbers of rows changed\n",
                      series.pairs, series.only_a, series.only_b, series.verdicts.size(), series.rows.size());
  if (series.both_late > 0) {
    text += fmt::format("  {} pairs with time-outs on both sides say nothing of the difference\n", series.both_late);
  }
  text += changes_text("verdict", series.verdicts);
  text += changes_text("rows", series.rows);
  if (series.phases.empty()) {
    return text;
  }
  Table table({"  phase", "pairs>", "A>", "B>", "B - A>", "95 %", "B / A>", "95 %"});
  for (const PhaseComparison& phase : series.phases) {
    table.add({"  " + phase.phase,
               fmt::format("{}{}", phase.pairs, phase.censored > 0 ? fmt::format(" ({} late)", phase.censored) : ""),
               to_human(Micros(std::llround(phase.median_a_us))), to_human(Micros(std::llround(phase.median_b_us))),
               shown(phase.difference_us.median, signed_time), interval(phase.difference_us, signed_time),
               phase.ratio ? shown(phase.ratio->median, factor) : "",
               phase.ratio ? interval(*phase.ratio, factor) : ""});
  }
  return text + table.text();
}

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json bounded_json(const Bounded& value) {
  return value.exact() ? number(value.low)
                       : Json::object({{"above", number(value.low)}, {"below", number(value.high)}});
}

Json interval_json(const MedianInterval& value) {
  return Json::object({{"median", bounded_json(value.median)},
                       {"low_95", value.low ? bounded_json(*value.low) : Json()},
                       {"high_95", value.high ? bounded_json(*value.high) : Json()}});
}

Json changes_json(const std::vector<Change>& changes) {
  Json json = Json::array();
  for (const Change& change : changes) {
    json.push(Json::object({{"query", change.what},
                            {"a", change.from},
                            {"b", change.to},
                            {"line_a", static_cast<std::int64_t>(change.line_a)},
                            {"line_b", static_cast<std::int64_t>(change.line_b)}}));
  }
  return json;
}

Json phase_json(const PhaseComparison& phase) {
  return Json::object({{"phase", phase.phase},
                       {"pairs", static_cast<std::int64_t>(phase.pairs)},
                       {"censored", static_cast<std::int64_t>(phase.censored)},
                       {"median_a_us", phase.median_a_us},
                       {"median_b_us", phase.median_b_us},
                       {"difference_us", interval_json(phase.difference_us)},
                       {"ratio", phase.ratio ? interval_json(*phase.ratio) : Json()}});
}

}  // namespace

std::string compare_text(const Comparison& comparison) {
  std::string text;
  for (const SeriesComparison& series : comparison.series) {
    text += (text.empty() ? "" : "\n") + series_text(series);
  }
  return text;
}

Json compare_json(const Comparison& comparison) {
  Json list = Json::array();
  for (const SeriesComparison& series : comparison.series) {
    Json phases = Json::array();
    for (const PhaseComparison& phase : series.phases) {
      phases.push(phase_json(phase));
    }
    list.push(Json::object({{"series", series.name},
                            {"vantage", series.vantage.empty() ? Json() : Json(series.vantage)},
                            {"pairs", static_cast<std::int64_t>(series.pairs)},
                            {"only_a", static_cast<std::int64_t>(series.only_a)},
                            {"only_b", static_cast<std::int64_t>(series.only_b)},
                            {"timed", static_cast<std::int64_t>(series.timed)},
                            {"both_late", static_cast<std::int64_t>(series.both_late)},
                            {"verdict_changes", changes_json(series.verdicts)},
                            {"row_changes", changes_json(series.rows)},
                            {"phases", std::move(phases)}}));
  }
  return Json::object({{"pairs", static_cast<std::int64_t>(comparison.pairs())},
                       {"changed", comparison.changed()},
                       {"series", std::move(list)}});
}

std::string compare_csv(const Comparison& comparison) {
  CsvLine line;
  for (const char* name : {"series", "vantage", "pairs", "only_a", "only_b", "verdict_changes", "row_changes", "phase",
                           "phase_pairs", "censored", "median_a_us", "median_b_us", "difference_us",
                           "difference_low_us", "difference_high_us", "ratio", "ratio_low", "ratio_high"}) {
    line.text(name);
  }
  std::string text = line.take();
  // Only what is exact: of a bound, CSV would make a number.
  const auto put = [&](const std::optional<Bounded>& value) {
    line.number(value && value->exact() && std::isfinite(value->low) ? fmt::format("{}", value->low) : "");
  };
  const auto start = [&](const SeriesComparison& series) {
    line.text(terminal_safe(series.name)).text(terminal_safe(series.vantage));
    for (const std::size_t count :
         {series.pairs, series.only_a, series.only_b, series.verdicts.size(), series.rows.size()}) {
      line.number(std::to_string(count));
    }
  };
  for (const SeriesComparison& series : comparison.series) {
    for (const PhaseComparison& phase : series.phases) {
      start(series);
      line.text(phase.phase).number(std::to_string(phase.pairs)).number(std::to_string(phase.censored));
      line.number(fmt::format("{}", phase.median_a_us)).number(fmt::format("{}", phase.median_b_us));
      put(phase.difference_us.median);
      put(phase.difference_us.low);
      put(phase.difference_us.high);
      put(phase.ratio ? std::optional(phase.ratio->median) : std::nullopt);
      put(phase.ratio ? phase.ratio->low : std::nullopt);
      put(phase.ratio ? phase.ratio->high : std::nullopt);
      text += line.take();
    }
    if (series.phases.empty()) {
      start(series);
      for (int i = 0; i < 11; ++i) {
        line.text("");
      }
      text += line.take();
    }
  }
  return text;
}

}  // namespace parallax::cli
