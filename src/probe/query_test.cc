#include "probe/query.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "codec/gzip.h"
#include "probe/fakes.h"
#include "record/verdict.h"
#include "vo/verdict.h"

namespace parallax {
namespace {

using probe::answer;
using probe::failure;
using probe::ScriptedClient;
using probe::votable;

const std::pair<std::string, std::string> kXml = {"Content-Type", "application/x-votable+xml"};
constexpr std::size_t kSmallBody = 256U << 10U;

class QueryTest : public testing::Test {
 protected:
  Measurement ask(const Service& service, ScriptedClient::Script script, Micros time_left = Seconds(1000)) {
    client_ = std::make_unique<ScriptedClient>(std::move(script));
    Measurement m;
    ignore(describe_query(service, kCone, 0, m), "a broken template is part of some tests");
    outcome_ = run_query(service, kCone, options_, time_left, *clock_, *executor_, *client_, stop_.get_token(), m);
    return m;
  }

  // One answer to everything.
  Measurement ask(const Service& service, const http::Exchange& exchange) {
    return ask(service, [&](const auto&, const auto&, const auto&) { return exchange; });
  }

  // A chain: URL to answer.
  Measurement follow(const Service& service, std::map<std::string, http::Exchange> pages) {
    return ask(service, [pages](const http::Request& request, const auto&, const auto&) {
      const auto found = pages.find(request.url);
      return found == pages.end() ? answer(404) : found->second;
    });
  }

  static http::Exchange redirect(int status, std::string to) {
    return answer(status, "", {{"Location", std::move(to)}});
  }

  static constexpr Cone kCone{10.5, -20.25, 0.1};

  static Service service(ServiceType type, std::string url, std::string adql = "") {
    Service result;
    result.name = "s";
    result.provider = "P";
    result.type = type;
    result.url = std::move(url);
    result.adql = std::move(adql);
    return result;
  }

  Service cone_ = service(ServiceType::cone, "http://a.org/scs?cat=x");
  Service tap_ = service(ServiceType::tap, "https://a.org/tap/", "Q {} {} {}");
  const std::string cone_url_ = "http://a.org/scs?cat=x&RA=10.5&DEC=-20.25&SR=0.1";
  QueryOptions options_;
  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<Executor> executor_ = make_thread_executor();
  std::unique_ptr<ScriptedClient> client_;
  std::stop_source stop_;
  QueryOutcome outcome_;
};

TEST_F(QueryTest, MeasuresAConeSearch) {
  const Measurement m = ask(cone_, answer(200, votable(3), {kXml}));
  EXPECT_EQ(m.verdict, Verdict::ok) << m.message;
  EXPECT_EQ(m.url, cone_url_);
  EXPECT_EQ(m.rows, 3);
  EXPECT_EQ(m.columns, 1);
  EXPECT_EQ(m.hops, 1);
  EXPECT_EQ(m.total_us, 36);
  EXPECT_EQ(m.times.first_byte_us, 10);
  EXPECT_EQ(m.bytes_wire, static_cast<std::int64_t>(votable(3).size()));
  EXPECT_EQ(m.bytes_decoded, m.bytes_wire);
  EXPECT_TRUE(m.parse_us.has_value());
  EXPECT_EQ(client_->requests()[0].method, "GET");
  EXPECT_EQ(client_->requests()[0].headers.get("User-Agent"),
            "parallax/0.1.0 (IVOA-test https://parallax.example.org) libcurl/7");
  EXPECT_EQ(client_->requests()[0].headers.find("Accept-Encoding"), nullptr);
}

TEST_F(QueryTest, PostsTapAndSendsOnlyWhatIsConfigured) {
  Measurement m = ask(tap_, answer(200, votable(1, "OVERFLOW"), {kXml}));
  EXPECT_EQ(m.verdict, Verdict::overflow);
  EXPECT_EQ(m.query, "Q 10.5 -20.25 0.1");
  const http::Request request = client_->requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://a.org/tap/sync");
  EXPECT_EQ(request.body, "REQUEST=doQuery&LANG=ADQL&QUERY=Q%2010.5%20-20.25%200.1");
  tap_.maxrec = 7;
  tap_.parameters = {{"RUNID", "a b"}};
  m = ask(tap_, answer(200, votable(1), {kXml}));
  EXPECT_EQ(client_->requests()[0].body,
            "REQUEST=doQuery&LANG=ADQL&MAXREC=7&QUERY=Q%2010.5%20-20.25%200.1&RUNID=a%20b");
}

TEST_F(QueryTest, SendsTheRadiusInTheServicesUnit) {
  cone_.radius_unit = RadiusUnit::arcmin;
  const Measurement m = ask(cone_, answer(200, votable(1), {kXml}));
  EXPECT_EQ(client_->requests()[0].url, "http://a.org/scs?cat=x&RA=10.5&DEC=-20.25&SR=6");
  EXPECT_EQ(m.radius, 0.1);
}

// What a service can answer, and what it comes to.
TEST_F(QueryTest, JudgesByTheContent) {
  EXPECT_EQ(ask(cone_, answer(200, votable(0, "ERROR"), {kXml})).verdict, Verdict::service_error);
  EXPECT_EQ(ask(cone_, answer(200, votable(0, "ERROR"), {kXml})).message, "what happened");
  EXPECT_EQ(ask(cone_, answer(500, "oops")).verdict, Verdict::http_error);
  EXPECT_EQ(ask(cone_, answer(200, "")).verdict, Verdict::not_votable);
  const Measurement html =
      ask(cone_, answer(200, "<html><title>Login</title>\xFF</html>", {{"Content-Type", "text/html"}}));
  EXPECT_EQ(html.verdict, Verdict::not_votable);
  EXPECT_EQ(html.evidence, "<html><title>Login</title>\xEF\xBF\xBD</html>");
  EXPECT_EQ(ask(cone_, answer(200, votable(3).substr(0, 300), {kXml})).verdict, Verdict::truncated);
}

TEST_F(QueryTest, NamesThePhaseAndTheLimitOfATimeOut) {
  const auto timed_out = [&](const char* code, http::Phase phase) {
    return ask(cone_, failure(ErrorKind::timeout, code, phase));
  };
  Measurement m = timed_out("timeout", http::Phase::connect);
  EXPECT_EQ(m.verdict, Verdict::timeout);
  EXPECT_EQ(m.failed_phase, "connect");
  EXPECT_EQ(m.limit_us, 15'000'000);
  EXPECT_EQ(timed_out("timeout", http::Phase::resolve).limit_us, 10'000'000);
  EXPECT_EQ(timed_out("timeout", http::Phase::tls).limit_us, 15'000'000);
  EXPECT_EQ(timed_out("timeout", http::Phase::send).limit_us, 30'000'000) << "what the transport applies there";
  EXPECT_EQ(timed_out("idle", http::Phase::transfer).limit_us, 30'000'000);
  EXPECT_EQ(timed_out("timeout", http::Phase::transfer).limit_us, 300'000'000);
  EXPECT_EQ(timed_out("timeout", http::Phase::first_byte).limit_us, 60'000'000);
}

TEST_F(QueryTest, MapsTransportFailures) {
  EXPECT_EQ(ask(cone_, failure(ErrorKind::unavailable, "resolve-failed", http::Phase::resolve)).verdict,
            Verdict::network);
  EXPECT_EQ(ask(cone_, failure(ErrorKind::denied, "tls-expired", http::Phase::tls)).code, "tls-expired");
  EXPECT_EQ(ask(cone_, failure(ErrorKind::refused, "address-refused", http::Phase::connect)).verdict, Verdict::refused);
  http::Exchange cut = answer(200, votable(3).substr(0, 300), {kXml});
  cut.error = make_error(ErrorKind::corrupt, "cut");
  cut.error->code = "cut";
  cut.failed_phase = http::Phase::transfer;
  const Measurement m = ask(cone_, cut);
  EXPECT_EQ(m.verdict, Verdict::truncated);
  EXPECT_EQ(m.http_status, 200);
  const Measurement stopped = ask(cone_, failure(ErrorKind::cancelled, "cancelled", http::Phase::first_byte));
  EXPECT_EQ(stopped.verdict, Verdict::refused);
  EXPECT_EQ(stopped.code, "interrupted");
}

TEST_F(QueryTest, OurOwnDeadlineIsNotTheServicesTimeOut) {
  const Measurement m = ask(
      cone_,
      [](const auto&, const http::SendOptions& options, const auto&) {
        http::Exchange exchange = failure(ErrorKind::timeout, "timeout", http::Phase::first_byte);
        exchange.transport.timings.total = options.limits.total;
        return exchange;
      },
      Seconds(2));
  EXPECT_EQ(m.verdict, Verdict::refused);
  EXPECT_EQ(m.code, "interrupted");
}

TEST_F(QueryTest, RecordsEachHopAndSumsThePhases) {
  const Measurement m = follow(cone_, {{cone_url_, redirect(302, "https://b.org/x?y=1")},
                                       {"https://b.org/x?y=1", redirect(307, "/z")},
                                       {"https://b.org/z", answer(200, votable(2), {kXml})}});
  EXPECT_EQ(m.verdict, Verdict::ok) << m.message;
  EXPECT_EQ(m.hops, 3);
  ASSERT_EQ(m.hop_records.size(), 3U);
  EXPECT_EQ(m.hop_records[1].url, "https://b.org/x?y=1");
  EXPECT_EQ(m.hop_records[0].http_status, 302);
  EXPECT_EQ(m.total_us, 3 * 36);
  EXPECT_EQ(m.times.connect_us, 6);
  EXPECT_EQ(m.url, cone_url_);
  for (const http::Request& request : client_->requests()) {
    EXPECT_TRUE(request.headers.get("User-Agent").starts_with("parallax/"));
  }
}

TEST_F(QueryTest, TellsWhatCarriedEachRequest) {
  http::Exchange first = redirect(302, "http://b.org/x");
  first.transport.tls_version = "TLSv1.3";
  first.transport.tls_cipher = "TLS_AES_128_GCM_SHA256";
  first.transport.address_family = "ipv6";
  first.transport.dns = "fresh";
  first.transport.certificate_expires_at = parse_iso8601("2027-01-02T03:04:05Z").value();
  http::Exchange last = answer(200, votable(2), {kXml, {"Server", "archive/1\x01" + std::string(300, 'x')}});
  last.transport.address_family = "ipv4";
  last.transport.dns = "cached";
  last.transport.reused = true;
  const Measurement m = follow(cone_, {{cone_url_, first}, {"http://b.org/x", last}});
  ASSERT_EQ(m.hop_records.size(), 2U);
  const ConnectionFacts& begun = m.hop_records[0].connection;
  EXPECT_EQ(begun.tls_version, "TLSv1.3");
  EXPECT_EQ(begun.tls_cipher, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(begun.address_family, "ipv6");
  EXPECT_EQ(begun.dns, "fresh");
  EXPECT_EQ(begun.certificate_expires_at, first.transport.certificate_expires_at);
  EXPECT_EQ(begun.reused, false);
  EXPECT_EQ(m.address_family, "ipv4");
  EXPECT_EQ(m.dns, "cached");
  EXPECT_EQ(m.tls_version, "");
  EXPECT_EQ(m.certificate_expires_at, std::nullopt);
  EXPECT_EQ(m.connection_reused, true);
  EXPECT_EQ(m.server.size(), 200U);
  EXPECT_EQ(m.content_type, kXml.second);
  EXPECT_EQ(to_json(m).list("hop_records")[0].text("dns"), "fresh");
}

TEST_F(QueryTest, OfAConnectionThatNeverStoodNothingIsSaid) {
  const Measurement m = ask(cone_, failure(ErrorKind::unavailable, "resolve-failed", http::Phase::resolve));
  EXPECT_EQ(m.connection_reused, std::nullopt);
  EXPECT_EQ(m.address_family, "");
}

TEST_F(QueryTest, TreatsRedirectsOfAPostByTheirStatus) {
  EXPECT_EQ(ask(tap_, redirect(301, "https://a.org/other")).code, "post-redirected");
  EXPECT_EQ(client_->requests().size(), 1U);
  const auto see = follow(
      tap_, {{"https://a.org/tap/sync", redirect(303, "/r")}, {"https://a.org/r", answer(200, votable(1), {kXml})}});
  EXPECT_EQ(see.verdict, Verdict::ok);
  EXPECT_EQ(client_->requests()[1].method, "GET");
  EXPECT_EQ(client_->requests()[1].body, "");
  follow(tap_, {{"https://a.org/tap/sync", redirect(308, "/r")}, {"https://a.org/r", answer(200, votable(1), {kXml})}});
  EXPECT_EQ(client_->requests()[1].method, "POST");
  EXPECT_NE(client_->requests()[1].body.find("QUERY="), std::string::npos);
}

TEST_F(QueryTest, RefusesCirclesLongChainsAndOtherSchemes) {
  EXPECT_EQ(ask(cone_, redirect(302, cone_url_)).code, "redirect-loop");
  const Measurement longest = ask(cone_, [n = 0](const auto&, const auto&, const auto&) mutable {
    return redirect(302, "http://a.org/" + std::to_string(n++));
  });
  EXPECT_EQ(longest.code, "redirect-limit");
  EXPECT_EQ(longest.hops, 11);
  const Measurement file = ask(cone_, redirect(302, "file:///etc/passwd"));
  EXPECT_EQ(file.verdict, Verdict::refused);
  EXPECT_EQ(file.code, "redirect-target");
  EXPECT_EQ(client_->requests().size(), 1U);
}

TEST_F(QueryTest, OnlyTheConfigurationLeadsToPrivateAddresses) {
  using http::AddressPolicy;
  const std::map<std::string, http::Exchange> pages = {{cone_url_, redirect(302, "/same")},
                                                       {"http://a.org/same", redirect(302, "http://a.org:81/x")},
                                                       {"http://a.org:81/x", answer(200, votable(1), {kXml})}};
  const auto policies = [&] {
    std::vector<AddressPolicy> result;
    for (const http::SendOptions& options : client_->options()) {
      result.push_back(options.addresses);
    }
    return result;
  };
  follow(cone_, pages);
  EXPECT_EQ(policies(), (std::vector{AddressPolicy::any, AddressPolicy::any, AddressPolicy::public_only}));
  cone_.private_redirects = true;
  follow(cone_, pages);
  EXPECT_EQ(policies(), (std::vector{AddressPolicy::any, AddressPolicy::any, AddressPolicy::any}));
}

TEST_F(QueryTest, SaysWhenItWentThroughARelay) {
  EXPECT_EQ(ask(cone_, answer(200, votable(1), {kXml})).path, "direct");
  options_.connect_to["a.org:80"] = "127.0.0.1:9999";
  EXPECT_EQ(ask(cone_, answer(200, votable(1), {kXml})).path, "relay");
}

TEST_F(QueryTest, NotesAStepDownFromHttps) {
  cone_.url = "https://a.org/scs?";
  const Measurement m = follow(cone_, {{"https://a.org/scs?RA=10.5&DEC=-20.25&SR=0.1", redirect(302, "http://a.org/p")},
                                       {"http://a.org/p", answer(200, votable(1), {kXml})}});
  EXPECT_EQ(m.verdict, Verdict::ok);
  ASSERT_FALSE(m.findings.empty());
  EXPECT_EQ(m.findings[0].code, "https-downgrade");
}

TEST_F(QueryTest, ObeysRetryAfter) {
  EXPECT_EQ(ask(cone_, answer(429, "slow down", {{"Retry-After", "7"}})).verdict, Verdict::throttled);
  EXPECT_TRUE(outcome_.throttled);
  EXPECT_EQ(outcome_.retry_after, Seconds(7));
  ask(cone_, answer(503, "", {{"Retry-After", to_http_date(clock_->now() + Seconds(100))}}));
  EXPECT_GT(outcome_.retry_after, Seconds(90));
  ask(cone_, answer(503, "", {{"Retry-After", "999999999"}}));
  EXPECT_EQ(outcome_.retry_after, Seconds(3600));
  EXPECT_EQ(ask(cone_, answer(503)).verdict, Verdict::http_error);
}

TEST_F(QueryTest, ParsesALargeBodyWhetherItCanBeKeptOrNot) {
  for (const std::size_t kept : {std::size_t{0}, kSmallBody, options_.limits.body_kept_bytes_max}) {
    options_.limits.body_kept_bytes_max = kept;
    const Measurement m = ask(cone_, answer(200, votable(100'000), {kXml}));
    EXPECT_EQ(m.verdict, Verdict::ok) << m.message;
    EXPECT_EQ(m.rows, 100'000);
  }
}

TEST_F(QueryTest, InflatesDeclaredGzipAndCountsBothSizes) {
  for (const int rows : {10, 100'000}) {
    options_.limits.body_kept_bytes_max = rows == 10 ? options_.limits.body_kept_bytes_max : 0;
    const Measurement m = ask(cone_, answer(200, gzip_compress(votable(rows)), {kXml, {"Content-Encoding", "gzip"}}));
    EXPECT_EQ(m.verdict, Verdict::ok) << m.message;
    EXPECT_EQ(m.rows, rows);
    EXPECT_LT(*m.bytes_wire, *m.bytes_decoded);
  }
}

TEST_F(QueryTest, KnowsTheCodingOfALargeBodyFromItsHeader) {
  options_.limits.body_kept_bytes_max = kSmallBody;
  std::string noise;
  Xoshiro random(1);
  while (noise.size() < (1U << 20U)) {
    noise += std::to_string(random.next());  // does not shrink below the size at which parsing begins early
  }
  std::string body = votable(10);
  body.insert(body.find("<RESOURCE"), "<DESCRIPTION>" + noise + "</DESCRIPTION>");
  const auto gzip = ask(cone_, answer(200, gzip_compress(body), {kXml, {"Content-Encoding", "gzip"}}));
  EXPECT_EQ(gzip.verdict, Verdict::ok) << gzip.message;
  EXPECT_EQ(gzip.rows, 10);
  EXPECT_TRUE(gzip.findings.empty());
  const auto undeclared = ask(cone_, answer(200, gzip_compress(body), {kXml}));
  EXPECT_EQ(undeclared.verdict, Verdict::ok);
  ASSERT_EQ(undeclared.findings.size(), 1U);
  EXPECT_EQ(undeclared.findings[0].code, "undeclared-gzip");
  const auto lying = ask(cone_, answer(200, body, {kXml, {"Content-Encoding", "gzip"}}));
  EXPECT_EQ(lying.verdict, Verdict::not_votable);
  EXPECT_EQ(lying.code, "inflate-corrupt");
  const std::string packed = gzip_compress(body);
  const std::string raw_deflate = packed.substr(10, packed.size() - 18);  // without gzip's head and tail
  const auto deflate = ask(cone_, answer(200, raw_deflate, {kXml, {"Content-Encoding", "deflate"}}));
  EXPECT_EQ(deflate.verdict, Verdict::ok) << deflate.message;
  EXPECT_EQ(deflate.rows, 10);
}

TEST_F(QueryTest, ABodyBeyondOurLimitsIsRefused) {
  options_.limits.body.rows_max = 50'000;
  for (const std::size_t kept : {kSmallBody, options_.limits.body_kept_bytes_max}) {
    options_.limits.body_kept_bytes_max = kept;
    const Measurement m = ask(cone_, answer(200, votable(200'000), {kXml}));
    EXPECT_EQ(m.verdict, Verdict::refused);
  }
}

// vo judges and may not know record; the words that both have must be the same.
TEST(Verdicts, AreTheSameListInRecordAndInVo) {
  for (std::size_t i = 0; i < kVerdictNames.size(); ++i) {
    EXPECT_EQ(vo::to_string(static_cast<vo::Verdict>(i)), kVerdictNames[i]);
    const std::optional<vo::Verdict> judged = vo::parse_verdict(kVerdictNames[i]);
    ASSERT_TRUE(judged) << kVerdictNames[i];
    EXPECT_EQ(vo::is_success(*judged), is_success(static_cast<Verdict>(i)));
  }
  EXPECT_EQ(vo::to_string(static_cast<vo::Verdict>(kVerdictNames.size())), "");
}

TEST_F(QueryTest, SendsAFixedTapQueryAsItStands) {
  tap_.adql = "SELECT TOP 1 table_name FROM TAP_SCHEMA.tables";
  EXPECT_EQ(ask(tap_, answer(200, votable(1), {kXml})).verdict, Verdict::ok);
  ASSERT_EQ(client_->requests().size(), 1U);
  EXPECT_NE(client_->requests()[0].body.find("QUERY=SELECT%20TOP%201%20table_name"), std::string::npos);
}

TEST_F(QueryTest, AnUnusableTemplateIsARecordToo) {
  tap_.adql = "{ra} alone";
  const Measurement m = ask(tap_, answer(200));
  EXPECT_EQ(m.verdict, Verdict::refused);
  EXPECT_EQ(m.code, "bad-template");
  EXPECT_TRUE(client_->requests().empty());
}

}  // namespace
}  // namespace parallax
