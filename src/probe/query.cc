#include "probe/query.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "http/url.h"
#include "probe/exchange.h"
#include "vo/cone_search.h"
#include "vo/position.h"
#include "vo/tap.h"

namespace parallax {

namespace {

vo::RadiusUnit unit_of(const Service& service) {
  switch (service.radius_unit) {
    case RadiusUnit::arcmin:
      return vo::RadiusUnit::arcminute;
    case RadiusUnit::arcsec:
      return vo::RadiusUnit::arcsecond;
    case RadiusUnit::degree:
      break;
  }
  return vo::RadiusUnit::degree;
}

vo::Parameters extra_parameters(const Service& service) {
  vo::Parameters extra;
  if (service.verb && service.type == ServiceType::cone) {
    extra.emplace_back("VERB", std::to_string(*service.verb));
  }
  if (service.type != ServiceType::tap) {  // TAP has its own place for these two
    if (service.maxrec) {
      extra.emplace_back("MAXREC", std::to_string(*service.maxrec));
    }
    if (!service.response_format.empty()) {
      extra.emplace_back("RESPONSEFORMAT", service.response_format);
    }
  }
  extra.insert(extra.end(), service.parameters.begin(), service.parameters.end());
  return extra;
}

std::string with_parameters(std::string url, const vo::Parameters& extra) {
  for (const auto& [name, value] : extra) {
    const bool first = url.find('?') == std::string::npos;
    const bool joined = url.ends_with('?') || url.ends_with('&');
    url += fmt::format("{}{}={}",
                       first    ? "?"
                       : joined ? ""
                                : "&",
                       http::percent_encode(name), http::percent_encode(value));
  }
  return url;
}

// Where a query goes and, for TAP, the ADQL in it.
struct Target {
  std::string url;
  std::string adql;
};

Result<Target> target_of(const Service& service, const Cone& cone) {
  const vo::SkyCircle circle{cone.ra, cone.dec, cone.radius};
  Target target;
  switch (service.type) {
    case ServiceType::cone: {
      vo::SkyCircle sent = circle;
      sent.radius *= service.radius_unit == RadiusUnit::arcmin   ? 60
                     : service.radius_unit == RadiusUnit::arcsec ? 3600
                                                                 : 1;
      target.url = vo::cone_search_url(service.url, sent, extra_parameters(service));
      break;
    }
    case ServiceType::xcone:
      target.url = service.url.find('{') == std::string::npos
                       ? service.url
                       : TRY(vo::fill_template(service.url, circle, unit_of(service)));
      target.url = with_parameters(target.url, extra_parameters(service));
      break;
    case ServiceType::tap:
      target.url = service.mode == TapMode::async ? vo::tap_async_url(service.url) : vo::tap_sync_url(service.url);
      target.adql = service.adql.find('{') == std::string::npos
                        ? service.adql
                        : TRY(vo::fill_template(service.adql, circle, unit_of(service)));
      break;
  }
  return target;
}

}  // namespace

std::string user_agent(const QueryOptions& options) {
  return fmt::format("parallax/{} (IVOA-test {}) {}", options.version, options.contact_url, options.http_library);
}

Result<http::Request> build_request(const Service& service, const Cone& cone, const QueryOptions& options) {
  const Target target = TRY(target_of(service, cone));
  http::Request request;
  request.url = target.url;
  request.headers.set("User-Agent", user_agent(options));
  if (!service.accept_encoding.empty()) {
    request.headers.set("Accept-Encoding", service.accept_encoding);
  }
  if (service.type == ServiceType::tap) {
    request.method = "POST";
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    vo::TapQuery query;
    query.adql = target.adql;
    query.maxrec = service.maxrec;
    query.format = service.response_format;
    query.format_parameter = "RESPONSEFORMAT";
    request.body = vo::tap_form(query);
    if (const vo::Parameters extra = extra_parameters(service); !extra.empty()) {
      request.body += "&" + http::form_encode(extra);
    }
  }
  return request;
}

Result<> describe_query(const Service& service, const Cone& cone, std::size_t cone_index, Measurement& measurement) {
  measurement.provider = service.provider;
  measurement.service = service.name;
  measurement.type = to_string(service.type);
  measurement.mode = service.type == ServiceType::tap ? to_string(service.mode) : "";
  measurement.definition = service.definition();
  measurement.cone_index = static_cast<std::int64_t>(cone_index);
  measurement.ra = cone.ra;
  measurement.dec = cone.dec;
  measurement.radius = cone.radius;
  measurement.url = service.url;
  const Target target = TRY(target_of(service, cone));
  measurement.url = target.url;
  measurement.query = target.adql;
  return {};
}

QueryOutcome run_query(const Service& service, const Cone& cone, const QueryOptions& options, Micros time_left,
                       Clock& clock, Executor& executor, http::Client& client, std::stop_token stop,
                       Measurement& measurement) {
  measurement.started_at = clock.now();
  Result<http::Request> request = build_request(service, cone, options);
  if (!request) {
    measurement.verdict = Verdict::refused;
    measurement.code = "bad-template";
    measurement.message = request.error().message;
    return {};
  }
  probe::QueryExchange exchange({service, options, clock, executor, client, std::move(stop)}, time_left, measurement);
  const std::optional<probe::Answer> answer = exchange.ask(std::move(request).value());
  return answer ? exchange.conclude(*answer) : QueryOutcome();
}

}  // namespace parallax
