#include "cli/explain.h"

#include <gtest/gtest.h>

#include "cli/secrets.h"
#include "probe/fakes.h"
#include "probe/query.h"
#include "record/service.h"
#include "vo/votable.h"

namespace parallax::cli {
namespace {

using probe::answer;
using probe::ScriptedClient;
using probe::votable;

class ExplainTest : public testing::Test {
 protected:
  Explanation ask(const std::string& url, std::map<std::string, http::Exchange> pages,
                  ServiceType type = ServiceType::xcone) {
    ScriptedClient client([&](const http::Request& request, const auto&, const auto&) {
      const auto found = pages.find(request.url);
      return found == pages.end() ? answer(404) : found->second;
    });
    Service service;
    service.url = url;
    service.type = type;
    service.adql = "SELECT 1";
    const std::unique_ptr<Clock> clock = make_system_clock();
    const std::unique_ptr<Executor> executor = make_thread_executor();
    probe::Witness witness(client, kKept);
    Explanation explanation;
    EXPECT_TRUE(describe_query(service, kCone, 0, explanation.measurement));
    run_query(service, kCone, {}, Seconds(100), *clock, *executor, witness, {}, explanation.measurement);
    explanation.hops = witness.hops();
    explanation.body_cut = explanation.hops.back().body_cut;
    explanation.body = vo::read_votable(explanation.hops.back().body);
    return explanation;
  }

  static constexpr std::size_t kKept = 4096;
  static constexpr Cone kCone{10, 20, 0.5};
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(ExplainTest, TellsEachRequestItsHeadersAndItsTimes) {
  const Explanation explanation =
      ask("https://a.example/x?b=1", {{"https://a.example/x?b=1", answer(302, "", {{"Location", "/y"}})},
                                      {"https://a.example/y", answer(200, votable(3), {{"X-Mark", "seen"}})}});
  const std::string text = explain_text(explanation, {});
  EXPECT_TRUE(has(text, "> GET /x?b=1 HTTP/1.1\n  > Host: a.example\n  > User-Agent: parallax/")) << text;
  EXPECT_TRUE(has(text, "< HTTP/1.1 302\n  < Location: /y\n")) << text;
  EXPECT_TRUE(has(text, "request 2\n  > GET /y HTTP/1.1")) << text;
  EXPECT_TRUE(has(text, "< X-Mark: seen\n")) << text;
  EXPECT_TRUE(has(text, "verdict ok\n")) << text;
  EXPECT_TRUE(has(text, "serialization TABLEDATA")) << text;
  EXPECT_TRUE(has(text, "content-type: ")) << "the answer has none" << text;
  EXPECT_TRUE(has(text, "VOTable 1.5 section 8")) << text;
  EXPECT_TRUE(has(text, "  0000  3c 3f 78 6d 6c")) << text;
  EXPECT_FALSE(has(explain_text(explanation, {80, false}), "3c 3f 78 6d 6c"));
}

TEST_F(ExplainTest, TheBarsBeginWhereThePhaseBeganAndFitTheTerminal) {
  const Explanation explanation = ask("http://a.example/", {{"http://a.example/", answer(200, votable(1))}});
  for (const std::size_t width : {44U, 80U, 200U}) {
    const std::string text = explain_text(explanation, {width, false});
    const std::size_t transfer = text.find("  transfer");
    ASSERT_NE(transfer, std::string::npos);
    const std::string line = text.substr(transfer, text.find('\n', transfer) - transfer);
    EXPECT_LE(line.size(), std::max<std::size_t>(width, 44));
    EXPECT_TRUE(line.ends_with("#|")) << "the last phase ends at the end: " << line;
    EXPECT_TRUE(has(line, "| ")) << "and does not begin at the begin: " << line;
  }
}

TEST_F(ExplainTest, HidesSecretsAndTerminalControls) {
  const std::string url = "https://a.example/x?token=abcde&q=1";
  const Explanation explanation =
      ask(url, {{url, answer(403, "\x1b[2Jno", {{"Set-Cookie", "id=zyxwv"}, {"X-Evil", "a\x1b]0;b\x07"}})}});
  const std::string text = explain_text(explanation, {});
  EXPECT_TRUE(has(text, "GET /x?token=[hidden]&q=1")) << text;
  EXPECT_TRUE(has(text, "Set-Cookie: [hidden]")) << text;
  EXPECT_FALSE(has(text, "abcde") || has(text, "zyxwv")) << text;
  EXPECT_FALSE(has(text, "\x1b") || has(text, "\x07")) << text;
  const std::string json = explain_json(explanation, {}).dump();
  EXPECT_FALSE(has(json, "abcde") || has(json, "zyxwv")) << json;
  EXPECT_TRUE(has(text, "verdict http-error http-403\n")) << text;
}

TEST_F(ExplainTest, APostShowsItsForm) {
  const Explanation explanation = ask(
      "https://a.example/tap", {{"https://a.example/tap/sync", answer(200, votable(2, "ERROR"))}}, ServiceType::tap);
  const std::string text = explain_text(explanation, {});
  EXPECT_TRUE(has(text, "> POST /tap/sync HTTP/1.1")) << text;
  EXPECT_TRUE(has(text, "QUERY=SELECT%201")) << text;
  EXPECT_TRUE(has(text, "> Content-Length: ")) << text;
  EXPECT_TRUE(has(text, "verdict service-error query-status\n")) << text;
  EXPECT_TRUE(has(text, "at any HTTP status")) << text;
}

TEST_F(ExplainTest, ALargeBodyIsKeptInPart) {
  const std::string url = "http://a.example/";
  const Explanation explanation = ask(url, {{url, answer(200, votable(100'000))}});
  EXPECT_TRUE(explanation.body_cut);
  EXPECT_EQ(explanation.hops.back().body.size(), kKept);
  EXPECT_EQ(explanation.measurement.rows, 100'000);
  EXPECT_TRUE(has(explain_text(explanation, {}), "of the first bytes only"));
}

TEST_F(ExplainTest, JsonHasTheSame) {
  const Json json = explain_json(ask("http://a.example/", {{"http://a.example/", answer(200, votable(2))}}), {});
  ASSERT_EQ(json.list("requests").size(), 1U);
  const Json& hop = json.list("requests").front();
  EXPECT_EQ(hop.integer("http_status", 0), 200);
  EXPECT_EQ(hop.at("times", "transfer_us")->integer(), 20);
  EXPECT_EQ(json.text("verdict"), "ok");
  EXPECT_EQ(json.at("body", "rows")->integer(), 2);
  EXPECT_EQ(json.list("findings").front().text("where").substr(0, 7), "VOTable");
}

TEST(SecretsTest, ParametersThatSpeakOfSecretsAreHidden) {
  EXPECT_EQ(without_secrets("a?TOKEN=x&b=2"), "a?TOKEN=[hidden]&b=2");
  EXPECT_EQ(without_secrets("api_key=1;key=2;monkey=3"), "api_key=[hidden];key=[hidden];monkey=3");
  EXPECT_EQ(without_secrets("password="), "password=");
  EXPECT_EQ(without_secrets("https://me:pw@host/p?x=a@b and http://h/"), "https://[hidden]@host/p?x=a@b and http://h/");
  EXPECT_EQ(without_secrets("RA=1&DEC=2&SR=3"), "RA=1&DEC=2&SR=3");
  EXPECT_EQ(without_secrets(""), "");
  EXPECT_EQ(shown_header("Authorization", "Bearer x"), "[hidden]");
  EXPECT_EQ(shown_header("Location", "/a?sig=1"), "/a?sig=[hidden]");
  EXPECT_EQ(shown_header("Content-Type", "text/xml; content=x"), "text/xml; content=x");
}

}  // namespace
}  // namespace parallax::cli
