#include "sim/cloud/ec2_rules.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/ec2_parts.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kDescriptionMax = 255;
constexpr std::int64_t kPortMax = 65535;
constexpr std::int64_t kIcmpMax = 255;
constexpr std::int64_t kProtocolMax = 255;

bool is_ports_protocol(const std::string& protocol) {
  return protocol == "tcp" || protocol == "udp";
}

bool is_icmp(const std::string& protocol) {
  return protocol == "icmp" || protocol == "icmpv6";
}

Result<std::string> protocol_name(const std::string& given) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNumbers = {
      {{"6", "tcp"}, {"17", "udp"}, {"1", "icmp"}, {"58", "icmpv6"}, {"all", "-1"}}};
  const std::string lower = to_lower(given);
  for (const auto& [number, name] : kNumbers) {
    if (lower == number || lower == name) {
      return std::string(name);
    }
  }
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(lower.data(), lower.data() + lower.size(), number);
  if (error != std::errc() || end != lower.data() + lower.size() || number < 0 || number > kProtocolMax) {
    return client_error("InvalidParameterValue",
                        fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", given));
  }
  return lower;
}

// Clears the bits beyond the prefix; false for no address.
bool parse_block(const std::string& cidr, bool ipv6, bool& clean) {
  const std::size_t slash = cidr.find('/');
  if (slash == std::string::npos) {
    return false;
  }
  std::array<unsigned char, 16> bytes{};
  unsigned length = 0;
  const std::string_view digits = std::string_view(cidr).substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size() || length > (ipv6 ? 128U : 32U) ||
      inet_pton(ipv6 ? AF_INET6 : AF_INET, cidr.substr(0, slash).c_str(), bytes.data()) != 1) {
    return false;
  }
  clean = true;
  for (unsigned bit = length; bit < (ipv6 ? 128U : 32U); ++bit) {
    clean = clean && ((bytes[bit / 8] >> (7 - bit % 8)) & 1U) == 0;
  }
  return true;
}

Result<> add_blocks(const Json& permission, const Json& base, std::vector<Json>& rules) {
  struct Family {
    std::string_view list;
    std::string_view member;
    std::string_view rule_member;
    bool ipv6;
  };

  static constexpr std::array<Family, 2> kFamilies = {
      {{"IpRanges", "CidrIp", "CidrIpv4", false}, {"Ipv6Ranges", "CidrIpv6", "CidrIpv6", true}}};
  for (const Family& family : kFamilies) {
    for (const Json& range : permission.list(family.list)) {
      TRY(check_cidr(range.text(family.member), family.ipv6));
      Json rule = base;
      rule.set(std::string(family.rule_member), range.text(family.member));
      rule.set_if("Description", range.find("Description") == nullptr ? Json() : *range.find("Description"));
      rules.push_back(std::move(rule));
    }
  }
  return {};
}

Result<> add_groups(Context& context, const Resource& group, const Json& permission, const Json& base,
                    std::vector<Json>& rules) {
  for (const Json& list : permission.list("PrefixListIds")) {
    return client_error("InvalidPrefixListID.NotFound",
                        fmt::format("The prefix list ID '{}' does not exist", list.text("PrefixListId")));
  }
  for (const Json& pair : permission.list("UserIdGroupPairs")) {
    Json rule = base;
    rule.set("ReferencedGroupInfo",
             Json::object({{"GroupId", TRY(referenced_group(context, group, pair))}, {"UserId", kSimulatedAccount}}));
    rule.set_if("Description", pair.find("Description") == nullptr ? Json() : *pair.find("Description"));
    rules.push_back(std::move(rule));
  }
  return {};
}

// The older way to name one rule.
Json single_permission(const Json& input) {
  Json permission = Json::object();
  for (const std::string_view name : {"IpProtocol", "FromPort", "ToPort"}) {
    permission.set_if(std::string(name), input.find(name) == nullptr ? Json() : *input.find(name));
  }
  if (!input.text("CidrIp").empty()) {
    permission.set("IpRanges", Json::array({Json::object({{"CidrIp", input.text("CidrIp")}})}));
  }
  if (const std::string source = input.text("SourceSecurityGroupName"); !source.empty()) {
    permission.set("UserIdGroupPairs", Json::array({Json::object({{"GroupName", source}})}));
    if (permission.find("IpProtocol") == nullptr) {
      permission.set("IpProtocol", "-1");
    }
  }
  return permission;
}

}  // namespace

Result<> check_cidr(const std::string& cidr, bool ipv6) {
  bool clean = false;
  if (!parse_block(cidr, ipv6, clean) || !clean) {
    return client_error("InvalidParameterValue", fmt::format("CIDR block {} is malformed", cidr));
  }
  return {};
}

Result<> check_rule_description(const Json& rule) {
  const std::string text = rule.text("Description");
  const bool fits = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(". _-:/()#,@[]+=&;{}!$*").find(c) != std::string_view::npos;
  });
  if (!fits || text.size() > kDescriptionMax) {
    return client_error("InvalidParameterValue",
                        "Invalid rule description. Valid descriptions are strings less than 256 characters from the "
                        "following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*");
  }
  return {};
}

Result<Json> protocol_and_ports(const Json& from) {
  if (from.text("IpProtocol").empty()) {
    return missing_parameter("ipProtocol");
  }
  const std::string protocol = TRY(protocol_name(from.text("IpProtocol")));
  Json rule = Json::object({{"IpProtocol", protocol}});
  if (!is_ports_protocol(protocol) && !is_icmp(protocol)) {
    rule.set("FromPort", -1);
    rule.set("ToPort", -1);
    return rule;
  }
  if (from.find("FromPort") == nullptr || from.find("ToPort") == nullptr) {
    return client_error("InvalidParameterValue",
                        "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
  }
  const std::int64_t first = from.integer("FromPort", 0);
  const std::int64_t last = from.integer("ToPort", 0);
  const std::int64_t low = is_icmp(protocol) ? -1 : 0;
  const std::int64_t high = is_icmp(protocol) ? kIcmpMax : kPortMax;
  if (first < low || first > high || last < low || last > high || (!is_icmp(protocol) && first > last)) {
    return client_error("InvalidParameterValue",
                        is_icmp(protocol)
                            ? fmt::format("ICMP type ({}) or code ({}) out of range", first, last)
                            : fmt::format("Invalid value '{}-{}' for portRange. Ports are 0 to {}, the lower first.",
                                          first, last, kPortMax));
  }
  rule.set("FromPort", first);
  rule.set("ToPort", last);
  return rule;
}

Result<std::string> referenced_group(Context& context, const Resource& group, const Json& pair) {
  const std::string vpc = group.description.text("VpcId");
  const std::string user = pair.text("UserId", kSimulatedAccount);
  const std::string id = pair.text("GroupId");
  if (id.empty() && pair.text("GroupName").empty()) {
    return client_error("MissingParameter", "Source group ID missing.");
  }
  Resource* found = id.empty() ? group_named(context.region, vpc, pair.text("GroupName"))
                               : TRY(find_resource(context, ResourceKind::security_group, id));
  if (found == nullptr || user != kSimulatedAccount || found->description.text("VpcId") != vpc) {
    return client_error("InvalidGroup.NotFound", fmt::format("The security group '{}' does not exist",
                                                             id.empty() ? pair.text("GroupName") : id));
  }
  return found->id;
}

Result<std::vector<Json>> rules_of_request(Context& context, const Resource& group, bool egress, const Json& input) {
  JsonArray permissions = input.list("IpPermissions");
  const bool single = input.find("IpProtocol") != nullptr || !input.text("CidrIp").empty() ||
                      !input.text("SourceSecurityGroupName").empty();
  if (single && !permissions.empty()) {
    return bad_combination("The parameter ipPermissions cannot be used with ipProtocol, cidrIp or a source group.");
  }
  if (single) {
    permissions.push_back(single_permission(input));
  }
  if (permissions.empty()) {
    return missing_parameter("ipPermissions");
  }
  std::vector<Json> rules;
  for (const Json& permission : permissions) {
    const std::size_t before = rules.size();
    const Json base = TRY(protocol_and_ports(permission));
    TRY(add_blocks(permission, base, rules));
    TRY(add_groups(context, group, permission, base, rules));
    if (rules.size() == before) {
      return client_error("InvalidPermission.Malformed",
                          "The permission names no source: give IpRanges, Ipv6Ranges or UserIdGroupPairs.");
    }
  }
  std::set<std::string> identities;
  for (Json& rule : rules) {
    TRY(check_rule_description(rule));
    if (!identities.insert(rule_identity(rule)).second) {
      return client_error("InvalidParameterValue", "The same permission must not appear multiple times");
    }
    rule.set("IsEgress", egress);
  }
  return rules;
}

namespace {

std::string peer_of(const Json& rule) {
  if (const Json* group = rule.at("ReferencedGroupInfo", "GroupId")) {
    return *group->string();
  }
  return rule.find("CidrIpv4") != nullptr ? rule.text("CidrIpv4") : rule.text("CidrIpv6");
}

std::string to_upper(std::string text) {
  for (char& c : text) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

}  // namespace

std::string rule_identity(const Json& rule) {
  return fmt::format("{} {} {} {}", rule.text("IpProtocol"), rule.integer("FromPort", -1), rule.integer("ToPort", -1),
                     to_lower(peer_of(rule)));
}

std::string rule_text(const Json& rule) {
  const std::string protocol = rule.text("IpProtocol");
  if (protocol == "-1") {
    return fmt::format("peer: {}, ALL, ALLOW", peer_of(rule));
  }
  if (is_icmp(protocol)) {
    return fmt::format("peer: {}, {}, type: {}, code: {}, ALLOW", peer_of(rule), to_upper(protocol),
                       rule.integer("FromPort", -1), rule.integer("ToPort", -1));
  }
  return fmt::format("peer: {}, {}, from port: {}, to port: {}, ALLOW", peer_of(rule), to_upper(protocol),
                     rule.integer("FromPort", -1), rule.integer("ToPort", -1));
}

namespace {

template <typename Region>
auto find_rules(Region& region, const std::string& group_id, bool egress) {
  using Pointer = decltype(&region.of(ResourceKind::security_group_rule).begin()->second);
  std::vector<Pointer> rules;
  for (auto& [id, rule] : region.of(ResourceKind::security_group_rule)) {
    if (rule.description.text("GroupId") == group_id && rule.description.boolean("IsEgress", false) == egress) {
      rules.push_back(&rule);
    }
  }
  return rules;
}

}  // namespace

std::vector<Resource*> rules_of(RegionState& region, const std::string& group_id, bool egress) {
  return find_rules(region, group_id, egress);
}

std::vector<const Resource*> rules_of(const RegionState& region, const std::string& group_id, bool egress) {
  return find_rules(region, group_id, egress);
}

Resource& add_rule(World& world, RegionState& region, const std::string& group_id, bool egress, const Json& rule,
                   Tags tags) {
  Json description = rule;
  description.set("GroupId", group_id);
  description.set("GroupOwnerId", kSimulatedAccount);
  description.set("IsEgress", egress);
  return add_resource(world, region, ResourceKind::security_group_rule, std::move(description), std::move(tags));
}

Json permissions_of(const std::vector<Json>& rules) {
  std::map<std::string, Json> permissions;
  for (const Json& rule : rules) {
    const std::string protocol = rule.text("IpProtocol");
    const std::string key = fmt::format("{} {} {}", protocol, rule.integer("FromPort", -1), rule.integer("ToPort", -1));
    auto [entry, added] = permissions.try_emplace(key);
    Json& permission = entry->second;
    if (added) {
      permission = Json::object({{"IpProtocol", protocol}});
      if (is_ports_protocol(protocol) || is_icmp(protocol)) {
        permission.set("FromPort", rule.integer("FromPort", -1));
        permission.set("ToPort", rule.integer("ToPort", -1));
      }
      for (const std::string_view list : {"IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"}) {
        permission.set(std::string(list), JsonArray{});
      }
    }
    Json peer = Json::object();
    std::string_view list = "IpRanges";
    if (const Json* group = rule.find("ReferencedGroupInfo")) {
      list = "UserIdGroupPairs";
      peer = *group;
    } else if (rule.find("CidrIpv6") != nullptr) {
      list = "Ipv6Ranges";
      peer.set("CidrIpv6", rule.text("CidrIpv6"));
    } else {
      peer.set("CidrIp", rule.text("CidrIpv4"));
    }
    if (!rule.text("Description").empty()) {
      peer.set("Description", rule.text("Description"));
    }
    permission.members()->find(list)->push(std::move(peer));
  }
  JsonArray all;
  for (auto& [key, permission] : permissions) {
    all.push_back(std::move(permission));
  }
  return all;
}

}  // namespace parallax::sim
