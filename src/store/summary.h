// Measurements summed up by series and vantage: the same for every database.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/store.h"

namespace parallax::store {

// What a summary reads of one measurement. Views live as long as the database row.
struct SummaryInput {
  // provider, service, type, mode, connection, definition, fleet, vantage
  std::array<std::string_view, 8> key;
  Verdict verdict = Verdict::ok;
  std::int64_t total_us = 0;
  std::optional<std::int64_t> first_byte_us, rows;
  std::string_view path;
  Instant started_at;
};

class Summarizer {
 public:
  explicit Summarizer(std::size_t measurements_max) : measurements_max_(measurements_max) {}

  // Newest first; what is too much only sets Summary::partial.
  void add(const SummaryInput& input);
  Summary finish() &&;

 private:
  struct Group {
    SummaryRow row;
    std::vector<std::int64_t> total_us, first_byte_us, rows;  // of successes
  };

  Group* group_of(const SummaryInput& input);

  std::size_t measurements_max_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Group> groups_;
  std::string key_;  // reused
  Summary summary_;
};

// The middle value; the mean of the two middle ones, rounded down, of an even number. Sorts `values`.
std::optional<std::int64_t> median(std::vector<std::int64_t>& values);
// The smallest value that at least 95 of 100 do not exceed (nearest rank). Sorts `values`.
std::optional<std::int64_t> percentile_95(std::vector<std::int64_t>& values);

}  // namespace parallax::store
