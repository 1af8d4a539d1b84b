// The account's IAM: one for all regions. Data alone; iam_*.cc and sts.cc change it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/cloud/policy.h"

namespace parallax::sim {

// What users and roles have alike: a name that is unique whatever its letter case, and policies.
struct IamEntity {
  std::string name;
  std::string path = "/";
  std::string id;  // "AROA...", "AIDA...": another one after deleting and making anew
  std::string arn;
  Instant created;
  std::map<std::string, std::string> tags;
  std::map<std::string, StoredPolicy> inline_policies;
  std::vector<std::string> attached;  // ARNs, in the order of attaching
  std::string boundary;               // ARN of the permissions boundary; empty: none
};

struct IamRole : IamEntity {
  StoredPolicy trust;
  std::string description;
  std::int64_t session_seconds_max = 3600;
};

struct IamUser : IamEntity {
  bool all_rights = false;  // the well-known user: nothing is evaluated
};

struct IamProfile {
  std::string name;
  std::string path = "/";
  std::string id;  // "AIPA..."
  std::string arn;
  Instant created;
  std::map<std::string, std::string> tags;
  std::string role_name;  // empty: none
  std::string role_id;    // of the role at the time it was put in
  // EC2 in each region learns of a new profile at its own time; regions without an entry know it.
  std::map<std::string, Monotonic> usable_at;
};

struct PolicyVersion {
  std::string id;  // "v1"
  StoredPolicy document;
  Instant created;
};

struct ManagedPolicy {
  std::string name;
  std::string path = "/";
  std::string id;  // "ANPA..."
  std::string arn;
  std::string description;
  Instant created;
  Instant updated;
  std::map<std::string, std::string> tags;
  std::vector<PolicyVersion> versions;
  std::string default_version = "v1";
  int next_version = 2;
  bool of_aws = false;

  const PolicyVersion& current() const;
  const PolicyVersion* find_version(std::string_view version) const;
};

enum class PrincipalKind { user, role_session, user_session };

// Who makes a call. It names its policies; they are looked up when the call is authorized.
struct Principal {
  PrincipalKind kind = PrincipalKind::user;
  std::string arn;         // "arn:aws:sts::000000000000:assumed-role/NAME/SESSION"
  std::string user_id;     // "AIDA...", "AROA...:SESSION"
  std::string name;        // of the user or role
  std::string entity_id;   // of the user or role: a session ends with the role that it was made from
  std::string entity_arn;  // aws:PrincipalArn
  bool all_rights = false;
  std::optional<StoredPolicy> session_policy;  // given to AssumeRole: both must allow
  std::map<std::string, std::string> tags;     // aws:PrincipalTag
};

// What signs requests. Long-term keys have no token and no expiry.
struct AccessKey {
  std::string id;
  std::string secret;
  std::string session_token;
  std::optional<Instant> expires;
  bool active = true;
  Instant created;
  Principal who;
};

struct IamState {
  std::map<std::string, IamRole> roles;
  std::map<std::string, IamUser> users;
  std::map<std::string, IamProfile> profiles;
  std::map<std::string, ManagedPolicy> policies;  // by ARN
  std::map<std::string, AccessKey> access_keys;   // by id, sessions included
};

}  // namespace parallax::sim
