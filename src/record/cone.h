// A cone: a position and a radius in degrees, ICRS.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "codec/json.h"

namespace parallax {

struct Cone {
  double ra = 0;      // degrees, 0 <= ra < 360
  double dec = 0;     // degrees, -90 <= dec <= 90
  double radius = 0;  // degrees, 0 <= radius <= 180

  friend bool operator==(const Cone&, const Cone&) = default;
};

// How the cones of a round are drawn; the same parameters give the same cones everywhere.
struct ConeParameters {
  std::uint64_t seed = 0;
  int count = 10;
  double radius_min = 0.05;  // degrees
  double radius_max = 0.25;  // degrees
};

Json to_json(const Cone& cone);
Result<Cone> cone_from_json(const Json& json);
Json to_json(const ConeParameters& parameters);
// The seed is text in JSON, since 64 bits do not fit a JSON number everywhere; a number is read too.
Result<ConeParameters> cone_parameters_from_json(const Json& json);

}  // namespace parallax
