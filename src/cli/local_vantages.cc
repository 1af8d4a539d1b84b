#include "cli/local_vantages.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/collector_call.h"
#include "cli/secrets.h"
#include "http/url.h"
#include "record/verdict.h"

namespace parallax::cli {

namespace {

// Late arrivals from a spool can hide the latest run among so many records at most.
constexpr int kRecentMax = 100;
constexpr int kCountedMax = 2000;
constexpr Micros kAnswerTimeout{Seconds(20)};

struct Asker {
  World& world;
  const Config& config;
  std::string token;
};

Result<Asker> make_asker(World& world, const Config& config) {
  if (config.collector.url.empty() || config.collector.key.empty()) {
    return make_error(ErrorKind::invalid,
                      "only the collector knows of local vantages: [collector] needs 'url' and 'key'");
  }
  const SigningKey key = TRY(read_signing_key(world, config.collector.key));
  return Asker{world, config, TRY(brief_controller_token(world, key, config.fleet.name))};
}

Result<Json> ask(const Asker& asker, const std::string& query) {
  const std::string url = fmt::format("{}/api/v1/measurements?{}", asker.config.collector.url, query);
  return get_from_collector(asker.world, url, asker.token, {.timeout = kAnswerTimeout});
}

// The record whose query began last.
void take_latest(const Json& answer, LocalStatus& status) {
  for (const Json& record : answer.list("measurements")) {
    const Result<Instant> at = parse_iso8601(record.text("started_at"));
    if (at && (!status.last_at || *at > *status.last_at)) {
      status.last_at = *at;
      status.run_id = record.text("run_id");
      status.build = terminal_safe(record.text("build"), 100);
    }
  }
}

void count(const Json& answer, LocalStatus& status) {
  for (const Json& record : answer.list("measurements")) {
    const std::optional<Verdict> verdict = parse_verdict(record.text("verdict"));
    if (verdict) {
      ++status.measurements;
      status.successes += is_success(*verdict) ? 1 : 0;
      ++status.verdicts[std::string(to_string(*verdict))];
    }
  }
  const Json* next = answer.find("next");
  status.partial = next != nullptr && !next->is_null();
}

Result<> look(const Asker& asker, LocalStatus& status) {
  const std::string who = fmt::format("fleet={}&vantage={}", http::percent_encode(asker.config.fleet.name),
                                      http::percent_encode(status.name));
  take_latest(TRY(ask(asker, fmt::format("{}&limit={}", who, kRecentMax))), status);
  if (status.last_at) {
    count(TRY(ask(asker, fmt::format("{}&run_id={}&limit={}", who, http::percent_encode(status.run_id), kCountedMax))),
          status);
  }
  return {};
}

std::string problem_of(const LocalStatus& status, const Asker& asker) {
  if (!status.last_at) {
    return fmt::format("nothing from it has reached {} yet", asker.config.collector.url);
  }
  const Micros silent = asker.world.clock.now() - *status.last_at;
  if (silent <= status.interval * kLocalSilentIntervals) {
    return "";
  }
  return fmt::format("silent for {}, it should report every {}: look at its timer, its log and its token",
                     to_human(silent), to_human(status.interval));
}

}  // namespace

std::vector<LocalStatus> look_at_local_vantages(World& world, const Config& config) {
  std::vector<LocalStatus> list;
  if (config.locals.empty()) {
    return list;
  }
  const Result<Asker> asker = make_asker(world, config);
  for (const Config::Local& local : config.locals) {
    LocalStatus status;
    status.name = local.name;
    status.interval = local.interval;
    const Result<> looked = asker ? look(*asker, status) : Result<>(asker.error());
    status.problem = looked ? problem_of(status, *asker) : "the collector cannot tell: " + looked.error().text();
    list.push_back(std::move(status));
  }
  return list;
}

Json to_json(const LocalStatus& status) {
  Json verdicts = Json::object();
  for (const auto& [name, number] : status.verdicts) {
    verdicts.set(name, number);
  }
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return Json::object({{"vantage", status.name},
                       {"local", true},
                       {"interval_s", count_seconds(status.interval)},
                       {"last_at", status.last_at ? Json(to_iso8601(*status.last_at)) : Json()},
                       {"run_id", text_or_null(status.run_id)},
                       {"build", text_or_null(status.build)},
                       {"measurements", status.measurements},
                       {"successes", status.successes},
                       {"verdicts", std::move(verdicts)},
                       {"partial", status.partial},
                       {"problem", text_or_null(status.problem)}});
}

std::string describe(const LocalStatus& status, Instant now) {
  if (!status.last_at) {
    return "never";
  }
  std::string failures;
  for (const auto& [name, number] : status.verdicts) {
    if (const std::optional<Verdict> verdict = parse_verdict(name); verdict && !is_success(*verdict)) {
      failures += fmt::format("{}{} {}", failures.empty() ? "" : ", ", number, name);
    }
  }
  return fmt::format("{} ago, {} of {}{} good{}", to_human(now - *status.last_at), status.successes,
                     status.partial ? "the first " : "", status.measurements,
                     failures.empty() ? "" : fmt::format(" ({})", failures));
}

}  // namespace parallax::cli
