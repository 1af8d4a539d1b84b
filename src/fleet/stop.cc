#include "fleet/stop.h"

#include <algorithm>

#include <fmt/format.h>

#include "fleet/lease.h"
#include "fleet/prices.h"
#include "fleet/tasks.h"
#include "fleet/trouble.h"

namespace parallax::fleet {

namespace {

constexpr Micros kCallTimeout{Seconds(30)};
constexpr Micros kStopAgain{Seconds(15)};

// One region's machines until all are stopped or the deadline has passed.
class RegionStop {
 public:
  RegionStop(const FleetDeps& deps, const RegionVantages& region, Micros poll, Monotonic deadline, std::stop_token stop,
             TroubleObserver observe)
      : deps_(deps),
        api_(deps.client, region.region),
        poll_(poll),
        deadline_(deadline),
        stop_(std::move(stop)),
        observe_(std::move(observe)) {
    for (const Vantage& vantage : region.vantages) {
      StopOutcome outcome{region.region, vantage.name, vantage.instance.id, false, ""};
      if (vantage.instance.state == InstanceState::stopped) {
        outcome.stopped = true;
        outcome.note = "was stopped already";
      }
      outcomes_.push_back(std::move(outcome));
    }
  }

  std::vector<StopOutcome> run() {
    const Monotonic begin = deps_.clock.monotonic();
    Monotonic next_call = begin;
    for (;;) {
      const std::vector<std::string> waiting = waiting_ids();
      if (waiting.empty()) {
        return std::move(outcomes_);
      }
      const Monotonic now = deps_.clock.monotonic();
      if (now >= deadline_ || stop_.stop_requested()) {
        give_up();
        return std::move(outcomes_);
      }
      if (now >= next_call) {
        const Result<std::vector<StateChange>> called = api_.stop(waiting, false, {now + kCallTimeout, stop_});
        answered_ = answered_ || called.has_value();
        heard(called ? nullptr : &called.error(), now);
        next_call = now + (called ? kStopAgain : 2 * poll_);
      }
      deps_.clock.sleep_for(poll_, stop_);
      look(waiting, begin);
    }
  }

 private:
  // A call has ended; `error` is null where it went well.
  void heard(const Error* error, Monotonic began) {
    problem_ = error == nullptr ? "" : error->text();
    const CallTimes times{began, deps_.clock.monotonic(), deps_.clock.now(), deadline_};
    const std::optional<std::string> text =
        error == nullptr ? trouble_.answered(times) : trouble_.failed(*error, times);
    if (text && observe_) {
      observe_(api_.region(), *text);
    }
  }

  std::vector<std::string> waiting_ids() const {
    std::vector<std::string> ids;
    for (const StopOutcome& outcome : outcomes_) {
      if (!outcome.stopped) {
        ids.push_back(outcome.instance_id);
      }
    }
    return ids;
  }

  void look(const std::vector<std::string>& ids, Monotonic begin) {
    const Monotonic looked = deps_.clock.monotonic();
    const Result<std::vector<Instance>> seen = api_.instances_by_id(ids, {looked + kCallTimeout, stop_});
    heard(seen ? nullptr : &seen.error(), looked);
    if (!seen) {
      return;
    }
    for (const Instance& instance : *seen) {
      const bool gone = instance.state == InstanceState::stopped || instance.state == InstanceState::terminated;
      const auto outcome = std::find_if(outcomes_.begin(), outcomes_.end(),
                                        [&](const StopOutcome& o) { return o.instance_id == instance.id; });
      if (gone && answered_ && outcome != outcomes_.end()) {
        outcome->stopped = true;
        outcome->note = fmt::format("stopped in {}", to_human(deps_.clock.monotonic() - begin));
      }
    }
  }

  void give_up() {
    for (StopOutcome& outcome : outcomes_) {
      if (!outcome.stopped) {
        outcome.note = fmt::format("not seen stopped{}{}; it may still run: try again, or stop it in the AWS console",
                                   problem_.empty() ? "" : ": ", problem_);
      }
    }
  }

  const FleetDeps& deps_;
  const RegionApi api_;
  const Micros poll_;
  const Monotonic deadline_;
  const std::stop_token stop_;
  const TroubleObserver observe_;
  std::vector<StopOutcome> outcomes_;
  bool answered_ = false;
  std::string problem_;
  Trouble trouble_{"EC2"};
};

void look_closer(CheckRow& row, const RegionApi& api, const std::map<std::string, Instant>& pings,
                 const RegionApi::Limits& limits, Instant now) {
  const Instance& instance = row.vantage.instance;
  const Result<std::string> behaviour = api.shutdown_behaviour(instance.id, limits);
  if (!behaviour) {
    row.problems.push_back("its shutdown behaviour cannot be read: " + behaviour.error().text());
  } else {
    row.shutdown_behaviour = *behaviour;
    if (*behaviour != "stop") {
      row.problems.push_back(
          fmt::format("its shutdown behaviour is '{}': a run is refused until it is 'stop'", *behaviour));
    }
  }
  if (const auto ping = pings.find(instance.id); ping != pings.end()) {
    row.last_ping = ping->second;
  }
  const std::optional<Lease> lease = parse_lease(instance.tag(kLeaseTag));
  if (instance.state == InstanceState::running && (!lease || lease->expiry < now)) {
    row.problems.push_back(
        lease ? fmt::format("running although its lease (run {}) expired at {}", lease->run_id,
                            to_iso8601_seconds(lease->expiry))
              : std::string("running without a lease: not started by parallax, or its controller died"));
  }
  if (!hourly_price(instance.region, instance.type)) {
    row.problems.push_back(
        fmt::format("the price of {} in {} is not known: costs print as unknown", instance.type, instance.region));
  }
}

}  // namespace

std::vector<StopOutcome> stop_vantages(const FleetDeps& deps, const std::vector<RegionVantages>& vantages, Micros poll,
                                       Micros timeout, std::stop_token stop, const TroubleObserver& observe) {
  std::vector<std::vector<StopOutcome>> found(vantages.size());
  const Monotonic deadline = deps.clock.monotonic() + timeout;
  for_each_task(deps.executor, "stop", vantages.size(), [&](std::size_t i) {
    const RegionVantages& region = vantages[i];
    if (!region.problem.empty()) {
      found[i].push_back(StopOutcome{region.region, region.region, "", false, region.problem});
    }
    RegionStop work(deps, region, poll, deadline, stop, observe);
    std::vector<StopOutcome> outcomes = work.run();
    std::move(outcomes.begin(), outcomes.end(), std::back_inserter(found[i]));
  });
  std::vector<StopOutcome> all;
  for (std::vector<StopOutcome>& region : found) {
    std::move(region.begin(), region.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<RegionCheck> check_vantages(const FleetDeps& deps, const std::vector<RegionVantages>& vantages,
                                        Micros timeout, std::stop_token stop) {
  std::vector<RegionCheck> checks(vantages.size());
  const RegionApi::Limits limits{deps.clock.monotonic() + timeout, stop};
  for_each_task(deps.executor, "check", vantages.size(), [&](std::size_t i) {
    const RegionVantages& region = vantages[i];
    checks[i].region = region.region;
    checks[i].problem = region.problem;
    const RegionApi api(deps.client, region.region);
    std::vector<std::string> running;
    for (const Vantage& vantage : region.vantages) {
      if (vantage.instance.state == InstanceState::running) {
        running.push_back(vantage.instance.id);
      }
    }
    const Result<std::map<std::string, Instant>> pings = api.agent_pings(running, limits);
    if (!pings && checks[i].problem.empty()) {
      checks[i].problem = pings.error().text();
    }
    for (const Vantage& vantage : region.vantages) {
      CheckRow row{vantage, "", std::nullopt, {}};
      look_closer(row, api, pings.value_or({}), limits, deps.clock.now());
      checks[i].rows.push_back(std::move(row));
    }
  });
  return checks;
}

}  // namespace parallax::fleet
