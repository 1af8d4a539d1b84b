// From started to the end of its job: running, agent, order, command.
#include <algorithm>

#include <fmt/format.h>

#include "base/sim_bugs.h"
#include "fleet/region_run.h"
#include "fleet/tasks.h"

namespace parallax::fleet {

namespace {

constexpr int kSendAttemptsMax = 10;
constexpr Micros kBetweenOrders = Millis(250);
constexpr Micros kSendPause{Seconds(2)};
constexpr Micros kInvocationUnknown{Seconds(30)};
constexpr Micros kDeliveryTimeout{Seconds(60)};
constexpr std::size_t kLogTailBytes = 4000;
// An agent answers within a minute of "running", as a rule.
constexpr Micros kAgentSlow{Seconds(90)};

std::string tail(const std::string& text) {
  return text.size() <= kLogTailBytes ? text : text.substr(text.size() - kLogTailBytes);
}

std::string why_not_done(const Invocation& invocation, const RoundSpec& round) {
  if (invocation.details == "ExecutionTimedOut") {
    return fmt::format("the job did not end within {} and was killed", to_human(round.job_timeout));
  }
  if (invocation.exit_code && round.bundle) {
    if (const std::optional<std::string> problem = delivery_problem(*invocation.exit_code, invocation.error_output)) {
      return *problem;
    }
  }
  if (invocation.exit_code == kNoCommandExitCode && round.command.empty() && !round.keep_running && !round.bundle) {
    return fmt::format(
        "the machine has no 'parallax' on its PATH (exit code {}), and no bundle was brought to it: let the collector "
        "hand one out ('make bundle', 'parallax serve --bundle FILE')",
        kNoCommandExitCode);
  }
  // The job may use this code itself: only the script's own word tells.
  if (invocation.exit_code == kNoTimerExitCode && invocation.error_output.find(kNoTimerText) != std::string::npos) {
    return "its timer could not be armed, so nothing was run";
  }
  return invocation.exit_code ? fmt::format("the job ended with exit code {}", *invocation.exit_code)
                              : fmt::format("the command ended as {} ({})", invocation.status, invocation.details);
}

}  // namespace

void RegionRun::step_starting(VantageRun& v, const Instance& instance, const View& view) {
  if (lost_claim(v, instance)) {
    return;
  }
  v.seen_pending = v.seen_pending || instance.state == InstanceState::pending;
  if (instance.state == InstanceState::running && instance.launch_time != v.prior_launch) {
    v.outcome.run.started_at = instance.launch_time;
    v.step = Step::waiting_for_agent;
    v.deadline = now() + options_.agent_timeout;
    change(v, RunState::waiting_for_agent, "");
    step_waiting_for_agent(v, instance, view);  // the agent may have answered before "running" was seen
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
  if (superseded(v, instance)) {
    return true;
  }
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
  if (ping->second > *instance.launch_time || sim_bug(&SimBugs::trust_stale_ping)) {
    v.step = Step::sending;
    v.next_send = now();
    // Its turn among many may come late, and that is not its agent's fault.
    v.deadline += static_cast<std::int64_t>(vantages_.size()) * kBetweenOrders;
    step_sending(v, instance);
    return;
  }
  tell_of_slow_agent(v);
}

void RegionRun::tell_of_slow_agent(VantageRun& v) {
  const Micros waited = now() - (v.deadline - options_.agent_timeout);
  if (v.agent_slow_told || waited < kAgentSlow) {
    return;
  }
  v.agent_slow_told = true;
  const Instant until = deps_.clock.now() + (v.deadline - now());
  change(v, RunState::waiting_for_agent,
         fmt::format("its SSM agent has not answered for {} s, trying until {} UTC: it needs an instance profile that "
                     "allows it (AmazonSSMManagedInstanceCore) and a way out to port 443",
                     count_seconds(waited), time_of_day(until)));
}

void RegionRun::step_sending(VantageRun& v, const Instance& instance) {
  if (died(v, instance) || now() < v.next_send) {
    return;
  }
  if (v.answer_lost) {
    const Monotonic began = now();
    const Result<std::string> found = api_.find_command(instance.id, comment_of(v), limits(kCallTimeout, false));
    heard(ssm_, found ? nullptr : &found.error(), began);
    if (!found) {
      v.next_send = now() + kSendPause;
      return;
    }
    if (!found->empty()) {
      v.command_id = *found;
      v.step = Step::running;
      v.next_ask = now();
      v.deadline = now() + kDeliveryTimeout + round_.job_timeout + round_.margin;
      v.invocation_unknown_until = now() + kInvocationUnknown;
      change(v, RunState::running, "its order had arrived although the answer was lost");
      return;
    }
    v.answer_lost = false;
  }
  v.send_due = true;
}

// Scripts that are equal are sent together, others by themselves; as fast as SSM likes it, side by side.
void RegionRun::send_due() {
  std::vector<Parcel> parcels;
  const std::size_t together = same_script(round_) ? kSsmIdsMax : 1;
  bool open = false;  // the last parcel takes more
  for (const auto& v : vantages_) {
    if (v->step != Step::sending || !v->send_due) {
      continue;
    }
    if (!open || v->send_alone) {
      if (!send_calls_.take(now())) {
        break;
      }
      parcels.emplace_back();
    }
    parcels.back().to.push_back(v.get());
    open = !v->send_alone && parcels.back().to.size() < together;
  }
  for (Parcel& parcel : parcels) {
    pack(parcel);
  }
  const Monotonic began = now();
  at_once(deps_.executor, parcels.size(), [&](std::size_t i) {
    if (!parcels[i].command) {
      parcels[i].command = api_.send_command(parcels[i].request, limits(kCallTimeout, false));
    }
  });
  for (const Parcel& parcel : parcels) {
    delivered(parcel, began);
  }
}

void RegionRun::pack(Parcel& parcel) {
  const VantageRun& one = *parcel.to[0];
  CommandRequest& request = parcel.request;
  for (VantageRun* v : parcel.to) {
    request.instance_ids.push_back(v->vantage.instance.id);
    v->send_due = false;
  }
  const Result<Order> order = make_order(round_, one.outcome.run, one.position, vantages_in_round_, round_start_);
  if (!order) {
    parcel.command = Error(order.error());
    return;
  }
  request.script = job_script(round_, *order);
  request.comment = comment_of(one);
  request.delivery_timeout = kDeliveryTimeout;
  request.execution_timeout = round_.job_timeout;
  first_sent_ = first_sent_ == Instant() ? deps_.clock.now() : first_sent_;
}

void RegionRun::delivered(const Parcel& parcel, Monotonic began) {
  const Result<std::string>& command = *parcel.command;
  heard(ssm_, command ? nullptr : &command.error(), began);
  const bool together = parcel.to.size() > 1;
  for (VantageRun* v : parcel.to) {
    if (!command && together && command.error().code == "InvalidInstanceId") {
      // One agent that is not ready fails the whole call.
      v->send_due = true;
      v->send_alone = true;
    } else {
      ++v->send_attempts;
      sent(*v, command);
    }
  }
}

std::string RegionRun::comment_of(const VantageRun& v) const {
  return command_comment(same_script(round_) ? round_.round_id : v.outcome.run.run_id);
}

void RegionRun::sent(VantageRun& v, const Result<std::string>& command) {
  if (command) {
    v.timer_armed = true;
    v.command_id = *command;
    v.step = Step::running;
    v.job_seen_at = now();
    v.next_ask = now() + job_gap(v);
    v.next_look = next_look_of(v);
    v.deadline = now() + kDeliveryTimeout + round_.job_timeout + round_.margin;
    v.invocation_unknown_until = now() + kInvocationUnknown;
    change(v, RunState::running, "order sent");
    return;
  }
  const Error& error = command.error();
  v.answer_lost = effect_unknown(error);
  v.timer_armed = v.timer_armed || v.answer_lost;
  v.next_send = now() + kSendPause;
  if (error.kind == ErrorKind::throttled) {
    // Not refused, only put off: the agent's time-out ends it.
    --v.send_attempts;
    send_calls_.empty(now());
    return;
  }
  const bool try_again = v.answer_lost || error.code == "InvalidInstanceId";
  if (!try_again || v.send_attempts >= kSendAttemptsMax) {
    fail(v, "its order could not be sent: " + error.text());
  }
}

// Whether its job's end was told so soon after it that no other controller can have started the machine since: it would
// have had to stop first. Then it is stopped without another look, which would be paid for.
bool RegionRun::ended_just_now(const VantageRun& v, const Result<Invocation>& invocation) const {
  const bool by_agent = invocation && invocation->ended() &&
                        (invocation->succeeded() || (invocation->exit_code && *invocation->exit_code > 0));
  return by_agent && v.certain && v.heir_since == Monotonic() && now() - v.job_seen_at <= kNoOtherStartWithin;
}

void RegionRun::step_running(VantageRun& v, const Instance* instance, const View& view) {
  if (instance != nullptr && died(v, *instance)) {
    return;
  }
  const auto asked = view.jobs.find(&v);
  if (asked == view.jobs.end()) {
    return;
  }
  const Result<Invocation>& invocation = asked->second;
  if (instance == nullptr && !ended_just_now(v, invocation)) {
    return;  // what ends it is acted on only after a look: it was due, and comes again
  }
  if (!invocation) {
    const Error& error = invocation.error();
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
    fail(v, why_not_done(invocation, round_));
    return;
  }
  if (round_.keep_running) {
    end(v);
    return;
  }
  begin_stopping(v);
}

}  // namespace parallax::fleet
