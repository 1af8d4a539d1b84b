#include "probe/service_file.h"

#include <gtest/gtest.h>

namespace parallax {
namespace {

std::string complaint(std::string_view file, std::string_view text) {
  const Result<ServiceList> list = parse_services(file, text);
  return list ? "" : list.error().message;
}

constexpr std::string_view kToml = R"toml([provider.IRSA]
queries_per_second = 0.5

[[service]]
name = "2MASS"
provider = "IRSA"
type = "cone"
url = "https://irsa.example.org/SCS?table=fp&region=1"
verb = 3
parameters = { of = "xml", n = 5 }

[[service]]
name = "2MASS"
provider = "IRSA"
type = "tap"
mode = "sync"
url = "https://irsa.example.org/TAP"
adql = "SELECT ra FROM t WHERE 1=CONTAINS(POINT(ra, dec), CIRCLE({ra}, {dec}, {radius}))"

[[service]]
name = "PS"
provider = "MAST"
type = "xcone"
url = "https://mast.example.org/ps?ra={ra}&dec={dec}&radius={radius}"
radius_unit = "arcmin"
private_redirects = true
)toml";

TEST(ServiceFile, ReadsServicesAndProvidersFromToml) {
  const Result<ServiceList> list = parse_services("s.toml", kToml);
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->services.size(), 3U);
  EXPECT_EQ(list->services[0].verb, 3);
  EXPECT_EQ(list->services[0].url, "https://irsa.example.org/SCS?table=fp&region=1");
  EXPECT_EQ(list->services[0].parameters,
            (std::vector<std::pair<std::string, std::string>>{{"of", "xml"}, {"n", "5"}}));
  EXPECT_EQ(list->services[1].type, ServiceType::tap);
  EXPECT_EQ(list->services[2].radius_unit, RadiusUnit::arcmin);
  EXPECT_TRUE(list->services[2].private_redirects);
  ASSERT_EQ(list->providers.size(), 2U);
  EXPECT_EQ(list->providers[0].queries_per_second, 0.5);
  EXPECT_EQ(list->providers[1].name, "MAST");
  EXPECT_EQ(list->providers[1].queries_per_second, 1);
  EXPECT_FALSE(list->providers[1].simultaneous);
}

// Each file with the whole complaint that it gets, caret included.
TEST(ServiceFile, LeavesOutWhoOptedOutAndReadsQuietHours) {
  const std::string two = R"(
[provider.A]
opt_out = true
[provider.B]
quiet_hours = ["22:00-06:30", "12:00-13:00"]
[[service]]
name = "a"
provider = "A"
type = "cone"
url = "https://a.org/scs?"
)";
  const std::string b = R"(
[[service]]
name = "b"
provider = "B"
type = "cone"
url = "https://b.org/scs?"
)";
  const auto list = parse_services("s.toml", two + b);
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->services.size(), 1U);
  EXPECT_EQ(list->services[0].name, "b");
  ASSERT_EQ(list->providers.size(), 1U);
  EXPECT_EQ(list->providers[0].quiet_hours, (std::vector<QuietHours>{{22 * 60, 6 * 60 + 30}, {12 * 60, 13 * 60}}));
  EXPECT_EQ(describe_opted_out(list->opted_out), "not asked, since their providers have opted out: a");
  EXPECT_EQ(describe_opted_out({}), "");
  EXPECT_NE(parse_services("s.toml", two).error().message.find("every provider of this list has opted out"),
            std::string::npos);
  for (const std::string wrong : {R"(["25:00-26:00"])", R"(["10:00-10:00"])", R"("22:00-06:00")", "[22]"}) {
    const auto bad = parse_services("s.toml", "[provider.B]\nquiet_hours = " + wrong + b);
    ASSERT_FALSE(bad) << wrong;
    EXPECT_TRUE(bad.error().message.starts_with("s.toml:2:")) << bad.error().message;
  }
}

TEST(ServiceFile, PointsAtEveryKindOfMistake) {
  const std::string head = "[[service]]\nname = \"A\"\nprovider = \"P\"\n";
  const std::string tap = head + "type = \"tap\"\nurl = \"http://a.org/tap\"\n";
  EXPECT_EQ(complaint("s.toml", head + "type = \"cone\"\nurl = \"http://a.org\"\nverbb = 1\n"),
            "s.toml:6:1: unknown key 'verbb'; did you mean 'verb'?\n  verbb = 1\n  ^");
  EXPECT_EQ(complaint("s.toml", "[[servic]]\n"),
            "s.toml:1:3: unknown key 'servic'; did you mean 'service'?\n  [[servic]]\n    ^");
  EXPECT_EQ(
      complaint("s.toml", head + "type = \"con\"\nurl = \"http://a.org\"\n"),
      "s.toml:4:8: unknown type 'con'; did you mean 'cone'?; one of cone, xcone, tap\n  type = \"con\"\n         ^");
  EXPECT_EQ(complaint("s.toml", head + "type = \"cone\"\nurl = \"ftp://a.org\"\n").substr(0, 12), "s.toml:5:7: ");
  EXPECT_EQ(complaint("s.toml", tap), "s.toml:1:1: service 'A' is of type 'tap' and needs 'adql'\n  [[service]]\n  ^");
  EXPECT_EQ(complaint("s.toml", tap + "adql = \"x {ra} {dec}\"\n"),
            "s.toml:6:8: 'adql' needs all of {ra}, {dec} and {radius}\n  adql = \"x {ra} {dec}\"\n         ^");
  EXPECT_EQ(complaint("s.toml", tap + "adql = \"x {} {}\"\n"),
            "s.toml:6:8: 'adql' needs {ra}, {dec} and {radius}, or three {} in that order; it has 2 {}\n"
            "  adql = \"x {} {}\"\n         ^");
  EXPECT_EQ(complaint("s.toml", tap + "adql = \"{ra} {dec} {radus}\"\n"),
            "s.toml:6:8: 'adql' has an unknown placeholder '{radus}'; did you mean '{radius}'?\n"
            "  adql = \"{ra} {dec} {radus}\"\n         ^");
  EXPECT_EQ(complaint("s.toml", tap + "adql = \"{} {} {}\"\nmode = \"asinc\"\n"),
            "s.toml:7:8: unknown mode 'asinc'; did you mean 'async'?; one of sync, async, both\n  mode = \"asinc\"\n"
            "         ^");
  EXPECT_EQ(
      complaint("s.toml", head + "type = \"cone\"\nurl = \"http://a.org/{ra}\"\n"),
      "s.toml:5:7: the URL of a cone search takes no placeholders: RA, DEC and SR are appended; type 'xcone' is for "
      "URL templates\n  url = \"http://a.org/{ra}\"\n        ^");
  EXPECT_EQ(complaint("s.toml", head + "type = \"cone\"\nurl = \"http://a.org\"\nverb = 4\n"),
            "s.toml:6:8: 'verb' must be an integer from 1 to 3\n  verb = 4\n         ^");
  EXPECT_EQ(complaint("s.toml", "[provider.P]\nparallel = 0\n" + tap),
            "s.toml:2:12: 'parallel' must be an integer from 1 to 1000\n  parallel = 0\n             ^");
  EXPECT_EQ(complaint("s.toml", "[[service]]\nname = \"A\"\n"),
            "s.toml:1:1: key 'provider' is missing\n  [[service]]\n  ^");
  EXPECT_EQ(complaint("s.toml", ""), "s.toml:1:1: the list holds no service\n  \n  ^");
  const std::string cone = head + "type = \"cone\"\nurl = \"http://a.org\"\n";
  EXPECT_EQ(complaint("s.toml", cone + cone),
            "s.toml:7:8: service 'A' (cone) of provider 'P' stands here twice\n  name = \"A\"\n         ^");
}

TEST(ServiceFile, TakesAFixedQueryForTap) {
  const Result<ServiceList> list =
      parse_services("s.toml",
                     "[[service]]\nname = \"A\"\nprovider = \"P\"\ntype = \"tap\"\nurl = \"http://a.org/tap\"\n"
                     "adql = \"SELECT TOP 1 table_name FROM TAP_SCHEMA.tables\"\n");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->services[0].adql, "SELECT TOP 1 table_name FROM TAP_SCHEMA.tables");
}

TEST(ServiceFile, CallsAListBeyondALimitWrong) {
  const Result<ServiceList> list = parse_services("s.py", std::string(1000, '['));
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().kind, ErrorKind::invalid);
}

constexpr std::string_view kPython = R"py(# servicemon's form
[
    {'base_name': 'Cool_Archive', 'service_type': 'cone',
     'access_url': 'https://cool.example.org/SCS?table=stars&amp;region=1&copy=2&', 'adql': ''},
    {'base_name': 'Great_Archive', 'service_type': 'tap', 'access_url': 'https://Great.example.org:8080/tap',
     'ADQL': '''SELECT * FROM stars
       WHERE 1=CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {}, {}, {}))'''},
]
)py";

TEST(ServiceFile, ReadsServicemonsPythonLists) {
  const Result<ServiceList> list = parse_services("dir/stars.py", kPython);
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->services.size(), 2U);
  EXPECT_EQ(list->services[0].url, "https://cool.example.org/SCS?table=stars&region=1&copy=2&");
  EXPECT_EQ(list->services[0].provider, "cool.example.org");
  EXPECT_EQ(list->services[1].provider, "great.example.org");
  EXPECT_NE(list->services[1].adql.find("CIRCLE('ICRS', {}, {}, {})"), std::string::npos);
  EXPECT_EQ(list->providers.size(), 2U);
}

TEST(ServiceFile, PointsIntoPythonFiles) {
  EXPECT_EQ(complaint("s.py", "[{'base_name': 'A', 'service_type': 'cane', 'access_url': 'http://a.org'}]"),
            "s.py:1:37: unknown service_type 'cane'; did you mean 'cone'?; one of cone, xcone, tap\n"
            "  [{'base_name': 'A', 'service_type': 'cane', 'access_url': 'http://a.org'}]\n"
            "                                      ^");
  EXPECT_EQ(complaint("s.py", "[{'base_name': 'A', 'service_type': 'cone'}]"),
            "s.py:1:2: key 'access_url' is missing\n  [{'base_name': 'A', 'service_type': 'cone'}]\n   ^");
  EXPECT_EQ(complaint("s.py", "[{'basename': 'A'}]"),
            "s.py:1:3: unknown key 'basename'; did you mean 'base_name'?\n  [{'basename': 'A'}]\n    ^");
  EXPECT_EQ(complaint("s.py", "{'a': 1}"), "s.py:1:1: a list of dictionaries expected, not a table\n  {'a': 1}\n  ^");
}

TEST(ServiceFile, ReadsAnyOtherNameAsCsv) {
  const Result<ServiceList> list = parse_services("list.txt",
                                                  "base_name,service_type,access_url,ADQL\nA,cone,http://a.org/scs?,\n"
                                                  "B,tap,http://a.org/tap,\"SELECT {}, {}, {}\"\n");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->services[1].adql, "SELECT {}, {}, {}");
  EXPECT_EQ(list->providers.size(), 1U);
  EXPECT_EQ(complaint("l.csv", "base_name,service_type,access_url\nA,cone\n"),
            "l.csv:2:1: this line has 2 fields, the header has 3\n  A,cone\n  ^");
  EXPECT_EQ(complaint("l.csv", "base_name,kind\n"),
            "l.csv:1:11: unknown column 'kind'\n  base_name,kind\n            ^");
}

TEST(ServiceFile, UnescapesOnlyWhatEndsInASemicolon) {
  EXPECT_EQ(unescape_html("a&amp;b&lt;&gt;&quot;&#38;&#x26;"), "a&b<>\"&&");
  EXPECT_EQ(unescape_html("&copy=1&region=2&amp&#0;&#x;&unknown;&copy;"),
            "&copy=1&region=2&amp&#0;&#x;&unknown;&copy;");
}

TEST(ConeFile, ReadsBothFormsAndChecksRanges) {
  const std::vector<Cone> expected = {{101.18, 27.66, 0.11}, {0, -90, 0}};
  const auto python =
      parse_cones("c.py", "[{'dec': 27.66, 'ra': 101.18, 'radius': 0.11}, {'ra':360,'dec':-90,'radius':0}]");
  ASSERT_TRUE(python) << python.error().message;
  EXPECT_EQ(*python, expected);
  const auto csv = parse_cones("c.csv", "radius,ra,dec\n0.11,101.18,27.66\n0,0,-90\n");
  ASSERT_TRUE(csv) << csv.error().message;
  EXPECT_EQ(*csv, expected);
  EXPECT_EQ(parse_cones("c.csv", "ra,dec,radius\n1,91,1\n").error().message,
            "c.csv:2:1: 'dec' must be a number from -90 to 90 degrees\n  1,91,1\n  ^");
  EXPECT_EQ(parse_cones("c.csv", "ra,dec,radius\n1,x,1\n").error().message,
            "c.csv:2:3: 'dec' must be a number\n  1,x,1\n    ^");
  EXPECT_EQ(parse_cones("c.py", "[{'ra': 1, 'dec': 2}]").error().message,
            "c.py:1:2: 'radius' is missing\n  [{'ra': 1, 'dec': 2}]\n   ^");
  EXPECT_FALSE(parse_cones("c.csv", "ra,dec,radius\n1,nan,1\n"));
}

}  // namespace
}  // namespace parallax
