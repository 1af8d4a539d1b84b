#include "record/cone.h"

#include <charconv>
#include <string>

#include "record/fields.h"

namespace parallax {

using record::FieldReader;

Json to_json(const Cone& cone) {
  return Json::object({{"ra", cone.ra}, {"dec", cone.dec}, {"radius", cone.radius}});
}

Result<Cone> cone_from_json(const Json& json) {
  Cone cone;
  FieldReader reader(json, "cone");
  for (const char* name : {"ra", "dec", "radius"}) {
    reader.require(name);
  }
  reader.number("ra", cone.ra, 0, 360);
  reader.number("dec", cone.dec, -90, 90);
  reader.number("radius", cone.radius, 0, 180);
  if (reader.error()) {
    return *reader.error();
  }
  return cone;
}

Json to_json(const ConeParameters& parameters) {
  return Json::object({{"seed", std::to_string(parameters.seed)},
                       {"count", parameters.count},
                       {"radius_min", parameters.radius_min},
                       {"radius_max", parameters.radius_max}});
}

Result<ConeParameters> cone_parameters_from_json(const Json& json) {
  ConeParameters parameters;
  FieldReader reader(json, "cone parameters");
  if (const Json* seed = reader.present("seed")) {
    const std::string text = seed->string() != nullptr ? *seed->string() : seed->dump();
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), parameters.seed);
    if (status != std::errc() || end != text.data() + text.size()) {
      reader.complain("seed", "an integer from 0 to 2^64 - 1");
    }
  }
  reader.integer("count", parameters.count, 1, 1'000'000);
  reader.number("radius_min", parameters.radius_min, 0, 180);
  reader.number("radius_max", parameters.radius_max, 0, 180);
  if (parameters.radius_min > parameters.radius_max) {
    reader.complain("radius_min", "at most radius_max");
  }
  if (reader.error()) {
    return *reader.error();
  }
  return parameters;
}

}  // namespace parallax
