// Which actions on which resources an operation needs: the table behind authorize().
#pragma once

#include <vector>

#include "sim/cloud/operations.h"
#include "sim/cloud/policy.h"

namespace parallax::sim {

// One check per action and resource; `keys` holds what this resource and the request add (tags, types,
// PassedToService), without the keys of the principal. Empty: the call needs no permission.
std::vector<PolicyRequest> required_permissions(Context& context, const Call& call, const Json& input);

}  // namespace parallax::sim
