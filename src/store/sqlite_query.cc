#include "store/sqlite_query.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "store/summary.h"

namespace parallax::store::sqlite {

namespace {

std::int64_t micros_of(Instant instant) {
  return instant.time_since_epoch().count();
}

// "WHERE a = ? AND b >= ?" with its values, in order.
class Where {
 public:
  void equal(std::string_view column, std::string_view value) {
    if (!value.empty()) {
      add(fmt::format("{} = ?", column));
      values_.emplace_back(value, 0);
    }
  }

  void compare(std::string_view condition, const std::optional<std::int64_t>& value) {
    if (value) {
      add(condition);
      values_.emplace_back(std::string_view(), *value);
    }
  }

  void add(std::string_view condition) {
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += condition;
  }

  const std::string& text() const { return text_; }

  void bind(Statement& statement) const {
    for (const auto& [text, number] : values_) {
      if (text.data() != nullptr) {
        statement.text(text);
      } else {
        statement.integer(number);
      }
    }
  }

 private:
  std::string text_;
  std::vector<std::pair<std::string_view, std::int64_t>> values_;  // a view into the filter, or else the number
};

std::optional<std::int64_t> micros_of(const std::optional<Instant>& instant) {
  return instant ? std::optional(micros_of(*instant)) : std::nullopt;
}

Where where_of(const MeasurementFilter& filter) {
  Where where;
  where.equal("run_id", filter.run_id);
  where.equal("round_id", filter.round_id);
  where.equal("fleet", filter.fleet);
  where.equal("vantage", filter.vantage);
  where.equal("provider", filter.provider);
  where.equal("service", filter.service);
  if (filter.verdict) {
    where.equal("verdict", to_string(*filter.verdict));
  }
  if (filter.failures_only) {
    where.add("verdict NOT IN ('ok', 'overflow')");
  }
  where.compare("started_at_us >= ?", micros_of(filter.since));
  where.compare("started_at_us < ?", micros_of(filter.until));
  where.compare("arrival < ?", filter.before);
  return where;
}

SummaryInput input_at(const Statement& statement) {
  SummaryInput input;
  for (std::size_t i = 0; i < input.key.size(); ++i) {
    input.key[i] = statement.text_at(static_cast<int>(i));
  }
  input.verdict = parse_verdict(statement.text_at(8)).value_or(Verdict::refused);
  input.total_us = statement.integer_at(9);
  input.first_byte_us = statement.optional_at(10);
  input.rows = statement.optional_at(11);
  input.path = statement.text_at(12);
  input.started_at = Instant(Micros(statement.integer_at(13)));
  return input;
}

}  // namespace

Result<MeasurementPage> query_measurements(Connection& connection, const MeasurementFilter& filter) {
  const Where where = where_of(filter);
  const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, kQueryLimitMax);
  // One more than asked for tells whether there is a next page.
  Statement statement = TRY(connection.prepare_once(
      fmt::format("SELECT arrival, json FROM measurements{} ORDER BY arrival DESC LIMIT {}", where.text(), limit + 1)));
  where.bind(statement);
  MeasurementPage page;
  std::size_t bytes = 0;
  std::int64_t last = 0;
  while (TRY(statement.step())) {
    const std::string_view json = statement.text_at(1);
    bytes += json.size();
    if (page.json.size() == limit || (bytes > kQueryBytesMax && !page.json.empty())) {
      page.next = last;
      break;
    }
    last = statement.integer_at(0);
    page.json.emplace_back(json);
  }
  return page;
}

Result<Summary> summary(Connection& connection, const SummaryFilter& filter) {
  Where where;
  where.equal("fleet", filter.fleet);
  where.equal("round_id", filter.round_id);
  where.compare("started_at_us >= ?", micros_of(filter.since));
  const std::size_t limit = std::clamp<std::size_t>(filter.measurements_max, 1, kSummaryMeasurementsMax);
  Statement statement = TRY(connection.prepare_once(
      fmt::format("SELECT provider, service, type, mode, connection, definition, fleet, vantage, verdict, total_us, "
                  "first_byte_us, rows, path, started_at_us FROM measurements{} ORDER BY started_at_us DESC LIMIT {}",
                  where.text(), limit + 1)));
  where.bind(statement);
  Summarizer summarizer(limit);
  while (TRY(statement.step())) {
    summarizer.add(input_at(statement));
  }
  return std::move(summarizer).finish();
}

Result<Latest> latest(Connection& connection, std::string_view fleet) {
  Where where;
  where.equal("fleet", fleet);
  Statement statement = TRY(connection.prepare_once(fmt::format(
      "SELECT fleet, round_id, started_at_us FROM measurements{} ORDER BY started_at_us DESC LIMIT 1", where.text())));
  where.bind(statement);
  Latest found;
  if (TRY(statement.step())) {
    found.fleet = statement.text_at(0);
    found.round_id = statement.text_at(1);
    found.started_at = Instant(Micros(statement.integer_at(2)));
  }
  return found;
}

}  // namespace parallax::store::sqlite
