#include "http/url.h"

#include <gtest/gtest.h>

namespace parallax::http {
namespace {

Url url(std::string_view text) {
  return parse_url(text).value();
}

TEST(Url, TakesAUrlApart) {
  const Url parsed = url("HTTPS://irsa.Example.org:8443/TAP/sync?a=b%20c&d=/?#top");
  EXPECT_EQ(parsed.scheme, "https");
  EXPECT_EQ(parsed.host, "irsa.Example.org");
  EXPECT_EQ(parsed.port, 8443);
  EXPECT_EQ(parsed.path, "/TAP/sync");
  EXPECT_EQ(parsed.query, "a=b%20c&d=/?");
  EXPECT_EQ(parsed.fragment, "top");
  EXPECT_EQ(parsed.text(), "https://irsa.Example.org:8443/TAP/sync?a=b%20c&d=/?");
}

TEST(Url, KeepsPathAndQueryAsWritten) {
  for (const std::string text :
       {"http://a/%7Euser/../x", "http://a/?b=2&a=1&b=%2f", "http://a/caf\xC3\xA9", "http://a/t?q={ra}"}) {
    EXPECT_EQ(url(text).text(), text);
  }
}

TEST(Url, LeavesOutTheDefaultPort) {
  EXPECT_EQ(url("http://a:80").text(), "http://a/");
  EXPECT_EQ(url("https://a:443/").host_header(), "a");
  EXPECT_EQ(url("https://a:80/").host_header(), "a:80");
  EXPECT_EQ(url("http://a:/").port, 80);
  EXPECT_EQ(url("http://a").authority(), "a:80");
}

TEST(Url, PutsBracketsAroundIpv6) {
  const Url parsed = url("http://[2001:db8::1]:8080/x");
  EXPECT_EQ(parsed.host, "2001:db8::1");
  EXPECT_EQ(parsed.authority(), "[2001:db8::1]:8080");
  EXPECT_EQ(parsed.text(), "http://[2001:db8::1]:8080/x");
  EXPECT_EQ(url("https://[::1]").host_header(), "[::1]");
  EXPECT_EQ(url("https://[::ffff:10.0.0.1]").host, "::ffff:10.0.0.1");
}

TEST(Url, RefusesWhatItDoesNotUnderstand) {
  for (const std::string_view text : {"",
                                      "/path",
                                      "a.example.org/x",
                                      "ftp://a/",
                                      "file:///etc/passwd",
                                      "http:/a",
                                      "http:a",
                                      "http://",
                                      "http:///x",
                                      "http://user:secret@a/",
                                      "http://user@a/",
                                      "http://a b/",
                                      "http://a/b c",
                                      "http://a/\n",
                                      "http://a/\x7F",
                                      "http://a:0/",
                                      "http://a:65536/",
                                      "http://a:-1/",
                                      "http://a:8x/",
                                      "http://a:1:2/",
                                      "http://[::1/",
                                      "http://[]/",
                                      "http://[::1]x/",
                                      "http://[fe80::1%25eth0]/",
                                      "http://a\\b/",
                                      "http://caf\xC3\xA9/",
                                      "http://a%2fb/"}) {
    const Result<Url> result = parse_url(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::invalid) << text;
  }
  EXPECT_FALSE(parse_url("http://a/" + std::string(70'000, 'x')).has_value());
}

TEST(Url, NeverRepeatsAPasswordInItsMessage) {
  EXPECT_EQ(parse_url("http://user:secret@a/").error().message.find("secret"), std::string::npos);
}

// RFC 3986 sections 5.4.1 and 5.4.2, less "g:h" and "http:g", which do not lead to an http URL with a host.
TEST(Url, ResolvesTheExamplesOfRfc3986) {
  const Url base = url("http://a/b/c/d;p?q");
  const std::pair<std::string_view, std::string_view> examples[] = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},
      {"g?y#s", "http://a/b/c/g?y"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/../x", "http://a/b/c/g"},
  };
  for (const auto& [reference, expected] : examples) {
    const Result<Url> resolved = resolve_url(base, reference);
    ASSERT_TRUE(resolved.has_value()) << reference;
    EXPECT_EQ(resolved->text(), expected) << reference;
  }
  EXPECT_EQ(resolve_url(base, "g?y#s")->fragment, "s");
}

TEST(Url, ResolvesAbsoluteAndSchemeRelativeReferences) {
  const Url base = url("https://a:8443/b?x=1");
  EXPECT_EQ(resolve_url(base, "http://[::1]:81/c/../d")->text(), "http://[::1]:81/d");
  EXPECT_EQ(resolve_url(base, "//h:9/z")->text(), "https://h:9/z");
  EXPECT_EQ(resolve_url(base, "/z?u=http://c/")->text(), "https://a:8443/z?u=http://c/");
}

TEST(Url, RefusesReferencesToElsewhere) {
  const Url base = url("http://a/b");
  for (const std::string_view reference : {"g:h", "http:g", "javascript:alert(1)", "file:///etc/passwd", "ftp://h/",
                                           "//u:p@h/", "//", "x y", "\r\nX: y"}) {
    EXPECT_FALSE(resolve_url(base, reference).has_value()) << reference;
  }
}

TEST(PercentEncoding, RoundTripsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all.push_back(static_cast<char>(i));
  }
  EXPECT_EQ(percent_decode(percent_encode(all)).value(), all);
  EXPECT_EQ(percent_encode("aZ09-_.~ +/%\xC3\xA9"), "aZ09-_.~%20%2B%2F%25%C3%A9");
  EXPECT_EQ(percent_decode("a+b%2fc%2F").value(), "a+b/c/");
}

TEST(PercentEncoding, RefusesBrokenEscapes) {
  for (const std::string_view text : {"%", "%4", "a%zz", "%4g", "abc%2"}) {
    EXPECT_EQ(percent_decode(text).error().kind, ErrorKind::invalid) << text;
  }
}

TEST(Form, EncodesAndDecodes) {
  const std::vector<std::pair<std::string, std::string>> fields = {
      {"QUERY", "SELECT 1+1 & more"}, {"LANG", "ADQL"}, {"", "x"}};
  EXPECT_EQ(form_encode(fields), "QUERY=SELECT%201%2B1%20%26%20more&LANG=ADQL&=x");
  EXPECT_EQ(form_decode(form_encode(fields), 3).value(), fields);
  const std::vector<std::pair<std::string, std::string>> expected = {{"a", "1"}, {"b", " x y"}, {"c", ""}, {"d", "=e"}};
  EXPECT_EQ(form_decode("a=1&&b=%20x+y&c&d==e&", 4).value(), expected);
}

TEST(Form, IsLimited) {
  EXPECT_EQ(form_decode("a&b&c", 2).error().kind, ErrorKind::refused);
  EXPECT_EQ(form_decode("a=%x", 2).error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace parallax::http
