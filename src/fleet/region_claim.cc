// How a machine becomes ours: the state before the start, the lease, and what to do when an answer is lost.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "fleet/region_run.h"
#include "fleet/stop_rule.h"
#include "fleet/tasks.h"

namespace parallax::fleet {

namespace {

// How long a lost answer to a start is left open before the machine is taken as ours: whoever else started it has
// written its lease by then.
constexpr Micros kUnclearGrace{Seconds(6)};
constexpr int kClaimAttemptsMax = 5;
// No start falls back to stopped and is followed by another's in less time than this.
constexpr Micros kLaunchSeenWithin{Seconds(2)};
// Who starts a machine writes its lease at once, and again at each look: later than this it is dead.
constexpr Micros kHeirGrace{Seconds(60)};
// Between attempts at a throttled claim: as long as the client has already waited within one, then doubled.
constexpr Micros kClaimGapFirst{Seconds(2)};
constexpr Micros kClaimGapMax{Seconds(30)};

}  // namespace

void RegionRun::step_waiting_stopped(VantageRun& v, const Instance* instance) {
  if (interrupted_) {
    fail(v, "interrupted before it was started");
  } else if (instance != nullptr && instance->state == InstanceState::stopped) {
    v.vantage.instance = *instance;
    v.claim_until = Monotonic();
    v.step = Step::claiming;
  } else if (instance != nullptr &&
             (instance->state == InstanceState::pending || instance->state == InstanceState::running)) {
    fail(v, "in use: another controller started it as soon as it was stopped");
  }
}

void RegionRun::claim_all() {
  if (now() < next_claim_) {
    return;
  }
  std::vector<VantageRun*> asked;
  for (const auto& v : vantages_) {
    if (v->step == Step::claiming && asked.size() < kEc2IdsMax && attribute_calls_.take(now())) {
      asked.push_back(v.get());  // the rest at the next look
    }
  }
  const Monotonic began = now();
  std::vector<std::optional<Result<std::string>>> behaviours(asked.size());
  at_once(deps_.executor, asked.size(), [&](std::size_t i) {
    behaviours[i] = api_.shutdown_behaviour(asked[i]->vantage.instance.id, limits(kCallTimeout, false));
  });
  std::vector<VantageRun*> candidates;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!refuse_shutdown_behaviour(*asked[i], *behaviours[i], began)) {
      candidates.push_back(asked[i]);
    }
  }
  if (now() < next_claim_) {
    attribute_calls_.empty(now());
    return;  // throttled: the others would only add to it
  }
  set_rules(candidates);
  if (!candidates.empty()) {
    claim(candidates);
  }
}

// Where the fleet has stop rules, no machine is started before its own says when this run must be over. Who has none
// fails; where the scheduler throttles us, the machine stays to be claimed later.
void RegionRun::set_rules(std::vector<VantageRun*>& candidates) {
  if (!round_.stop_rules || candidates.empty()) {
    return;
  }
  std::vector<std::string> ids;
  ids.reserve(candidates.size());
  for (const VantageRun* v : candidates) {
    ids.push_back(v->vantage.instance.id);
  }
  const Monotonic began = now();
  // From now: a machine that was waited for has its whole time still before it.
  const Instant at = std::max(lease_of(*candidates[0]).expiry, deps_.clock.now() + longest_run());
  const std::vector<Result<>> set =
      set_stop_rules(deps_, *round_.stop_rules, api_.region(), ids, at, limits(kCallTimeout, false));
  std::vector<VantageRun*> ready;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    VantageRun& v = *candidates[i];
    heard(scheduler_, set[i] ? nullptr : &set[i].error(), began);
    if (set[i]) {
      ready.push_back(&v);
    } else if (set[i].error().kind == ErrorKind::not_found) {
      fail(v, "not started: it has no stop rule, as the configuration wants; 'parallax fleet apply' makes it");
    } else if (!put_claim_off(v, set[i].error())) {
      fail(v, "not started: its stop rule could not be set: " + set[i].error().text());
    }
  }
  candidates = std::move(ready);
}

// Whether what failed is asked for again later: the region throttles us, nothing has been started, and the time for a
// claim is not over.
bool RegionRun::put_claim_off(VantageRun& v, const Error& error) {
  if (error.kind != ErrorKind::throttled || interrupted_) {
    return false;
  }
  claim_gap_ = std::clamp(2 * claim_gap_, kClaimGapFirst, kClaimGapMax);
  next_claim_ = now() + claim_gap_;
  return next_claim_ < v.claim_until;
}

// A machine that would be terminated by its own timer must never be given one: nothing is started.
bool RegionRun::refuse_shutdown_behaviour(VantageRun& v, const Result<std::string>& behaviour, Monotonic began) {
  if (v.claim_until == Monotonic()) {
    v.claim_until = began + options_.start_timeout;
    v.deadline = v.claim_until;
  }
  heard(ec2_, behaviour ? nullptr : &behaviour.error(), began);
  if (!behaviour && put_claim_off(v, behaviour.error())) {
    return true;
  }
  if (!behaviour) {
    fail(v, "its shutdown behaviour could not be read: " + behaviour.error().text());
    return true;
  }
  if (*behaviour != "stop") {
    fail(v, fmt::format("refused: its shutdown behaviour is '{}', so its own timer would end it for good; "
                        "'parallax fleet apply --deep' sets InstanceInitiatedShutdownBehavior to 'stop'",
                        *behaviour));
    return true;
  }
  return false;
}

// Machines that one call starts have one lease, so that one call can write it: it bears the first one's run.
void RegionRun::name_lease(const std::vector<VantageRun*>& candidates) {
  const std::string& leader = candidates[0]->outcome.run.run_id;
  bool known = true;
  for (VantageRun* v : candidates) {
    known = known && v->lease_id == leader;
    v->lease_id = leader;
  }
  if (!known && deps_.journal != nullptr) {
    ignore(deps_.journal->claimed(leader, api_.region(), candidates[0]->vantage.instance.id),
           "the journal only speeds recovery");
  }
}

void RegionRun::claim(const std::vector<VantageRun*>& candidates) {
  std::vector<std::string> ids;
  name_lease(candidates);
  for (VantageRun* v : candidates) {
    const Instance& instance = v->vantage.instance;
    v->prior_lease = instance.tag(kLeaseTag);
    v->prior_launch = instance.launch_time;
    v->own_launch.reset();
    v->launch_sure = false;
    v->heir_since = Monotonic();
    v->next_look = Monotonic();
    v->start_called_at = now();
    v->deadline = now() + options_.start_timeout;
    ++v->claim_attempts;
    ids.push_back(instance.id);
  }
  const Result<std::vector<StateChange>> changes = api_.start(ids, limits(kCallTimeout, false));
  heard(ec2_, changes ? nullptr : &changes.error(), candidates[0]->start_called_at);
  if (changes) {
    for (VantageRun* v : candidates) {
      const auto found = std::find_if(changes->begin(), changes->end(),
                                      [&](const StateChange& change) { return change.id == v->vantage.instance.id; });
      take_claim(*v, found == changes->end() ? InstanceState::unknown : found->previous);
    }
    write_leases();
    return;
  }
  const Error& error = changes.error();
  if (effect_unknown(error)) {
    for (VantageRun* v : candidates) {
      v->step = Step::claim_unclear;
      v->unclear = true;
      change(*v, RunState::starting, "the answer to its start was lost: " + error.text());
    }
  } else if (put_claim_off(*candidates[0], error)) {
    return;
  } else if (candidates.size() > 1) {
    // One machine without capacity fails the whole call: ask for each half by itself.
    for (VantageRun* v : candidates) {
      --v->claim_attempts;
    }
    const auto middle = candidates.begin() + static_cast<std::ptrdiff_t>(candidates.size() / 2);
    claim({candidates.begin(), middle});
    claim({middle, candidates.end()});
  } else if (error.code == "IncorrectInstanceState") {
    candidates[0]->step = Step::waiting_stopped;
  } else {
    fail(*candidates[0], "not started: " + error.text());
  }
}

void RegionRun::take_claim(VantageRun& v, InstanceState previous) {
  v.start_answered_at = now();
  v.next_ask = first_ask_of(v);
  if (previous == InstanceState::stopped) {
    v.claimed = true;
    v.certain = true;
    v.step = Step::starting;
    change(v, RunState::starting, "claimed");
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
  if (lease && lease_text != v.prior_lease && lease->run_id != v.lease_id) {
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

// For all machines that are ours and have none yet; tried again at the next look, until the order is sent.
void RegionRun::write_leases() {
  std::map<std::string, std::vector<VantageRun*>> holders;
  for (const auto& v : vantages_) {
    const bool before_order =
        v->step == Step::starting || v->step == Step::waiting_for_agent || v->step == Step::sending;
    if (v->claimed && !v->lease_written && before_order && v->heir_since == Monotonic()) {
      holders[v->lease_id].push_back(v.get());
    }
  }
  for (const auto& [id, those] : holders) {
    for (std::size_t begin = 0; begin < those.size(); begin += kEc2IdsMax) {
      const auto first = those.begin() + static_cast<std::ptrdiff_t>(begin);
      write_lease({first, first + static_cast<std::ptrdiff_t>(std::min(kEc2IdsMax, those.size() - begin))});
    }
  }
}

void RegionRun::write_lease(const std::vector<VantageRun*>& holders) {
  std::vector<std::string> ids;
  ids.reserve(holders.size());
  for (const VantageRun* v : holders) {
    ids.push_back(v->vantage.instance.id);
  }
  const Monotonic began = now();
  const Result<> written = api_.set_tag(ids, kLeaseTag, to_text(lease_of(*holders[0])), limits(kCallTimeout, false));
  heard(ec2_, written ? nullptr : &written.error(), began);
  if (!written && holders.size() > 1 && written.error().kind == ErrorKind::not_found) {
    for (VantageRun* v : holders) {
      write_lease({v});  // one id that EC2 does not know fails the whole call
    }
    return;
  }
  const bool denied = !written && written.error().kind == ErrorKind::denied;
  for (VantageRun* v : holders) {
    v->lease_written = written.has_value();
    if (denied) {
      fail(*v, "its lease could not be written: " + written.error().text());
    }
  }
}

// See VantageRun: which start the LaunchTime belongs to.
void RegionRun::learn_launch(VantageRun& v, const Instance& instance) const {
  const bool up = instance.state == InstanceState::pending || instance.state == InstanceState::running;
  if (v.own_launch || !up || !instance.launch_time || instance.launch_time == v.prior_launch) {
    return;
  }
  v.own_launch = instance.launch_time;
  v.launch_sure = v.certain && now() - v.start_answered_at <= kLaunchSeenWithin;
}

// Who has started the machine after our start, if anybody has. "awaited": its lease is not there yet.
RegionRun::Heir RegionRun::heir_of(VantageRun& v, const Instance& instance) const {
  const bool up = instance.state == InstanceState::pending || instance.state == InstanceState::running;
  if (!v.own_launch || !up || !instance.launch_time || *instance.launch_time <= *v.own_launch) {
    v.heir_since = Monotonic();
    return Heir::none;
  }
  const std::string text = instance.tag(kLeaseTag);
  const std::optional<Lease> lease = parse_lease(text);
  if (lease && text != v.prior_lease && lease->run_id != v.lease_id) {
    return Heir::taken;
  }
  if (v.heir_since == Monotonic()) {
    v.heir_since = now();
  }
  return now() < v.heir_since + kHeirGrace ? Heir::awaited : Heir::missing;
}

// Started again after our start: by whoever did it, it is no longer ours, neither to use nor to stop.
bool RegionRun::superseded(VantageRun& v, const Instance& instance) {
  switch (heir_of(v, instance)) {
    case Heir::none:
      return false;
    case Heir::taken:
      v.claimed = false;
      fail(v, fmt::format("in use: it stopped by itself and another controller started it again at {}",
                          to_iso8601_seconds(*instance.launch_time)));
      return true;
    case Heir::awaited:
      v.deadline = std::max(v.deadline, v.heir_since + kHeirGrace + Seconds(30));
      return true;
    case Heir::missing:
      v.own_launch = instance.launch_time;
      v.heir_since = Monotonic();
      fail(v, fmt::format("it stopped by itself and was started again at {} by somebody who does not look after it",
                          to_iso8601_seconds(*instance.launch_time)));
      return true;
  }
  return false;
}

// Another run's lease on a machine that we started: the other one is right, or is mistaken and goes away when it sees
// our lease again (see VantageRun).
bool RegionRun::lost_claim(VantageRun& v, const Instance& instance) {
  learn_launch(v, instance);
  if (superseded(v, instance)) {
    return true;
  }
  const std::string text = instance.tag(kLeaseTag);
  const std::optional<Lease> lease = parse_lease(text);
  if (!lease || text == v.prior_lease || lease->run_id == v.lease_id) {
    return false;
  }
  const bool overwritten = v.lease_written && v.own_launch && !v.launch_sure;
  if (!v.certain || overwritten) {
    v.claimed = false;
    fail(v, fmt::format("in use: run {} of {} claimed it", lease->run_id, lease->owner));
    return true;
  }
  if (v.own_launch) {
    v.lease_written = false;
  }
  return false;
}

}  // namespace parallax::fleet
