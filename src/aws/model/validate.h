// Checks parameters against a service model before anything is sent.
#pragma once

#include <string>
#include <vector>

#include "aws/model/model.h"

namespace parallax::aws {

// Every problem at once, each a sentence that starts with its path ("InstanceIds[0]: ..."): missing, unknown (with a
// suggestion), of the wrong type, out of range, a union without exactly one member. Empty: `value` fits `shape`. Null
// members count as absent. Enumerations and patterns are not enforced: services accept values that are newer than our
// model. Reports at most 100 problems.
std::vector<std::string> validate(const ServiceModel& model, const Shape& shape, const Json& value);

}  // namespace parallax::aws
