#include "probe/cones.h"

#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "probe/service_file.h"
#include "test_data.h"

namespace parallax {
namespace {

TEST(Cones, EqualTheCommittedVectorsToTheLastDigit) {
  std::ostringstream text;
  text << std::ifstream(PARALLAX_TEST_DATA "/cones/vectors.json").rdbuf();
  const Result<Json> vectors = parse_json(text.str());
  ASSERT_TRUE(vectors) << vectors.error().message;
  ASSERT_GE(vectors->items()->size(), 5U);
  for (const Json& vector : *vectors->items()) {
    const Result<ConeParameters> parameters = cone_parameters_from_json(vector);
    ASSERT_TRUE(parameters) << parameters.error().message;
    const std::vector<Cone> cones = make_cones(*parameters);
    const JsonArray& expected = vector.list("cones");
    ASSERT_EQ(cones.size(), expected.size());
    for (std::size_t i = 0; i < cones.size(); ++i) {
      EXPECT_EQ(to_json(cones[i]), to_json(cone_from_json(expected[i]).value()))
          << "seed " << parameters->seed << ", " << i;
    }
  }
}

TEST(Cones, TheArcSineIsExactWhereItMustBe) {
  EXPECT_EQ(asin_degrees(0), 0);
  EXPECT_EQ(asin_degrees(1), 90);
  EXPECT_EQ(asin_degrees(-1), -90);
  for (int i = -1000; i <= 1000; ++i) {
    const double x = i / 1000.0;
    EXPECT_NEAR(asin_degrees(x), std::asin(x) * 180 / 3.14159265358979323846, 1e-13) << x;
  }
}

TEST(Cones, AreUniformOnTheSphere) {
  ConeParameters parameters;
  parameters.seed = 7;
  parameters.count = 20'000;
  double z = 0;
  double z2 = 0;
  int east = 0;
  for (const Cone& cone : make_cones(parameters)) {
    const double sine = std::sin(cone.dec * 3.14159265358979323846 / 180);
    z += sine;
    z2 += sine * sine;
    east += cone.ra < 180 ? 1 : 0;
    ASSERT_TRUE(cone.ra >= 0 && cone.ra < 360 && cone.radius >= 0.05 && cone.radius <= 0.25);
  }
  EXPECT_NEAR(z / parameters.count, 0, 0.02);  // the mean of a uniform sine is 0, its variance 1/3
  EXPECT_NEAR(z2 / parameters.count, 1.0 / 3, 0.01);
  EXPECT_NEAR(east, parameters.count / 2, 400);
}

TEST(Cones, AFixedRadiusCanBeAskedForWithoutMovingThePositions) {
  ConeParameters parameters;
  parameters.seed = 3;
  parameters.count = 3;
  const std::vector<Cone> varied = make_cones(parameters);
  parameters.radius_min = parameters.radius_max = 0.1;
  parameters.count = 2;
  const std::vector<Cone> fixed = make_cones(parameters);
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    EXPECT_EQ(fixed[i].radius, 0.1);
    EXPECT_EQ(fixed[i].ra, varied[i].ra);
    EXPECT_EQ(fixed[i].dec, varied[i].dec);
  }
}

TEST(Cones, AreWrittenInFormsThatReadBackEqual) {
  ConeParameters parameters;
  parameters.seed = 5;
  const std::vector<Cone> cones = make_cones(parameters);
  EXPECT_EQ(parse_cones("c.csv", cones_to_csv(cones)).value(), cones);
  EXPECT_EQ(parse_cones("c.py", cones_to_python(cones)).value(), cones);
  const Result<Json> json = parse_json(cones_to_json(cones));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->items()->size(), cones.size());
  EXPECT_EQ(cone_from_json(json->items()->front()).value(), cones.front());
}

}  // namespace
}  // namespace parallax
