#include "cli/round_report.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "cli/table.h"

namespace parallax::cli {

namespace {

std::string milliseconds(const std::optional<std::int64_t>& us) {
  return us ? fmt::format("{:.0f}", static_cast<double>(*us) / 1000) : "-";
}

std::string verdicts_of(const store::SummaryRow& row) {
  std::string text;
  for (std::size_t i = 0; i < row.verdicts.size(); ++i) {
    if (row.verdicts[i] > 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", row.verdicts[i], kVerdictNames[i]);
    }
  }
  return text;
}

}  // namespace

std::string summary_table(const store::Summary& summary, const std::vector<std::string>& vantages) {
  using Series = std::tuple<std::string, std::string, std::string, std::string>;
  std::map<Series, std::map<std::string, const store::SummaryRow*>> by_series;
  for (const store::SummaryRow& row : summary.rows) {
    by_series[{row.provider, row.service, row.type, row.mode}][row.vantage] = &row;
  }
  std::vector<std::string> headers = {"service"};
  headers.insert(headers.end(), vantages.begin(), vantages.end());
  Table table(std::move(headers));
  for (const auto& [series, cells] : by_series) {
    const auto& [provider, service, type, mode] = series;
    std::vector<std::string> times = {fmt::format("{} {}{}{}", service, type, mode.empty() ? "" : " ", mode)};
    std::vector<std::string> verdicts = {fmt::format("  {}", provider)};
    for (const std::string& vantage : vantages) {
      const auto cell = cells.find(vantage);
      if (cell == cells.end()) {
        times.emplace_back("-");
        verdicts.emplace_back("");
        continue;
      }
      const store::SummaryRow& row = *cell->second;
      times.push_back(row.median_total_us ? fmt::format("{} / {} ms", milliseconds(row.median_total_us),
                                                        milliseconds(row.median_first_byte_us))
                                          : "-");
      verdicts.push_back(verdicts_of(row));
    }
    table.add(std::move(times));
    table.add(std::move(verdicts));
  }
  return table.text();
}

std::string cost_table(const fleet::RoundOutcome& outcome) {
  Table table({"vantage", "type", "billed s>", "cost>", "state"});
  std::int64_t seconds = 0;
  double usd = 0;
  bool known = true;
  for (const fleet::RegionOutcome& region : outcome.regions) {
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      const Run& run = vantage.run;
      seconds += run.billed_seconds.value_or(0);
      usd += run.cost_usd.value_or(0);
      known = known && (run.cost_usd.has_value() || !run.billed_seconds.has_value());
      table.add({run.vantage, run.instance_type, run.billed_seconds ? fmt::format("{}", *run.billed_seconds) : "-",
                 !run.billed_seconds ? "-"
                 : run.cost_usd      ? fmt::format("${:.5f}", *run.cost_usd)
                                     : "unknown",
                 vantage.left_running ? "MAY STILL RUN" : std::string(to_string(run.state))});
    }
  }
  table.add({"all", "", fmt::format("{}", seconds), known ? fmt::format("${:.5f}", usd) : "unknown", ""});
  return table.text();
}

}  // namespace parallax::cli
