// Nothing that this change started runs on: launched machines are stopped as soon as they run, after failures and
// interruptions too.
#include <algorithm>

#include <fmt/format.h>

#include "fleet/change_work.h"
#include "fleet/lease.h"

namespace parallax::fleet {

namespace {

constexpr Micros kStopAgain{Seconds(15)};
constexpr int kStopTakes = 12;  // seconds: none is seen stopped sooner, as a rule
constexpr Micros kCallTimeout{Seconds(60)};
constexpr Micros kUnclearMax{Seconds(60)};  // so long a launch without an answer is looked for
constexpr std::size_t kFilterValues = 200;  // EC2's limit of a filter

}  // namespace

ChangeWork::Launched* ChangeWork::launched_of(const std::string& id) {
  const auto found = launched_.find(id);
  return found == launched_.end() ? nullptr : &found->second;
}

std::string ChangeWork::launched_in(int slot) const {
  const auto found = std::find_if(out_.steps.begin(), out_.steps.end(), [&](const StepOutcome& outcome) {
    return outcome.step.kind == StepKind::launch && outcome.step.slot == slot;
  });
  return found == out_.steps.end() ? std::string() : found->id;
}

Result<std::vector<Instance>> ChangeWork::look_at(const std::vector<std::string>& ids) {
  std::vector<Instance> all;
  for (const std::vector<std::string>& batch : batches(ids, kFilterValues)) {
    const std::vector<Instance> some =
        TRY(api_.instances_by_id(batch, {calls_.now() + kCallTimeout, context_.hard_stop}));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Result<> ChangeWork::ask_to_stop(const std::vector<Launched*>& machines) {
  for (std::size_t begin = 0; begin < machines.size(); begin += context_.options.ids_a_call) {
    const std::size_t end = std::min(machines.size(), begin + context_.options.ids_a_call);
    std::vector<std::string> ids;
    for (std::size_t i = begin; i < end; ++i) {
      ids.push_back(machines[i]->id);
    }
    TRY(api_.stop(ids, false, {calls_.now() + kCallTimeout, context_.hard_stop}));
    for (std::size_t i = begin; i < end; ++i) {
      machines[i]->stop_answered = true;
      machines[i]->next_look = calls_.now() + about_seconds(kStopTakes);
      machines[i]->next_stop = calls_.now() + kStopAgain;
    }
  }
  return {};
}

// What was seen of these machines; those that a stop has to be asked for.
std::vector<ChangeWork::Launched*> ChangeWork::take_states(const std::vector<Instance>& seen,
                                                           const std::vector<Launched*>& machines) const {
  std::vector<Launched*> running;
  for (const Instance& instance : seen) {
    const auto found = std::find_if(machines.begin(), machines.end(),
                                    [&](const Launched* machine) { return machine->id == instance.id; });
    if (found == machines.end()) {
      continue;
    }
    Launched& machine = **found;
    const bool gone = instance.state == InstanceState::terminated || instance.state == InstanceState::shutting_down;
    if (gone) {
      machine.ended = instance.state_reason.empty() ? "terminated" : instance.state_reason;
    } else if (instance.state == InstanceState::stopped) {
      machine.stopped = machine.stop_answered || machine.at.has_value();
    }
    // A run claims only what is stopped: what we launched and bears a lease has been, and is the run's now.
    machine.stopped = machine.stopped || (!gone && machine.at && !instance.tag(kLeaseTag).empty());
    // A stopped one that nobody was asked to stop is perhaps a view of before its start: the answer tells.
    const bool unsure = instance.state == InstanceState::stopped && !machine.stopped;
    const bool due = !machine.stopped && instance.state == InstanceState::running && calls_.now() >= machine.next_stop;
    if (unsure || due) {
      running.push_back(&machine);
    }
  }
  return running;
}

// Until each is stopped or has ended by itself. A stop that was requested does not end this: that machines of ours
// stop is what it asks for. Error: the last trouble, or that time is up.
Result<> ChangeWork::settle(std::vector<Launched*> machines) {
  const auto settled = [](const Launched* machine) { return machine->stopped || !machine->ended.empty(); };
  const Monotonic deadline = calls_.now() + state_timeout();
  std::string trouble;
  for (std::erase_if(machines, settled); !machines.empty();) {
    std::vector<std::string> ids;
    ids.reserve(machines.size());
    Monotonic due = Monotonic::max();
    for (const Launched* machine : machines) {
      ids.push_back(machine->id);
      due = std::min(due, machine->next_look);
    }
    tell(fmt::format("waiting until {} {} stopped", machines.size(),
                     machines.size() == 1 ? "machine is" : "machines are"));
    context_.deps.clock.sleep_until(due, context_.hard_stop);
    const Result<std::vector<Instance>> looked = look_at(ids);
    const Result<> asked = ask_to_stop(take_states(looked.value_or({}), machines));
    if (!looked || !asked) {
      trouble = ": " + (looked ? asked.error().text() : looked.error().text());
    }
    std::erase_if(machines, settled);
    if (machines.empty()) {
      return {};
    }
    if (!asked && asked.error().kind == ErrorKind::denied) {
      // A right that is lacking does not come by waiting; the machines' own timers stop them.
      return make_error(ErrorKind::denied, fmt::format("{} could not be stopped{}", fmt::join(ids, ", "), trouble));
    }
    if (calls_.now() + context_.options.state_poll > deadline || context_.hard_stop.stop_requested()) {
      return make_error(ErrorKind::timeout, fmt::format("{} not seen stopped within {}{}", fmt::join(ids, ", "),
                                                        to_human(state_timeout()), trouble));
    }
    for (Launched* machine : machines) {
      machine->next_look = std::max(machine->next_look, calls_.now() + context_.options.state_poll);
    }
  }
  return {};
}

// Launches whose answer never came: what they made is found by their token.
void ChangeWork::settle_unclear_launches() {
  const Monotonic deadline = calls_.now() + kUnclearMax;
  while (!unclear_.empty() && !calls_.stopped()) {
    bool all_looked = true;
    for (auto launch = unclear_.begin(); launch != unclear_.end();) {
      const Result<std::vector<Launched>> machines = machines_of_token(launch->first);
      all_looked = all_looked && machines.has_value();
      for (const Launched& machine : machines.value_or({})) {
        launched_[machine.id] = machine;
      }
      launch = machines && !machines->empty() ? unclear_.erase(launch) : std::next(launch);
    }
    if (calls_.now() >= deadline) {
      if (all_looked) {
        unclear_.clear();  // it would be seen by now
      }
      return;
    }
    if (!unclear_.empty()) {
      calls_.pause(context_.options.state_poll);
    }
  }
}

Result<> ChangeWork::stop_machines(Steps steps) {
  std::vector<Launched> machines;
  machines.reserve(steps.size());
  std::vector<Launched*> chosen;
  for (const StepOutcome& outcome : steps) {
    if (outcome.step.id.empty()) {
      Launched* machine = launched_of(launched_in(outcome.step.slot));
      if (machine != nullptr) {
        chosen.push_back(machine);  // its launch has seen it stopped already
      }
      continue;
    }
    Launched machine;
    machine.id = outcome.step.id;
    machines.push_back(std::move(machine));
    chosen.push_back(&machines.back());
  }
  return settle(std::move(chosen));
}

}  // namespace parallax::fleet
