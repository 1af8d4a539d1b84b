#include "fleet/region_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/sim_bugs.h"
#include "fleet/prices.h"

namespace parallax::fleet {

namespace {

constexpr Micros kCallTimeout{Seconds(30)};
// How long a lost answer to a start is left open before the machine is taken as ours: whoever else started it has
// written its lease by then.
constexpr Micros kUnclearGrace{Seconds(6)};
constexpr int kClaimAttemptsMax = 5;
constexpr int kSendAttemptsMax = 10;
constexpr Micros kSendPause{Seconds(2)};
constexpr Micros kStopAgain{Seconds(15)};
constexpr Micros kStopAgainAfterError{Seconds(2)};
constexpr int kStopsBeforeForce = 8;  // two minutes of asking politely
constexpr Micros kInvocationUnknown{Seconds(30)};
constexpr Micros kDeliveryTimeout{Seconds(60)};
constexpr std::size_t kLogTailBytes = 4000;

bool is_gone(InstanceState state) {
  return state == InstanceState::terminated || state == InstanceState::shutting_down;
}

// No host to be had is an answer, though EC2 sends it as a 5xx: nothing was started, and asking again would hammer it.
bool is_capacity(const Error& error) {
  return error.code.starts_with("Insufficient");
}

bool effect_unknown(const Error& error) {
  if (is_capacity(error)) {
    return false;
  }
  return error.kind == ErrorKind::timeout || error.kind == ErrorKind::unavailable ||
         error.kind == ErrorKind::cancelled || error.kind == ErrorKind::corrupt;
}

std::string tail(const std::string& text) {
  return text.size() <= kLogTailBytes ? text : text.substr(text.size() - kLogTailBytes);
}

}  // namespace

const Instance* RegionRun::View::find(const std::string& id) const {
  const auto found = std::find_if(instances.begin(), instances.end(), [&](const Instance& i) { return i.id == id; });
  return found == instances.end() ? nullptr : &*found;
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
      interrupt_all();
    }
    claim_all();
    const std::optional<View> view = look();
    for (const auto& v : vantages_) {
      if (v->step != Step::ended) {
        step(*v, view ? &*view : nullptr);
      }
    }
    if (!all_ended()) {
      deps_.clock.sleep_for(options_.poll, interrupted_ ? hard_stop_ : stop_);
    }
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

Lease RegionRun::lease_of(const VantageRun& v) const {
  const Micros longest = options_.start_timeout + options_.agent_timeout + round_.job_timeout + round_.margin;
  return Lease{v.outcome.run.run_id, options_.owner, round_start_ + longest};
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

std::optional<RegionRun::View> RegionRun::look() {
  std::vector<std::string> ids;
  std::vector<std::string> waiting;
  for (const auto& v : vantages_) {
    if (v->step != Step::ended) {
      ids.push_back(v->vantage.instance.id);
    }
    if (v->step == Step::waiting_for_agent) {
      waiting.push_back(v->vantage.instance.id);
    }
  }
  View view;
  if (ids.empty()) {
    return view;
  }
  Result<std::vector<Instance>> instances = api_.instances_by_id(ids, limits(kCallTimeout, false));
  if (!instances) {
    look_problem_ = instances.error().text();
    return std::nullopt;
  }
  view.instances = std::move(instances).value();
  if (!waiting.empty()) {
    const Result<std::map<std::string, Instant>> pings = api_.agent_pings(waiting, limits(kCallTimeout, false));
    if (pings) {
      view.pings = *pings;
    } else {
      look_problem_ = pings.error().text();
    }
  }
  return view;
}

void RegionRun::step(VantageRun& v, const View* view) {
  const Instance* instance = view == nullptr ? nullptr : view->find(v.vantage.instance.id);
  if (v.step == Step::stopping || v.step == Step::clearing) {
    step_stopping(v, instance);
    return;
  }
  if (deadline_passed(v)) {
    return;
  }
  if (v.step == Step::waiting_stopped) {
    step_waiting_stopped(v, instance);
    return;
  }
  if (instance == nullptr) {
    return;  // not seen this time: the deadline decides
  }
  switch (v.step) {
    case Step::claim_unclear:
      return step_claim_unclear(v, *instance);
    case Step::starting:
      return step_starting(v, *instance);
    case Step::waiting_for_agent:
      return step_waiting_for_agent(v, *instance, *view);
    case Step::sending:
      return step_sending(v, *instance);
    case Step::running:
      return step_running(v, *instance);
    default:
      return;
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

void RegionRun::step_waiting_stopped(VantageRun& v, const Instance* instance) {
  if (interrupted_) {
    fail(v, "interrupted before it was started");
  } else if (instance != nullptr && instance->state == InstanceState::stopped) {
    v.vantage.instance = *instance;
    v.step = Step::claiming;
  } else if (instance != nullptr &&
             (instance->state == InstanceState::pending || instance->state == InstanceState::running)) {
    fail(v, "in use: another controller started it as soon as it was stopped");
  }
}

void RegionRun::claim_all() {
  std::vector<VantageRun*> candidates;
  for (const auto& v : vantages_) {
    if (v->step == Step::claiming && !refuse_shutdown_behaviour(*v)) {
      candidates.push_back(v.get());
    }
  }
  if (!candidates.empty()) {
    claim(candidates);
  }
}

// A machine that would be terminated by its own timer must never be given one: nothing is started.
bool RegionRun::refuse_shutdown_behaviour(VantageRun& v) {
  const Result<std::string> behaviour = api_.shutdown_behaviour(v.vantage.instance.id, limits(kCallTimeout, false));
  if (!behaviour) {
    fail(v, "its shutdown behaviour could not be read: " + behaviour.error().text());
    return true;
  }
  if (*behaviour != "stop") {
    fail(v, fmt::format("refused: its shutdown behaviour is '{}', so its own timer would end it for good; set "
                        "InstanceInitiatedShutdownBehavior to 'stop'",
                        *behaviour));
    return true;
  }
  return false;
}

void RegionRun::claim(const std::vector<VantageRun*>& candidates) {
  std::vector<std::string> ids;
  for (VantageRun* v : candidates) {
    const Instance& instance = v->vantage.instance;
    v->prior_lease = instance.tag(kLeaseTag);
    v->prior_launch = instance.launch_time;
    v->start_called_at = now();
    v->deadline = now() + options_.start_timeout;
    ++v->claim_attempts;
    ids.push_back(instance.id);
    if (deps_.journal != nullptr && v->claim_attempts == 1) {
      ignore(deps_.journal->claimed(v->outcome.run.run_id, api_.region(), instance.id),
             "the journal only speeds recovery");
    }
  }
  const Result<std::vector<StateChange>> changes = api_.start(ids, limits(kCallTimeout, false));
  if (changes) {
    for (VantageRun* v : candidates) {
      const auto found = std::find_if(changes->begin(), changes->end(),
                                      [&](const StateChange& change) { return change.id == v->vantage.instance.id; });
      take_claim(*v, found == changes->end() ? InstanceState::unknown : found->previous);
    }
    return;
  }
  const Error& error = changes.error();
  if (effect_unknown(error)) {
    for (VantageRun* v : candidates) {
      v->step = Step::claim_unclear;
      v->unclear = true;
      change(*v, RunState::starting, "the answer to its start was lost: " + error.text());
    }
  } else if (candidates.size() > 1) {
    // One machine without capacity fails the whole call: ask for each by itself.
    for (VantageRun* v : candidates) {
      claim({v});
    }
  } else if (error.code == "IncorrectInstanceState") {
    candidates[0]->step = Step::waiting_stopped;
  } else {
    fail(*candidates[0], "not started: " + error.text());
  }
}

void RegionRun::take_claim(VantageRun& v, InstanceState previous) {
  if (previous == InstanceState::stopped) {
    v.claimed = true;
    v.certain = true;
    v.step = Step::starting;
    change(v, RunState::starting, "claimed");
    write_lease(v);
  } else if (v.unclear || previous == InstanceState::unknown) {
    v.unclear = true;
    v.step = Step::claim_unclear;
  } else {
    fail(v, fmt::format("in use: another controller started it just before (it was {})", to_string(previous)));
  }
}

void RegionRun::step_claim_unclear(VantageRun& v, const Instance& instance) {
  const std::string lease_text = instance.tag(kLeaseTag);
  const std::optional<Lease> lease = parse_lease(lease_text);
  if (lease && lease_text != v.prior_lease && lease->run_id != v.outcome.run.run_id) {
    fail(v, fmt::format("in use: run {} of {} claimed it", lease->run_id, lease->owner));
    return;
  }
  if (now() < v.start_called_at + kUnclearGrace) {
    return;
  }
  switch (instance.state) {
    case InstanceState::pending:
    case InstanceState::running:
      v.claimed = true;
      v.step = Step::starting;
      v.deadline = now() + options_.start_timeout;
      change(v, RunState::starting, "running and nobody else's: taken as started by us");
      if (interrupted_) {
        fail(v, "interrupted");
      } else {
        write_lease(v);
      }
      return;
    case InstanceState::stopped:
      if (interrupted_ || v.claim_attempts >= kClaimAttemptsMax) {
        fail(v, interrupted_ ? "interrupted before it was started" : "not started: every answer to its start was lost");
      } else {
        v.step = Step::claiming;
      }
      return;
    default:
      v.step = Step::waiting_stopped;
  }
}

void RegionRun::write_lease(VantageRun& v) {
  const Result<> written =
      api_.set_tag({v.vantage.instance.id}, kLeaseTag, to_text(lease_of(v)), limits(kCallTimeout, false));
  if (written) {
    v.lease_written = true;
  } else {
    look_problem_ = written.error().text();  // tried again at the next look, until the order is sent
  }
}

// Another run's lease on a machine whose start was unclear: the other one started it. Where we are certain, the other
// one is mistaken and goes away when it sees our lease again.
bool RegionRun::lost_claim(VantageRun& v, const Instance& instance) {
  const std::string text = instance.tag(kLeaseTag);
  const std::optional<Lease> lease = parse_lease(text);
  if (lease && text != v.prior_lease && lease->run_id != v.outcome.run.run_id) {
    if (!v.certain) {
      v.claimed = false;
      fail(v, fmt::format("in use: run {} of {} claimed it", lease->run_id, lease->owner));
      return true;
    }
    v.lease_written = false;
  }
  if (!v.lease_written) {
    write_lease(v);
  }
  return false;
}

void RegionRun::step_starting(VantageRun& v, const Instance& instance) {
  if (lost_claim(v, instance)) {
    return;
  }
  v.seen_pending = v.seen_pending || instance.state == InstanceState::pending;
  if (instance.state == InstanceState::running && instance.launch_time != v.prior_launch) {
    v.outcome.run.started_at = instance.launch_time;
    v.step = Step::waiting_for_agent;
    v.deadline = now() + options_.agent_timeout;
    change(v, RunState::waiting_for_agent, "");
    return;
  }
  // "stopped" may be a stale view from before the start, unless it was pending in between or says why it failed.
  const bool fell_back =
      instance.state == InstanceState::stopped && (v.seen_pending || instance.state_reason.starts_with("Server."));
  if (fell_back || is_gone(instance.state)) {
    fail(v, fmt::format("did not start: {} ({})", to_string(instance.state), instance.state_reason));
  }
}

bool RegionRun::died(VantageRun& v, const Instance& instance) {
  if (instance.state != InstanceState::stopping && instance.state != InstanceState::stopped &&
      !is_gone(instance.state)) {
    return false;
  }
  // A view from before the start shows the old LaunchTime.
  if (instance.launch_time == v.prior_launch && instance.state == InstanceState::stopped) {
    return false;
  }
  fail(v,
       fmt::format("the machine went away under the run: {} ({})", to_string(instance.state), instance.state_reason));
  return true;
}

void RegionRun::step_waiting_for_agent(VantageRun& v, const Instance& instance, const View& view) {
  if (lost_claim(v, instance) || died(v, instance)) {
    return;
  }
  const auto ping = view.pings.find(instance.id);
  if (ping == view.pings.end() || !instance.launch_time) {
    return;
  }
  // Both stamps are AWS's own: "Online" alone may be left over from before the last stop.
  if (ping->second > *instance.launch_time || sim_bug(SimBug::trust_stale_ping)) {
    v.step = Step::sending;
    v.next_send = now();
    step_sending(v, instance);
  }
}

void RegionRun::step_sending(VantageRun& v, const Instance& instance) {
  if (died(v, instance) || now() < v.next_send) {
    return;
  }
  if (v.send_attempts > 0) {
    const Result<std::string> found =
        api_.find_command(instance.id, command_comment(v.outcome.run.run_id), limits(kCallTimeout, false));
    if (!found) {
      look_problem_ = found.error().text();
      v.next_send = now() + kSendPause;
      return;
    }
    if (!found->empty()) {
      v.command_id = *found;
      v.step = Step::running;
      v.deadline = now() + kDeliveryTimeout + round_.job_timeout + round_.margin;
      v.invocation_unknown_until = now() + kInvocationUnknown;
      change(v, RunState::running, "its order had arrived although the answer was lost");
      return;
    }
  }
  send(v);
}

void RegionRun::send(VantageRun& v) {
  const Result<Order> order = make_order(round_, v.outcome.run, v.position, vantages_in_round_, round_start_);
  if (!order) {
    fail(v, "its order could not be made: " + order.error().text());
    return;
  }
  CommandRequest request;
  request.instance_id = v.vantage.instance.id;
  request.script = job_script(round_, *order);
  request.comment = command_comment(v.outcome.run.run_id);
  request.delivery_timeout = kDeliveryTimeout;
  request.execution_timeout = round_.job_timeout;
  ++v.send_attempts;
  const Result<std::string> command = api_.send_command(request, limits(kCallTimeout, false));
  if (command) {
    v.timer_armed = true;
    v.command_id = *command;
    v.step = Step::running;
    v.deadline = now() + kDeliveryTimeout + round_.job_timeout + round_.margin;
    v.invocation_unknown_until = now() + kInvocationUnknown;
    change(v, RunState::running, "order sent");
    return;
  }
  const Error& error = command.error();
  look_problem_ = error.text();
  v.timer_armed = v.timer_armed || effect_unknown(error);
  const bool try_again =
      effect_unknown(error) || error.kind == ErrorKind::throttled || error.code == "InvalidInstanceId";
  if (!try_again || v.send_attempts >= kSendAttemptsMax) {
    fail(v, "its order could not be sent: " + error.text());
    return;
  }
  v.next_send = now() + kSendPause;
}

void RegionRun::step_running(VantageRun& v, const Instance& instance) {
  if (died(v, instance)) {
    return;
  }
  const Result<Invocation> invocation = api_.invocation(v.command_id, instance.id, limits(kCallTimeout, false));
  if (!invocation) {
    const Error& error = invocation.error();
    look_problem_ = error.text();
    const bool forgotten = error.kind == ErrorKind::not_found && now() > v.invocation_unknown_until;
    if (forgotten || error.kind == ErrorKind::denied || error.kind == ErrorKind::invalid) {
      fail(v, "its job could not be followed: " + error.text());
    }
    return;
  }
  if (invocation->ended()) {
    finish_command(v, *invocation);
  }
}

void RegionRun::finish_command(VantageRun& v, const Invocation& invocation) {
  Run& run = v.outcome.run;
  run.exit_code = invocation.exit_code;
  run.log_tail = tail(invocation.output);
  if (!invocation.error_output.empty()) {
    run.log_tail += (run.log_tail.empty() || run.log_tail.ends_with('\n') ? "" : "\n") + tail(invocation.error_output);
  }
  // 3: some queries failed; 4: results wait in the spool. The run itself did what it should.
  const bool done = invocation.succeeded() || run.exit_code == 3 || run.exit_code == 4;
  if (!done) {
    const std::string why = run.exit_code == 97 ? "its timer could not be armed, so nothing was run"
                            : run.exit_code
                                ? fmt::format("the job ended with exit code {}", *run.exit_code)
                                : fmt::format("the command ended as {} ({})", invocation.status, invocation.details);
    fail(v, why);
    return;
  }
  begin_stopping(v);
}

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
  if (sim_bug(SimBug::skip_stop)) {
    end(v);
    return;
  }
  v.step = Step::stopping;
  v.deadline = now() + options_.stop_timeout;
  v.next_stop_call = now();
  change(v, RunState::stopping, v.outcome.run.cause);
  call_stop(v);
}

void RegionRun::call_stop(VantageRun& v) {
  const bool force = v.stop_calls >= kStopsBeforeForce;
  const Result<std::vector<StateChange>> stopped =
      api_.stop({v.vantage.instance.id}, force, limits(kCallTimeout, true));
  if (stopped) {
    ++v.stop_calls;
    v.stop_answered = true;
    v.next_stop_call = now() + kStopAgain;
  } else {
    look_problem_ = stopped.error().text();
    v.next_stop_call = now() + kStopAgainAfterError;
  }
}

void RegionRun::step_stopping(VantageRun& v, const Instance* instance) {
  if (instance != nullptr && v.stop_answered &&
      (instance->state == InstanceState::stopped || is_gone(instance->state))) {
    if (v.step == Step::clearing) {
      v.vantage.instance = *instance;
      v.stop_answered = false;
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
    return;
  }
  if (now() >= v.next_stop_call) {
    call_stop(v);
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
  if (deps_.journal != nullptr && !v.outcome.left_running) {
    ignore(deps_.journal->ended(v.outcome.run.run_id), "the journal only speeds recovery");
  }
}

void RegionRun::change(VantageRun& v, RunState state, std::string note) {
  Run& run = v.outcome.run;
  run.state = state;
  run.timeline.push_back(RunEvent{deps_.clock.now(), state, std::move(note)});
  if (observe_) {
    observe_(run);
  }
}

void RegionRun::interrupt_all() {
  interrupted_ = true;
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

bool RegionRun::all_ended() const {
  return std::all_of(vantages_.begin(), vantages_.end(), [](const auto& v) { return v->step == Step::ended; });
}

}  // namespace parallax::fleet
