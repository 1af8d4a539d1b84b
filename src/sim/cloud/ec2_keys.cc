// Key pairs.
#include <algorithm>

#include <fmt/format.h>

#include "codec/base64.h"
#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/key_material.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kNameMax = 255;

const DescribeSpec& key_pairs() {
  static const DescribeSpec kSpec = {
      "DescribeKeyPairs",
      "KeyPairs",
      {{"key-pair-id", "KeyPairId"}, {"key-name", "KeyName"}, {"fingerprint", "KeyFingerprint"}}};
  return kSpec;
}

Result<> check_new_name(Context& context, const std::string& name) {
  if (name.empty() || name.size() > kNameMax) {
    return bad_parameter(name, "keyName", fmt::format("It must have 1 to {} characters.", kNameMax));
  }
  if (find_key_pair(context.region, name) != nullptr) {
    return client_error("InvalidKeyPair.Duplicate", fmt::format("The keypair '{}' already exists.", name));
  }
  return {};
}

Result<Json> create_key_pair(Context& context, const Json& input) {
  const std::string name = input.text("KeyName");
  TRY(check_new_name(context, name));
  const std::string type = input.text("KeyType", "rsa");
  if (type != "rsa" && type != "ed25519") {
    return bad_parameter(type, "keyType", "Known are rsa and ed25519.");
  }
  if (input.text("KeyFormat", "pem") != "pem") {
    return client_error("UnsupportedOperation", "This simulated cloud makes keys in the format pem only.");
  }
  auto tags = TRY(tag_specifications(input, {"key-pair"}));
  TRY(end_of_dry_run(context));
  Rng& rng = *context.world.rng;
  const Result<MadeKey> made = type == "rsa" ? make_rsa_key(rng) : make_ed25519_key(rng);
  if (!made) {
    return service_error(500, "InternalError", made.error().message);
  }
  const Resource& pair =
      add_key_pair(context.world, context.region, name, made->public_key, made->fingerprint, tags["key-pair"]);
  return Json::object({{"KeyPairId", pair.id},
                       {"KeyName", name},
                       {"KeyFingerprint", made->fingerprint},
                       {"KeyMaterial", made->private_pem},
                       {"Tags", tag_list(pair.tags)}});
}

Result<Json> import_key_pair(Context& context, const Json& input) {
  const std::string name = input.text("KeyName");
  TRY(check_new_name(context, name));
  auto tags = TRY(tag_specifications(input, {"key-pair"}));
  const Result<std::string> text = base64_decode(input.text("PublicKeyMaterial"));
  const Result<PublicKey> key = text ? read_public_key(*text) : Result<PublicKey>(text.error());
  if (!key) {
    return client_error("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
  }
  TRY(end_of_dry_run(context));
  const Resource& pair = add_key_pair(context.world, context.region, name, *key, key->fingerprint, tags["key-pair"]);
  return Json::object(
      {{"KeyPairId", pair.id}, {"KeyName", name}, {"KeyFingerprint", key->fingerprint}, {"Tags", tag_list(pair.tags)}});
}

Result<Json> describe_key_pairs(Context& context, const Json& input) {
  std::vector<Json> rendered = TRY(choose_resources(context, ResourceKind::key_pair, strings_of(input, "KeyPairIds")));
  const std::vector<std::string> names = strings_of(input, "KeyNames");
  for (const std::string& name : names) {
    if (std::ranges::none_of(rendered, [&](const Json& json) { return json.text("KeyName") == name; })) {
      return client_error("InvalidKeyPair.NotFound", fmt::format("The key pair '{}' does not exist", name));
    }
  }
  if (!names.empty()) {
    std::erase_if(rendered,
                  [&](const Json& json) { return std::ranges::find(names, json.text("KeyName")) == names.end(); });
  }
  if (!input.boolean("IncludePublicKey", false)) {
    for (Json& json : rendered) {
      json.members()->erase("PublicKey");
    }
  }
  return finish_describe(key_pairs(), std::move(rendered), input);
}

// An absent key pair is deleted without complaint.
Result<Json> delete_key_pair(Context& context, const Json& input) {
  const std::string name = input.text("KeyName");
  const std::string id = input.text("KeyPairId");
  if (name.empty() == id.empty()) {
    return name.empty() ? missing_parameter("KeyName") : bad_combination("Give KeyName or KeyPairId, not both.");
  }
  auto& pairs = context.region.of(ResourceKind::key_pair);
  const auto found = std::ranges::find_if(pairs, [&](const auto& entry) {
    return name.empty() ? entry.first == id : entry.second.description.text("KeyName") == name;
  });
  TRY(end_of_dry_run(context));
  Json answer = Json::object({{"Return", true}});
  if (found != pairs.end()) {
    answer.set("KeyPairId", found->first);
    pairs.erase(found);
  }
  return answer;
}

}  // namespace

const Resource* find_key_pair(const RegionState& region, const std::string& name) {
  for (const auto& [id, pair] : region.of(ResourceKind::key_pair)) {
    if (pair.description.text("KeyName") == name) {
      return &pair;
    }
  }
  return nullptr;
}

Resource& add_key_pair(World& world, RegionState& region, const std::string& name, const PublicKey& key,
                       const std::string& fingerprint, Tags tags) {
  return add_resource(world, region, ResourceKind::key_pair,
                      Json::object({{"KeyName", name},
                                    {"KeyType", key.type},
                                    {"KeyFingerprint", fingerprint},
                                    {"CreateTime", epoch_seconds(world.now)},
                                    {"PublicKey", key.line(name)}}),
                      std::move(tags));
}

std::vector<OperationEntry> ec2_key_operations() {
  return {{"CreateKeyPair", create_key_pair, DryRun::after_checks},
          {"ImportKeyPair", import_key_pair, DryRun::after_checks},
          {"DescribeKeyPairs", describe_key_pairs},
          {"DeleteKeyPair", delete_key_pair, DryRun::after_checks}};
}

}  // namespace parallax::sim
