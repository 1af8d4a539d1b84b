#include "vo/position.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace parallax::vo {

namespace {

double radius_in(RadiusUnit unit, double degrees) {
  switch (unit) {
    case RadiusUnit::arcminute:
      return degrees * 60;
    case RadiusUnit::arcsecond:
      return degrees * 3600;
    case RadiusUnit::degree:
      break;
  }
  return degrees;
}

void replace_all(std::string& text, std::string_view wanted, std::string_view by) {
  for (std::size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + by.size())) {
    text.replace(at, wanted.size(), by);
  }
}

}  // namespace

Result<RadiusUnit> parse_radius_unit(std::string_view text) {
  if (text == "degree" || text == "degrees" || text == "deg") {
    return RadiusUnit::degree;
  }
  if (text == "arcmin" || text == "arcminute" || text == "arcminutes") {
    return RadiusUnit::arcminute;
  }
  if (text == "arcsec" || text == "arcsecond" || text == "arcseconds") {
    return RadiusUnit::arcsecond;
  }
  return make_error(ErrorKind::invalid, fmt::format("'{}' is no unit of a radius; use degree, arcmin or arcsec", text));
}

std::string decimal_degrees(double value) {
  std::string text = fmt::format("{:.10f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

Result<std::string> fill_template(std::string_view text, const SkyCircle& circle, RadiusUnit unit) {
  const std::array<std::string, 3> values = {decimal_degrees(circle.ra), decimal_degrees(circle.dec),
                                             decimal_degrees(radius_in(unit, circle.radius))};
  constexpr std::array<std::string_view, 3> kNames = {"{ra}", "{dec}", "{radius}"};
  std::string filled(text);
  if (text.find("{}") == std::string_view::npos) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (text.find(kNames[i]) == std::string_view::npos) {
        return make_error(
            ErrorKind::invalid,
            fmt::format("the template lacks {}; it needs {{ra}}, {{dec}} and {{radius}}, or {{}} three times",
                        kNames[i]));
      }
      replace_all(filled, kNames[i], values[i]);
    }
    return filled;
  }
  std::size_t at = 0;
  for (const std::string& value : values) {
    at = filled.find("{}", at);
    if (at == std::string::npos) {
      return make_error(ErrorKind::invalid, "the template has fewer than three {}");
    }
    filled.replace(at, 2, value);
    at += value.size();
  }
  if (filled.find("{}", at) != std::string::npos) {
    return make_error(ErrorKind::invalid, "the template has more than three {}");
  }
  return filled;
}

}  // namespace parallax::vo
