#include "store/summary.h"

#include <algorithm>
#include <tuple>

namespace parallax::store {

std::optional<std::int64_t> median(std::vector<std::int64_t>& values) {
  if (values.empty()) {
    return std::nullopt;
  }
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) {
    return values[middle];
  }
  // Durations and counts are not negative: this cannot overflow.
  return values[middle - 1] + (values[middle] - values[middle - 1]) / 2;
}

std::optional<std::int64_t> percentile_95(std::vector<std::int64_t>& values) {
  if (values.empty()) {
    return std::nullopt;
  }
  std::sort(values.begin(), values.end());
  return values[(values.size() * 95 + 99) / 100 - 1];
}

Summarizer::Group* Summarizer::group_of(const SummaryInput& input) {
  key_.clear();
  for (const std::string_view part : input.key) {
    key_ += part;
    key_ += '\0';
  }
  const auto found = index_.find(key_);
  if (found != index_.end()) {
    return &groups_[found->second];
  }
  if (groups_.size() >= kSummaryRowsMax) {
    return nullptr;
  }
  index_.emplace(key_, groups_.size());
  Group group;
  const std::array<std::string*, 8> parts = {&group.row.provider, &group.row.service,    &group.row.type,
                                             &group.row.mode,     &group.row.connection, &group.row.definition,
                                             &group.row.fleet,    &group.row.vantage};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    *parts[i] = input.key[i];
  }
  group.row.path = input.path;
  group.row.last_started_at = input.started_at;
  groups_.push_back(std::move(group));
  return &groups_.back();
}

void Summarizer::add(const SummaryInput& input) {
  Group* group = static_cast<std::size_t>(summary_.measurements) < measurements_max_ ? group_of(input) : nullptr;
  if (group == nullptr) {
    summary_.partial = true;
    return;
  }
  ++summary_.measurements;
  SummaryRow& row = group->row;
  ++row.count;
  ++row.verdicts[static_cast<std::size_t>(input.verdict)];
  row.last_started_at = std::max(*row.last_started_at, input.started_at);
  if (row.path != input.path) {
    row.path = "mixed";
  }
  if (is_success(input.verdict)) {
    ++row.successes;
    group->total_us.push_back(input.total_us);
    if (input.first_byte_us) {
      group->first_byte_us.push_back(*input.first_byte_us);
    }
    if (input.rows) {
      group->rows.push_back(*input.rows);
    }
  }
}

Summary Summarizer::finish() && {
  for (Group& group : groups_) {
    group.row.median_total_us = median(group.total_us);
    group.row.p95_total_us = percentile_95(group.total_us);
    group.row.median_first_byte_us = median(group.first_byte_us);
    group.row.median_rows = median(group.rows);
    summary_.rows.push_back(std::move(group.row));
  }
  const auto key = [](const SummaryRow& r) {
    return std::tie(r.fleet, r.provider, r.service, r.type, r.mode, r.connection, r.definition, r.vantage);
  };
  std::sort(summary_.rows.begin(), summary_.rows.end(),
            [&](const SummaryRow& a, const SummaryRow& b) { return key(a) < key(b); });
  return std::move(summary_);
}

}  // namespace parallax::store
