// Security group rules: read from permissions, compared, rendered.
#pragma once

#include <string>
#include <vector>

#include "sim/cloud/ec2_common.h"

namespace parallax::sim {

// The longest rule list of one direction.
constexpr std::size_t kRulesPerGroupMax = 60;

// The rules of a request's IpPermissions, or of its older single members (IpProtocol, CidrIp, ...), as members of the
// model's SecurityGroupRule without ids. Error: what is malformed, missing, of another VPC, or given twice.
Result<std::vector<Json>> rules_of_request(Context& context, const Resource& group, bool egress, const Json& input);

// Protocol and ports as EC2 keeps them, from IpProtocol, FromPort and ToPort of `from`.
Result<Json> protocol_and_ports(const Json& from);
// Error: not an address block of that family, or with bits beyond its prefix.
Result<> check_cidr(const std::string& cidr, bool ipv6);
Result<> check_rule_description(const Json& rule);
// The group that a rule names, in the VPC of `group`.
Result<std::string> referenced_group(Context& context, const Resource& group, const Json& pair);

// Equal for rules that EC2 holds for the same: protocol, ports and peer; the description is no part of it.
std::string rule_identity(const Json& rule);
// "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW"
std::string rule_text(const Json& rule);

// The rules of a group in one direction, in order of their ids.
std::vector<Resource*> rules_of(RegionState& region, const std::string& group_id, bool egress);
std::vector<const Resource*> rules_of(const RegionState& region, const std::string& group_id, bool egress);

Resource& add_rule(World& world, RegionState& region, const std::string& group_id, bool egress, const Json& rule,
                   Tags tags = {});

// IpPermissions of rules: those of equal protocol and ports together.
Json permissions_of(const std::vector<Json>& rules);

// The group that GroupId or GroupName (default VPC) of the request names.
Result<Resource*> group_of_request(Context& context, const Json& input);
// nullptr where the VPC has none of that name (compared without case).
Resource* group_named(RegionState& region, const std::string& vpc_id, const std::string& name);

}  // namespace parallax::sim
