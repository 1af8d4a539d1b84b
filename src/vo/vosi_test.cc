#include "vo/vosi.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "test_data.h"

namespace parallax::vo {
namespace {

std::string read_sample(const std::string& name) {
  std::ifstream file(PARALLAX_TEST_DATA "/vo-samples/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Availability, IsReadFromARealServer) {
  for (const std::string name : {"vosi-tap-availability.xml", "vosi-scs-availability.xml"}) {
    const Availability availability = parse_availability(read_sample(name)).value();
    EXPECT_TRUE(availability.available) << name;
    EXPECT_EQ(availability.note, "") << name;
    EXPECT_FALSE(availability.down_at.has_value()) << name;
  }
  const Availability tap = parse_availability(read_sample("vosi-tap-availability.xml")).value();
  EXPECT_EQ(to_iso8601_seconds(tap.up_since.value()), "2026-11-22T08:02:45Z");
}

TEST(Availability, TellsPlannedDowntimeAndWhy) {
  const Availability availability =
      parse_availability(
          "<availability><available> 0 </available><downAt>2026-12-01T06:00:00</downAt>"
          "<backAt>2026-12-01T08:00:00Z</backAt><note>new disks</note><note> and a reboot</note>"
          "</availability>")
          .value();
  EXPECT_FALSE(availability.available);
  EXPECT_EQ(to_iso8601_seconds(availability.down_at.value()), "2026-12-01T06:00:00Z");
  EXPECT_EQ(to_iso8601_seconds(availability.back_at.value()), "2026-12-01T08:00:00Z");
  EXPECT_EQ(availability.note, "new disks; and a reboot");
}

TEST(Availability, IsNotGuessed) {
  EXPECT_EQ(parse_availability("<availability><available>maybe</available></availability>").error().message,
            "<available> of the availability says 'maybe', not true or false");
  EXPECT_EQ(parse_availability("<availability/>").error().kind, ErrorKind::corrupt);
  EXPECT_EQ(parse_availability("<html/>").error().message, "expected VOSI availability, got an XML document of <html>");
  EXPECT_EQ(parse_availability("").error().kind, ErrorKind::corrupt);
}

TEST(Capabilities, TellTheLimitsOfATapService) {
  const Capabilities found = parse_capabilities(read_sample("vosi-tap-capabilities.xml")).value();
  EXPECT_EQ(found.output_rows.standard, 20000);
  EXPECT_EQ(found.output_rows.hard, 1000000);
  EXPECT_EQ(found.execution_seconds.standard, 3600);
  EXPECT_FALSE(found.execution_seconds.hard.has_value());
  EXPECT_EQ(found.retention_seconds.standard, 172800);
  EXPECT_FALSE(found.output_bytes.hard.has_value());  // the bytes are of uploadLimit
  ASSERT_FALSE(found.all.empty());
  EXPECT_EQ(found.all[0].standard_id, "ivo://ivoa.net/std/tap");
  ASSERT_EQ(found.all[0].interfaces.size(), 1U);
  EXPECT_EQ(found.all[0].interfaces[0].role, "std");
  EXPECT_EQ(found.all[0].interfaces[0].version, "1.1");
  EXPECT_EQ(found.all[0].interfaces[0].url, "http://127.0.0.1:8917/tap");
}

TEST(Capabilities, OfAConeSearchHaveNoTapLimits) {
  const Capabilities found = parse_capabilities(read_sample("vosi-scs-capabilities.xml")).value();
  EXPECT_TRUE(std::any_of(found.all.begin(), found.all.end(), [](const Capability& capability) {
    return capability.standard_id == "ivo://ivoa.net/std/conesearch";
  }));
  EXPECT_FALSE(found.output_rows.standard.has_value());
  EXPECT_FALSE(found.execution_seconds.standard.has_value());
}

TEST(Capabilities, TakeALimitOnlyInItsUnitAndWhereItIsANumber) {
  const Capabilities found = parse_capabilities(
                                 "<capabilities><capability standardID='ivo://ivoa.net/std/TAP#aux'>"
                                 "<outputLimit><hard unit='row'>7</hard></outputLimit></capability>"
                                 "<capability standardID='ivo://ivoa.net/std/TAP'>"
                                 "<outputLimit><default unit='byte'>5000</default><hard>900</hard></outputLimit>"
                                 "<executionDuration><default>-1</default><hard>10 minutes</hard></executionDuration>"
                                 "</capability></capabilities>")
                                 .value();
  EXPECT_EQ(found.output_bytes.standard, 5000);
  EXPECT_FALSE(found.output_bytes.hard.has_value());
  EXPECT_FALSE(found.output_rows.standard.has_value());
  EXPECT_EQ(found.output_rows.hard, 900);
  EXPECT_FALSE(found.execution_seconds.standard.has_value());
  EXPECT_FALSE(found.execution_seconds.hard.has_value());
}

TEST(Capabilities, AreNotMadeOfOtherDocuments) {
  EXPECT_EQ(parse_capabilities(read_sample("vosi-tap-tables.xml")).error().kind, ErrorKind::corrupt);
  const std::string whole = read_sample("vosi-scs-capabilities.xml");
  EXPECT_EQ(parse_capabilities(std::string_view(whole).substr(0, whole.size() / 2)).error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace parallax::vo
