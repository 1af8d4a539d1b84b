// A sky position as services want it in a URL or in ADQL.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace parallax::vo {

// All in degrees, ICRS.
struct SkyCircle {
  double ra = 0;
  double dec = 0;
  double radius = 0;
};

enum class RadiusUnit { degree, arcminute, arcsecond };
Result<RadiusUnit> parse_radius_unit(std::string_view text);  // "degree", "arcmin", "arcsec" and their plurals

// Decimal, never an exponent, at most 10 digits after the point, no zeros at the end; "-0" is "0".
std::string decimal_degrees(double value);

// Fills {ra}, {dec} and {radius}, wherever and however often they stand, or else three {} in that order. An error
// (invalid) where the template has neither.
Result<std::string> fill_template(std::string_view text, const SkyCircle& circle, RadiusUnit unit);

}  // namespace parallax::vo
