#include "store/run_merge.h"

#include <algorithm>
#include <tuple>

namespace parallax::store {

namespace {

constexpr std::size_t kTimelineMax = 1000;  // as record/run.cc reads at most

int rank(RunState state) {
  return is_ended(state) ? static_cast<int>(RunState::done) : static_cast<int>(state);
}

void take(std::string& known, const std::string& news, bool replace) {
  if (!news.empty() && (replace || known.empty())) {
    known = news;
  }
}

template <typename T>
void take(std::optional<T>& known, const std::optional<T>& news, bool replace) {
  if (news && (replace || !known)) {
    known = news;
  }
}

bool earlier(const RunEvent& a, const RunEvent& b) {
  return std::tie(a.at, a.state, a.note) < std::tie(b.at, b.state, b.note);
}

bool same(const RunEvent& a, const RunEvent& b) {
  return a.at == b.at && a.state == b.state && a.note == b.note;
}

std::vector<RunEvent> join(std::vector<RunEvent> all, const std::vector<RunEvent>& more) {
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end(), earlier);
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  if (all.size() > kTimelineMax) {
    all.resize(kTimelineMax);
  }
  return all;
}

}  // namespace

Run merge_run(const Run& known, const Run& news) {
  Run merged = known;
  const bool both_ended_differently = is_ended(known.state) && is_ended(news.state) && known.state != news.state;
  const bool replace = rank(news.state) >= rank(known.state) && !both_ended_differently;
  if (replace) {
    merged.state = news.state;
  }
  take(merged.round_id, news.round_id, replace);
  take(merged.region, news.region, replace);
  take(merged.instance_id, news.instance_id, replace);
  take(merged.instance_type, news.instance_type, replace);
  take(merged.started_at, news.started_at, replace);
  take(merged.stopped_at, news.stopped_at, replace);
  take(merged.billed_seconds, news.billed_seconds, replace);
  take(merged.cost_usd, news.cost_usd, replace);
  take(merged.exit_code, news.exit_code, replace);
  take(merged.cause, news.cause, replace);
  take(merged.log_tail, news.log_tail, replace);
  for (const auto& [name, value] : news.extra) {
    if (replace || merged.extra.find(name) == nullptr) {
      merged.extra.set(name, value);
    }
  }
  merged.timeline = join(std::move(merged.timeline), news.timeline);
  return merged;
}

}  // namespace parallax::store
