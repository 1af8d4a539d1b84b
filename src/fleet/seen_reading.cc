#include "fleet/seen_reading.h"

#include <array>
#include <optional>
#include <utility>

namespace parallax::fleet {

namespace {

std::string text_at(const Json& json, std::string_view outer, std::string_view inner) {
  const Json* member = json.find(outer);
  return member == nullptr ? std::string() : member->text(inner);
}

// What follows the last '/': the name in an ARN.
std::string name_in(const std::string& arn) {
  return arn.substr(arn.rfind('/') + 1);
}

// Protocol -1 has no ports. ICMP's -1 means every type or code and is kept.
std::optional<int> port_of(const Json& permission, std::string_view member, const std::string& protocol) {
  const Json* port = permission.find(member);
  const std::optional<std::int64_t> number = port == nullptr ? std::nullopt : port->integer();
  const bool icmp = protocol.starts_with("icmp") || protocol == "1" || protocol == "58";
  if (!number || protocol == "-1" || (*number < 0 && !icmp)) {
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

// A permission stands for as many rules as it has peers.
void read_rules(const Json& permission, bool egress, std::set<Rule>& rules) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPeers = {
      {{"IpRanges", "CidrIp"},
       {"Ipv6Ranges", "CidrIpv6"},
       {"UserIdGroupPairs", "GroupId"},
       {"PrefixListIds", "PrefixListId"}}};
  Rule rule;
  rule.egress = egress;
  rule.protocol = permission.text("IpProtocol");
  rule.from = port_of(permission, "FromPort", rule.protocol);
  rule.to = port_of(permission, "ToPort", rule.protocol);
  for (const auto& [list, member] : kPeers) {
    for (const Json& peer : permission.list(list)) {
      rule.peer = peer.text(member);
      rule.description = peer.text("Description");
      rules.insert(rule);
    }
  }
}

}  // namespace

Tags read_tags(const JsonArray& list) {
  Tags tags;
  for (const Json& tag : list) {
    tags[tag.text("Key")] = tag.text("Value");
  }
  return tags;
}

MachineSeen read_machine(const Json& instance, const std::string& region) {
  MachineSeen machine;
  machine.instance = read_instance(instance, region);
  machine.image = instance.text("ImageId");
  machine.key_name = instance.text("KeyName");
  machine.profile = name_in(text_at(instance, "IamInstanceProfile", "Arn"));
  machine.subnet = instance.text("SubnetId");
  machine.vpc = instance.text("VpcId");
  for (const Json& group : instance.list("SecurityGroups")) {
    machine.groups.push_back(group.text("GroupId"));
  }
  for (const Json& device : instance.list("BlockDeviceMappings")) {
    if (const std::string volume = text_at(device, "Ebs", "VolumeId"); !volume.empty()) {
      machine.volumes.push_back(volume);
    }
  }
  machine.imds_v2_required = text_at(instance, "MetadataOptions", "HttpTokens") == "required";
  return machine;
}

ImageSeen read_image(const Json& image) {
  ImageSeen seen;
  seen.id = image.text("ImageId");
  seen.name = image.text("Name");
  seen.state = image.text("State");
  seen.state_reason = text_at(image, "StateReason", "Message");
  seen.architecture = image.text("Architecture");
  seen.root_device = image.text("RootDeviceName");
  seen.source_image = image.text("SourceImageId");
  seen.source_region = image.text("SourceImageRegion");
  for (const Json& device : image.list("BlockDeviceMappings")) {
    const Json* ebs = device.find("Ebs");
    if (ebs == nullptr) {
      continue;  // an instance store's
    }
    if (const std::string snapshot = ebs->text("SnapshotId"); !snapshot.empty()) {
      seen.snapshots.push_back(snapshot);
      seen.snapshot_gib.push_back(ebs->integer("VolumeSize", 0));
    }
    seen.gib += ebs->integer("VolumeSize", 0);
    if (seen.volume_type.empty()) {
      seen.volume_type = ebs->text("VolumeType");
    }
  }
  if (const Result<Instant> created = parse_iso8601(image.text("CreationDate"))) {
    seen.created = *created;
  }
  seen.tags = read_tags(image.list("Tags"));
  return seen;
}

SnapshotSeen read_snapshot(const Json& snapshot) {
  SnapshotSeen seen;
  seen.id = snapshot.text("SnapshotId");
  seen.state = snapshot.text("State");
  seen.description = snapshot.text("Description");
  seen.gib = snapshot.integer("VolumeSize", 0);
  seen.tags = read_tags(snapshot.list("Tags"));
  return seen;
}

VolumeSeen read_volume(const Json& volume) {
  VolumeSeen seen;
  seen.id = volume.text("VolumeId");
  seen.state = volume.text("State");
  seen.type = volume.text("VolumeType");
  for (const Json& attachment : volume.list("Attachments")) {
    seen.attached_to = attachment.text("InstanceId");
  }
  seen.gib = volume.integer("Size", 0);
  seen.encrypted = volume.boolean("Encrypted", false);
  seen.tags = read_tags(volume.list("Tags"));
  return seen;
}

AddressSeen read_address(const Json& address) {
  AddressSeen seen;
  seen.allocation_id = address.text("AllocationId");
  seen.public_ip = address.text("PublicIp");
  seen.attached_to = address.text("InstanceId");
  if (seen.attached_to.empty()) {
    seen.attached_to = address.text("NetworkInterfaceId");
  }
  seen.tags = read_tags(address.list("Tags"));
  return seen;
}

KeySeen read_key(const Json& key_pair) {
  KeySeen seen;
  seen.id = key_pair.text("KeyPairId");
  seen.name = key_pair.text("KeyName");
  seen.type = key_pair.text("KeyType");
  seen.fingerprint = key_pair.text("KeyFingerprint");
  seen.public_key = key_pair.text("PublicKey");
  seen.tags = read_tags(key_pair.list("Tags"));
  return seen;
}

GroupSeen read_group(const Json& group) {
  GroupSeen seen;
  seen.id = group.text("GroupId");
  seen.name = group.text("GroupName");
  seen.vpc = group.text("VpcId");
  seen.description = group.text("Description");
  for (const Json& permission : group.list("IpPermissions")) {
    read_rules(permission, false, seen.rules);
  }
  for (const Json& permission : group.list("IpPermissionsEgress")) {
    read_rules(permission, true, seen.rules);
  }
  seen.tags = read_tags(group.list("Tags"));
  return seen;
}

}  // namespace parallax::fleet
