#include <fmt/format.h>

#include "base/text.h"
#include "collector/page_parts.h"

namespace parallax::collector {

namespace {

constexpr std::size_t kStepsMax = 20;
constexpr std::size_t kTextBytesMax = 500;
constexpr const char* kUnknown = "unknown";

Html head_row(const std::vector<std::string>& names) {
  std::vector<Html> cells;
  cells.reserve(names.size());
  for (const std::string& name : names) {
    cells.push_back(element("th", {{"scope", "col"}}, {name}));
  }
  return element("thead", {}, {element("tr", {}, cells)});
}

Html scrolling_table(const std::string& id, const Html& head, const std::vector<Html>& rows) {
  return element("div", {{"class", "scroll"}, {"tabindex", "0"}},
                 {element("table", {{"id", id}}, {head, element("tbody", {}, rows)})});
}

std::string cut(const std::string& text) {
  return terminal_safe(text, kTextBytesMax);
}

// Each state with the time that passed since the one before.
Html steps(const Run& run) {
  std::vector<Html> items;
  for (std::size_t i = 0; i < run.timeline.size() && i < kStepsMax; ++i) {
    const RunEvent& event = run.timeline[i];
    std::vector<Html> parts = {std::string(to_string(event.state))};
    if (i > 0) {
      parts.push_back(element("small", {}, {" +", to_human(event.at - run.timeline[i - 1].at)}));
    }
    items.push_back(
        element("li", {{"class", fmt::format("step {}", to_string(event.state))}, {"title", cut(event.note)}}, parts));
  }
  if (run.timeline.size() > kStepsMax) {
    items.push_back(element("li", {{"class", "step"}}, {fmt::format("{} more", run.timeline.size() - kStepsMax)}));
  }
  return element("ol", {{"class", "steps"}}, items);
}

Html cause(const Run& run) {
  Html html(cut(run.cause));
  if (!run.log_tail.empty()) {
    html.add(
        element("details", {}, {element("summary", {}, {"output"}), element("pre", {}, {Html::lines(run.log_tail)})}));
  }
  return html;
}

Html run_row(const Run& run) {
  std::optional<Instant> start = run.started_at;
  if (!start && !run.timeline.empty()) {
    start = run.timeline.front().at;
  }
  return element(
      "tr", {},
      {element("th", {{"scope", "row"}}, {run.vantage, element("span", {{"class", "detail"}}, {run.instance_type})}),
       element("td", {{"class", fmt::format("state {}", to_string(run.state))}}, {std::string(to_string(run.state))}),
       element("td", {}, {start ? time_of(*start) : Html("\u2013")}), element("td", {}, {steps(run)}),
       element("td", {{"class", "number"}}, {run.billed_seconds ? fmt::format("{} s", *run.billed_seconds) : kUnknown}),
       element("td", {{"class", "number"}}, {run.cost_usd ? fmt::format("${:.5f}", *run.cost_usd) : kUnknown}),
       element("td", {{"class", "number"}}, {run.exit_code ? fmt::format("{}", *run.exit_code) : "\u2013"}),
       element("td", {{"class", "cause"}}, {cause(run)})});
}

Html failure_row(const Measurement& m) {
  Html message(cut(m.message));
  return element(
      "tr", {},
      {element("td", {}, {m.started_at ? time_of(*m.started_at) : Html()}), element("td", {}, {m.vantage}),
       element("td", {}, {m.service, element("span", {{"class", "detail"}}, {m.provider})}),
       element("td", {}, {std::string(to_string(m.verdict)), element("span", {{"class", "detail"}}, {cut(m.code)})}),
       element("td", {{"class", "cause"}}, {message})});
}

}  // namespace

Html time_of(Instant instant) {
  const std::string text = to_iso8601_seconds(instant);
  return element("time", {{"datetime", text}},
                 {element("span", {{"class", "day"}}, {text.substr(0, 10)}), " ", text.substr(11, 8), " UTC"});
}

std::string with_commas(std::int64_t number) {
  std::string text = fmt::format("{}", number);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(text.size()) - 3;
       i > 0 && text[static_cast<std::size_t>(i) - 1] != '-'; i -= 3) {
    text.insert(static_cast<std::size_t>(i), ",");
  }
  return text;
}

Html runs_table(const std::vector<Run>& runs) {
  if (runs.empty()) {
    return element("p", {{"class", "empty"}}, {"No runs yet."});
  }
  std::vector<Html> rows;
  rows.reserve(runs.size());
  for (const Run& run : runs) {
    rows.push_back(run_row(run));
  }
  return scrolling_table(
      "runs", head_row({"Vantage", "State", "Start", "Steps", "Billed", "Cost", "Exit", "Cause and output"}), rows);
}

Html failures_table(const std::vector<Measurement>& failures) {
  if (failures.empty()) {
    return element("p", {{"class", "empty"}}, {"Every query has succeeded."});
  }
  std::vector<Html> rows;
  rows.reserve(failures.size());
  for (const Measurement& failure : failures) {
    rows.push_back(failure_row(failure));
  }
  return scrolling_table("failures", head_row({"Time", "Vantage", "Service", "Verdict", "Message"}), rows);
}

}  // namespace parallax::collector
