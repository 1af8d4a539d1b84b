// What the IAM operations share: names, paging, errors as IAM words them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "sim/cloud/identity.h"

namespace parallax::sim {

Error no_such_entity(std::string message);   // 404
Error already_exists(std::string message);   // 409
Error delete_conflict(std::string message);  // 409
Error limit_exceeded(std::string_view quota, std::size_t limit);
Error validation_error(std::string message);

// Letters, digits and +=,.@_- of at most `length_max`; ValidationError names the member.
Result<> check_name(std::string_view member, const std::string& name, std::size_t length_max);
// "/" or "/a/b/".
Result<std::string> path_of(const Json& input);

// {member: page, IsTruncated, Marker}: Marker and MaxItems as IAM has them.
Result<Json> iam_page(std::string_view operation, std::string member, std::vector<Json> all, const Json& input);

// Tags of a create or tag call: at most 50, keys unique whatever their case. Error: InvalidInput, LimitExceeded.
Result<> add_iam_tags(Tags& tags, const Json& input);
void remove_iam_tags(Tags& tags, const Json& input);

// As IAM answers documents: percent-encoded (RFC 3986).
std::string encode_document(std::string_view text);

// Characters that count towards a quota: all but blanks.
std::size_t policy_size(std::string_view text);

Result<IamRole*> find_role(World& world, const std::string& name);
Result<IamUser*> find_user(World& world, const std::string& name);
// The user that the call names, or the caller.
Result<IamUser*> named_or_own_user(Context& context, const Json& input);
Result<IamProfile*> find_instance_profile(World& world, const std::string& name);
Result<ManagedPolicy*> find_managed_policy(World& world, const std::string& arn);

// A permissions boundary that a create or put call names. Error: NoSuchEntity.
Result<std::string> boundary_of(World& world, const Json& input);
Json boundary_json(const IamEntity& entity);

Json role_json(const IamRole& role);

// True where the map has the name in any letter case.
template <typename Map>
bool name_taken(const Map& map, const std::string& name) {
  for (const auto& [other, value] : map) {
    if (equals_ignore_case(other, name)) {
      return true;
    }
  }
  return false;
}

}  // namespace parallax::sim
