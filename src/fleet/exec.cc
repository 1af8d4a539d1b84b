#include "fleet/exec.h"

#include <algorithm>

#include <fmt/format.h>

#include "fleet/lease.h"
#include "fleet/region_run.h"
#include "fleet/stop_rule.h"
#include "fleet/tasks.h"

namespace parallax::fleet {

namespace {

constexpr Micros kCallTimeout{Seconds(30)};
constexpr Micros kAgain{Seconds(2)};
constexpr Micros kBetweenPages = Millis(250);
constexpr std::size_t kFollowedOneByOne = 4;
constexpr int kAttemptsMax = 10;
constexpr Micros kSinceSlack{Seconds(600)};

// One region's machines until each has ended.
class RegionExec {
 public:
  RegionExec(const FleetDeps& deps, const RegionVantages& region, const std::string& script, const ExecOptions& options,
             const ExecObserver& observe, std::stop_token stop)
      : deps_(deps),
        api_(deps.client, region.region),
        script_(script),
        options_(options),
        observe_(observe),
        stop_(std::move(stop)),
        begin_(deps.clock.monotonic()),
        since_(deps.clock.now() - kSinceSlack) {
    for (const Vantage& vantage : region.vantages) {
      machines_.push_back({{region.region, vantage.name, vantage.instance.id, {}, "", ""}, "", false, false});
    }
  }

  std::vector<ExecOutcome> run() {
    while (count(false) + count(true) > 0) {
      if (stop_.stop_requested()) {
        interrupt();
        break;
      }
      send_waiting();
      follow();
      if (count(false) + count(true) > 0) {
        deps_.clock.sleep_for(pause(), stop_);
      }
    }
    std::vector<ExecOutcome> outcomes;
    for (Machine& machine : machines_) {
      outcomes.push_back(std::move(machine.outcome));
    }
    return outcomes;
  }

 private:
  struct Machine {
    ExecOutcome outcome;
    std::string command_id;  // empty: not sent yet
    bool ended = false;
    bool alone = false;  // a call for several failed
  };

  std::size_t count(bool sent) const {
    return static_cast<std::size_t>(std::count_if(machines_.begin(), machines_.end(), [&](const Machine& m) {
      return !m.ended && m.command_id.empty() != sent;
    }));
  }

  Micros pause() const {
    return std::max(options_.poll, static_cast<std::int64_t>(machines_.size() / kSsmIdsMax) * kBetweenPages);
  }

  RegionApi::Limits limits() const { return {deps_.clock.monotonic() + kCallTimeout, stop_}; }

  std::string comment() const { return "parallax exec " + options_.id; }

  void end(Machine& machine, std::string problem) {
    machine.ended = true;
    machine.outcome.problem = std::move(problem);
    if (observe_) {
      observe_(machine.outcome);
    }
  }

  void send_waiting() {
    const Monotonic now = deps_.clock.monotonic();
    if (now < next_send_) {
      return;
    }
    std::vector<Machine*> batch;
    for (Machine& machine : machines_) {
      if (machine.ended || !machine.command_id.empty()) {
        continue;
      }
      if (now - begin_ >= options_.agent_timeout) {
        end(machine, fmt::format("its SSM agent did not take the command within {}{}{}",
                                 to_human(options_.agent_timeout), problem_.empty() ? "" : ": ", problem_));
        continue;
      }
      if (machine.alone) {
        send({&machine});
        continue;
      }
      batch.push_back(&machine);
      if (batch.size() == kSsmIdsMax) {
        send(batch);
        batch.clear();
      }
    }
    if (!batch.empty()) {
      send(batch);
    }
  }

  void send(const std::vector<Machine*>& batch) {
    if (lost_ && find_lost(batch)) {
      return;
    }
    CommandRequest request;
    for (const Machine* machine : batch) {
      request.instance_ids.push_back(machine->outcome.instance_id);
    }
    request.script = script_;
    request.comment = comment();
    request.delivery_timeout = options_.agent_timeout;
    request.execution_timeout = options_.timeout;
    const Result<std::string> command = api_.send_command(request, limits());
    if (command) {
      for (Machine* machine : batch) {
        machine->command_id = *command;
      }
      return;
    }
    const Error& error = command.error();
    problem_ = error.text();
    next_send_ = deps_.clock.monotonic() + kAgain;
    lost_ = lost_ || effect_unknown(error);
    const bool again = error.kind == ErrorKind::throttled || error.code == "InvalidInstanceId" ||
                       (effect_unknown(error) && ++attempts_ < kAttemptsMax);
    for (Machine* machine : batch) {
      machine->alone = machine->alone || error.code == "InvalidInstanceId";
      if (!again) {
        end(*machine, "not run: " + error.text());
      }
    }
  }

  // After a lost answer the command may have been sent all the same.
  bool find_lost(const std::vector<Machine*>& batch) {
    bool all = true;
    for (Machine* machine : batch) {
      const Result<std::string> found = api_.find_command(machine->outcome.instance_id, comment(), limits());
      if (!found) {
        problem_ = found.error().text();
        next_send_ = deps_.clock.monotonic() + kAgain;
        return true;  // not known yet: nothing is sent
      }
      machine->command_id = *found;
      machine->alone = true;
      all = all && !found->empty();
    }
    return all;
  }

  void follow() {
    const std::size_t running = count(true);
    if (running == 0) {
      return;
    }
    std::optional<RegionApi::Invocations> list;
    if (running > kFollowedOneByOne) {
      Result<RegionApi::Invocations> all = api_.invocations_since(since_, limits());
      if (!all) {
        heard(all.error());
      }
      list = std::move(all).value_or({});
    }
    for (Machine& machine : machines_) {
      if (machine.ended || machine.command_id.empty()) {
        continue;
      }
      if (list) {
        const auto found = list->find({machine.command_id, machine.outcome.instance_id});
        take(machine, found == list->end() ? nullptr : &found->second);
        continue;
      }
      const Result<Invocation> invocation = api_.invocation(machine.command_id, machine.outcome.instance_id, limits());
      if (!invocation) {
        heard(invocation.error());
      }
      take(machine, invocation ? &*invocation : nullptr);
    }
  }

  void heard(const Error& error) {
    problem_ = error.text();
    if (error.kind == ErrorKind::denied) {
      for (Machine& machine : machines_) {
        if (!machine.ended && !machine.command_id.empty()) {
          end(machine, "was sent, but could not be followed: " + problem_);
        }
      }
    }
  }

  void take(Machine& machine, const Invocation* invocation) {
    if (machine.ended) {
      return;
    }
    if (invocation != nullptr && invocation->ended()) {
      machine.outcome.exit_code = invocation->exit_code;
      machine.outcome.output = invocation->output;
      if (!invocation->error_output.empty()) {
        const bool line = machine.outcome.output.empty() || machine.outcome.output.ends_with('\n');
        machine.outcome.output += (line ? "" : "\n") + invocation->error_output;
      }
      end(machine, invocation->exit_code
                       ? ""
                       : fmt::format("the command ended as {} ({})", invocation->status, invocation->details));
    } else if (deps_.clock.monotonic() - begin_ >= options_.timeout + 2 * options_.agent_timeout) {
      ignore(api_.cancel(machine.command_id, machine.outcome.instance_id, limits()), "said in the outcome");
      end(machine,
          fmt::format("did not end within {}{}{}", to_human(options_.timeout), problem_.empty() ? "" : ": ", problem_));
    }
  }

  void interrupt() {
    const RegionApi::Limits now{deps_.clock.monotonic() + kCallTimeout, {}};
    for (Machine& machine : machines_) {
      if (machine.ended) {
        continue;
      }
      if (!machine.command_id.empty()) {
        ignore(api_.cancel(machine.command_id, machine.outcome.instance_id, now), "best effort");
      }
      end(machine, machine.command_id.empty() ? "interrupted before it was sent" : "interrupted");
    }
  }

  const FleetDeps& deps_;
  const RegionApi api_;
  const std::string& script_;
  const ExecOptions& options_;
  const ExecObserver& observe_;
  const std::stop_token stop_;
  const Monotonic begin_;
  const Instant since_;
  std::vector<Machine> machines_;
  Monotonic next_send_;
  std::string problem_;
  bool lost_ = false;
  int attempts_ = 0;
};

// What a machine must have before its timer may be longer: lease first, so that between both nobody may take it for
// forgotten, then its stop rule.
Result<> prepare_hold(const FleetDeps& deps, const RegionApi& api, const Instance& instance, const Lease& longer,
                      const std::optional<StopRules>& rules, const std::stop_token& stop) {
  const RegionApi::Limits limits{deps.clock.monotonic() + kCallTimeout, stop};
  TRY(api.set_tag({instance.id}, kLeaseTag, to_text(longer), limits).with_context("writing its lease"));
  if (rules) {
    std::vector<Result<>> set = set_stop_rules(deps, *rules, api.region(), {instance.id}, longer.expiry, limits);
    TRY(std::move(set.front()).with_context("setting its stop rule"));
  }
  return {};
}

// What went wrong, or nothing.
std::string renew(const FleetDeps& deps, const RegionApi& api, const Instance& instance, Lease lease,
                  const std::optional<StopRules>& rules, const std::stop_token& stop) {
  if (instance.state != InstanceState::running) {
    return fmt::format("it is {}: 'parallax fleet start' starts machines", to_string(instance.state));
  }
  if (const std::optional<Lease> now = parse_lease(instance.tag(kLeaseTag))) {
    lease.run_id = now->run_id;
    lease.owner = now->owner;
  }
  const Result<> prepared = prepare_hold(deps, api, instance, lease, rules, stop);
  return prepared ? "" : "its timer stays as it was: " + prepared.error().text();
}

std::string timer_problem(const ExecOutcome& armed) {
  if (!armed.problem.empty()) {
    return "its timer could not be set: " + armed.problem;
  }
  return fmt::format("its timer could not be set (exit code {}): {}", armed.exit_code.value_or(-1), armed.output);
}

std::vector<HoldOutcome> hold_region(const FleetDeps& deps, const RegionVantages& region, std::chrono::minutes time,
                                     const std::string& owner, const std::optional<StopRules>& rules,
                                     const ExecOptions& options, const std::stop_token& stop) {
  const RegionApi api(deps.client, region.region);
  const Lease lease{options.id, owner, deps.clock.now() + time};
  RegionVantages holding{region.region, "", {}, false};
  std::vector<HoldOutcome> outcomes;
  outcomes.reserve(region.vantages.size());
  for (const Vantage& vantage : region.vantages) {
    HoldOutcome outcome{region.region, vantage.name, vantage.instance.id, std::nullopt, ""};
    outcome.problem = renew(deps, api, vantage.instance, lease, rules, stop);
    if (outcome.problem.empty()) {
      holding.vantages.push_back(vantage);
    }
    outcomes.push_back(std::move(outcome));
  }
  const std::string script = fmt::format("#!/bin/sh\nshutdown -P +{}\n", time.count());
  for (const ExecOutcome& armed : exec_running(deps, {holding}, script, options, {}, stop)) {
    const auto outcome = std::find_if(outcomes.begin(), outcomes.end(),
                                      [&](const HoldOutcome& o) { return o.instance_id == armed.instance_id; });
    if (armed.done()) {
      outcome->until = deps.clock.now() + time;
    } else {
      outcome->problem = timer_problem(armed);
    }
  }
  return outcomes;
}

}  // namespace

std::vector<ExecOutcome> exec_running(const FleetDeps& deps, const std::vector<RegionVantages>& vantages,
                                      const std::string& script, const ExecOptions& options,
                                      const ExecObserver& observe, std::stop_token stop) {
  std::vector<std::vector<ExecOutcome>> found(vantages.size());
  for_each_task(deps.executor, "exec", vantages.size(),
                [&](std::size_t i) { found[i] = RegionExec(deps, vantages[i], script, options, observe, stop).run(); });
  std::vector<ExecOutcome> all;
  for (std::vector<ExecOutcome>& region : found) {
    std::move(region.begin(), region.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<HoldOutcome> hold(const FleetDeps& deps, const std::vector<RegionVantages>& vantages, Micros time,
                              const std::string& owner, const std::optional<StopRules>& rules,
                              const ExecOptions& options, std::stop_token stop) {
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(time);
  std::vector<std::vector<HoldOutcome>> found(vantages.size());
  for_each_task(deps.executor, "hold", vantages.size(), [&](std::size_t i) {
    found[i] = hold_region(deps, vantages[i], minutes, owner, rules, options, stop);
  });
  std::vector<HoldOutcome> all;
  for (std::vector<HoldOutcome>& region : found) {
    std::move(region.begin(), region.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace parallax::fleet
