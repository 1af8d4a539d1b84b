#include "fleet/run.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "fleet/region_run.h"
#include "fleet/tasks.h"
#include "fleet/trouble.h"

namespace parallax::fleet {

namespace {

int exit_code_of(const RoundOutcome& outcome, bool interrupted) {
  if (interrupted) {
    return 130;
  }
  int all = 0;
  int failed = 0;
  bool in_part = false;
  bool in_spool = false;
  bool left_running = false;
  for (const RegionOutcome& region : outcome.regions) {
    if (!region.problem.empty()) {
      ++all;
      ++failed;
    }
    for (const VantageOutcome& vantage : region.vantages) {
      ++all;
      failed += vantage.run.state == RunState::done ? 0 : 1;
      in_part = in_part || vantage.run.exit_code == 3;
      in_spool = in_spool || vantage.run.exit_code == 4;
      left_running = left_running || vantage.left_running;
    }
  }
  if (left_running || failed == all) {
    return 1;
  }
  return failed > 0 || in_part ? 3 : in_spool ? 4 : 0;
}

constexpr Micros kFindGapFirst{Seconds(1)};
constexpr Micros kFindGapMax{Seconds(30)};

// The first look at a region. Six regions at once, from an account that others use too, meet throttling here first.
Result<std::vector<Instance>> find_instances(const FleetDeps& deps, const RegionApi& api, const std::string& fleet,
                                             Monotonic deadline, const std::stop_token& stop,
                                             const TroubleObserver& observe) {
  Trouble trouble("EC2");
  for (Micros gap = kFindGapFirst;; gap = std::min(2 * gap, kFindGapMax)) {
    const Monotonic began = deps.clock.monotonic();
    Result<std::vector<Instance>> found = api.instances_by_tag(kFleetTag, fleet, {deadline, stop});
    const Monotonic now = deps.clock.monotonic();
    const CallTimes times{began, now, deps.clock.now(), deadline};
    const std::optional<std::string> text = found ? trouble.answered(times) : trouble.failed(found.error(), times);
    if (text && observe) {
      observe(api.region(), *text);
    }
    const bool again = !found && found.error().kind == ErrorKind::throttled && now + gap < deadline;
    if (!again || !deps.clock.sleep_for(gap, stop)) {
      return found;
    }
  }
}

}  // namespace

std::vector<RegionVantages> find_vantages(const FleetDeps& deps, const std::string& fleet,
                                          const std::vector<std::string>& regions, Micros timeout, std::stop_token stop,
                                          const TroubleObserver& observe) {
  std::vector<RegionVantages> found(regions.size());
  for_each_task(deps.executor, "find", regions.size(), [&](std::size_t i) {
    RegionVantages& region = found[i];
    region.region = regions[i];
    const RegionApi api(deps.client, regions[i]);
    const Result<std::vector<Instance>> instances =
        find_instances(deps, api, fleet, deps.clock.monotonic() + timeout, stop, observe);
    if (!instances) {
      region.problem = instances.error().text();
      region.unseen = true;
      return;
    }
    for (const Instance& instance : *instances) {
      const bool single = instances->size() == 1;
      region.vantages.push_back(Vantage{single ? regions[i] : regions[i] + "/" + instance.id, instance});
    }
    if (region.vantages.empty()) {
      region.problem = fmt::format("no instance has the tag {}={}", kFleetTag, fleet);
    }
  });
  return found;
}

RoundOutcome run_round(const FleetDeps& deps, const RoundSpec& round, const RunOptions& options,
                       const std::vector<RegionVantages>& vantages, const RunObserver& observe, std::stop_token stop,
                       std::stop_token hard_stop) {
  const Instant round_start = deps.clock.now();
  int count = 0;
  for (const RegionVantages& region : vantages) {
    count += static_cast<int>(region.vantages.size());
  }
  // Who comes first at a provider is drawn anew each round, so that no place is always the one with cold caches.
  std::vector<int> positions(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < positions.size(); ++i) {
    positions[i] = static_cast<int>(i);
  }
  for (std::size_t i = positions.size(); i > 1; --i) {
    std::swap(positions[i - 1], positions[deps.rng.below(i)]);
  }
  std::vector<std::unique_ptr<RegionRun>> runs;
  std::size_t next = 0;
  for (const RegionVantages& region : vantages) {
    runs.push_back(
        std::make_unique<RegionRun>(deps, round, options, region.region, count, round_start, observe, stop, hard_stop));
    for (const Vantage& vantage : region.vantages) {
      runs.back()->add(vantage, positions[next++], make_ulid(round_start, deps.rng));
    }
  }
  for_each_task(deps.executor, "region", runs.size(), [&](std::size_t i) { runs[i]->run(); });
  RoundOutcome outcome;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    outcome.regions.push_back(runs[i]->take_outcome());
    outcome.regions.back().problem = vantages[i].problem;
  }
  outcome.exit_code = exit_code_of(outcome, stop.stop_requested());
  return outcome;
}

std::string describe_outcome(const VantageOutcome& outcome) {
  const Run& run = outcome.run;
  std::string text = fmt::format("{}: {}", run.vantage, to_string(run.state));
  if (run.exit_code) {
    text += fmt::format(", exit code {}", *run.exit_code);
  }
  if (run.billed_seconds) {
    text += fmt::format(", {} s billed", *run.billed_seconds);
  }
  if (!run.cause.empty()) {
    text += ": " + run.cause;
  }
  if (outcome.left_running) {
    text += fmt::format(". {} MAY STILL BE RUNNING: {}", run.instance_id, outcome.timer_note);
  }
  return text;
}

}  // namespace parallax::fleet
