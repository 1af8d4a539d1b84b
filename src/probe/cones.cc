#include "probe/cones.h"

#include <cmath>

#include <fmt/format.h>

#include "base/rng.h"

// This file is compiled with -ffp-contract=off: a fused multiply-add rounds once where two operations round twice.

namespace parallax {

namespace {

constexpr double kDegreesPerRadian = 57.295779513082320876798154814105;
constexpr double kStepsPerDegree = 1e7;

// To 1e-7 degree. std::floor and the division are exact IEEE operations.
double rounded(double degrees) {
  return std::floor(degrees * kStepsPerDegree + 0.5) / kStepsPerDegree;
}

// Taylor's series; 32 terms leave less than 1e-20 at 0.5.
double asin_series(double x) {
  const double square = x * x;
  double power = x;
  double sum = 0;
  for (int n = 0; n < 32; ++n) {
    const double odd = 2.0 * n + 1.0;
    sum = sum + power / odd;
    power = power * square * odd / (odd + 1.0);
  }
  return sum;
}

std::string shortest(double value) {
  return fmt::format("{:.7f}", value);
}

}  // namespace

double asin_degrees(double x) {
  const double size = x < 0 ? -x : x;
  double degrees = 0;
  if (size <= 0.5) {
    degrees = asin_series(size) * kDegreesPerRadian;
  } else {
    degrees = 90.0 - 2.0 * (asin_series(std::sqrt((1.0 - size) / 2.0)) * kDegreesPerRadian);
  }
  return x < 0 ? -degrees : degrees;
}

std::vector<Cone> make_cones(const ConeParameters& parameters) {
  Xoshiro random(parameters.seed);
  std::vector<Cone> cones;
  cones.reserve(static_cast<std::size_t>(parameters.count));
  for (int i = 0; i < parameters.count; ++i) {
    Cone cone;
    cone.ra = rounded(360.0 * random.unit());
    if (cone.ra >= 360.0) {
      cone.ra = 0;
    }
    const double dec_draw = random.unit();
    cone.dec = rounded(asin_degrees(2.0 * dec_draw - 1.0));
    const double radius_draw = random.unit();
    const double width = parameters.radius_max - parameters.radius_min;
    cone.radius = rounded(parameters.radius_min + width * radius_draw);
    cones.push_back(cone);
  }
  return cones;
}

std::string cones_to_csv(const std::vector<Cone>& cones) {
  std::string out = "ra,dec,radius\n";
  for (const Cone& cone : cones) {
    out += fmt::format("{},{},{}\n", shortest(cone.ra), shortest(cone.dec), shortest(cone.radius));
  }
  return out;
}

std::string cones_to_json(const std::vector<Cone>& cones) {
  JsonArray list;
  for (const Cone& cone : cones) {
    list.push_back(to_json(cone));
  }
  return Json(std::move(list)).pretty() + "\n";
}

std::string cones_to_python(const std::vector<Cone>& cones) {
  std::string out = "[\n";
  for (const Cone& cone : cones) {
    out += fmt::format("    {{'ra': {}, 'dec': {}, 'radius': {}}},\n", shortest(cone.ra), shortest(cone.dec),
                       shortest(cone.radius));
  }
  return out + "]\n";
}

}  // namespace parallax
