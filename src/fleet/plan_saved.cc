// Saved plans: what was shown is what is done, or nothing is.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codec/json.h"
#include "fleet/plan_parts.h"

namespace parallax::fleet {

namespace {

constexpr std::size_t kRegionsMax = 1000;
constexpr std::size_t kStepsMax = 1'000'000;
constexpr std::size_t kPlanBytesMax = 256U << 20U;
constexpr std::size_t kToldMax = 10;  // differences that a message lists

Error bad(std::string message) {
  return make_error(ErrorKind::invalid, "this is no saved plan: " + std::move(message));
}

std::string line_of(const std::string& region, std::string_view text) {
  return fmt::format("{}: {}", region.empty() ? "account" : region, text);
}

std::vector<std::string> lines_of(const Plan& plan) {
  std::vector<std::string> lines;
  lines.reserve(plan.count_steps());
  for (const Step& step : plan.steps) {
    lines.push_back(line_of("", step.text()));
  }
  for (const RegionPlan& region : plan.regions) {
    for (const Step& step : region.steps) {
      lines.push_back(line_of(region.region, step.text()));
    }
  }
  return lines;
}

Result<> read_steps(const Json& json, const std::string& region, SavedPlan& plan) {
  for (const Json& step : json.list("steps")) {
    if (plan.steps.size() >= kStepsMax) {
      return bad(fmt::format("it has more than {} steps", kStepsMax));
    }
    plan.steps.push_back(line_of(region, step.text("text")));
  }
  return {};
}

Result<PlanKind> read_kind(const std::string& word) {
  for (const PlanKind kind : {PlanKind::apply, PlanKind::clear, PlanKind::adopt}) {
    if (to_string(kind) == word) {
      return kind;
    }
  }
  return bad(fmt::format("its kind is '{}'", word));
}

// Those of `a` that `b` lacks, as often as it lacks them.
std::vector<std::string> beyond(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<std::string> more;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(more));
  return more;
}

void tell(std::vector<std::string>& told, std::string_view what, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    told.push_back(fmt::format("{}: {}", what, line));
  }
}

std::string listed(std::vector<std::string> told) {
  const std::size_t more = told.size() > kToldMax ? told.size() - kToldMax : 0;
  told.resize(told.size() - more);
  if (more > 0) {
    told.push_back(fmt::format("and {} more", more));
  }
  return fmt::format("\n  {}", fmt::join(told, "\n  "));
}

std::vector<std::string> moved_regions(const SavedPlan& saved, const Plan& plan) {
  std::vector<std::string> told;
  for (const RegionPlan& region : plan.regions) {
    const auto before = saved.region_hashes.find(region.region);
    if (before != saved.region_hashes.end() && before->second != region.hash) {
      told.push_back(fmt::format("{}: its resources are others than at the plan", region.region));
    }
  }
  return told;
}

}  // namespace

Result<SavedPlan> read_saved_plan(std::string_view text) {
  const Result<Json> json = parse_json(text, {.bytes_max = kPlanBytesMax});
  if (!json) {
    return bad(json.error().message);
  }
  if (json->text("schema") != "parallax.plan.v1") {
    return bad("its schema is not parallax.plan.v1; make one with 'parallax fleet plan --out FILE'");
  }
  SavedPlan plan;
  plan.kind = TRY(read_kind(json->text("kind")));
  plan.account = json->text("account");
  plan.fleet = json->text("fleet");
  plan.hash = json->text("hash");
  plan.deep = json->boolean("deep", false);
  if (plan.hash.empty()) {
    return bad("it has no hash: it could not be made whole");
  }
  if (const Json* source = json->find("config"); source != nullptr) {
    plan.source = PlanSource{source->text("path"), source->text("sha256")};
    if (plan.source->path.empty() || plan.source->sha256.empty()) {
      return bad("its config has no path or no sha256");
    }
  }
  TRY(read_steps(*json, "", plan));
  for (const Json& region : json->list("regions")) {
    if (plan.regions.size() >= kRegionsMax) {
      return bad(fmt::format("it has more than {} regions", kRegionsMax));
    }
    plan.regions.push_back(region.text("region"));
    plan.region_hashes[plan.regions.back()] = region.text("hash");
    TRY(read_steps(region, plan.regions.back(), plan));
  }
  return plan;
}

Result<> check_saved_plan(const SavedPlan& saved, const Plan& plan) {
  const auto moved = [](const std::string& what) {
    return make_error(ErrorKind::conflict,
                      fmt::format("this is not what was planned, nothing is done: {}\nMake a new plan.", what));
  };
  if (!plan.problem.empty()) {
    return moved(plan.problem);
  }
  if (saved.kind != plan.kind) {
    return moved(fmt::format("the plan is for '{}'", to_string(saved.kind)));
  }
  if (saved.account != plan.account) {
    return moved(
        fmt::format("the plan is for the account {}, the credentials are those of {}", saved.account, plan.account));
  }
  if (saved.fleet != plan.fleet) {
    return moved(fmt::format("the plan is for the fleet {}, the configuration names {}", saved.fleet, plan.fleet));
  }
  std::vector<std::string> regions;
  for (const RegionPlan& region : plan.regions) {
    regions.push_back(region.region);
  }
  std::vector<std::string> told;
  tell(told, "region only in the plan", beyond(saved.regions, regions));
  tell(told, "region not in the plan", beyond(regions, saved.regions));
  const std::vector<std::string> now = lines_of(plan);
  const std::vector<std::string> new_steps = beyond(now, saved.steps);
  if (saved.hash == plan.hash && new_steps.empty() && told.empty()) {
    return {};
  }
  tell(told, "needed now, not planned", new_steps);
  if (saved.hash != plan.hash) {
    tell(told, "planned, not needed now", beyond(saved.steps, now));
    const std::vector<std::string> others = moved_regions(saved, plan);
    told.insert(told.end(), others.begin(), others.end());
  }
  if (told.empty()) {
    told.emplace_back("the configuration, home's originals, or role and instance profile have changed");
  }
  return moved(listed(std::move(told)));
}

}  // namespace parallax::fleet
