#include "sim/vo/mock_service.h"

#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/vo/vosi_documents.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kFormKept = 4U << 10U;
constexpr std::string_view kCases = "/case/";

http::Response text_response(int status, std::string text, std::string type = "text/plain; charset=utf-8") {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", std::move(type));
  response.body = std::move(text);
  return response;
}

// The query of a job, as the sample service is asked it.
std::function<http::Response(const http::Request&)> query_of(SampleService& sample) {
  return [&sample](const http::Request& job) {
    http::Request query = job;
    query.url = "/tap/sync";
    return sample.handle(query);
  };
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

SampleOptions sample_options(std::int64_t rows_max) {
  SampleOptions options;
  options.rows_max = rows_max;
  return options;
}

}  // namespace

MockService::MockService(Clock& clock, MockOptions options)
    : clock_(clock),
      options_(std::move(options)),
      sample_(clock, sample_options(options_.rows_max), nullptr),
      jobs_(clock, UwsScript(), query_of(sample_)) {
  for (const VoCase& one : options_.cases) {
    Served& served = cases_[one.name];
    served.what = one;
    if (one.uws) {
      UwsScript script = *one.uws;
      script.path = fmt::format("{}{}/tap/async", kCases, one.name);
      served.uws = std::make_unique<UwsService>(clock, std::move(script), query_of(sample_));
    }
  }
}

http::Service::Admission MockService::admit(const http::Request& /*head*/) {
  return {};
}

http::Pace MockService::begin(const http::Request& request) {
  MockRequest seen;
  seen.at = clock_.now();
  seen.peer = request.peer;
  seen.method = request.method;
  seen.target = request.url;
  seen.user_agent = request.headers.get("User-Agent");
  seen.form = request.body.substr(0, kFormKept);
  http::Pace pace;
  const std::string_view path = path_of(request.url);
  if (path.starts_with(kCases)) {
    pace = serve_case(request, path.substr(kCases.size()), seen);
  } else {
    pace.response = handle(request);
    seen.status = pace.response.status;
  }
  if (options_.log != nullptr) {
    options_.log(seen);
  }
  return pace;
}

http::Response MockService::handle(const http::Request& request) {
  const std::string path(path_of(request.url));
  if (path == "/") {
    return text_response(200, index());
  }
  if (path == "/scs" || path == "/tap/sync") {
    return sample_.handle(request);
  }
  if (jobs_.owns(request.url)) {
    return jobs_.handle(request);
  }
  const std::string base = "http://" + request.headers.get("Host", "127.0.0.1") + "/tap";
  if (path == "/tap/capabilities") {
    return text_response(200, capabilities_document(base, options_.rows_max), "text/xml");
  }
  if (path == "/tap/availability") {
    return text_response(200, availability_document(clock_.now()), "text/xml");
  }
  if (path == "/tap/tables") {
    return text_response(200, tables_document(), "text/xml");
  }
  return text_response(404, fmt::format("There is no {} here; / lists what there is.\n", terminal_safe(path, 200)));
}

http::Pace MockService::serve_case(const http::Request& request, std::string_view path, MockRequest& seen) {
  http::Pace pace;
  const std::size_t slash = path.find('/');
  const std::string name(path.substr(0, slash));
  const auto found = cases_.find(name);
  if (found == cases_.end()) {
    pace.response = text_response(404, fmt::format("There is no case '{}'; / lists them.\n", terminal_safe(name, 100)));
    seen.status = 404;
    return pace;
  }
  seen.case_name = name;
  Served& served = found->second;
  if (served.uws != nullptr && served.uws->owns(request.url)) {
    pace.response = served.uws->handle(request);
    seen.status = pace.response.status;
    return pace;
  }
  const CaseAnswer* answer = next_answer(served, slash == std::string_view::npos ? "" : path.substr(slash));
  if (answer == nullptr) {
    pace.response = text_response(404, fmt::format("The case '{}' is a {} service: ask {}{}/{}\n", name,
                                                   to_string(served.what.kind), kCases, name,
                                                   served.what.kind == CaseKind::cone  ? "scs"
                                                   : served.what.kind == CaseKind::tap ? "tap/sync"
                                                                                       : "tap/async"));
    seen.status = 404;
    return pace;
  }
  seen.status = answer->raw ? 0 : answer->status;
  const CasePlace place{request.headers.get("Host", "127.0.0.1"), std::string(kCases) + name, clock_.now()};
  pace.raw = render(*answer, place);
  return pace;
}

const CaseAnswer* MockService::next_answer(Served& served, std::string_view below) {
  const VoCase& what = served.what;
  if (const auto place = what.places.find(std::string(below)); place != what.places.end()) {
    return &place->second;
  }
  const std::string_view endpoint = what.kind == CaseKind::cone ? "/scs" : "/tap/sync";
  if (what.answers.empty() || below != endpoint) {
    return nullptr;
  }
  const MutexLock lock(mutex_);
  const std::size_t index = std::min(served.asked, what.answers.size() - 1);
  ++served.asked;
  return &what.answers[index];
}

std::string MockService::index() const {
  std::string text = "Well-behaved: /scs?RA=&DEC=&SR=, /tap (sync, async, capabilities, availability, tables)\n";
  for (const VoCase& one : options_.cases) {
    text += fmt::format("{}{}/{}\t{}\n", kCases, one.name, one.kind == CaseKind::cone ? "scs" : "tap", one.serves);
  }
  return text;
}

}  // namespace parallax::sim
