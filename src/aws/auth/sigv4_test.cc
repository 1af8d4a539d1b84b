#include "aws/auth/sigv4.h"

#include <fstream>

#include <gtest/gtest.h>

#include "codec/json.h"
#include "test_data.h"

namespace parallax::aws {
namespace {

Instant at(std::string_view text) {
  return parse_iso8601(text).value();
}

http::Request get(std::string url) {
  http::Request request;
  request.url = std::move(url);
  return request;
}

const Credentials kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", std::nullopt};

// The worked example of the signing documentation.
TEST(SigV4, SignsTheDocumentedExample) {
  http::Request request = get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08");
  request.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  ASSERT_TRUE(sign(request, {"us-east-1", "iam"}, kExample, at("2015-08-30T12:36:00Z")).has_value());
  EXPECT_EQ(request.headers.get("Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(SigV4, AgreesWithBotocoreOnRandomRequests) {
  std::ifstream file(PARALLAX_TEST_DATA "/aws/sigv4.jsonl");
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const Json vector = parse_json(line).value();
    http::Request request = get(vector.text("url"));
    request.method = vector.text("method");
    request.body = vector.text("body");
    for (const Json& header : vector.list("headers")) {
      request.headers.add(*header.items()->at(0).string(), *header.items()->at(1).string());
    }
    const Credentials credentials{vector.text("access"), vector.text("secret"), vector.text("token"), std::nullopt};
    const SigningScope scope{vector.text("region"), vector.text("service")};
    ASSERT_TRUE(sign(request, scope, credentials, at(vector.text("time"))).has_value());
    EXPECT_EQ(request.headers.get("Authorization"), vector.text("authorization")) << line << "\n"
                                                                                  << canonical_request(request).value();
  }
  EXPECT_EQ(count, 60);
}

TEST(SigV4, PutsThePortIntoHostUnlessItIsTheDefault) {
  EXPECT_NE(canonical_request(get("http://127.0.0.1:4566/")).value().find("host:127.0.0.1:4566\n"), std::string::npos);
  EXPECT_NE(canonical_request(get("https://a.example:443/")).value().find("host:a.example\n"), std::string::npos);
}

TEST(SigV4, SortsRepeatedQueryKeysByValue) {
  const std::string text = canonical_request(get("https://a.example/?b=2&a=9&b=10&a")).value();
  EXPECT_EQ(text.substr(0, text.find("\nhost")), "GET\n/\na=&a=9&b=10&b=2");
}

TEST(SigV4, DropsWhatAnEarlierAttemptSigned) {
  http::Request request = get("https://a.example/");
  Credentials temporary = kExample;
  temporary.session_token = "token";
  ASSERT_TRUE(sign(request, {"eu-west-3", "ec2"}, temporary, at("2026-11-22T10:00:00Z")).has_value());
  EXPECT_EQ(request.headers.get("X-Amz-Security-Token"), "token");
  ASSERT_TRUE(sign(request, {"eu-west-3", "ec2"}, kExample, at("2026-11-22T10:00:05Z")).has_value());
  const std::string again = request.headers.get("Authorization");
  EXPECT_EQ(request.headers.find("X-Amz-Security-Token"), nullptr);
  EXPECT_EQ(request.headers.get("X-Amz-Date"), "20261122T100005Z");

  http::Request fresh = get("https://a.example/");
  ASSERT_TRUE(sign(fresh, {"eu-west-3", "ec2"}, kExample, at("2026-11-22T10:00:05Z")).has_value());
  EXPECT_EQ(fresh.headers.get("Authorization"), again);
}

TEST(SigV4, RefusesAUrlThatIsNone) {
  http::Request request = get("not a url");
  EXPECT_EQ(sign(request, {"eu-west-3", "ec2"}, kExample, Instant()).error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace parallax::aws
