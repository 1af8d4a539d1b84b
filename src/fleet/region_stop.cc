// How a machine of ours ends: stopped and seen stopped, billed, told.
#include <algorithm>

#include <fmt/format.h>

#include "base/sim_bugs.h"
#include "fleet/prices.h"
#include "fleet/region_run.h"

namespace parallax::fleet {

namespace {

constexpr Micros kStopAgain{Seconds(15)};
constexpr Micros kStopAgainAfterError{Seconds(2)};
constexpr int kStopsBeforeForce = 8;  // two minutes of asking politely

}  // namespace

void RegionRun::fail(VantageRun& v, std::string cause) {
  Run& run = v.outcome.run;
  if (run.cause.empty()) {
    run.cause = std::move(cause);
  }
  if (v.claimed) {
    begin_stopping(v);
  } else {
    end(v);
  }
}

void RegionRun::begin_stopping(VantageRun& v) {
  if (sim_bug(&SimBugs::skip_stop)) {
    end(v);
    return;
  }
  v.step = Step::stopping;
  v.deadline = now() + options_.stop_timeout;
  // Where another one has just started it, its lease is awaited first: see step_taken_over.
  const bool awaits_heir = v.heir_since != Monotonic();
  v.stop_answered = v.stop_answered || awaits_heir;
  v.stop_answered_at = awaits_heir ? now() : v.stop_answered_at;
  v.next_stop_call = awaits_heir ? Monotonic::max() : now();
  v.next_look = awaits_heir ? now() : Monotonic::max();  // until the stop was asked for
  change(v, RunState::stopping, v.outcome.run.cause);
  ec2_.tell_anew();
}

// One call for all that are due. What was stopped before is stopped again only after a look: another may have started
// it since.
void RegionRun::stop_due(bool looked) {
  std::vector<VantageRun*> polite;
  std::vector<VantageRun*> forced;
  for (const auto& v : vantages_) {
    const bool stopping = v->step == Step::stopping || v->step == Step::clearing;
    if (stopping && now() >= v->next_stop_call && (looked || !v->stop_answered)) {
      (v->stop_calls >= kStopsBeforeForce ? forced : polite).push_back(v.get());
    }
  }
  for (const auto* due : {&polite, &forced}) {
    for (std::size_t begin = 0; begin < due->size(); begin += kEc2IdsMax) {
      const auto first = due->begin() + static_cast<std::ptrdiff_t>(begin);
      call_stop({first, first + static_cast<std::ptrdiff_t>(std::min(kEc2IdsMax, due->size() - begin))},
                due == &forced);
    }
  }
}

void RegionRun::call_stop(const std::vector<VantageRun*>& due, bool force) {
  std::vector<std::string> ids;
  ids.reserve(due.size());
  for (const VantageRun* v : due) {
    ids.push_back(v->vantage.instance.id);
  }
  const Monotonic began = now();
  const Result<std::vector<StateChange>> stopped = api_.stop(ids, force, limits(kCallTimeout, true));
  heard(ec2_, stopped ? nullptr : &stopped.error(), began);
  // One machine that is gone fails the whole call; what throttles or does not answer would fail each of them too.
  if (!stopped && due.size() > 1 && stopped.error().kind != ErrorKind::throttled && !effect_unknown(stopped.error())) {
    for (VantageRun* v : due) {
      call_stop({v}, force);
    }
    return;
  }
  for (VantageRun* v : due) {
    v->stop_calls += stopped ? 1 : 0;
    if (stopped && !v->stop_answered) {
      v->stop_answered = true;
      v->stop_answered_at = now();
    }
    v->next_look = next_look_of(*v);
    v->next_stop_call = now() + (stopped ? kStopAgain : kStopAgainAfterError);
  }
}

// Between two looks of ours it can have stopped and another controller can have started it: it is no longer ours to
// stop.
bool RegionRun::started_by_another(const VantageRun& v, const Instance& instance) {
  if (instance.state != InstanceState::pending && instance.state != InstanceState::running) {
    return false;
  }
  const std::string text = instance.tag(kLeaseTag);
  const std::optional<Lease> lease = parse_lease(text);
  const std::string before = v.step == Step::clearing ? v.vantage.instance.tag(kLeaseTag) : v.prior_lease;
  if (lease && text != before && lease->run_id != v.lease_id) {
    return true;
  }
  const std::optional<Instant> launched = v.step == Step::clearing ? v.vantage.instance.launch_time : v.own_launch;
  return launched && instance.launch_time && *instance.launch_time > *launched;
}

// True: another controller has started what we were to stop.
bool RegionRun::step_taken_over(VantageRun& v, const Instance& instance) {
  if (!v.stop_answered || !started_by_another(v, instance)) {
    return false;
  }
  if (v.step == Step::clearing) {
    fail(v, "in use: another controller started it as soon as it was stopped");
    return true;
  }
  switch (heir_of(v, instance)) {
    case Heir::awaited:
      v.next_stop_call = Monotonic::max();
      return true;
    case Heir::missing:
      v.own_launch = instance.launch_time;
      v.heir_since = Monotonic();
      v.next_stop_call = now();
      v.deadline = now() + options_.stop_timeout;
      return true;
    default:
      settle_bill(v, &instance);
      end(v);
      return true;
  }
}

void RegionRun::step_stopping(VantageRun& v, const Instance* instance) {
  if (instance != nullptr && step_taken_over(v, *instance)) {
    return;
  }
  // EC2 refuses to stop what is being terminated, and a view that shows that much is not from before the start.
  if (instance != nullptr &&
      (is_gone(instance->state) || (v.stop_answered && instance->state == InstanceState::stopped))) {
    if (v.step == Step::clearing && is_gone(instance->state)) {
      fail(v, fmt::format("it is {}", to_string(instance->state)));
      return;
    }
    if (v.step == Step::clearing) {
      v.vantage.instance = *instance;
      v.stop_answered = false;
      v.stop_answered_at = Monotonic();
      v.stop_calls = 0;
      v.step = Step::claiming;
      if (interrupted_) {
        fail(v, "interrupted before it was started");
      }
      return;
    }
    settle_bill(v, instance);
    end(v);
    return;
  }
  if (now() >= v.deadline) {
    Run& run = v.outcome.run;
    v.outcome.left_running = true;
    v.outcome.timer_note = v.timer_armed ? fmt::format("its own timer powers it off {} minutes after its order arrived",
                                                       timer_minutes(round_))
                                         : "no timer is armed on it: stop it by hand or with 'parallax fleet stop'";
    run.cause += fmt::format("{}could not be seen stopped within {}: {}", run.cause.empty() ? "" : "; ",
                             to_human(options_.stop_timeout), look_problem_);
    end(v);
  }
}

void RegionRun::settle_bill(VantageRun& v, const Instance* instance) {
  Run& run = v.outcome.run;
  run.stopped_at = instance->stopped_at ? *instance->stopped_at : deps_.clock.now();
  const std::optional<Instant> launched = run.started_at ? run.started_at : instance->launch_time;
  if (!launched || launched == v.prior_launch) {
    return;  // it never ran
  }
  run.started_at = launched;
  run.billed_seconds = billed_seconds(*run.stopped_at - *launched);
  run.cost_usd = run_cost(run.region, run.instance_type, *run.billed_seconds);
}

void RegionRun::end(VantageRun& v) {
  v.step = Step::ended;
  change(v, v.outcome.run.cause.empty() ? RunState::done : RunState::failed, v.outcome.run.cause);
  // The last one of a lease ends it.
  const bool last = std::none_of(vantages_.begin(), vantages_.end(), [&](const auto& other) {
    return other->lease_id == v.lease_id && (other->step != Step::ended || other->outcome.left_running);
  });
  if (deps_.journal != nullptr && last && !v.lease_id.empty()) {
    ignore(deps_.journal->ended(v.lease_id), "the journal only speeds recovery");
  }
}

void RegionRun::interrupt_all() {
  for (const auto& v : vantages_) {
    switch (v->step) {
      case Step::ended:
      case Step::stopping:
      case Step::clearing:
      case Step::claim_unclear:  // settled at the next look
        break;
      case Step::running:
        ignore(api_.cancel(v->command_id, v->vantage.instance.id, limits(kCallTimeout, true)),
               "the machine is stopped next");
        fail(*v, "interrupted");
        break;
      default:
        fail(*v, v->claimed ? "interrupted" : "interrupted before it was started");
    }
  }
}

// Asked a second time to end at once: say what may still run.
void RegionRun::give_up_waiting() {
  for (const auto& v : vantages_) {
    if (v->step == Step::ended) {
      continue;
    }
    v->outcome.left_running = v->claimed || v->step == Step::claim_unclear;
    v->outcome.timer_note =
        v->timer_armed
            ? fmt::format("its own timer powers it off {} minutes after its order arrived", timer_minutes(round_))
            : "no timer is armed on it";
    fail(*v, "interrupted twice");
    v->step = Step::ended;
  }
}

}  // namespace parallax::fleet
