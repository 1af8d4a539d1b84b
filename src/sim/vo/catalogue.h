// The catalogue behind the sample services: the hundred brightest stars (data/bright_stars.csv), embedded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/cone.h"

namespace parallax::sim {

struct Star {
  std::int32_t hip = 0;
  std::string name;   // empty where it has none
  std::string bayer;  // "alf CMa"
  double ra = 0;      // degrees, ICRS, epoch 2000
  double dec = 0;
  double vmag = 0;
};

// Brightest first.
const std::vector<Star>& bright_stars();

// Great-circle distance in degrees, good at all distances (Vincenty's formula).
double separation(double ra1, double dec1, double ra2, double dec2);

struct FoundStar {
  const Star* star = nullptr;
  double distance = 0;  // degrees from the cone's centre
};

// The stars in a cone, its rim included, nearest first.
std::vector<FoundStar> find_stars(const Cone& cone);

// Cones that hold something: each is centred within half its radius of a star. Equal for the same arguments.
std::vector<Cone> cones_on_stars(std::uint64_t seed, int count, double radius_min, double radius_max);

}  // namespace parallax::sim
