#include "collector/api.h"

#include <limits>

#include <fmt/format.h>

#include "collector/answer.h"
#include "collector/query.h"

namespace parallax::collector {

namespace {

constexpr auto kLimitMax = static_cast<std::int64_t>(store::kQueryLimitMax);

http::Response answer_of(Result<http::Response> result) {
  return result ? std::move(result).value() : read_error_answer(result.error());
}

Result<http::Response> runs(store::Store& store, std::string_view text, std::string_view bound_fleet) {
  const Query query = TRY(Query::parse(text, {"fleet", "vantage", "round_id", "limit"}));
  store::RunFilter filter;
  filter.fleet = TRY(choose_fleet(query.text("fleet"), bound_fleet));
  filter.vantage = query.text("vantage");
  filter.round_id = query.text("round_id");
  filter.limit = static_cast<std::size_t>(TRY(query.number("limit", 1, kLimitMax)).value_or(100));
  JsonArray list;
  const std::vector<Run> found = TRY(store.list_runs(filter));
  for (const Run& run : found) {
    list.push_back(to_json(run));
  }
  return json_answer(200, Json::object({{"runs", std::move(list)}}));
}

Result<store::MeasurementFilter> measurement_filter(const Query& query, std::string_view bound_fleet) {
  store::MeasurementFilter filter;
  filter.run_id = query.text("run_id");
  filter.round_id = query.text("round_id");
  filter.fleet = TRY(choose_fleet(query.text("fleet"), bound_fleet));
  filter.vantage = query.text("vantage");
  filter.provider = query.text("provider");
  filter.service = query.text("service");
  const std::string verdict = query.text("verdict");
  if (verdict == "failed") {
    filter.failures_only = true;
  } else if (!verdict.empty()) {
    filter.verdict = parse_verdict(verdict);
    if (!filter.verdict) {
      return make_error(ErrorKind::invalid, fmt::format("parameter 'verdict' must be one of {}, or failed",
                                                        fmt::join(kVerdictNames, ", ")));
    }
  }
  filter.since = TRY(query.instant("since"));
  filter.until = TRY(query.instant("until"));
  filter.before = TRY(query.number("cursor", 0, std::numeric_limits<std::int64_t>::max()));
  filter.limit = static_cast<std::size_t>(TRY(query.number("limit", 1, kLimitMax)).value_or(1000));
  return filter;
}

Result<http::Response> measurements(store::Store& store, std::string_view text, std::string_view bound_fleet) {
  const Query query = TRY(Query::parse(text, {"run_id", "round_id", "fleet", "vantage", "provider", "service",
                                              "verdict", "since", "until", "limit", "cursor"}));
  const store::MeasurementFilter filter = TRY(measurement_filter(query, bound_fleet));
  const store::MeasurementPage page = TRY(store.query_measurements(filter));
  // The records are JSON already: they are handed on as they came.
  return json_text_answer(fmt::format("{{\"measurements\":[{}],\"next\":{}}}", fmt::join(page.json, ",\n"),
                                      page.next ? fmt::format("\"{}\"", *page.next) : "null"));
}

Json row_to_json(const store::SummaryRow& row) {
  Json verdicts = Json::object();
  for (std::size_t i = 0; i < kVerdictNames.size(); ++i) {
    if (row.verdicts[i] > 0) {
      verdicts.set(std::string(kVerdictNames[i]), row.verdicts[i]);
    }
  }
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return Json::object({{"fleet", row.fleet},
                       {"vantage", row.vantage},
                       {"provider", text_or_null(row.provider)},
                       {"service", row.service},
                       {"type", text_or_null(row.type)},
                       {"mode", text_or_null(row.mode)},
                       {"connection", text_or_null(row.connection)},
                       {"definition", text_or_null(row.definition)},
                       {"count", row.count},
                       {"successes", row.successes},
                       {"verdicts", std::move(verdicts)},
                       {"median_total_us", row.median_total_us},
                       {"p95_total_us", row.p95_total_us},
                       {"median_first_byte_us", row.median_first_byte_us},
                       {"median_rows", row.median_rows},
                       {"last_started_at", row.last_started_at ? Json(to_iso8601(*row.last_started_at)) : Json()},
                       {"path", text_or_null(row.path)}});
}

Result<http::Response> summary(store::Store& store, std::string_view text, std::string_view bound_fleet) {
  const Query query = TRY(Query::parse(text, {"fleet", "round_id", "since"}));
  store::SummaryFilter filter;
  filter.fleet = TRY(choose_fleet(query.text("fleet"), bound_fleet));
  filter.round_id = query.text("round_id");
  filter.since = TRY(query.instant("since"));
  const store::Summary found = TRY(store.summary(filter));
  JsonArray rows;
  for (const store::SummaryRow& row : found.rows) {
    rows.push_back(row_to_json(row));
  }
  return json_answer(
      200, Json::object({{"measurements", found.measurements}, {"partial", found.partial}, {"rows", std::move(rows)}}));
}

Result<http::Response> counters(store::Store& store, std::string_view text) {
  TRY(Query::parse(text, {}));
  Json json = Json::object();
  const std::map<std::string, std::int64_t> found = TRY(store.counters());
  for (const auto& [name, value] : found) {
    json.set(name, value);
  }
  return json_answer(200, Json::object({{"counters", std::move(json)}}));
}

}  // namespace

Result<std::string> choose_fleet(const std::string& asked, std::string_view bound_fleet) {
  if (bound_fleet.empty() || asked == bound_fleet) {
    return asked;
  }
  if (!asked.empty()) {
    return make_error(ErrorKind::denied, fmt::format("the token reads fleet '{}' alone", bound_fleet));
  }
  return std::string(bound_fleet);
}

http::Response get_runs(store::Store& store, std::string_view query, std::string_view bound_fleet) {
  return answer_of(runs(store, query, bound_fleet));
}

http::Response get_measurements(store::Store& store, std::string_view query, std::string_view bound_fleet) {
  return answer_of(measurements(store, query, bound_fleet));
}

http::Response get_summary(store::Store& store, std::string_view query, std::string_view bound_fleet) {
  return answer_of(summary(store, query, bound_fleet));
}

http::Response get_counters(store::Store& store, std::string_view query) {
  return answer_of(counters(store, query));
}

}  // namespace parallax::collector
