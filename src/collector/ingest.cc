#include "collector/ingest.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "codec/hash.h"
#include "collector/answer.h"
#include "collector/pauses.h"

namespace parallax::collector {

namespace {

constexpr std::size_t kReasonBytesMax = 300;
// Of the texts that name things and stand as columns in tables.
constexpr std::size_t kNameBytesMax = 256;

JsonLimits json_limits(const BodyLimits& limits) {
  JsonLimits json;
  json.bytes_max = limits.inflated_bytes_max;
  json.values_max = 100'000;
  return json;
}

// Empty where the id's time is fine.
std::string time_objection(std::string_view run_id, Instant now, bool may_be_old) {
  const Result<Instant> time = ulid_time(run_id);
  if (!time) {
    return "run_id is no ULID";
  }
  if (*time > now + kFutureMax + kClockTolerance) {
    return fmt::format("run_id lies in the future ({}); compare the clocks", to_iso8601_seconds(*time));
  }
  if (!may_be_old && now - *time >= kSpoolAgeMax) {
    return fmt::format("run_id is of {}, more than 30 days ago", to_iso8601_seconds(*time));
  }
  return "";
}

bool covers_fleet(const TokenPayload& token, std::string_view fleet) {
  return token.fleet == fleet || (token.role == Role::admin && token.fleet.empty());
}

// What one token may add, for one request; remembers what it learned about each run.
class Permission {
 public:
  Permission(store::Store& store, const TokenPayload& token, const std::vector<TokenPayload>& earlier, Instant now)
      : store_(store), token_(token), earlier_(earlier), now_(now) {}

  // Empty: may be added; else why not. An error is the store's.
  Result<std::string> objection(const Measurement& m) {
    if (!covers_fleet(token_, m.fleet)) {
      return fmt::format("fleet '{}' is not the token's", m.fleet);
    }
    const bool is_vantage = token_.role == Role::vantage;
    if (is_vantage && m.vantage != token_.vantage) {
      return fmt::format("vantage '{}' is not the token's", m.vantage);
    }
    const auto key = std::make_pair(m.run_id, m.vantage);
    const auto known = runs_.find(key);
    if (known != runs_.end()) {
      return known->second;
    }
    std::string objection = time_objection(m.run_id, now_, !is_vantage);
    if (objection.empty()) {
      objection = TRY(run_objection(m));
    }
    runs_.emplace(key, objection);
    return objection;
  }

 private:
  Result<std::string> run_objection(const Measurement& m) {
    const std::optional<store::RunOwner> owner = TRY(store_.find_owner(m.run_id));
    if (owner && (owner->fleet != m.fleet || owner->vantage != m.vantage)) {
      return fmt::format("run {} belongs to another vantage", m.run_id);
    }
    const bool needs_issue = token_.role == Role::vantage && !token_.run_id.empty() && token_.run_id != m.run_id;
    if (needs_issue && !(owner && owner->issued) && !was_issued(m)) {
      return fmt::format("run {} is not the token's, nor known here as issued to this vantage", m.run_id);
    }
    return std::string();
  }

  bool was_issued(const Measurement& m) const {
    return std::any_of(earlier_.begin(), earlier_.end(), [&](const TokenPayload& token) {
      return token.run_id == m.run_id && token.vantage == m.vantage && token.fleet == m.fleet;
    });
  }

  store::Store& store_;
  const TokenPayload& token_;
  const std::vector<TokenPayload>& earlier_;
  const Instant now_;
  std::map<std::pair<std::string, std::string>, std::string> runs_;
};

Result<> check_names(const Measurement& m) {
  const std::array<std::pair<std::string_view, const std::string*>, 10> names = {{{"fleet", &m.fleet},
                                                                                  {"vantage", &m.vantage},
                                                                                  {"provider", &m.provider},
                                                                                  {"service", &m.service},
                                                                                  {"type", &m.type},
                                                                                  {"mode", &m.mode},
                                                                                  {"connection", &m.connection},
                                                                                  {"definition", &m.definition},
                                                                                  {"round_id", &m.round_id},
                                                                                  {"path", &m.path}}};
  for (const auto& [name, value] : names) {
    if (value->size() > kNameBytesMax) {
      return make_error(ErrorKind::invalid, fmt::format("'{}' is longer than {} bytes", name, kNameBytesMax));
    }
  }
  return {};
}

Json entry(const Line& line, std::string_view id_name, const std::string& id, std::string_view outcome) {
  return Json::object({{"line", static_cast<std::int64_t>(line.number)},
                       {std::string(id_name), id.empty() ? Json() : Json(terminal_safe(id, 100))},
                       {"outcome", outcome}});
}

Json refused_entry(const Line& line, std::string_view id_name, const std::string& id, std::string_view reason) {
  Json json = entry(line, id_name, id, "refused");
  json.set("reason", terminal_safe(reason, kReasonBytesMax));
  return json;
}

Result<Json> parse_line(const Line& line, const BodyLimits& limits, std::size_t bytes_max) {
  if (line.text.size() > bytes_max) {
    return make_error(ErrorKind::refused, fmt::format("the line is longer than {} bytes", bytes_max));
  }
  return parse_json(line.text, json_limits(limits)).with_context("reading the line as JSON");
}

struct ReadLine {
  std::optional<store::NewMeasurement> accepted;
  std::string id, reason;
};

// The error is the store's; what is wrong with the line stands in `reason`.
Result<ReadLine> read_measurement(const Line& line, Permission& permission, const BodyLimits& limits) {
  ReadLine read;
  const Result<Json> json = parse_line(line, limits, limits.line_bytes_max);
  if (!json) {
    read.reason = json.error().text();
    return read;
  }
  read.id = json->text("id");
  Result<Measurement> measurement = measurement_from_json(*json);
  if (!measurement) {
    read.reason = measurement.error().text();
    return read;
  }
  if (const Result<> names = check_names(*measurement); !names) {
    read.reason = names.error().text();
    return read;
  }
  read.reason = TRY(permission.objection(*measurement));
  if (read.reason.empty()) {
    std::string canonical = json->canonical();
    const Sha256 digest = sha256(canonical);
    read.accepted =
        store::NewMeasurement{std::move(measurement).value(), std::move(canonical), std::string(bytes_of(digest))};
  }
  return read;
}

IngestResult ended(http::Response response, std::size_t records = 0) {
  return {std::move(response), records, 0, {}};
}

}  // namespace

IngestResult ingest_measurements(store::Store& store, const http::Request& request, const TokenPayload& token,
                                 const std::vector<TokenPayload>& earlier, Instant now, const BodyLimits& limits) {
  Body body;
  read_lines(request, limits, body);
  if (body.answer) {
    return ended(*body.answer);
  }
  Permission permission(store, token, earlier, now);
  std::vector<store::NewMeasurement> batch;
  std::vector<std::size_t> entry_of_batch;  // where in `entries` the outcome of each one goes
  JsonArray entries;
  for (const Line& line : body.lines) {
    Result<ReadLine> read = read_measurement(line, permission, limits);
    if (!read) {
      return ended(store_answer(read.error()), body.lines.size());
    }
    if (read->accepted) {
      entry_of_batch.push_back(entries.size());
      entries.push_back(entry(line, "id", read->id, ""));
      batch.push_back(std::move(*read->accepted));
    } else {
      entries.push_back(refused_entry(line, "id", read->id, read->reason));
    }
  }
  std::array<std::int64_t, 3> counts{};
  std::vector<Measurement> throttled;
  if (!batch.empty()) {
    const Result<std::vector<store::Outcome>> outcomes = store.ingest(batch, now);
    if (!outcomes) {
      return ended(store_answer(outcomes.error()), body.lines.size());
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const store::Outcome outcome = outcomes->at(i);
      ++counts[static_cast<std::size_t>(outcome)];
      entries[entry_of_batch[i]].set("outcome", to_string(outcome));
      if (outcome == store::Outcome::stored && asks_for_peace(batch[i].measurement)) {
        throttled.push_back(std::move(batch[i].measurement));
      }
    }
  }
  const std::size_t refused = entries.size() - batch.size();
  return {json_answer(200, Json::object({{"stored", counts[0]},
                                         {"duplicate", counts[1]},
                                         {"conflict", counts[2]},
                                         {"refused", static_cast<std::int64_t>(refused)},
                                         {"records", std::move(entries)}})),
          body.lines.size(), refused, std::move(throttled)};
}

namespace {

// Empty: stored. The error is the store's.
Result<std::string> add_run(store::Store& store, const Json& json, const TokenPayload& token, Instant now) {
  const Result<Run> run = run_from_json(json);
  if (!run) {
    return run.error().text();
  }
  if (!covers_fleet(token, run->fleet)) {
    return fmt::format("fleet '{}' is not the token's", run->fleet);
  }
  if (run->fleet.size() > kNameBytesMax || run->vantage.size() > kNameBytesMax ||
      run->round_id.size() > kNameBytesMax) {
    return fmt::format("fleet, vantage and round_id may have {} bytes", kNameBytesMax);
  }
  if (std::string objection = time_objection(run->run_id, now, true); !objection.empty()) {
    return objection;
  }
  const Result<> stored = store.upsert_run(*run, now);
  if (!stored && stored.error().kind == ErrorKind::conflict) {
    return stored.error().text();
  }
  if (!stored) {
    return stored.error();
  }
  return std::string();
}

// One object that may span lines, or else a record a line.
std::vector<Line> split_records(const Body& body, const http::Request& request, const BodyLimits& limits) {
  const std::string_view whole = trim(body.text.empty() ? std::string_view(request.body) : body.text);
  if (body.lines.size() > 1 && parse_json(whole, json_limits(limits))) {
    return {{body.lines.front().number, whole}};
  }
  return body.lines;
}

}  // namespace

IngestResult ingest_runs(store::Store& store, const http::Request& request, const TokenPayload& token, Instant now,
                         const BodyLimits& limits) {
  Body body;
  read_lines(request, limits, body);
  if (body.answer) {
    return ended(*body.answer);
  }
  JsonArray entries;
  std::size_t refused = 0;
  const std::vector<Line> records = split_records(body, request, limits);
  for (const Line& line : records) {
    const Result<Json> json = parse_line(line, limits, limits.line_bytes_max);
    const std::string id = json ? json->text("run_id") : std::string();
    const Result<std::string> reason = json ? add_run(store, *json, token, now) : json.error().text();
    if (!reason) {
      return ended(store_answer(reason.error()), records.size());
    }
    refused += reason->empty() ? 0U : 1U;
    entries.push_back(reason->empty() ? entry(line, "run_id", id, "stored")
                                      : refused_entry(line, "run_id", id, *reason));
  }
  const int status = refused > 0 && refused == records.size() ? 422 : 200;
  return {json_answer(status, Json::object({{"stored", static_cast<std::int64_t>(records.size() - refused)},
                                            {"refused", static_cast<std::int64_t>(refused)},
                                            {"records", std::move(entries)}})),
          records.size(),
          refused,
          {}};
}

}  // namespace parallax::collector
