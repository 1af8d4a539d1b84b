// The parameters of an operation as a tree for people: what the service model knows, without its documentation.
#pragma once

#include <string>

#include "aws/model/model.h"

namespace parallax::cli {

// One line per parameter, indented by level; '*' marks what must be given. A shape inside itself, and what is deeper
// than ten levels, ends with "...".
std::string parameter_tree(const aws::ServiceModel& model, const aws::Operation& operation);

}  // namespace parallax::cli
