// Key pair and security group: what a repeat would answer with "...Duplicate" is looked at and compared.
#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "fleet/change_work.h"

namespace parallax::fleet {

namespace {

// "ssh-ed25519 AAAA... comment": the blob in the middle is the key.
std::string_view key_blob(std::string_view line) {
  const std::vector<std::string_view> words = split(trim(line), ' ');
  return words.size() < 2 ? std::string_view() : words[1];
}

// The rule that every new group has.
bool is_default_egress(const Rule& rule) {
  return rule.egress && rule.protocol == "-1" && (rule.peer == "0.0.0.0/0" || rule.peer == "::/0");
}

Json peer_of(const Rule& rule, std::string_view member) {
  Json peer = Json::object({{std::string(member), rule.peer}});
  if (!rule.description.empty()) {
    peer.set("Description", rule.description);
  }
  return peer;
}

std::pair<std::string, std::string> peer_members(const std::string& peer) {
  if (peer.starts_with("sg-")) {
    return {"UserIdGroupPairs", "GroupId"};
  }
  if (peer.starts_with("pl-")) {
    return {"PrefixListIds", "PrefixListId"};
  }
  return peer.find(':') == std::string::npos ? std::pair<std::string, std::string>{"IpRanges", "CidrIp"}
                                             : std::pair<std::string, std::string>{"Ipv6Ranges", "CidrIpv6"};
}

// One permission for each protocol and ports, with all its peers.
Json permissions(const std::vector<Rule>& rules) {
  std::map<std::tuple<std::string, std::optional<int>, std::optional<int>>, Json> grouped;
  for (const Rule& rule : rules) {
    const auto [entry, is_new] = grouped.try_emplace({rule.protocol, rule.from, rule.to}, Json::object());
    Json& permission = entry->second;
    if (is_new) {
      permission.set("IpProtocol", rule.protocol);
      permission.set_if("FromPort", Json(rule.from));
      permission.set_if("ToPort", Json(rule.to));
    }
    const auto [list, member] = peer_members(rule.peer);
    Json peers = permission.find(list) == nullptr ? Json::array() : *permission.find(list);
    peers.push(peer_of(rule, member));
    permission.set(list, std::move(peers));
  }
  Json all = Json::array();
  for (auto& [key, permission] : grouped) {
    all.push(std::move(permission));
  }
  return all;
}

}  // namespace

// The id of the key pair of our name, where it holds our key.
Result<std::optional<std::string>> ChangeWork::same_key() {
  const KeySpec& key = *context_.spec.key;
  const Json answer =
      TRY(calls_.ec2("DescribeKeyPairs",
                     Json::object({{"Filters", filter_list({{"key-name", {key.name}}})}, {"IncludePublicKey", true}}),
                     {.timeout = state_timeout()}));
  if (answer.list("KeyPairs").empty()) {
    return std::optional<std::string>();
  }
  const Json& found = answer.list("KeyPairs").front();
  if (key_blob(found.text("PublicKey")) != key_blob(key.material)) {
    return make_error(
        ErrorKind::conflict,
        fmt::format("the key pair '{}' exists and is another key: delete it or choose another name", key.name));
  }
  return std::optional(found.text("KeyPairId"));
}

Result<> ChangeWork::import_key(StepOutcome& step) {
  const std::optional<KeySpec>& key = context_.spec.key;
  if (!key) {
    return make_error(ErrorKind::invalid, "the specification has no public key");
  }
  Tags tags = our_tags();
  tags[kPublicKeyTag] = key->digest;
  const Json params = Json::object({{"KeyName", key->name},
                                    {"PublicKeyMaterial", base64_encode(key->material)},
                                    {"TagSpecifications", Json::array({tag_specification("key-pair", tags)})}});
  GrowingGap gap;
  const Monotonic deadline = calls_.now() + state_timeout();
  for (;;) {
    const Result<Json> answer = calls_.once("ec2", "ImportKeyPair", params);
    if (answer) {
      step.id = answer->text("KeyPairId");
      return {};
    }
    const Error& error = answer.error();
    const bool repeat = is_unclear(error) || error.kind == ErrorKind::throttled;
    if (!repeat && error.code != "InvalidKeyPair.Duplicate") {
      return error;
    }
    // A key pair is what its material is: whoever imported it, it is the one that is wanted.
    const std::optional<std::string> found = TRY(same_key());
    if (found) {
      step.id = *found;
      return {};
    }
    const Micros wait = gap.next();
    if (calls_.now() + wait >= deadline) {
      return error;
    }
    if (!calls_.pause(wait)) {
      return interrupted();
    }
  }
}

Result<> ChangeWork::delete_key(const StepOutcome& step) {
  const bool by_id = !step.step.id.empty();
  return delete_ec2("DeleteKeyPair",
                    Json::object({{by_id ? "KeyPairId" : "KeyName", by_id ? step.step.id : step.step.name}}),
                    {.timeout = state_timeout()});
}

// Empty: there is none. Its tags can be seen late.
Result<std::optional<std::string>> ChangeWork::group_of_that_name(const std::string& vpc) {
  const std::string& name = context_.spec.group.name;
  const Monotonic deadline = calls_.now() + kVisibleWithin;
  GrowingGap gap;
  for (;;) {
    const Json answer = TRY(calls_.ec2(
        "DescribeSecurityGroups", Json::object({{"Filters", filter_list({{"group-name", {name}}, {"vpc-id", {vpc}}})}}),
        {.timeout = state_timeout()}));
    if (answer.list("SecurityGroups").empty()) {
      return std::optional<std::string>();
    }
    const Json& found = answer.list("SecurityGroups").front();
    if (is_ours(read_tags(found), context_.spec.fleet)) {
      return std::optional(found.text("GroupId"));
    }
    if (calls_.now() >= deadline) {
      return make_error(
          ErrorKind::conflict,
          fmt::format("the security group '{}' ({}) exists in {} without our tag: adopt it with 'parallax "
                      "fleet adopt', or choose another name",
                      name, found.text("GroupId"), vpc));
    }
    if (!calls_.pause(gap.next())) {
      return interrupted();
    }
  }
}

Result<> ChangeWork::make_group(StepOutcome& step) {
  const Spec& spec = context_.spec;
  if (seen() == nullptr || !seen()->places || seen()->places->vpc.empty()) {
    const bool told = seen() != nullptr && seen()->places && !seen()->places->vpc_problem.empty();
    return make_error(ErrorKind::not_found, told ? seen()->places->vpc_problem : "no VPC was looked up");
  }
  const std::string& vpc = seen()->places->vpc;
  Tags tags = our_tags();
  const Json params = Json::object({{"GroupName", spec.group.name},
                                    {"Description", fmt::format("Vantages of the Parallax fleet {}", spec.fleet)},
                                    {"VpcId", vpc},
                                    {"TagSpecifications", Json::array({tag_specification("security-group", tags)})}});
  GrowingGap gap;
  const Monotonic deadline = calls_.now() + state_timeout();
  while (made_group_.empty()) {
    const Result<Json> answer = calls_.once("ec2", "CreateSecurityGroup", params);
    if (answer) {
      made_group_ = answer->text("GroupId");
      break;
    }
    const Error& error = answer.error();
    const bool repeat = is_unclear(error) || error.kind == ErrorKind::throttled;
    if (!repeat && error.code != "InvalidGroup.Duplicate") {
      return error;
    }
    made_group_ = TRY(group_of_that_name(vpc)).value_or("");
    const Micros wait = gap.next();
    if (made_group_.empty() && calls_.now() + wait >= deadline) {
      return error;
    }
    if (made_group_.empty() && !calls_.pause(wait)) {
      return interrupted();
    }
  }
  step.id = made_group_;
  std::vector<Rule> add = step.step.add;
  std::erase_if(add, is_default_egress);
  return change_rules(made_group_, add, step.step.remove);
}

// All rules of a direction in one call. A repeat of what took effect is told as a duplicate or as not found, for the
// whole call: then each rule is taken by itself.
Result<> ChangeWork::change_rules_of(const std::string& operation, const std::string& group,
                                     const std::vector<Rule>& rules) {
  if (rules.empty()) {
    return {};
  }
  const bool adds = operation.starts_with("Authorize");
  const std::string_view settled = adds ? "InvalidPermission.Duplicate" : "InvalidPermission.NotFound";
  const Result<Json> answer =
      calls_.ec2(operation, Json::object({{"GroupId", group}, {"IpPermissions", permissions(rules)}}),
                 {.timeout = state_timeout(), .codes = {"InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound"}});
  if (answer || (answer.error().code == settled && rules.size() == 1)) {
    return {};
  }
  if (answer.error().code != settled) {
    return answer.error();
  }
  for (const Rule& rule : rules) {
    TRY(change_rules_of(operation, group, {rule}));
  }
  return {};
}

Result<> ChangeWork::change_rules(const std::string& group, const std::vector<Rule>& add,
                                  const std::vector<Rule>& remove) {
  for (const bool egress : {false, true}) {
    const auto chosen = [&](const std::vector<Rule>& rules) {
      std::vector<Rule> some;
      std::copy_if(rules.begin(), rules.end(), std::back_inserter(some),
                   [&](const Rule& rule) { return rule.egress == egress; });
      return some;
    };
    const std::string direction = egress ? "Egress" : "Ingress";
    TRY(change_rules_of("AuthorizeSecurityGroup" + direction, group, chosen(add)));
    TRY(change_rules_of("RevokeSecurityGroup" + direction, group, chosen(remove)));
  }
  return {};
}

Result<std::string> ChangeWork::group_id() {
  const Spec& spec = context_.spec;
  if (!made_group_.empty()) {
    return made_group_;
  }
  // Home's machines are in the original whose rules the others' groups have.
  const std::optional<GroupSeen>& original = context_.observed.home_group;
  if (spec.is_home(calls_.region()) && spec.group.name == spec.group.like_home && original) {
    return original->id;
  }
  if (seen() != nullptr) {
    const std::string vpc = seen()->places ? seen()->places->vpc : "";
    for (const GroupSeen& group : seen()->groups) {
      const bool there = vpc.empty() || group.vpc == vpc;
      if (there && group.name == spec.group.name && is_ours(group.tags, spec.fleet)) {
        return group.id;
      }
    }
  }
  return make_error(ErrorKind::not_found,
                    fmt::format("there is no security group '{}' in {}", spec.group.name, calls_.region()));
}

}  // namespace parallax::fleet
