// What is sent: cone search URLs, TAP forms, templates.
#include <gtest/gtest.h>

#include "vo/cone_search.h"
#include "vo/position.h"
#include "vo/tap.h"

namespace parallax::vo {
namespace {

TEST(ConeSearchUrl, AppendsToWhateverTheBaseEndsWith) {
  const SkyCircle circle{10.684708, -41.26875, 0.05};
  const std::string arguments = "RA=10.684708&DEC=-41.26875&SR=0.05";
  EXPECT_EQ(cone_search_url("http://a/scs", circle), "http://a/scs?" + arguments);
  EXPECT_EQ(cone_search_url("http://a/scs?", circle), "http://a/scs?" + arguments);
  EXPECT_EQ(cone_search_url("http://a/scs?cat=b&a=%7e", circle), "http://a/scs?cat=b&a=%7e&" + arguments);
  EXPECT_EQ(cone_search_url("http://a/scs?cat=b&", circle), "http://a/scs?cat=b&" + arguments);
  EXPECT_EQ(cone_search_url("http://a/scs#top", circle), "http://a/scs?" + arguments);
  EXPECT_EQ(cone_search_url("http://a/scs", circle, {{"VERB", "2"}, {"x y", "a&b"}}),
            "http://a/scs?" + arguments + "&VERB=2&x%20y=a%26b");
}

TEST(DecimalDegrees, NeverHasAnExponentOrNeedlessZeros) {
  EXPECT_EQ(decimal_degrees(0), "0");
  EXPECT_EQ(decimal_degrees(-1e-12), "0");
  EXPECT_EQ(decimal_degrees(1e-7), "0.0000001");
  EXPECT_EQ(decimal_degrees(359.9999999), "359.9999999");
  EXPECT_EQ(decimal_degrees(100), "100");
  EXPECT_EQ(decimal_degrees(-0.1), "-0.1");
}

TEST(FillTemplate, TakesNamesOrThreePositions) {
  const SkyCircle circle{1.5, -2, 0.25};
  const auto fill = [&](std::string_view text, RadiusUnit unit = RadiusUnit::degree) {
    return fill_template(text, circle, unit);
  };
  EXPECT_EQ(fill("http://a/?d={dec}&r={radius}&ra={ra}&again={ra}").value(), "http://a/?d=-2&r=0.25&ra=1.5&again=1.5");
  EXPECT_EQ(fill("CIRCLE('ICRS', {}, {}, {})").value(), "CIRCLE('ICRS', 1.5, -2, 0.25)");
  EXPECT_EQ(fill("{} {} {}", RadiusUnit::arcminute).value(), "1.5 -2 15");
  EXPECT_EQ(fill("{ra} {dec} {radius}", RadiusUnit::arcsecond).value(), "1.5 -2 900");
  EXPECT_EQ(fill("{ra} {dec}").error().kind, ErrorKind::invalid);
  EXPECT_FALSE(fill("{} {}").has_value());
  EXPECT_FALSE(fill("{} {} {} {}").has_value());
}

TEST(RadiusUnit, IsReadFromItsNames) {
  EXPECT_EQ(parse_radius_unit("degree").value(), RadiusUnit::degree);
  EXPECT_EQ(parse_radius_unit("arcmin").value(), RadiusUnit::arcminute);
  EXPECT_EQ(parse_radius_unit("arcsec").value(), RadiusUnit::arcsecond);
  EXPECT_FALSE(parse_radius_unit("parsec").has_value());
}

TEST(Tap, JoinsSyncToTheBaseWithOneSlash) {
  EXPECT_EQ(tap_sync_url("http://a/tap"), "http://a/tap/sync");
  EXPECT_EQ(tap_sync_url("http://a/tap//"), "http://a/tap/sync");
  EXPECT_EQ(tap_sync_url("http://a/tap/?cat=x&v=/"), "http://a/tap/sync?cat=x&v=/");
  EXPECT_EQ(tap_sync_url("http://a/tap?"), "http://a/tap/sync");
  EXPECT_EQ(tap_sync_url("http://a/tap#top"), "http://a/tap/sync");
}

TEST(Tap, SendsOnlyWhatIsAsked) {
  EXPECT_EQ(tap_form({.adql = "SELECT * FROM \"a\" WHERE b='c+d'", .maxrec = {}, .format_parameter = "", .format = ""}),
            "REQUEST=doQuery&LANG=ADQL&QUERY=SELECT%20%2A%20FROM%20%22a%22%20WHERE%20b%3D%27c%2Bd%27");
  EXPECT_EQ(tap_form({.adql = "x", .maxrec = 5, .format_parameter = "RESPONSEFORMAT", .format = "votable/td"}),
            "REQUEST=doQuery&LANG=ADQL&MAXREC=5&RESPONSEFORMAT=votable%2Ftd&QUERY=x");
}

}  // namespace
}  // namespace parallax::vo
