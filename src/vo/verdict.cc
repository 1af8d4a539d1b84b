#include "vo/verdict.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::vo {

namespace {

constexpr std::size_t kExcerptMax = 500;

constexpr std::pair<Verdict, std::string_view> kNames[] = {
    {Verdict::ok, "ok"},
    {Verdict::overflow, "overflow"},
    {Verdict::service_error, "service-error"},
    {Verdict::http_error, "http-error"},
    {Verdict::not_votable, "not-votable"},
    {Verdict::truncated, "truncated"},
    {Verdict::timeout, "timeout"},
    {Verdict::network, "network"},
    {Verdict::throttled, "throttled"},
    {Verdict::refused, "refused"},
};

// What a body that is not a VOTable says, for a person: the title of a page, else its first words, on one line.
std::string excerpt(const VotableSummary& body) {
  std::string_view text = body.head;
  if (body.kind == BodyKind::html) {
    const std::string lower = to_lower(text);
    const std::size_t start = lower.find("<title>");
    const std::size_t end = lower.find("</title>");
    if (start != std::string::npos && end != std::string::npos && start < end) {
      text = text.substr(start + 7, end - start - 7);
    }
  }
  if (body.kind == BodyKind::other || body.kind == BodyKind::parquet || body.kind == BodyKind::fits ||
      body.kind == BodyKind::votable) {
    return "";
  }
  std::string line;
  for (const char c : trim(text)) {
    const bool is_blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!is_blank) {
      line += c;
    } else if (!line.ends_with(' ')) {
      line += ' ';
    }
  }
  return to_utf8(std::string_view(line).substr(0, kExcerptMax));
}

std::string with_excerpt(std::string message, const VotableSummary& body) {
  const std::string said = excerpt(body);
  return said.empty() ? message : fmt::format("{}: {}", message, said);
}

Judgement make(Verdict verdict, std::string code, std::string message) {
  return {verdict, std::move(code), std::move(message), {}};
}

std::optional<Judgement> judge_transport(const ExchangeFacts& exchange) {
  switch (exchange.transport) {
    case TransportProblem::timeout:
      return make(Verdict::timeout, exchange.transport_code, exchange.transport_message);
    case TransportProblem::network:
      return make(Verdict::network, exchange.transport_code, exchange.transport_message);
    case TransportProblem::refused:
      return make(Verdict::refused, exchange.transport_code, exchange.transport_message);
    case TransportProblem::none:
    case TransportProblem::truncated:
      break;
  }
  return std::nullopt;
}

// The status alone, before the body is asked.
std::optional<Judgement> judge_status(const ExchangeFacts& exchange, const VotableSummary& body) {
  const int status = exchange.http_status;
  if (exchange.post_redirected) {
    return make(Verdict::http_error, "post-redirected",
                fmt::format("HTTP {} to a POST: the query would be lost; configure the URL it leads to", status));
  }
  if (status == 429 || (status == 503 && exchange.has_retry_after)) {
    return make(Verdict::throttled, fmt::format("http-{}", status),
                with_excerpt(fmt::format("HTTP {}: the service asks us to wait", status), body));
  }
  return std::nullopt;
}

Judgement judge_error_mark(const VotableSummary& body) {
  const bool has_dali_error = std::any_of(body.marks.begin(), body.marks.end(), [](const StatusMark& mark) {
    return !mark.is_cone_error && to_lower(mark.value).find("error") != std::string::npos;
  });
  return make(Verdict::service_error, has_dali_error ? "query-status" : "error-mark",
              body.message.empty() ? "the service reports an error and says no more" : body.message);
}

// A body without an error mark.
Judgement judge_body(const ExchangeFacts& exchange, const VotableSummary& body) {
  const bool is_cut = exchange.transport == TransportProblem::truncated;
  if (body.problem == Problem::truncated ||
      (is_cut && body.problem == Problem::not_votable && body.kind == BodyKind::votable)) {
    return make(Verdict::truncated, body.problem_code, body.problem_text);
  }
  if (is_cut) {
    return make(Verdict::truncated, exchange.transport_code, exchange.transport_message);
  }
  if (body.problem == Problem::not_votable && (body.kind == BodyKind::votable || body.kind == BodyKind::empty)) {
    return make(Verdict::not_votable, body.problem_code, body.problem_text);
  }
  if (body.kind == BodyKind::empty) {
    return make(Verdict::not_votable, "empty", fmt::format("HTTP {} with an empty body", exchange.http_status));
  }
  if (body.kind != BodyKind::votable) {
    return make(Verdict::not_votable, std::string(to_string(body.kind)),
                with_excerpt(fmt::format("the body is {}, not a VOTable", to_string(body.kind)), body));
  }
  if (!body.has_table) {
    return make(Verdict::not_votable, "no-table", "the VOTable has neither a TABLE nor an error mark");
  }
  if (body.status == "OVERFLOW") {
    const bool asked = exchange.maxrec && *exchange.maxrec <= body.rows;
    return make(Verdict::overflow, asked ? "maxrec" : "server-limit", body.message);
  }
  return make(Verdict::ok, "", "");
}

bool is_votable_type(std::string_view content_type) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  return type == "text/xml" || type == "application/xml" || type == "application/x-votable+xml";
}

void add_findings(const ExchangeFacts& exchange, const VotableSummary& body, Judgement& judgement) {
  Findings findings;
  for (const Finding& finding : body.findings) {
    findings.add(
        finding.code, [&] { return finding.message; }, finding.count);
  }
  if (body.kind == BodyKind::votable) {
    if (!is_votable_type(exchange.content_type)) {
      findings.add("content-type", [&] {
        return fmt::format("a VOTable with the content type '{}'", terminal_safe(exchange.content_type, 100));
      });
    }
    if (exchange.protocol == Protocol::tap && body.status.empty()) {
      findings.add("status-missing", [] { return "the answer has no QUERY_STATUS"; });
    }
  }
  if (judgement.verdict == Verdict::service_error && body.problem != Problem::none) {
    findings.add(body.problem_code, [&] { return body.problem_text; });
  }
  if (exchange.post_redirected) {
    findings.add("stale-registration", [] { return "the registered URL answers a POST with a redirect"; });
  }
  judgement.findings = findings.list();
}

Judgement judge_all(const ExchangeFacts& exchange, const VotableSummary& body) {
  if (auto judgement = judge_status(exchange, body)) {
    return std::move(*judgement);
  }
  // Our limits first: having given up on the body, we may have broken the transfer ourselves.
  if (body.problem == Problem::refused) {
    return make(Verdict::refused, body.problem_code, body.problem_text);
  }
  if (auto judgement = judge_transport(exchange)) {
    return std::move(*judgement);
  }
  if (body.status == "ERROR") {
    return judge_error_mark(body);
  }
  if (exchange.http_status >= 400) {
    return make(Verdict::http_error, fmt::format("http-{}", exchange.http_status),
                with_excerpt(fmt::format("HTTP {}", exchange.http_status), body));
  }
  return judge_body(exchange, body);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  for (const auto& [value, name] : kNames) {
    if (value == verdict) {
      return name;
    }
  }
  return "";
}

std::optional<Verdict> parse_verdict(std::string_view text) {
  for (const auto& [value, name] : kNames) {
    if (name == text) {
      return value;
    }
  }
  return std::nullopt;
}

bool is_success(Verdict verdict) {
  return verdict == Verdict::ok || verdict == Verdict::overflow;
}

Judgement judge(const ExchangeFacts& exchange, const VotableSummary& body) {
  Judgement judgement = judge_all(exchange, body);
  add_findings(exchange, body, judgement);
  return judgement;
}

}  // namespace parallax::vo
