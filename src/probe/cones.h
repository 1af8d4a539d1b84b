// Cones drawn from a seed: uniform on the sphere, equal on every machine and compiler.
#pragma once

#include <string>
#include <vector>

#include "record/cone.h"

namespace parallax {

// Three numbers u of Xoshiro(seed) per cone, in this order: ra = 360 u, dec = asin(2u - 1), radius = min + (max - min)
// u; each rounded to 1e-7 degree (ra 360 becomes 0). The number of cones does not change the first ones, and the radii
// do not change the positions. tests/cones/vectors.json has the expected values, made by another implementation.
std::vector<Cone> make_cones(const ConeParameters& parameters);

// The arc sine in degrees from IEEE basic operations alone: the library's functions differ in the last bit from machine
// to machine. -1 <= x <= 1.
double asin_degrees(double x);

// "ra,dec,radius" and a line a cone.
std::string cones_to_csv(const std::vector<Cone>& cones);
std::string cones_to_json(const std::vector<Cone>& cones);
// As servicemon reads them: a Python list of dictionaries.
std::string cones_to_python(const std::vector<Cone>& cones);

}  // namespace parallax
