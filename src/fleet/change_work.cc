#include "fleet/change_work.h"

#include <algorithm>

#include <fmt/format.h>

#include "fleet/lease.h"
#include "fleet/trouble.h"

namespace parallax::fleet {

namespace {

// Steps that one call can do for several.
bool done_together(const Step& a, const Step& b) {
  if (a.kind != b.kind) {
    return false;
  }
  switch (a.kind) {
    case StepKind::launch:
    case StepKind::stop:
    case StepKind::terminate:
    case StepKind::set_user_data:
      return true;
    case StepKind::tag:
      return a.tags == b.tags;
    default:
      return false;
  }
}

const RegionSeen* find_seen(const Observed& observed, const std::string& region) {
  const auto found = std::find_if(observed.regions.begin(), observed.regions.end(),
                                  [&](const RegionSeen& seen) { return seen.region == region; });
  return found == observed.regions.end() ? nullptr : &*found;
}

}  // namespace

ChangeWork::ChangeWork(const ChangeContext& context, RegionChange& out)
    : context_(context),
      out_(out),
      seen_(find_seen(context.observed, out.region)),
      // What is the account's is asked for in the home region: IAM has one endpoint for a partition.
      calls_(context.deps, out.region.empty() ? context.spec.home : out.region, context.stop, context.hard_stop),
      api_(context.deps.client, calls_.region()) {
  calls_.on_wait([this](const std::string& text) { tell(text); });
}

Tags ChangeWork::our_tags() const {
  return {{kFleetTag, context_.spec.fleet}, {"Name", context_.spec.fleet}};
}

Micros ChangeWork::about_seconds(int count) const {
  return count * std::min(context_.options.state_poll / 3, Micros(Seconds(1)));
}

bool ChangeWork::later_step(StepKind kind) const {
  return std::any_of(out_.steps.begin(), out_.steps.end(), [&](const StepOutcome& outcome) {
    return outcome.step.kind == kind && outcome.state == StepState::waiting;
  });
}

ChangeWork::Steps ChangeWork::next_group(std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < out_.steps.size() && done_together(out_.steps[begin].step, out_.steps[end].step)) {
    ++end;
  }
  return Steps(out_.steps).subspan(begin, end - begin);
}

void ChangeWork::set_state(Steps steps, StepState state) {
  for (StepOutcome& outcome : steps) {
    outcome.state = state;
    if (context_.observe) {
      context_.observe(out_.region, outcome);
    }
  }
}

void ChangeWork::remark(const std::string& text) {
  remarks_ += (remarks_.empty() ? "" : "; ") + text;
  tell("");
}

void ChangeWork::tell(const std::string& text) {
  for (StepOutcome& outcome : current_) {
    if (outcome.state == StepState::doing) {
      outcome.note = remarks_ + (remarks_.empty() || text.empty() ? "" : "; ") + text;
      if (context_.observe) {
        context_.observe(out_.region, outcome);
      }
    }
  }
}

void ChangeWork::finish(Steps steps, const Result<>& result, Monotonic begin) {
  for (StepOutcome& outcome : steps) {
    outcome.took = calls_.now() - begin;
    const bool own = outcome.state != StepState::doing;  // its step has settled it already
    outcome.note = own ? outcome.note : remarks_;
    if (!own) {
      outcome.state = result ? StepState::done : StepState::failed;
      if (!result) {
        outcome.error = result.error();
      }
    }
    if (context_.observe) {
      context_.observe(out_.region, outcome);
    }
  }
}

void ChangeWork::run() {
  for (std::size_t at = 0; at < out_.steps.size();) {
    const Steps steps = next_group(at);
    if (calls_.stopped()) {
      out_.problem = "interrupted";
      break;
    }
    current_ = steps;
    remarks_.clear();
    set_state(steps, StepState::doing);
    const Monotonic begin = calls_.now();
    const Result<> result = carry_out(steps);
    finish(steps, result, begin);
    at += steps.size();
    if (!result) {
      out_.problem = fmt::format("{}: {}", steps.front().step.text(), result.error().text());
      break;
    }
  }
  current_ = {};
  for (StepOutcome& outcome : out_.steps) {
    if (outcome.state == StepState::waiting) {
      set_state(Steps(&outcome, 1), StepState::left);
    }
  }
  calls_.set_urgent();
  settle_unclear_launches();
  std::vector<Launched*> running;
  for (auto& [id, machine] : launched_) {
    if (!machine.stopped && machine.ended.empty()) {
      running.push_back(&machine);
    }
  }
  ignore(settle(std::move(running)), "who is left running is listed next");
  list_left_running();
}

void ChangeWork::list_left_running() {
  for (const auto& [id, machine] : launched_) {
    if (machine.stopped || !machine.ended.empty()) {
      continue;
    }
    const Instant at = machine.at.value_or(context_.deps.clock.now()) + context_.spec.boot_timer;
    left_running_.push_back(
        fmt::format("{} {}: its boot timer powers it off at about {} UTC", out_.region, id, time_of_day(at)));
  }
  for (const auto& [token, what] : unclear_) {
    left_running_.push_back(
        fmt::format("{} {}: nobody could say whether it was launched; if so, its boot timer powers it off within {}",
                    out_.region, what, to_human(context_.spec.boot_timer)));
  }
}

Result<> ChangeWork::carry_out(Steps steps) {
  switch (steps.front().step.kind) {
    case StepKind::launch:
      return launch(steps);
    case StepKind::tag:
      return tag(steps);
    case StepKind::set_user_data:
      return set_user_data(steps);
    case StepKind::stop:
      return stop_machines(steps);
    case StepKind::terminate:
      return terminate(steps);
    case StepKind::make_role:
    case StepKind::repair_role:
    case StepKind::make_profile:
    case StepKind::fill_profile:
    case StepKind::make_scheduler_role:
    case StepKind::repair_scheduler_role:
    case StepKind::delete_profile:
    case StepKind::delete_role:
      return carry_out_account(steps.front());
    case StepKind::delete_schedule:
    case StepKind::delete_volume:
    case StepKind::release_address:
    case StepKind::delete_snapshot:
    case StepKind::delete_group:
      return carry_out_clearing(steps.front());
    default:
      return carry_out_region(steps.front());
  }
}

Result<> ChangeWork::carry_out_account(StepOutcome& step) {
  switch (step.step.kind) {
    case StepKind::make_role:
    case StepKind::make_scheduler_role:
      return make_role(step);
    case StepKind::repair_role:
    case StepKind::repair_scheduler_role:
      return repair_role(step);
    case StepKind::make_profile:
      return make_profile(step);
    case StepKind::fill_profile:
      return fill_profile(step);
    case StepKind::delete_profile:
      return delete_profile(step);
    default:
      return delete_role(step);
  }
}

Result<> ChangeWork::carry_out_region(StepOutcome& step) {
  switch (step.step.kind) {
    case StepKind::delete_image:
      return delete_image(step);
    case StepKind::copy_image:
      return copy_image(step);
    case StepKind::wait_image:
      return wait_image(step);
    case StepKind::import_key:
      return import_key(step);
    case StepKind::delete_key:
      return delete_key(step);
    case StepKind::make_group:
      return make_group(step);
    case StepKind::repair_rules:
      return change_rules(step.step.id, step.step.add, step.step.remove);
    case StepKind::set_shutdown_behaviour:
      return set_shutdown_behaviour(step);
    case StepKind::require_imds_v2:
      return require_imds_v2(step);
    case StepKind::set_profile:
      return set_profile(step);
    case StepKind::set_groups:
      return set_groups(step);
    case StepKind::make_schedule:
      return make_schedule(step);
    default:
      return make_error(ErrorKind::internal, fmt::format("nothing is known of how to '{}'", to_string(step.step.kind)));
  }
}

}  // namespace parallax::fleet
