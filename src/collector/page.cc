#include "collector/page.h"

#include <utility>

#include <fmt/format.h>

#include "collector/answer.h"
#include "collector/api.h"
#include "collector/page_parts.h"
#include "collector/query.h"
#include "http/url.h"

namespace parallax::collector {

namespace {

constexpr std::size_t kRunsShown = 24;
constexpr std::size_t kFailuresShown = 12;
constexpr Micros kDay = std::chrono::hours(24);

// Everything that the page shows, read before anything is written.
struct Contents {
  store::SummaryFilter filter;
  store::Latest latest;
  std::int64_t stored = 0;
  store::Summary summary;
  std::vector<Run> runs;
  std::vector<Measurement> failures;
};

Result<Contents> read_contents(store::Store& store, std::string_view text, std::string_view bound_fleet) {
  const Query query = TRY(Query::parse(text, {"fleet", "round_id", "since"}));
  Contents contents;
  contents.filter.fleet = TRY(choose_fleet(query.text("fleet"), bound_fleet));
  contents.filter.round_id = query.text("round_id");
  contents.filter.since = TRY(query.instant("since"));
  contents.latest = TRY(store.latest(contents.filter.fleet));
  if (contents.filter.fleet.empty()) {
    contents.filter.fleet = contents.latest.fleet;
  }
  const std::map<std::string, std::int64_t> counters = TRY(store.counters());
  const auto stored = counters.find("ingest.stored");
  contents.stored = stored == counters.end() ? 0 : stored->second;
  contents.summary = TRY(store.summary(contents.filter));

  store::RunFilter run_filter;
  run_filter.fleet = contents.filter.fleet;
  run_filter.round_id = contents.filter.round_id;
  run_filter.limit = kRunsShown;
  contents.runs = TRY(store.list_runs(run_filter));

  store::MeasurementFilter failure_filter;
  failure_filter.fleet = contents.filter.fleet;
  failure_filter.round_id = contents.filter.round_id;
  failure_filter.since = contents.filter.since;
  failure_filter.failures_only = true;
  failure_filter.limit = kFailuresShown;
  const store::MeasurementPage page = TRY(store.query_measurements(failure_filter));
  for (const std::string& record : page.json) {
    const Json json = TRY(parse_json(record));
    contents.failures.push_back(TRY(measurement_from_json(json)));
  }
  return contents;
}

Html fact(const char* name, const Html& value) {
  return element("div", {}, {element("dt", {}, {name}), element("dd", {}, {value})});
}

Html link(const Contents& contents, const char* text, std::vector<std::pair<std::string, std::string>> parameters,
          bool current) {
  if (!contents.filter.fleet.empty()) {
    parameters.insert(parameters.begin(), {"fleet", contents.filter.fleet});
  }
  const std::string query = http::form_encode(parameters);
  return element("a", {{"href", query.empty() ? "/" : "/?" + query}, {"aria-current", current ? "true" : ""}}, {text});
}

Html navigation(const Contents& contents) {
  if (!contents.latest.started_at) {
    return {};
  }
  const bool by_round = !contents.filter.round_id.empty();
  const bool by_time = contents.filter.since.has_value();
  Html links = link(contents, "everything", {}, !by_round && !by_time);
  if (!contents.latest.round_id.empty()) {
    links.add(link(contents, "last round", {{"round_id", contents.latest.round_id}}, by_round));
  }
  links.add(link(contents, "last day", {{"since", to_iso8601_seconds(*contents.latest.started_at - kDay)}}, by_time));
  return element("nav", {{"aria-label", "Period"}}, {links});
}

Html header(const Contents& contents) {
  Html facts = fact("Fleet", contents.filter.fleet.empty() ? Html("\u2013") : Html(contents.filter.fleet));
  facts.add(fact("Measurements", with_commas(contents.stored)));
  facts.add(fact("Last round", contents.latest.round_id.empty() ? Html("\u2013") : Html(contents.latest.round_id)));
  facts.add(fact("Last query", contents.latest.started_at ? time_of(*contents.latest.started_at) : Html("\u2013")));
  return element(
      "header", {},
      {element("h1", {}, {"Parallax"}),
       element("p", {{"class", "lead"}}, {"How the place from which you look changes what you see of a web service."}),
       element("dl", {{"class", "facts"}}, {facts}), navigation(contents)});
}

Html section(const char* title, const Html& content) {
  return element("section", {}, {element("h2", {}, {title}), content});
}

std::string render(const Contents& contents, std::string_view build) {
  Html head = element("meta", {{"charset", "utf-8"}});
  head.add(element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}));
  head.add(element("meta", {{"name", "color-scheme"}, {"content", "light dark"}}));
  head.add(element("link", {{"rel", "icon"}, {"type", "image/svg+xml"}, {"href", "/assets/icon.svg"}}));
  head.add(element("link", {{"rel", "stylesheet"}, {"href", "/assets/style.css"}}));
  head.add(
      element("title", {},
              {contents.filter.fleet.empty() ? Html("Parallax") : Html(contents.filter.fleet + " \u00b7 Parallax")}));
  Html body = header(contents);
  body.add(element("main", {},
                   {section("Services by vantage", summary_table(contents.summary)),
                    section("Latest runs", runs_table(contents.runs)),
                    section("Latest queries that failed", failures_table(contents.failures))}));
  body.add(element("footer", {},
                   {"As JSON: ", element("a", {{"href", "/api/v1/summary"}}, {"summary"}), ", ",
                    element("a", {{"href", "/api/v1/runs"}}, {"runs"}), ", ",
                    element("a", {{"href", "/api/v1/measurements"}}, {"measurements"}), ", ",
                    element("a", {{"href", "/api/v1/counters"}}, {"counters"}), ". ", build}));
  return html_document(head, element("body", {}, {body}));
}

}  // namespace

http::Response get_page(store::Store& store, std::string_view query, std::string_view bound_fleet,
                        std::string_view build) {
  const Result<Contents> contents = read_contents(store, query, bound_fleet);
  if (!contents) {
    return read_error_answer(contents.error());
  }
  http::Response response;
  response.status = 200;
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.body = render(*contents, build);
  return response;
}

}  // namespace parallax::collector
