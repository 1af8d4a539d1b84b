#include "sim/vo/sample_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "http/url.h"
#include "sim/vo/adql.h"
#include "sim/vo/catalogue.h"

namespace parallax::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FixedClock final : public Clock {
 public:
  Instant now() const override { return Instant(Seconds(1'800'000'000)) + slept; }

  Monotonic monotonic() const override { return Monotonic(slept); }

  bool sleep_until(Monotonic deadline, std::stop_token /*stop*/) override {
    slept = deadline.time_since_epoch();
    return true;
  }

  Micros slept{0};
};

struct Site {
  explicit Site(const SampleOptions& options = {})
      : service(clock, options, [this](const AnsweredQuery& query) { log.push_back(query); }) {}

  http::Response get(const std::string& target) {
    http::Request request;
    request.url = target;
    return service.handle(request);
  }

  http::Response post(const std::string& adql, const std::string& more = "") {
    http::Request request;
    request.method = "POST";
    request.url = "/tap/sync";
    request.body = "LANG=ADQL&QUERY=" + http::percent_encode(adql) + more;
    return service.handle(request);
  }

  FixedClock clock;
  std::vector<AnsweredQuery> log;
  SampleService service;
};

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    ++found;
  }
  return found;
}

TEST(Catalogue, HoldsAHundredStarsBrightestFirst) {
  const auto& stars = bright_stars();
  ASSERT_EQ(stars.size(), 100U);
  EXPECT_EQ(stars.front().name, "Sirius");
  for (std::size_t i = 1; i < stars.size(); ++i) {
    EXPECT_LE(stars[i - 1].vmag, stars[i].vmag) << stars[i].bayer;
    EXPECT_TRUE(stars[i].ra >= 0 && stars[i].ra < 360 && stars[i].dec >= -90 && stars[i].dec <= 90);
  }
}

TEST(Catalogue, MeasuresDistancesOnTheSphere) {
  // Mintaka to Alnilam in Orion's belt, and across the pole and the zero of right ascension.
  EXPECT_NEAR(separation(83.0017, -0.2991, 84.0534, -1.2019), 1.386, 0.001);
  EXPECT_NEAR(separation(0, 89, 180, 89), 2, 1e-12);
  EXPECT_NEAR(separation(359.5, 0, 0.5, 0), 1, 1e-12);
  EXPECT_NEAR(separation(10, 20, 190, -20), 180, 1e-9);
}

TEST(Catalogue, MakesConesThatHoldAStar) {
  const auto cones = cones_on_stars(5, 200, 0.05, 5);
  EXPECT_EQ(cones, cones_on_stars(5, 200, 0.05, 5));
  EXPECT_NE(cones, cones_on_stars(6, 200, 0.05, 5));
  for (const Cone& cone : cones) {
    EXPECT_FALSE(find_stars(cone).empty()) << cone.ra << " " << cone.dec << " " << cone.radius;
    EXPECT_TRUE(cone.ra >= 0 && cone.ra < 360 && cone.radius >= 0.05 && cone.radius <= 5);
  }
}

TEST(SampleService, FindsTheBeltOfOrion) {
  Site site;
  const http::Response response = site.get("/scs?RA=84.0534&DEC=-1.2019&SR=1.5&VERB=3");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("content-type"), "text/xml;content=x-votable");
  EXPECT_EQ(count(response.body, "<TR>"), 3U);
  EXPECT_EQ(count(response.body, "<FIELD"), 7U);
  EXPECT_THAT(response.body, HasSubstr("<TD>Alnilam</TD>"));
  EXPECT_THAT(response.body, HasSubstr("ucd=\"ID_MAIN\""));
  ASSERT_EQ(site.log.size(), 1U);
  EXPECT_EQ(site.log[0].rows, 3);
  EXPECT_EQ(site.log[0].cone, (Cone{84.0534, -1.2019, 1.5}));
}

TEST(SampleService, AnswersNothingFoundWithAnEmptyTable) {
  Site site;
  const http::Response response = site.get("/scs?ra=0&dec=0&sr=0.1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(count(response.body, "<TR>"), 0U);
  EXPECT_THAT(response.body, HasSubstr("<TABLE"));
  EXPECT_EQ(site.log[0].rows, 0);
}

TEST(SampleService, SaysWhatIsWrongAsConeSearchDoes) {
  const std::string targets[] = {"/scs?RA=1&DEC=2", "/scs?RA=1&DEC=91&SR=1", "/scs?RA=x&DEC=2&SR=1",
                                 "/scs?RA=1&DEC=2&SR=1&VERB=4", "/scs?RA=1&DEC=2&SR=1&RESPONSEFORMAT=fits"};
  for (const std::string& target : targets) {
    Site site;
    const http::Response response = site.get(target);
    EXPECT_EQ(response.status, 200) << target;
    EXPECT_THAT(response.body, HasSubstr("<INFO ID=\"Error\" name=\"Error\" value=")) << target;
    EXPECT_FALSE(site.log[0].rows) << target;
  }
}

TEST(SampleService, MarksAnOverflowAfterTheTable) {
  Site site;
  const http::Response response = site.get("/scs?RA=0&DEC=0&SR=180&MAXREC=10");
  EXPECT_EQ(count(response.body, "<TR>"), 10U);
  EXPECT_GT(response.body.find("value=\"OVERFLOW\""), response.body.find("</TABLE>"));
  EXPECT_TRUE(site.log[0].overflow);
  // Exactly as many as there are is no overflow.
  EXPECT_THAT(site.get("/scs?RA=0&DEC=0&SR=180&MAXREC=100").body, Not(HasSubstr("OVERFLOW")));
}

TEST(SampleService, WritesBinaryRowsBigEndianWithNullMasks) {
  Site site;
  const std::string target = "/scs?RA=190.3793&DEC=-48.9599&SR=0.1&VERB=1&RESPONSEFORMAT=";
  for (const std::string format : {"votable/b1", "votable/b2"}) {
    const std::string body = site.get(target + format).body;
    const std::size_t begin = body.find("base64\">") + 8;
    std::string encoded = body.substr(begin, body.find("</STREAM>") - begin);
    std::erase(encoded, '\n');
    const std::string bytes = base64_decode(encoded).value();
    const std::string mask = format == "votable/b2" ? std::string(1, '\0') : "";
    const std::string ra("\x40\x67\xCC\x23\x39\xC0\xEB\xEE", 8);  // 190.3793
    EXPECT_EQ(bytes.substr(0, mask.size() + 13), mask + std::string("\0\0\0\x09", 4) + "HIP 61932") << format;
    EXPECT_EQ(bytes.substr(mask.size() + 13, 8), ra) << format;
    EXPECT_EQ(bytes.size(), mask.size() + 13 + 16) << format;
  }
}

TEST(SampleService, MasksANullInBinary2) {
  Site site;
  // gam Cas has no proper name: the fourth of five columns.
  const std::string body = site.get("/scs?RA=14.1772&DEC=60.7167&SR=0.1&RESPONSEFORMAT=votable/b2").body;
  const std::size_t begin = body.find("base64\">\n") + 9;
  EXPECT_EQ(base64_decode(body.substr(begin, 4)).value()[0], '\x10');
}

TEST(SampleService, AnswersAdql) {
  Site site;
  const std::string where =
      " FROM stars WHERE 1=CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 84.0534, -1.2019, 1.5))";
  EXPECT_EQ(count(site.post("SELECT *" + where).body, "<TR>"), 3U);
  EXPECT_EQ(count(site.post("select top 2 NAME, \"vmag\"" + where).body, "<FIELD"), 2U);
  EXPECT_EQ(count(site.post("SELECT TOP 2 name" + where).body, "<TR>"), 2U);
  EXPECT_EQ(count(site.post("SELECT name" + where, "&MAXREC=1").body, "OVERFLOW"), 1U);
  EXPECT_EQ(count(site.post("SELECT name FROM stars").body, "<TR>"), 100U);
  EXPECT_EQ(site.log[0].endpoint, "tap");
  EXPECT_EQ(site.log[0].cone, (Cone{84.0534, -1.2019, 1.5}));
}

TEST(SampleService, ReportsBadQueriesAsDaliDoes) {
  const std::pair<std::string, std::string> rows[] = {
      {"SELEKT * FROM stars", "column 1: expected SELECT, found &apos;SELEKT&apos;"},
      {"SELECT * FROM planets", "unknown table"},
      {"SELECT mass FROM stars", "No column &apos;mass&apos;"},
      {"SELECT * FROM stars WHERE 1=CONTAINS(POINT(ra, dec), CIRCLE(1, 2))", "expected ,, found"},
      {"SELECT * FROM stars; DROP TABLE stars", "expected the end of the query"},
      {"", "expected SELECT, found the end of the query"},
  };
  for (const auto& [adql, message] : rows) {
    Site site;
    const http::Response response = site.post(adql);
    EXPECT_EQ(response.status, 400) << adql;
    EXPECT_THAT(response.body, HasSubstr("value=\"ERROR\"")) << adql;
    std::string plain = message;
    for (std::size_t at = plain.find("&apos;"); at != std::string::npos; at = plain.find("&apos;")) {
      plain.replace(at, 6, "'");
    }
    EXPECT_THAT(response.body, HasSubstr(plain)) << adql;
  }
}

TEST(SampleService, MisbehavesAsAsked) {
  const std::string target = "/scs?RA=84&DEC=-1&SR=2";
  const std::string good = Site().get(target).body;
  EXPECT_THAT(Site({.misbehaviour = Misbehaviour::html}).get(target).body, HasSubstr("<!DOCTYPE html>"));
  EXPECT_EQ(Site({.misbehaviour = Misbehaviour::failure}).get(target).status, 500);
  EXPECT_EQ(Site({.misbehaviour = Misbehaviour::truncated}).get(target).body, good.substr(0, good.size() / 2));
  EXPECT_EQ(Site({.misbehaviour = Misbehaviour::throttled}).get(target).headers.get("retry-after"), "30");
  EXPECT_THAT(Site({.misbehaviour = Misbehaviour::overflow}).get(target).body, HasSubstr("OVERFLOW"));
  Site slow({.misbehaviour = Misbehaviour::slow});
  EXPECT_EQ(slow.get(target).body, good);
  EXPECT_EQ(slow.clock.slept, Seconds(10));
  Site moved({.misbehaviour = Misbehaviour::redirect});
  const http::Response first = moved.get(target);
  EXPECT_EQ(first.status, 302);
  EXPECT_EQ(moved.get(first.headers.get("location")).body, good);
}

}  // namespace
}  // namespace parallax::sim
