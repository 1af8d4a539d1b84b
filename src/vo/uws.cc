#include "vo/uws.h"

#include <array>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/xml.h"

namespace parallax::vo {
namespace {

constexpr std::size_t kDocumentBytesMax = std::size_t{1} << 20;
constexpr std::size_t kMessageBytesMax = 4000;
constexpr std::size_t kWordBytesMax = 100;

constexpr std::array<std::pair<std::string_view, UwsPhase>, 10> kPhases = {{
    {"PENDING", UwsPhase::pending},
    {"QUEUED", UwsPhase::queued},
    {"EXECUTING", UwsPhase::executing},
    {"COMPLETED", UwsPhase::completed},
    {"ERROR", UwsPhase::error},
    {"ABORTED", UwsPhase::aborted},
    {"UNKNOWN", UwsPhase::unknown},
    {"HELD", UwsPhase::held},
    {"SUSPENDED", UwsPhase::suspended},
    {"ARCHIVED", UwsPhase::archived},
}};

std::optional<Instant> time_of(const XmlElement& job, std::string_view name) {
  const Result<Instant> time = parse_iso8601(trim(job.child_text(name)));
  return time ? std::optional(*time) : std::nullopt;
}

std::string cut(std::string_view text, std::size_t length_max) {
  return to_utf8(trim(text).substr(0, length_max));
}

std::vector<UwsResult> results_of(const XmlElement& job) {
  std::vector<UwsResult> found;
  const XmlElement* list = job.child("results");
  if (list == nullptr) {
    return found;
  }
  for (const XmlElement& entry : list->children) {
    if (entry.name == "result") {
      found.push_back(
          {std::string(entry.attribute("id").value_or("")), std::string(trim(entry.attribute("href").value_or("")))});
    }
  }
  return found;
}

http::Url fixed_result(http::Url job) {
  while (job.path.ends_with('/')) {
    job.path.pop_back();
  }
  job.path += "/results/result";
  job.fragment.clear();
  return job;
}

}  // namespace

std::string_view to_string(UwsPhase phase) {
  for (const auto& [word, known] : kPhases) {
    if (known == phase) {
      return word;
    }
  }
  return "other";
}

UwsPhase parse_uws_phase(std::string_view text) {
  for (const auto& [word, known] : kPhases) {
    if (equals_ignore_case(trim(text), word)) {
      return known;
    }
  }
  return UwsPhase::other;
}

bool is_final(UwsPhase phase) {
  return phase == UwsPhase::completed || phase == UwsPhase::error || phase == UwsPhase::aborted ||
         phase == UwsPhase::archived;
}

bool may_block(UwsPhase phase) {
  return phase == UwsPhase::pending || phase == UwsPhase::queued || phase == UwsPhase::executing;
}

Result<UwsJob> parse_uws_job(std::string_view document) {
  XmlLimits limits = xml_tree_limits();
  limits.bytes_max = kDocumentBytesMax;
  const XmlElement root = TRY(parse_xml(document, limits).with_context("reading a UWS job"));
  if (root.name != "job") {
    return make_error(ErrorKind::corrupt, fmt::format("expected a UWS job, got an XML document of <{}>",
                                                      terminal_safe(root.name, kWordBytesMax)));
  }
  if (root.child("phase") == nullptr) {
    return make_error(ErrorKind::corrupt, "the UWS job has no <phase>");
  }
  UwsJob job;
  job.version = cut(root.attribute("version").value_or("1.0"), kWordBytesMax);
  job.id = std::string(trim(root.child_text("jobId")));
  job.phase = parse_uws_phase(root.child_text("phase"));
  job.phase_text = cut(root.child_text("phase"), kWordBytesMax);
  job.created = time_of(root, "creationTime");
  job.started = time_of(root, "startTime");
  job.ended = time_of(root, "endTime");
  job.destruction = time_of(root, "destruction");
  job.results = results_of(root);
  if (const XmlElement* error = root.child("errorSummary"); error != nullptr) {
    job.error_message = cut(error->child_text("message"), kMessageBytesMax);
  }
  return job;
}

http::Url choose_result(const http::Url& job, const std::vector<UwsResult>& results) {
  std::vector<http::Url> urls;
  std::optional<http::Url> named;
  for (const UwsResult& result : results) {
    const Result<http::Url> url = result.href.empty() ? make_error(ErrorKind::invalid, "a result without an address")
                                                      : http::resolve_url(job, result.href);
    if (!url) {
      continue;  // `uws:executing:23` and other entries that are no address
    }
    if (url->path.ends_with("/results/result")) {
      return *url;
    }
    if (result.id == "result" && !named) {
      named = *url;
    }
    urls.push_back(*url);
  }
  if (named) {
    return *named;
  }
  return urls.size() == 1 ? urls.front() : fixed_result(job);
}

}  // namespace parallax::vo
