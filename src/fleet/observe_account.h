// What belongs to the account and to no region: who we are, the instance profile and the roles.
#pragma once

#include "fleet/resource_api.h"

namespace parallax::fleet {

struct Account {
  std::string id, partition;
};

// By GetCallerIdentity, which every key may call.
Result<Account> look_at_account(ResourceApi& api);

// The profile of the specification and its role; of an existing one that is not ours, the profile alone.
Result<ProfileSeen> look_at_profile(const Spec& spec, ResourceApi& api);

// The role that schedules stop machines with.
Result<ProfileSeen> look_at_scheduler_role(const Spec& spec, ResourceApi& api);

}  // namespace parallax::fleet
