#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "collector/page_parts.h"

namespace parallax::collector {

namespace {

constexpr int kHeatSteps = 5;
constexpr std::string_view kRelayMark = "\u2020";  // dagger

using Series = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;
using Cells = std::map<std::string, const store::SummaryRow*>;  // by vantage

bool is_relayed(const store::SummaryRow& row) {
  return row.path == "relay" || row.path == "mixed";
}

// "8 ok, 2 timeout"
std::string verdict_text(const store::SummaryRow& row) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < kVerdictNames.size(); ++i) {
    if (row.verdicts[i] > 0) {
      parts.push_back(fmt::format("{} {}", row.verdicts[i], kVerdictNames[i]));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// The same as a picture: widths in percent of the row's count. The text beside it says the same in words.
Html verdict_bar(const store::SummaryRow& row) {
  std::vector<Html> parts;
  double x = 0;
  for (std::size_t i = 0; i < kVerdictNames.size(); ++i) {
    if (row.verdicts[i] == 0) {
      continue;
    }
    const auto verdict = static_cast<Verdict>(i);
    const double width = 100.0 * static_cast<double>(row.verdicts[i]) / static_cast<double>(row.count);
    const char* kind = verdict == Verdict::ok ? "good" : is_success(verdict) ? "fair" : "bad";
    parts.push_back(element("rect", {{"class", kind},
                                     {"x", fmt::format("{:.2f}", x)},
                                     {"y", "0"},
                                     {"width", fmt::format("{:.2f}", width)},
                                     {"height", "4"}}));
    x += width;
  }
  return element("svg",
                 {{"class", "bar"}, {"viewBox", "0 0 100 4"}, {"preserveAspectRatio", "none"}, {"aria-hidden", "true"}},
                 parts);
}

Html duration(std::int64_t micros) {
  return to_human(Micros(micros));
}

Html cell(const store::SummaryRow* row, std::int64_t fastest, std::int64_t slowest) {
  if (row == nullptr) {
    return element("td", {{"class", "none"}}, {"\u2013"});
  }
  std::vector<Html> parts;
  std::string kind = "failed";
  if (row->median_total_us) {
    kind = fmt::format("heat{}", heat(*row->median_total_us, fastest, slowest));
    parts.push_back(element("span", {{"class", "median"}},
                            {duration(*row->median_total_us), is_relayed(*row) ? Html(kRelayMark) : Html()}));
  } else {
    parts.push_back(element("span", {{"class", "median"}}, {"\u2013"}));
  }
  if (row->median_first_byte_us) {
    parts.push_back(element("span", {{"class", "first"}}, {"first byte ", duration(*row->median_first_byte_us)}));
  }
  parts.push_back(verdict_bar(*row));
  parts.push_back(element("span", {{"class", "counts"}}, {verdict_text(*row)}));
  return element("td", {{"class", kind}}, parts);
}

Html series_head(const Series& series, bool ambiguous) {
  const auto& [provider, service, type, mode, connection, definition] = series;
  Html detail(provider);
  for (const std::string& word : {type, mode}) {
    if (!word.empty()) {
      detail.add(" \u00b7 ").add(word);
    }
  }
  if (ambiguous) {
    detail.add(" \u00b7 ").add(connection).add(" \u00b7 definition ").add(definition.substr(0, 8));
  }
  return element(
      "th", {{"scope", "row"}},
      {element("span", {{"class", "service"}}, {service}), element("span", {{"class", "detail"}}, {detail})});
}

Html series_row(const Series& series, const Cells& cells, const std::set<std::string>& vantages, bool ambiguous) {
  std::int64_t fastest = 0;
  std::int64_t slowest = 0;
  for (const auto& [vantage, row] : cells) {
    if (row->median_total_us) {
      fastest = fastest == 0 ? *row->median_total_us : std::min(fastest, *row->median_total_us);
      slowest = std::max(slowest, *row->median_total_us);
    }
  }
  std::vector<Html> columns = {series_head(series, ambiguous)};
  for (const std::string& vantage : vantages) {
    const auto found = cells.find(vantage);
    columns.push_back(cell(found == cells.end() ? nullptr : found->second, fastest, slowest));
  }
  return element("tr", {}, columns);
}

Html foot(const store::Summary& summary, bool relayed) {
  Html text(
      "Medians over successful queries; total from the first step of the query to its last byte. "
      "Tints compare the vantages of one row.");
  if (summary.partial) {
    text.add(Html(fmt::format(" Only the latest {} measurements are shown.", with_commas(summary.measurements))));
  }
  Html notes = element("p", {{"class", "note"}}, {text});
  if (relayed) {
    notes.add(element("p", {{"class", "note"}},
                      {kRelayMark, " path = relay: distance is simulated; connect is not delayed by the relay."}));
  }
  return notes;
}

}  // namespace

int heat(std::int64_t value, std::int64_t fastest, std::int64_t slowest) {
  const auto low = static_cast<double>(std::max<std::int64_t>(fastest, 1));
  const auto high = static_cast<double>(std::max<std::int64_t>(slowest, 1));
  if (high < 1.1 * low) {
    return 0;
  }
  const double share = std::log(std::max(static_cast<double>(value), low) / low) / std::log(high / low);
  return std::clamp(static_cast<int>(std::lround(share * kHeatSteps)), 0, kHeatSteps);
}

Html summary_table(const store::Summary& summary) {
  if (summary.rows.empty()) {
    return element("p", {{"class", "empty"}}, {"No measurements yet."});
  }
  std::map<Series, Cells> series;
  std::set<std::string> vantages;
  bool relayed = false;
  for (const store::SummaryRow& row : summary.rows) {
    const Series key(row.provider, row.service, row.type, row.mode, row.connection, row.definition);
    series[key][row.vantage] = &row;
    vantages.insert(row.vantage);
    relayed = relayed || is_relayed(row);
  }
  // A service whose definition changed has several series of one name: only then it says which.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, int> named;
  for (const auto& [key, cells] : series) {
    ++named[{std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key)}];
  }
  std::vector<Html> head = {element("th", {{"scope", "col"}}, {"Service"})};
  for (const std::string& vantage : vantages) {
    head.push_back(element("th", {{"scope", "col"}}, {vantage}));
  }
  std::vector<Html> rows;
  for (const auto& [key, cells] : series) {
    const bool ambiguous = named[{std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key)}] > 1;
    rows.push_back(series_row(key, cells, vantages, ambiguous));
  }
  Html html = element("div", {{"class", "scroll"}, {"tabindex", "0"}},
                      {element("table", {{"id", "summary"}},
                               {element("thead", {}, {element("tr", {}, head)}), element("tbody", {}, rows)})});
  return html.add(foot(summary, relayed));
}

}  // namespace parallax::collector
