#include "fleet/image_making.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fleet/change_bench.h"

namespace parallax::testing {
namespace {

using fleet::FleetDeps;
using fleet::ImageMaking;
using fleet::MadeImage;
using fleet::Spec;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A machine in home, running.
std::string machine_by_hand(FleetFixture& fixture) {
  const Json parameter =
      fixture.by_hand(kHome, "GetParameter", Json::object({{"Name", fleet::ImageSpec{}.parameter()}}), "ssm");
  const Json run = fixture.by_hand(kHome, "RunInstances",
                                   Json::object({{"ImageId", *parameter.at("Parameter", "Value")->string()},
                                                 {"InstanceType", "t3.micro"},
                                                 {"MinCount", 1},
                                                 {"MaxCount", 1}}));
  fixture.sleep(Seconds(60));
  return run.list("Instances").front().text("InstanceId");
}

Json images(FleetFixture& fixture) {
  return fixture.by_hand(kHome, "DescribeImages", Json::object({{"Owners", Json::array({"self"})}}));
}

void making(sim::CloudOptions cloud, const std::function<void(FleetFixture&, const FleetDeps&, ImageMaking&)>& body) {
  FleetFixture fixture({.cloud = std::move(cloud)});
  fixture.run([&](const FleetDeps& deps) {
    ImageMaking wanted;
    wanted.instance_id = machine_by_hand(fixture);
    wanted.name = "NAVO";
    body(fixture, deps, wanted);
  });
}

TEST(ImageMaking, MakesAnOriginalWithTagsOnItAndItsSnapshots) {
  making(empty_cloud(), [](FleetFixture& fixture, const FleetDeps& deps, ImageMaking& wanted) {
    const Result<MadeImage> made = make_image(deps, copy_spec(), wanted, {}, {});
    ASSERT_TRUE(made.has_value()) << made.error().text();
    const Json found = images(fixture);
    ASSERT_THAT(found.list("Images"), SizeIs(1));
    EXPECT_EQ(found.list("Images").front().text("ImageId"), made->id);
    EXPECT_EQ(found.list("Images").front().text("State"), "available");
    ASSERT_THAT(made->snapshots, SizeIs(1));
    const Json tags = fixture.by_hand(
        kHome, "DescribeTags",
        Json::object({{"Filters", Json::array({Json::object(
                                      {{"Name", "key"}, {"Values", Json::array({"parallax:original"})}})})}}));
    EXPECT_THAT(tags.list("Tags"), SizeIs(2));
  });
}

TEST(ImageMaking, SaysWhichImageHasTheName) {
  making(empty_cloud(), [](FleetFixture&, const FleetDeps& deps, ImageMaking& wanted) {
    const Result<MadeImage> first = make_image(deps, copy_spec(), wanted, {}, {});
    ASSERT_TRUE(first.has_value());
    const Result<MadeImage> second = make_image(deps, copy_spec(), wanted, {}, {});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().kind, ErrorKind::conflict);
    EXPECT_THAT(second.error().message, HasSubstr("the name 'NAVO' is taken in us-west-2 by image " + first->id));
  });
}

TEST(ImageMaking, MakesOneImageWhateverHappensToTheAnswers) {
  for (const sim::FaultKind kind : {sim::FaultKind::answer_lost, sim::FaultKind::request_lost, sim::FaultKind::throttle,
                                    sim::FaultKind::server_error, sim::FaultKind::bare_server_error}) {
    for (const char* operation : {"CreateImage", "DescribeImages"}) {
      making(empty_cloud(), [&](FleetFixture& fixture, const FleetDeps& deps, ImageMaking& wanted) {
        int left = 4;
        fixture.set_hook([&](const sim::Call& call) {
          const bool hit = call.operation == operation && left > 0 && left-- > 0;
          return sim::Fault{hit ? kind : sim::FaultKind::none, Micros(0)};
        });
        const Result<MadeImage> made = make_image(deps, copy_spec(), wanted, {}, {});
        ASSERT_TRUE(made.has_value()) << operation << made.error().text();
        EXPECT_THAT(images(fixture).list("Images"), SizeIs(1));
      });
    }
  }
}

TEST(ImageMaking, DeletesWhatFailed) {
  sim::CloudOptions cloud = empty_cloud();
  cloud.faults.copy_fails = 1;
  making(cloud, [](FleetFixture& fixture, const FleetDeps& deps, ImageMaking& wanted) {
    const Result<MadeImage> made = make_image(deps, copy_spec(), wanted, {}, {});
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().message, HasSubstr("is 'failed'"));
    EXPECT_THAT(made.error().message, HasSubstr("it was deleted again"));
    EXPECT_THAT(images(fixture).list("Images"), SizeIs(0));
  });
}

TEST(ImageMaking, SaysThatItGoesOnWhereItsTimeIsUp) {
  making(empty_cloud(), [](FleetFixture&, const FleetDeps& deps, ImageMaking& wanted) {
    wanted.timeout = Seconds(30);
    const Result<MadeImage> made = make_image(deps, copy_spec(), wanted, {}, {});
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::timeout);
    EXPECT_THAT(made.error().message, HasSubstr("is still being made"));
  });
}

TEST(ImageMaking, RefusesNamesThatEc2WouldRefuse) {
  making(empty_cloud(), [](FleetFixture& fixture, const FleetDeps& deps, ImageMaking& wanted) {
    fixture.forget_calls();
    for (const char* name : {"no", "exclaimed!", ""}) {
      wanted.name = name;
      const Result<MadeImage> made = make_image(deps, copy_spec(), wanted, {}, {});
      ASSERT_FALSE(made.has_value());
      EXPECT_EQ(made.error().kind, ErrorKind::invalid);
    }
    EXPECT_EQ(fixture.calls().size(), 0U);
  });
}

}  // namespace
}  // namespace parallax::testing
