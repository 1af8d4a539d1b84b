#include "fleet/seen_reading.h"

#include <gtest/gtest.h>

namespace parallax::fleet {
namespace {

Json json(std::string_view text) {
  return parse_json(text).value();
}

TEST(SeenReading, MakesOneRuleOfEachPeerInBothDirections) {
  const GroupSeen group = read_group(json(R"({"GroupId": "sg-1", "GroupName": "NAVO", "VpcId": "vpc-1",
    "IpPermissions": [
      {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
       "IpRanges": [{"CidrIp": "203.0.113.0/24", "Description": "office"}, {"CidrIp": "198.51.100.7/32"}],
       "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}],
       "UserIdGroupPairs": [{"GroupId": "sg-2", "UserId": "111122223333"}],
       "PrefixListIds": [{"PrefixListId": "pl-3"}]},
      {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]})"));
  std::set<std::string> texts;
  for (const Rule& rule : group.rules) {
    texts.insert(to_text(rule));
  }
  EXPECT_EQ(texts, (std::set<std::string>{"in tcp 22 from 203.0.113.0/24", "in tcp 22 from 198.51.100.7/32",
                                          "in tcp 22 from 2001:db8::/32", "in tcp 22 from sg-2", "in tcp 22 from pl-3",
                                          "in icmp -1 from 0.0.0.0/0", "out all to 0.0.0.0/0"}));
  EXPECT_EQ(group.rules.size(), 7U);
}

TEST(SeenReading, LeavesADescriptionOutOfARulesIdentity) {
  const Rule a{false, "tcp", 22, 22, "203.0.113.0/24", "office"};
  const Rule b{false, "tcp", 22, 22, "203.0.113.0/24", "home"};
  EXPECT_EQ(a, b);
  EXPECT_FALSE(a < b || b < a);
}

TEST(SeenReading, KnowsPortsOfAllProtocolsAsNone) {
  const GroupSeen group = read_group(json(R"({"IpPermissions": [
      {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]})"));
  ASSERT_EQ(group.rules.size(), 1U);
  EXPECT_FALSE(group.rules.begin()->from.has_value());
  EXPECT_EQ(to_text(*group.rules.begin()), "in all from 10.0.0.0/8");
}

TEST(SeenReading, ReadsAMachine) {
  const MachineSeen machine = read_machine(json(R"({"InstanceId": "i-1", "ImageId": "ami-1", "KeyName": "NAVO",
      "State": {"Name": "stopped"}, "SubnetId": "subnet-1", "VpcId": "vpc-1",
      "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/some/path/parallax", "Id": "AIPA"},
      "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "NAVO"}, {"GroupId": "sg-2", "GroupName": "x"}],
      "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}],
      "MetadataOptions": {"HttpTokens": "optional"},
      "Tags": [{"Key": "Name", "Value": "NAVO"}]})"),
                                           "eu-west-3");
  EXPECT_EQ(machine.instance.region, "eu-west-3");
  EXPECT_EQ(machine.instance.state, InstanceState::stopped);
  EXPECT_EQ(machine.profile, "parallax");
  EXPECT_EQ(machine.groups, (std::vector<std::string>{"sg-1", "sg-2"}));
  EXPECT_EQ(machine.volumes, std::vector<std::string>{"vol-1"});
  EXPECT_FALSE(machine.imds_v2_required);
}

TEST(SeenReading, ReadsWhatAnAnswerLacksAsEmpty) {
  const MachineSeen machine = read_machine(json("{}"), "eu-west-3");
  EXPECT_EQ(machine.profile, "");
  EXPECT_FALSE(machine.imds_v2_required);
  EXPECT_EQ(read_image(json("{}")).gib, 0);
  EXPECT_EQ(read_volume(json(R"({"VolumeId": "vol-1", "Attachments": []})")).attached_to, "");
}

TEST(SeenReading, CountsAnImagesBlockDevicesAndLeavesInstanceStoresOut) {
  const ImageSeen image = read_image(json(R"({"ImageId": "ami-1", "Name": "NAVO", "State": "failed",
      "StateReason": {"Code": "Client.KMSKeyNotFound", "Message": "no such key"},
      "CreationDate": "2026-10-01T10:00:00.000Z",
      "BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 8, "VolumeType": "gp3"}},
        {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
        {"DeviceName": "/dev/sdc", "Ebs": {"SnapshotId": "snap-2", "VolumeSize": 100, "VolumeType": "gp2"}}]})"));
  EXPECT_EQ(image.snapshots, (std::vector<std::string>{"snap-1", "snap-2"}));
  EXPECT_EQ(image.snapshot_gib, (std::vector<std::int64_t>{8, 100}));
  EXPECT_EQ(image.gib, 108);
  EXPECT_EQ(image.volume_type, "gp3");
  EXPECT_EQ(image.state_reason, "no such key");
  EXPECT_TRUE(image.created.has_value());
}

TEST(SeenReading, TellsOursByTheFleetsTagAlone) {
  EXPECT_TRUE(is_ours({{"parallax:fleet", "NAVO"}}, "NAVO"));
  EXPECT_FALSE(is_ours({{"parallax:fleet", "OTHER"}, {"Name", "NAVO"}}, "NAVO"));
  EXPECT_FALSE(is_ours({{"Name", "NAVO"}}, "NAVO"));
}

}  // namespace
}  // namespace parallax::fleet
