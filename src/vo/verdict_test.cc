#include "vo/verdict.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "vo/votable.h"

namespace parallax::vo {
namespace {

constexpr std::string_view kTable =
    "<TABLE><FIELD name='n' datatype='int'/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>";
const std::string kOk = fmt::format(
    "<VOTABLE xmlns='v'><RESOURCE type='results'><INFO name='QUERY_STATUS' value='OK'/>{}</RESOURCE></VOTABLE>",
    kTable);
const std::string kError =
    "<VOTABLE xmlns='v'><RESOURCE type='results'><INFO name='QUERY_STATUS' value='ERROR'>no table "
    "x</INFO></RESOURCE></VOTABLE>";
const std::string kHtml = "<html><head><title>Maintenance\n page</title></head><body>x</body></html>";

ExchangeFacts answer(int status, std::string content_type = "text/xml") {
  ExchangeFacts exchange;
  exchange.protocol = Protocol::tap;
  exchange.http_status = status;
  exchange.content_type = std::move(content_type);
  return exchange;
}

struct Case {
  std::string_view name;
  ExchangeFacts exchange;
  std::string body;
  std::string_view verdict;
  std::string_view code;
  std::string_view message;
};

bool has_finding(const Judgement& judgement, std::string_view code) {
  for (const Finding& finding : judgement.findings) {
    if (finding.code == code) {
      return true;
    }
  }
  return false;
}

TEST(Verdict, FollowsTheStatusAndTheBody) {
  const Case cases[] = {
      {"a table", answer(200), kOk, "ok", "", ""},
      {"error with 200", answer(200), kError, "service-error", "query-status", "no table x"},
      {"error with 400", answer(400), kError, "service-error", "query-status", "no table x"},
      {"error with 500", answer(500), kError, "service-error", "query-status", "no table x"},
      {"cone error", answer(200), "<VOTABLE><INFO name='Error' value='bad RA'/></VOTABLE>", "service-error",
       "error-mark", "bad RA"},
      {"text with 500", answer(500, "text/plain"), "Server\n fell over", "http-error", "http-500",
       "HTTP 500: Server fell over"},
      {"a table with 500", answer(500), kOk, "http-error", "http-500", "HTTP 500"},
      {"nothing with 404", answer(404), "", "http-error", "http-404", "HTTP 404"},
      {"503 alone", answer(503), "", "http-error", "http-503", "HTTP 503"},
      {"page", answer(200, "text/html"), kHtml, "not-votable", "html",
       "the body is html, not a VOTable: Maintenance page"},
      {"json", answer(200), "{\"a\":1}", "not-votable", "json", "the body is json, not a VOTable: {\"a\":1}"},
      {"empty", answer(200), "", "not-votable", "empty", "HTTP 200 with an empty body"},
      {"204", answer(204), "", "not-votable", "empty", "HTTP 204 with an empty body"},
      {"no table", answer(200), "<VOTABLE/>", "not-votable", "no-table",
       "the VOTable has neither a TABLE nor an error mark"},
      {"cut", answer(200), kOk.substr(0, kOk.size() / 2), "truncated", "xml-truncated",
       "XML line 1, column 90: the document ends early"},
      {"damaged", answer(200), "<VOTABLE></RESOURCE></VOTABLE>", "not-votable", "xml-malformed",
       "XML line 1, column 12: mismatched tag"},
      {"entity", answer(200), "<!DOCTYPE VOTABLE [<!ENTITY a 'b'>]><VOTABLE/>", "refused", "xml-entity",
       "XML line 1: the document declares an entity ('a')"},
  };
  for (const Case& one : cases) {
    const Judgement judgement = judge(one.exchange, read_votable(one.body));
    EXPECT_EQ(to_string(judgement.verdict), one.verdict) << one.name;
    EXPECT_EQ(judgement.code, one.code) << one.name;
    EXPECT_EQ(judgement.message, one.message) << one.name;
  }
}

TEST(Verdict, CallsThrottlingByItsName) {
  ExchangeFacts later = answer(503);
  later.has_retry_after = true;
  EXPECT_EQ(judge(later, read_votable("")).verdict, Verdict::throttled);
  EXPECT_EQ(judge(answer(429), read_votable("slow down")).verdict, Verdict::throttled);
  EXPECT_EQ(judge(answer(429), read_votable(kError)).verdict, Verdict::throttled);
}

TEST(Verdict, TakesARedirectedPostForAnHttpError) {
  ExchangeFacts redirected = answer(301);
  redirected.post_redirected = true;
  const Judgement judgement = judge(redirected, read_votable(kHtml));
  EXPECT_EQ(judgement.verdict, Verdict::http_error);
  EXPECT_EQ(judgement.code, "post-redirected");
  EXPECT_TRUE(has_finding(judgement, "stale-registration"));
}

TEST(Verdict, NamesTheTransportsTrouble) {
  ExchangeFacts exchange = answer(0);
  exchange.transport = TransportProblem::timeout;
  exchange.transport_code = "first_byte";
  exchange.transport_message = "no first byte within 60 s";
  EXPECT_EQ(judge(exchange, read_votable("")).verdict, Verdict::timeout);
  EXPECT_EQ(judge(exchange, read_votable("")).code, "first_byte");
  exchange.transport = TransportProblem::network;
  EXPECT_EQ(judge(exchange, read_votable("")).verdict, Verdict::network);
  exchange.transport = TransportProblem::refused;
  EXPECT_EQ(judge(exchange, read_votable("")).verdict, Verdict::refused);
}

TEST(Verdict, TakesABodyShorterThanAnnouncedForTruncated) {
  ExchangeFacts exchange = answer(200);
  exchange.transport = TransportProblem::truncated;
  exchange.transport_code = "content-length";
  EXPECT_EQ(judge(exchange, read_votable(kOk)).verdict, Verdict::truncated);
  EXPECT_EQ(judge(exchange, read_votable(kOk)).code, "content-length");
  EXPECT_EQ(judge(exchange, read_votable(kOk.substr(0, 80))).code, "xml-truncated");
  EXPECT_EQ(judge(exchange, read_votable(kHtml)).verdict, Verdict::truncated);
}

TEST(Verdict, TellsOurRowLimitFromTheServers) {
  const std::string body = fmt::format(
      "<VOTABLE><RESOURCE type='results'>{}<INFO name='QUERY_STATUS' value='OVERFLOW'/></RESOURCE></VOTABLE>", kTable);
  ExchangeFacts exchange = answer(200);
  EXPECT_EQ(judge(exchange, read_votable(body)).verdict, Verdict::overflow);
  EXPECT_EQ(judge(exchange, read_votable(body)).code, "server-limit");
  exchange.maxrec = 1;
  EXPECT_EQ(judge(exchange, read_votable(body)).code, "maxrec");
  exchange.maxrec = 5;
  EXPECT_EQ(judge(exchange, read_votable(body)).code, "server-limit");
}

TEST(Verdict, RemarksOnContentTypeAndMissingStatus) {
  const Judgement plain = judge(answer(200, "text/plain; charset=utf-8"), read_votable(kOk));
  EXPECT_EQ(plain.verdict, Verdict::ok);
  EXPECT_TRUE(has_finding(plain, "content-type"));
  EXPECT_FALSE(has_finding(judge(answer(200, "application/x-votable+xml;serialization=BINARY2"), read_votable(kOk)),
                           "content-type"));
  const std::string silent = fmt::format("<VOTABLE xmlns='v'><RESOURCE>{}</RESOURCE></VOTABLE>", kTable);
  const Judgement missing = judge(answer(200), read_votable(silent));
  EXPECT_EQ(missing.verdict, Verdict::ok);
  EXPECT_TRUE(has_finding(missing, "status-missing"));
  ExchangeFacts cone = answer(200);
  cone.protocol = Protocol::cone;
  EXPECT_FALSE(has_finding(judge(cone, read_votable(silent)), "status-missing"));
}

TEST(Verdict, HasANameThatReadsBack) {
  for (const Verdict verdict :
       {Verdict::ok, Verdict::overflow, Verdict::service_error, Verdict::http_error, Verdict::not_votable,
        Verdict::truncated, Verdict::timeout, Verdict::network, Verdict::throttled, Verdict::refused}) {
    EXPECT_EQ(parse_verdict(to_string(verdict)), verdict);
  }
  EXPECT_FALSE(parse_verdict("fine").has_value());
  EXPECT_TRUE(is_success(Verdict::overflow));
  EXPECT_FALSE(is_success(Verdict::service_error));
}

}  // namespace
}  // namespace parallax::vo
