#include "fleet/region_run.h"

#include <algorithm>

#include <fmt/format.h>

namespace parallax::fleet {

bool is_gone(InstanceState state) {
  return state == InstanceState::terminated || state == InstanceState::shutting_down;
}

namespace {

constexpr int kTroublesToldMax = 100;  // a service that comes and goes must not fill the runs' timelines

}  // namespace

bool effect_unknown(const Error& error) {
  // No host to be had is an answer, though EC2 sends it as a 5xx: nothing was started, and asking again would hammer
  // it.
  const bool capacity = error.code.starts_with("Insufficient");
  return !capacity && (error.kind == ErrorKind::timeout || error.kind == ErrorKind::unavailable ||
                       error.kind == ErrorKind::cancelled || error.kind == ErrorKind::corrupt);
}

const Instance* RegionRun::View::find(const std::string& id) const {
  if (!instances) {
    return nullptr;
  }
  const auto found = std::lower_bound(instances->begin(), instances->end(), id,
                                      [](const Instance& i, const std::string& wanted) { return i.id < wanted; });
  return found == instances->end() || found->id != id ? nullptr : &*found;
}

RegionRun::RegionRun(const FleetDeps& deps, const RoundSpec& round, const RunOptions& options, std::string region,
                     int vantages_in_round, Instant round_start, RunObserver observe, std::stop_token stop,
                     std::stop_token hard_stop)
    : deps_(deps),
      round_(round),
      options_(options),
      api_(deps.client, std::move(region)),
      vantages_in_round_(vantages_in_round),
      round_start_(round_start),
      observe_(std::move(observe)),
      stop_(std::move(stop)),
      hard_stop_(std::move(hard_stop)) {}

void RegionRun::add(const Vantage& vantage, int position, const std::string& run_id) {
  auto v = std::make_unique<VantageRun>();
  v->vantage = vantage;
  v->position = position;
  Run& run = v->outcome.run;
  run.run_id = run_id;
  run.round_id = round_.round_id;
  run.fleet = round_.fleet;
  run.vantage = vantage.name;
  run.region = vantage.instance.region;
  run.instance_id = vantage.instance.id;
  run.instance_type = vantage.instance.type;
  vantages_.push_back(std::move(v));
}

void RegionRun::run() {
  for (const auto& v : vantages_) {
    change(*v, RunState::issued, "");
    first_look(*v);
  }
  while (!all_ended()) {
    if (hard_stop_.stop_requested()) {
      give_up_waiting();
      return;
    }
    if (stop_.stop_requested() && !interrupted_) {
      interrupted_ = true;
      look_before_interrupt();
      interrupt_all();
    }
    stop_due(false);
    claim_all();
    step_all();
    send_due();
    stop_due(true);
    if (!all_ended()) {
      deps_.clock.sleep_for(pause(), interrupted_ ? hard_stop_ : stop_);
    }
  }
}

void RegionRun::step_all() {
  const View view = look();
  for (const auto& v : vantages_) {
    if (v->step != Step::ended) {
      step(*v, view);
    }
    if (view.find(v->vantage.instance.id) != nullptr && v->step != Step::ended) {
      v->next_look = next_look_of(*v);
    }
  }
  if (view.instances) {
    write_leases();
  }
}

RegionOutcome RegionRun::take_outcome() {
  RegionOutcome outcome;
  outcome.region = api_.region();
  for (const auto& v : vantages_) {
    outcome.vantages.push_back(std::move(v->outcome));
  }
  return outcome;
}

RegionApi::Limits RegionRun::limits(Micros timeout, bool while_stopping) const {
  return RegionApi::Limits{now() + timeout, while_stopping || interrupted_ ? hard_stop_ : stop_};
}

Micros RegionRun::longest_run() const {
  // Many machines are started and given their orders one after another.
  const Micros many = static_cast<std::int64_t>(vantages_.size() / kSsmIdsMax) * Seconds(15);
  return options_.start_timeout + options_.agent_timeout + round_.job_timeout + round_.margin + many;
}

Lease RegionRun::lease_of(const VantageRun& v) const {
  return Lease{v.lease_id, options_.owner, round_start_ + longest_run()};
}

void RegionRun::first_look(VantageRun& v) {
  const Instance& instance = v.vantage.instance;
  v.deadline = now() + options_.start_timeout;
  if (instance.state == InstanceState::stopped) {
    v.step = Step::claiming;
    return;
  }
  if (instance.state == InstanceState::stopping) {
    v.step = Step::waiting_stopped;
    return;
  }
  const std::optional<Lease> lease = parse_lease(instance.tag(kLeaseTag));
  const bool dead = lease && deps_.journal != nullptr && deps_.journal->dead_runs().contains(lease->run_id);
  // A machine without a readable lease was started by hand or by a controller that died at once: it has the time that a
  // run of ours would have had.
  const Micros longest = options_.start_timeout + options_.agent_timeout + round_.job_timeout + round_.margin;
  const Instant expiry = lease ? lease->expiry : instance.launch_time.value_or(round_start_) + longest;
  if (dead || deps_.clock.now() > expiry) {
    v.step = Step::clearing;
    v.deadline = now() + options_.stop_timeout;
    v.next_stop_call = now();
    change(v, RunState::starting,
           fmt::format("was left {} by run {}: stopped first", to_string(instance.state),
                       lease ? lease->run_id : "(unknown)"));
    return;
  }
  fail(v, lease ? fmt::format("in use: {}, held by run {} of {} until {}", to_string(instance.state), lease->run_id,
                              lease->owner, to_iso8601_seconds(lease->expiry))
                : fmt::format("in use: {} without a lease of ours, taken as held until {}", to_string(instance.state),
                              to_iso8601_seconds(expiry)));
}

// What is not allowed now will not be allowed at the next look, and the machines cost money meanwhile.
void RegionRun::fail_all(Step step, const std::string& cause) {
  for (const auto& v : vantages_) {
    if (v->step == step) {
      fail(*v, cause);
    }
  }
}

void RegionRun::step(VantageRun& v, const View& view) {
  const Instance* instance = view.find(v.vantage.instance.id);
  if (v.step == Step::stopping || v.step == Step::clearing) {
    step_stopping(v, instance);
    return;
  }
  if (now() >= v.deadline && instance != nullptr && not_ours_any_more(v, *instance)) {
    return;
  }
  if (deadline_passed(v)) {
    return;
  }
  if (v.step == Step::waiting_stopped) {
    step_waiting_stopped(v, instance);
    return;
  }
  if (v.step == Step::running) {
    step_running(v, instance, view);
    return;
  }
  if (instance == nullptr) {
    return;  // not seen this time: the deadline decides
  }
  switch (v.step) {
    case Step::claim_unclear:
      return step_claim_unclear(v, *instance);
    case Step::starting:
      return step_starting(v, *instance, view);
    case Step::waiting_for_agent:
      return step_waiting_for_agent(v, *instance, view);
    case Step::sending:
      return step_sending(v, *instance);
    default:
      return;
  }
}

// What is asked before a machine is stopped without its having been looked at for a while.
bool RegionRun::not_ours_any_more(VantageRun& v, const Instance& instance) {
  switch (v.step) {
    case Step::starting:
    case Step::waiting_for_agent:
      return lost_claim(v, instance);
    case Step::sending:
    case Step::running:
      return superseded(v, instance);
    default:
      return false;
  }
}

bool RegionRun::deadline_passed(VantageRun& v) {
  if (now() < v.deadline) {
    return false;
  }
  const std::string hint =
      look_problem_.empty() ? "" : fmt::format("; the last problem in {}: {}", api_.region(), look_problem_);
  switch (v.step) {
    case Step::waiting_stopped:
      fail(v, fmt::format("still stopping after {}{}", to_human(options_.start_timeout), hint));
      break;
    case Step::claim_unclear:
      // Whoever started it, it may be running without anybody to stop it: ours to stop, then.
      v.claimed = true;
      fail(v, fmt::format("the answer to its start was lost and nothing more was seen of it{}", hint));
      break;
    case Step::starting:
      fail(v, fmt::format("not running {} after its start{}", to_human(options_.start_timeout), hint));
      break;
    case Step::waiting_for_agent:
    case Step::sending:
      fail(v, fmt::format("its SSM agent did not take a command within {}{}", to_human(options_.agent_timeout), hint));
      break;
    case Step::running:
      ignore(api_.cancel(v.command_id, v.vantage.instance.id, limits(kCallTimeout, true)),
             "the machine is stopped next");
      fail(v, fmt::format("the job did not end within {}{}", to_human(round_.job_timeout), hint));
      break;
    default:
      return false;
  }
  return true;
}

void RegionRun::change(VantageRun& v, RunState state, std::string note) {
  Run& run = v.outcome.run;
  run.state = state;
  run.timeline.push_back(RunEvent{deps_.clock.now(), state, std::move(note)});
  if (observe_) {
    observe_(run);
  }
}

// A call has ended; `error` is null where it went well. What lasts is told as a note on every run that waits for it.
void RegionRun::heard(Trouble& trouble, const Error* error, Monotonic began) {
  if (error != nullptr) {
    look_problem_ = error->text();
  }
  Monotonic give_up = Monotonic::max();
  for (const auto& v : vantages_) {
    if (v->step != Step::ended) {
      give_up = std::min(give_up, v->deadline);
    }
  }
  const CallTimes times{began, now(), deps_.clock.now(), give_up};
  const std::optional<std::string> text = error != nullptr ? trouble.failed(*error, times) : trouble.answered(times);
  if (!text || troubles_told_ >= kTroublesToldMax) {
    return;
  }
  ++troubles_told_;
  for (const auto& v : vantages_) {
    if (v->step != Step::ended) {
      change(*v, v->outcome.run.state, *text);
    }
  }
}

bool RegionRun::all_ended() const {
  return std::all_of(vantages_.begin(), vantages_.end(), [](const auto& v) { return v->step == Step::ended; });
}

}  // namespace parallax::fleet
