// When a region is looked at, and for what. Each look costs calls and each late one costs time, and money while a
// machine runs: so what cannot have happened yet is not asked for.
#include <algorithm>

#include "fleet/region_run.h"

namespace parallax::fleet {

namespace {

// In units of a second, or of the poll where that is shorter. EC2 needs 5 to 17 s to start a small machine, which then
// needs about 17 s more until it answers; a stop takes 10 s and more.
constexpr int kAgentFirst = 20;  // from the start's answer to the first question for its agent
constexpr int kAgentGap = 1;
constexpr int kStartingGap = 5;  // between looks at one that starts, once its agent is asked for
constexpr int kUpGap = 15;       // at one whose agent or job is waited for: has it gone away?
constexpr int kStopFirst = 12;   // from the stop's answer
constexpr int kStopGap = 2;
constexpr int kStopGapShare = 8;  // the gap grows: this part of the time since the stop
constexpr int kStopGapMax = 10;
constexpr int kJobGapFree = 4;  // while EC2's minimum is paid for anyway
constexpr int kJobGap = 2;
constexpr Micros kPaidAtLeast = Seconds(60);
// Up to so many jobs each is asked for by itself, with its whole output; more are listed together.
constexpr std::size_t kFollowedOneByOne = 4;
constexpr Micros kBetweenSsmCalls = Millis(250);
// Clocks differ; what was sent before is not ours and does no harm.
constexpr Micros kSinceSlack = Seconds(600);
// Of the look before an interrupted run's machines are stopped.
constexpr Micros kLastLookTimeout = Seconds(5);

}  // namespace

Micros RegionRun::pace(int units) const {
  return std::max(options_.poll, units * std::min(options_.poll, Micros(Seconds(1))));
}

Monotonic RegionRun::first_ask_of(const VantageRun& v) const {
  return v.start_answered_at + pace(kAgentFirst);
}

Micros RegionRun::job_gap(const VantageRun& v) const {
  const Micros gap = pace(kJobGapFree);
  return now() + gap <= v.start_answered_at + kPaidAtLeast ? gap : pace(kJobGap);
}

// The next Describe that this machine needs, after one that has shown it or a step that has changed what is waited for.
Monotonic RegionRun::next_look_of(const VantageRun& v) const {
  const bool another = v.heir_since != Monotonic() || (!v.certain && v.step != Step::clearing);
  switch (v.step) {
    case Step::starting: {
      const bool known = v.own_launch && v.lease_written && !another;
      return known ? std::max(now(), first_ask_of(v)) + pace(kStartingGap) : now();
    }
    case Step::waiting_for_agent:
      return another || !v.lease_written ? now() : now() + pace(kUpGap);
    case Step::running:
      return another ? now() : now() + pace(kUpGap);
    case Step::stopping:
    case Step::clearing: {
      if (!v.stop_answered || another) {
        return now();
      }
      const Micros share = std::min((now() - v.stop_answered_at) / kStopGapShare, Micros(pace(kStopGapMax)));
      return std::max(v.stop_answered_at + pace(kStopFirst), now() + std::max(pace(kStopGap), share));
    }
    default:
      return now();
  }
}

// Until anything is due, but at least one poll.
Micros RegionRun::pause() const {
  Monotonic next = Monotonic::max();
  for (const auto& v : vantages_) {
    switch (v->step) {
      case Step::ended:
        continue;
      case Step::claiming:
        next = std::min(next, next_claim_);
        continue;
      case Step::sending:
        next = std::min(next, v->next_send);
        break;
      case Step::stopping:
      case Step::clearing:
        next = std::min(next, v->next_stop_call);
        break;
      case Step::running:
      case Step::waiting_for_agent:
        next = std::min(next, v->next_ask);
        break;
      case Step::starting:
        next = std::min(next, v->own_launch ? v->next_ask : v->next_look);
        break;
      default:
        break;
    }
    next = std::min({next, v->next_look, v->deadline});
  }
  const Monotonic at = now();
  return next <= at ? options_.poll : std::max(options_.poll, next - at);
}

RegionRun::View RegionRun::look() {
  View view;
  look_at_agents(view);
  look_at_jobs(view);
  const bool wanted =
      std::any_of(vantages_.begin(), vantages_.end(), [&](const auto& v) { return wants_describe(*v, view); });
  if (wanted) {
    describe(view, kCallTimeout);
  }
  return view;
}

bool RegionRun::wants_describe(const VantageRun& v, const View& view) const {
  const Monotonic at = now();
  if (v.step == Step::ended || v.step == Step::claiming) {
    return false;
  }
  if (at >= v.next_look || at >= v.deadline) {
    return true;
  }
  if (v.step == Step::stopping || v.step == Step::clearing) {
    return v.stop_answered && at >= v.next_stop_call;
  }
  if (const auto ping = view.pings.find(v.vantage.instance.id); ping != view.pings.end()) {
    return v.own_launch && ping->second > *v.own_launch;
  }
  if (const auto job = view.jobs.find(&v); job != view.jobs.end()) {
    return (!job->second || job->second->ended()) && !ended_just_now(v, job->second);
  }
  return false;
}

// One call for all that have not ended.
void RegionRun::describe(View& view, Micros timeout) {
  std::vector<std::string> ids;
  for (const auto& v : vantages_) {
    if (v->step != Step::ended) {
      ids.push_back(v->vantage.instance.id);
    }
  }
  const Monotonic began = now();
  Result<std::vector<Instance>> instances = api_.instances_by_id(ids, limits(timeout, false));
  heard(ec2_, instances ? nullptr : &instances.error(), began);
  if (!instances) {
    return;
  }
  view.instances = std::move(instances).value();
  std::sort(view.instances->begin(), view.instances->end(),
            [](const Instance& a, const Instance& b) { return a.id < b.id; });
  for (const auto& v : vantages_) {
    if (view.find(v->vantage.instance.id) != nullptr) {
      v->seen_at = now();
    }
  }
}

// An interrupted run stops its machines at once; one that was not looked at for a while may be another's by now.
void RegionRun::look_before_interrupt() {
  const bool old = std::any_of(vantages_.begin(), vantages_.end(), [&](const auto& v) {
    const bool up = v->step == Step::waiting_for_agent || v->step == Step::running;
    return up && now() - v->seen_at > kNoOtherStartWithin;
  });
  if (!old) {
    return;
  }
  View view;
  describe(view, kLastLookTimeout);
  for (const auto& v : vantages_) {
    if (const Instance* instance = view.find(v->vantage.instance.id)) {
      not_ours_any_more(*v, *instance);
    }
  }
}

void RegionRun::look_at_agents(View& view) {
  const Monotonic began = now();
  std::vector<std::string> ids;
  bool due = false;
  for (const auto& v : vantages_) {
    if (v->step == Step::waiting_for_agent || (v->step == Step::starting && v->own_launch)) {
      due = due || began >= v->next_ask;
      ids.push_back(v->vantage.instance.id);
    }
  }
  if (!due || began < next_agents_) {
    return;
  }
  const Result<std::map<std::string, Instant>> pings = api_.agent_pings(ids, limits(kCallTimeout, false));
  heard(ssm_, pings ? nullptr : &pings.error(), began);
  next_agents_ = began + (ids.size() / kSsmIdsMax) * kBetweenSsmCalls;
  for (const auto& v : vantages_) {
    if (v->step == Step::waiting_for_agent || v->step == Step::starting) {
      v->next_ask = std::max(v->next_ask, began + pace(kAgentGap));
    }
  }
  if (pings) {
    view.pings = *pings;
  } else if (pings.error().kind == ErrorKind::denied) {
    fail_all(Step::waiting_for_agent, "its SSM agent could not be asked for: " + pings.error().text());
    fail_all(Step::starting, "its SSM agent could not be asked for: " + pings.error().text());
  }
}

void RegionRun::look_at_jobs(View& view) {
  const Monotonic began = now();
  std::vector<VantageRun*> running;
  bool due = false;
  for (const auto& v : vantages_) {
    if (v->step == Step::running) {
      running.push_back(v.get());
      due = due || began >= v->next_ask;
    }
  }
  if (!due) {
    return;
  }
  if (running.size() > kFollowedOneByOne) {
    list_jobs(view, running);
  } else {
    for (VantageRun* v : running) {
      const Monotonic asked = now();
      Result<Invocation> job = api_.invocation(v->command_id, v->vantage.instance.id, limits(kCallTimeout, false));
      heard(ssm_, job ? nullptr : &job.error(), asked);
      view.jobs.emplace(v, std::move(job));
    }
  }
  for (VantageRun* v : running) {
    const auto job = view.jobs.find(v);
    v->next_ask = began + job_gap(*v);
    if (job != view.jobs.end() && job->second && !job->second->ended()) {
      v->job_seen_at = began;
    }
  }
}

// Where there are many jobs, one list tells of all.
void RegionRun::list_jobs(View& view, const std::vector<VantageRun*>& running) {
  const Monotonic began = now();
  if (began < next_jobs_) {
    return;
  }
  Result<RegionApi::Invocations> all = api_.invocations_since(first_sent_ - kSinceSlack, limits(kCallTimeout, false));
  heard(ssm_, all ? nullptr : &all.error(), began);
  next_jobs_ = began + (vantages_.size() / kSsmIdsMax) * kBetweenSsmCalls;
  if (!all) {
    if (all.error().kind == ErrorKind::denied) {
      fail_all(Step::running, "its job could not be followed: " + all.error().text());
    }
    return;
  }
  for (const VantageRun* v : running) {
    const auto listed = all->find({v->command_id, v->vantage.instance.id});
    if (listed != all->end()) {
      view.jobs.emplace(v, std::move(listed->second));
    }
  }
}

}  // namespace parallax::fleet
