#include "sim/vo/catalogue.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string_view>

#include "base/check.h"
#include "base/rng.h"
#include "base/text.h"

namespace parallax::sim {

extern const std::string_view kBrightStarsCsv;

namespace {

constexpr double kDegree = std::numbers::pi / 180;

double number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  CHECK(error == std::errc() && end == text.data() + text.size(), text);
  return value;
}

std::vector<Star> read_stars() {
  std::vector<Star> stars;
  for (const std::string_view line : split(kBrightStarsCsv, '\n')) {
    if (line.empty() || line.starts_with('#') || line.starts_with("hip,")) {
      continue;
    }
    const std::vector<std::string_view> fields = split(line, ',');
    CHECK(fields.size() == 6, line);
    stars.push_back({static_cast<std::int32_t>(number(fields[0])), std::string(fields[1]), std::string(fields[2]),
                     number(fields[3]), number(fields[4]), number(fields[5])});
  }
  return stars;
}

// Seven decimals, as everywhere where cones are made.
double rounded(double degrees) {
  return std::round(degrees * 1e7) / 1e7;
}

}  // namespace

const std::vector<Star>& bright_stars() {
  static const std::vector<Star> stars = read_stars();
  return stars;
}

double separation(double ra1, double dec1, double ra2, double dec2) {
  const double delta = (ra2 - ra1) * kDegree;
  const double sin1 = std::sin(dec1 * kDegree);
  const double cos1 = std::cos(dec1 * kDegree);
  const double sin2 = std::sin(dec2 * kDegree);
  const double cos2 = std::cos(dec2 * kDegree);
  const double across = std::hypot(cos2 * std::sin(delta), cos1 * sin2 - sin1 * cos2 * std::cos(delta));
  const double along = sin1 * sin2 + cos1 * cos2 * std::cos(delta);
  return std::atan2(across, along) / kDegree;
}

std::vector<FoundStar> find_stars(const Cone& cone) {
  std::vector<FoundStar> found;
  for (const Star& star : bright_stars()) {
    const double distance = separation(cone.ra, cone.dec, star.ra, star.dec);
    if (distance <= cone.radius) {
      found.push_back({&star, distance});
    }
  }
  std::ranges::stable_sort(found, {}, &FoundStar::distance);
  return found;
}

std::vector<Cone> cones_on_stars(std::uint64_t seed, int count, double radius_min, double radius_max) {
  Xoshiro rng(seed);
  std::vector<Cone> cones;
  for (int i = 0; i < count; ++i) {
    const Star& star = bright_stars()[rng.below(bright_stars().size())];
    Cone cone;
    cone.radius = rounded(radius_min + (radius_max - radius_min) * rng.unit());
    const double offset = cone.radius / 2 * rng.unit();
    const double angle = 360 * rng.unit() * kDegree;
    cone.dec = rounded(std::clamp(star.dec + offset * std::cos(angle), -90.0, 90.0));
    // At a pole any right ascension is as near.
    const double squeeze = std::max(std::cos(cone.dec * kDegree), 1e-3);
    cone.ra = rounded(std::fmod(star.ra + offset * std::sin(angle) / squeeze + 720, 360.0));
    if (separation(cone.ra, cone.dec, star.ra, star.dec) > cone.radius || cone.ra >= 360) {
      cone.ra = star.ra;
      cone.dec = star.dec;
    }
    cones.push_back(cone);
  }
  return cones;
}

}  // namespace parallax::sim
