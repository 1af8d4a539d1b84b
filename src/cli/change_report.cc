#include "cli/change_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/plan_report.h"
#include "cli/region_calls.h"
#include "cli/table.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kIdsShown = 6;

std::string name_of(const fleet::RegionChange& region) {
  return region.region.empty() ? "the account" : region.region;
}

std::size_t count(const fleet::RegionChange& region, fleet::StepState state) {
  return static_cast<std::size_t>(std::count_if(region.steps.begin(), region.steps.end(),
                                                [&](const fleet::StepOutcome& step) { return step.state == state; }));
}

const fleet::StepOutcome* first_failure(const fleet::RegionChange& region) {
  const auto failed = std::find_if(region.steps.begin(), region.steps.end(), [](const fleet::StepOutcome& step) {
    return step.state == fleet::StepState::failed;
  });
  return failed == region.steps.end() ? nullptr : &*failed;
}

std::string result_of(const fleet::RegionChange& region) {
  if (first_failure(region) != nullptr || !region.problem.empty()) {
    return "failed";
  }
  return count(region, fleet::StepState::done) == region.steps.size() ? "done" : "not finished";
}

// The ids of what was made, and what its makers had to say.
std::string made_in(const fleet::RegionChange& region) {
  std::string text;
  std::size_t shown = 0;
  std::size_t more = 0;
  for (const fleet::StepOutcome& step : region.steps) {
    // A machine is launched and stopped: it was made once.
    const bool tells = !step.id.empty() && step.id != step.step.id && text.find(step.id) == std::string::npos;
    if (step.state != fleet::StepState::done || (!tells && step.note.empty())) {
      continue;
    }
    if (shown == kIdsShown) {
      ++more;
      continue;
    }
    ++shown;
    text += fmt::format("{}{}{}{}{}", text.empty() ? "" : ", ", tells ? step.id : step.step.id,
                        step.note.empty() ? "" : " (", step.note, step.note.empty() ? "" : ")");
  }
  return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

Json step_to_json(const fleet::StepOutcome& outcome) {
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  return Json::object({{"step", fleet::to_string(outcome.step.kind)},
                       {"resource", fleet::to_string(outcome.step.resource)},
                       {"name", text(outcome.step.name)},
                       {"id", text(outcome.id.empty() ? outcome.step.id : outcome.id)},
                       {"why", text(outcome.step.why)},
                       {"state", to_string(outcome.state)},
                       {"note", text(outcome.note)},
                       {"took_us", static_cast<std::int64_t>(outcome.took.count())},
                       {"error", outcome.error ? error_to_json(*outcome.error) : Json()}});
}

}  // namespace

std::string_view to_string(fleet::StepState state) {
  switch (state) {
    case fleet::StepState::waiting:
      return "waiting";
    case fleet::StepState::doing:
      return "doing";
    case fleet::StepState::done:
      return "done";
    case fleet::StepState::failed:
      return "failed";
    case fleet::StepState::left:
      return "left";
  }
  return "unknown";
}

std::string change_text(const fleet::ChangeOutcome& outcome) {
  Table table({"region", "result", "steps>", "took>", "made"});
  for (const fleet::RegionChange& region : outcome.regions) {
    table.add({name_of(region), result_of(region),
               fmt::format("{} of {}", count(region, fleet::StepState::done), region.steps.size()),
               fmt::format("{:.1f} s", static_cast<double>(region.took.count()) / 1e6), made_in(region)});
  }
  return table.text();
}

Json change_to_json(const fleet::ChangeOutcome& outcome) {
  JsonArray regions;
  for (const fleet::RegionChange& region : outcome.regions) {
    JsonArray steps;
    for (const fleet::StepOutcome& step : region.steps) {
      steps.push_back(step_to_json(step));
    }
    regions.push_back(Json::object({{"region", region.region.empty() ? Json() : Json(region.region)},
                                    {"result", result_of(region)},
                                    {"problem", region.problem.empty() ? Json() : Json(region.problem)},
                                    {"steps", std::move(steps)}}));
  }
  JsonArray left_running(outcome.left_running.begin(), outcome.left_running.end());
  return Json::object({{"schema", "parallax.change.v1"},
                       {"exit_code", outcome.exit_code},
                       {"regions", std::move(regions)},
                       {"left_running", std::move(left_running)}});
}

std::vector<std::string> change_problems(const fleet::ChangeOutcome& outcome) {
  std::vector<std::string> problems;
  for (const fleet::RegionChange& region : outcome.regions) {
    const fleet::StepOutcome* failed = first_failure(region);
    if (failed != nullptr) {
      problems.push_back(fmt::format("{}: {}: {}", name_of(region), failed->step.text(),
                                     failed->error ? failed->error->text() : failed->note));
    } else if (!region.problem.empty()) {
      problems.push_back(fmt::format("{}: {}", name_of(region), region.problem));
    }
    const std::size_t left =
        region.steps.size() - count(region, fleet::StepState::done) - count(region, fleet::StepState::failed);
    if (left > 0) {
      problems.push_back(fmt::format("{}: {} of {} not done; the same command again goes on from there",
                                     name_of(region), counted(left, "step"), region.steps.size()));
    }
  }
  for (const std::string& machine : outcome.left_running) {
    problems.push_back("may still run: " + machine);
  }
  return problems;
}

}  // namespace parallax::cli
