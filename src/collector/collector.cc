#include "collector/collector.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "collector/answer.h"
#include "collector/api.h"
#include "collector/ingest.h"
#include "collector/page.h"
#include "collector/query.h"

namespace parallax::collector {

namespace {

// A request costs at least this many records, so that many small ones are bounded too.
constexpr std::size_t kRequestCost = 20;
// Reading needs no body; some clients send a few bytes all the same.
constexpr std::size_t kReadingBodyMax = 4096;

constexpr std::string_view kBundlePath = "/api/v1/bundle/";
constexpr Micros kBundleRetry = Seconds(5);

std::string rate_key(const TokenPayload& token) {
  return fmt::format("{}\n{}\n{}\n{}", to_string(token.role), token.fleet, token.vantage, token.run_id);
}

}  // namespace

Collector::Collector(store::Store& store, Clock& clock, CollectorOptions options, const BundleShelf* bundles)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      bundles_(bundles),
      counts_(store, clock),
      rate_(options_.rate),
      gate_(store, clock, counts_) {}

Collector::~Collector() {
  ignore(counts_.flush(), "counts are lost where the database is gone");
}

Collector::Route Collector::route_of(std::string_view path) {
  constexpr std::pair<std::string_view, Route> kRoutes[] = {{"/api/v1/measurements", Route::measurements},
                                                            {"/api/v1/runs", Route::runs},
                                                            {"/api/v1/summary", Route::summary},
                                                            {"/api/v1/counters", Route::counters},
                                                            {"/api/v1/bundles", Route::bundles},
                                                            {"/api/v1/pauses", Route::pauses},
                                                            {"/healthz", Route::health},
                                                            {"/", Route::page},
                                                            {"/assets/style.css", Route::style},
                                                            {"/assets/icon.svg", Route::icon}};
  for (const auto& [known, route] : kRoutes) {
    if (path == known) {
      return route;
    }
  }
  return path.starts_with(kBundlePath) ? Route::bundle : Route::none;
}

std::string_view Collector::methods_of(Route route) {
  return route == Route::measurements || route == Route::runs ? "GET, POST" : "GET";
}

std::optional<http::Response> Collector::check_host(const http::Request& head) const {
  const std::string* host = head.headers.find("Host");
  const bool guarded = options_.reading_open || !options_.allowed_hosts.empty();
  // Every browser sends a Host; a request without one is none that a foreign page could have made.
  if (host == nullptr || !guarded || is_allowed_host(*host, options_.allowed_hosts)) {
    return std::nullopt;
  }
  return error_answer(421, "foreign-host", fmt::format("this server is not '{}'", *host));
}

Admitted Collector::check(const http::Request& head, Route route, Counting counting) {
  Admitted admitted;
  admitted.answer = check_host(head);
  if (admitted.answer) {
    return admitted;
  }
  if (route == Route::none) {
    admitted.answer = error_answer(404, "not-found", "there is nothing at this path");
    return admitted;
  }
  const bool takes_posts = route == Route::measurements || route == Route::runs;
  if (head.method != "GET" && !(takes_posts && head.method == "POST")) {
    admitted.answer = error_answer(405, "wrong-method", fmt::format("this path takes {}", methods_of(route)));
    admitted.answer->headers.set("Allow", std::string(methods_of(route)));
    return admitted;
  }
  if (head.method == "POST") {
    const std::vector<Role> writers = route == Route::measurements
                                          ? std::vector<Role>{Role::vantage, Role::controller, Role::admin}
                                          : std::vector<Role>{Role::controller, Role::admin};
    return gate_.check(head, writers, counting);
  }
  if (route == Route::bundle) {
    return gate_.check(head, {Role::vantage, Role::controller, Role::admin}, counting);
  }
  if (route == Route::pauses && head.headers.find("Authorization") != nullptr) {
    return gate_.check(head, {Role::vantage, Role::read, Role::controller, Role::admin}, counting);
  }
  if (options_.reading_open || route == Route::health || route == Route::style || route == Route::icon) {
    return admitted;
  }
  return gate_.check(head, {Role::read, Role::controller, Role::admin}, counting);
}

http::Service::Admission Collector::admit(const http::Request& head) {
  counts_.flush_if_due();
  Admitted admitted = check(head, route_of(split_target(head.url).path), Counting::yes);
  Admission admission;
  admission.body_bytes_max = kReadingBodyMax;
  if (!admitted.answer && head.method == "POST") {
    admission.body_bytes_max = options_.body.bytes_max;
    const Micros wait = rate_.wait(rate_key(admitted.token), clock_.monotonic());
    if (wait > Micros(0)) {
      counts_.add("ingest.throttled");
      admitted.answer =
          retry_after(error_answer(429, "too-fast", "too many records in a short time; nothing was stored"), wait);
    }
  }
  if (admitted.answer) {
    add_security_headers(*admitted.answer);
    admission.answer = std::move(admitted.answer);
  }
  return admission;
}

http::Response Collector::handle(const http::Request& request) {
  http::Response response = answer(request);
  add_security_headers(response);
  return response;
}

http::Response Collector::answer(const http::Request& request) {
  const Target target = split_target(request.url);
  const Route route = route_of(target.path);
  // Once more, since a caller may not have asked admit() first; what it refused was counted there.
  const Admitted admitted = check(request, route, Counting::no);
  if (admitted.answer) {
    return *admitted.answer;
  }
  return request.method == "POST" ? post(route, request, admitted.token) : get(route, target, admitted.token.fleet);
}

http::Response Collector::get(Route route, const Target& target, std::string_view bound_fleet) {
  const std::string_view query = target.query;
  switch (route) {
    case Route::measurements:
      return get_measurements(store_, query, bound_fleet);
    case Route::runs:
      return get_runs(store_, query, bound_fleet);
    case Route::summary:
      return get_summary(store_, query, bound_fleet);
    case Route::counters:
      ignore(counts_.flush(), "the database's own numbers can still be shown");
      return get_counters(store_, query);
    case Route::bundles:
      return list_bundles();
    case Route::bundle: {
      Shared shared = get_bundle(target.path);
      if (shared.body != nullptr) {
        shared.head.body = *shared.body;
      }
      return std::move(shared.head);
    }
    case Route::pauses:
      return list_pauses(query, bound_fleet);
    case Route::health:
      return health();
    case Route::page:
      return get_page(store_, query, bound_fleet, options_.build);
    case Route::style:
      return get_style();
    case Route::icon:
      return get_icon();
    case Route::none:
      break;
  }
  return error_answer(404, "not-found", "there is nothing at this path");
}

http::Response Collector::post(Route route, const http::Request& request, const TokenPayload& token) {
  const Instant now = clock_.now();
  const IngestResult result =
      route == Route::measurements
          ? ingest_measurements(store_, request, token, gate_.earlier_tokens(request), now, options_.body)
          : ingest_runs(store_, request, token, now, options_.body);
  for (const Measurement& measurement : result.throttled) {
    pauses_.note(measurement, now);
  }
  rate_.charge(rate_key(token), static_cast<double>(std::max(result.records, kRequestCost)), clock_.monotonic());
  counts_.add(route == Route::measurements ? "ingest.refused" : "runs.refused",
              static_cast<std::int64_t>(result.refused));
  return result.response;
}

http::Response Collector::health() {
  const Result<> healthy = store_.check_health();
  if (!healthy) {
    return store_answer(healthy.error());
  }
  return json_answer(200, Json::object({{"status", "ok"}, {"build", options_.build}}));
}

http::Response Collector::list_pauses(std::string_view query, std::string_view bound_fleet) {
  const Result<Query> parsed = Query::parse(query, {"fleet"});
  if (!parsed) {
    return read_error_answer(parsed.error());
  }
  const Result<std::string> fleet = choose_fleet(parsed->text("fleet"), bound_fleet);
  if (!fleet) {
    return read_error_answer(fleet.error());
  }
  return json_answer(200, Json::object({{"pauses", pauses_.list(*fleet, clock_.now())}}));
}

http::Response Collector::list_bundles() const {
  JsonArray list;
  if (bundles_ != nullptr) {
    for (const Bundle& bundle : bundles_->bundles()) {
      list.push_back(Json::object({{"build", bundle.build},
                                   {"sha256", bundle.sha256},
                                   {"bytes", static_cast<std::int64_t>(bundle.archive->size())},
                                   {"unpacked_bytes", static_cast<std::int64_t>(bundle.unpacked_bytes)},
                                   {"path", std::string(kBundlePath) + bundle.build}}));
    }
  }
  return json_answer(200, Json::object({{"bundles", std::move(list)}}));
}

http::SharedBodyService::Shared Collector::get_bundle(std::string_view path) const {
  const std::string_view build = path.substr(kBundlePath.size());
  if (bundles_ == nullptr || bundles_->bundles().empty()) {
    return {error_answer(404, "no-bundle",
                         "this collector has no bundles of the program: 'make bundle' makes one, 'parallax serve "
                         "--bundle FILE' hands it out"),
            nullptr};
  }
  const Bundle* bundle = bundles_->find(build);
  if (bundle == nullptr) {
    std::string known;
    for (const Bundle& other : bundles_->bundles()) {
      known += (known.empty() ? "" : ", ") + other.build;
    }
    return {
        error_answer(404, "no-bundle", fmt::format("there is no bundle of build '{}' here; there is {}", build, known)),
        nullptr};
  }
  Shared shared;
  shared.body = bundles_->lend(*bundle);
  if (shared.body == nullptr) {
    return {
        retry_after(error_answer(503, "bundles-busy", "too many bundles are on their way; come again"), kBundleRetry),
        nullptr};
  }
  shared.head.status = 200;
  shared.head.headers.set("Content-Type", "application/gzip");
  shared.head.headers.set("Cache-Control", "no-store");
  shared.head.headers.set("Parallax-SHA256", bundle->sha256);
  shared.head.headers.set("Content-Disposition",
                          fmt::format("attachment; filename=\"parallax-bundle-{}.tar.gz\"", bundle->build));
  return shared;
}

std::optional<http::SharedBodyService::Shared> Collector::share(const http::Request& request) {
  const Target target = split_target(request.url);
  if (route_of(target.path) != Route::bundle || check(request, Route::bundle, Counting::no).answer) {
    return std::nullopt;
  }
  Shared shared = get_bundle(target.path);
  if (shared.body == nullptr) {
    return std::nullopt;
  }
  add_security_headers(shared.head);
  return shared;
}

Result<std::string> add_public_key(store::Store& store, std::string_view public_text, Instant now) {
  const PublicKey key = TRY(public_key_from_text(public_text));
  TRY(store.add_key({key.key_id, key.public_key, std::nullopt}, now));
  return key.key_id;
}

}  // namespace parallax::collector
