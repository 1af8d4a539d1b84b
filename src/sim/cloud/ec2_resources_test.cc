// Images, snapshots, security groups, key pairs, tags, filters.
#include "codec/base64.h"
#include "sim/cloud/ec2_fixture.h"
#include "sim/cloud/key_material.h"

namespace parallax::sim {
namespace {

using testing::StartsWith;

Json named(const char* name, Json value) {
  return Json::object({{name, std::move(value)}});
}

class ImageTest : public Ec2Test {
 protected:
  Json copy(const std::string& name, Json more = Json::object()) {
    Json input = Json::object({{"Name", name}, {"SourceImageId", image_id()}, {"SourceRegion", kRegion}});
    for (const auto& [key, value] : *more.members()) {
      input.set(key, value);
    }
    return input;
  }

  std::string state_of(const std::string& id) {
    return ok("DescribeImages", named("ImageIds", Json::array({id})), kOther).list("Images").front().text("State");
  }

  static constexpr const char* kOther = "eu-central-1";
};

TEST_F(ImageTest, ACopyBecomesAvailableAndItsSnapshotIsDescribedByEc2) {
  const std::string source = image_id();
  const std::string id = ok("CopyImage", copy("twin"), kOther).text("ImageId");
  EXPECT_EQ(state_of(id), "pending");
  EXPECT_EQ(code("RunInstances", launch(Json::object({{"ImageId", id}})), kOther), "InvalidAMIID.Unavailable");
  pass(Seconds(900));
  EXPECT_EQ(state_of(id), "available");
  const Json image = ok("DescribeImages", named("ImageIds", Json::array({id})), kOther).list("Images").front();
  EXPECT_TRUE(image.find("Tags")->items()->empty());
  const std::string snapshot = *image.list("BlockDeviceMappings").front().at("Ebs", "SnapshotId")->string();
  const Json shown =
      ok("DescribeSnapshots", named("SnapshotIds", Json::array({snapshot})), kOther).list("Snapshots").front();
  EXPECT_EQ(shown.text("State"), "completed");
  EXPECT_THAT(shown.text("Description"), StartsWith("Copied for DestinationAmi " + id + " from SourceAmi " + source +
                                                    " for SourceSnapshot snap-"));
  EXPECT_EQ(code("DeleteSnapshot", named("SnapshotId", snapshot), kOther), "InvalidSnapshot.InUse");
  ok("DeregisterImage", named("ImageId", id), kOther);
  EXPECT_EQ(code("DescribeImages", named("ImageIds", Json::array({id})), kOther), "InvalidAMIID.Unavailable");
  EXPECT_EQ(code("CopyImage", copy("twin"), kOther), "InvalidAMIName.Duplicate");
  pass(Seconds(121));
  EXPECT_EQ(code("CopyImage", copy("twin"), kOther), "");
  EXPECT_EQ(code("DeleteSnapshot", named("SnapshotId", snapshot), kOther), "");
}

TEST_F(ImageTest, ACopyChecksItsSourceItsNameAndItsToken) {
  EXPECT_EQ(code("CopyImage", copy("x"), kOther), "InvalidAMIName.Malformed");
  EXPECT_EQ(code("CopyImage", copy("twin", named("SourceRegion", "mars-1")), kOther), "InvalidParameterValue");
  EXPECT_EQ(code("CopyImage", copy("twin", named("SourceImageId", "ami-00000000000000000")), kOther),
            "InvalidAMIID.NotFound");
  const Json first = ok("CopyImage", copy("twin", named("ClientToken", "t")), kOther);
  EXPECT_EQ(ok("CopyImage", copy("twin", named("ClientToken", "t")), kOther), first);
  EXPECT_EQ(code("CopyImage", copy("other", named("ClientToken", "t")), kOther), "IdempotentParameterMismatch");
  EXPECT_EQ(code("CopyImage", copy("twin"), kOther), "InvalidAMIName.Duplicate");
  // Deregistering what is pending cancels it with its snapshots.
  ok("DeregisterImage", named("ImageId", first.text("ImageId")), kOther);
  EXPECT_TRUE(ok("DescribeSnapshots", {}, kOther).list("Snapshots").empty());
}

TEST_F(ImageTest, AKeyThatIsNotThereFailsTheCopyLater) {
  const std::string id =
      ok("CopyImage", copy("twin", Json::object({{"Encrypted", true}, {"KmsKeyId", "alias/mine"}})), kOther)
          .text("ImageId");
  EXPECT_EQ(state_of(id), "pending");
  pass(Seconds(900));
  EXPECT_EQ(state_of(id), "failed");
}

TEST_F(ImageTest, AHundredCopiesAtOnceAreTheLimit) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(code("CopyImage", copy("copy " + std::to_string(i)), kOther), "");
  }
  EXPECT_EQ(code("CopyImage", copy("one more"), kOther), "ResourceLimitExceeded");
}

TEST_F(ImageTest, AnImageOfAnInstanceTakesItsSnapshotsWithItWhenAsked) {
  const std::string id = launched();
  EXPECT_EQ(code("CreateImage", Json::object({{"InstanceId", id}, {"Name", "early"}})), "IncorrectState");
  pass(Seconds(20));
  const std::string image = ok("CreateImage", Json::object({{"InstanceId", id}, {"Name", "mine"}})).text("ImageId");
  pass(Seconds(400));
  const Json shown = ok("DescribeImages", named("ImageIds", Json::array({image}))).list("Images").front();
  EXPECT_EQ(shown.text("State"), "available");
  const std::string snapshot = *shown.list("BlockDeviceMappings").front().at("Ebs", "SnapshotId")->string();
  const Json results = ok("DeregisterImage", Json::object({{"ImageId", image}, {"DeleteAssociatedSnapshots", true}}));
  EXPECT_EQ(results.list("DeleteSnapshotResults").front().text("ReturnCode"), "success");
  EXPECT_EQ(code("DescribeSnapshots", named("SnapshotIds", Json::array({snapshot}))), "InvalidSnapshot.NotFound");
}

TEST_F(ImageTest, LaunchPermissionsMakeAnImagePublicOrShared) {
  const auto change = [&](Json permission) {
    return Json::object(
        {{"ImageId", image_id()}, {"LaunchPermission", Json::object({{"Add", Json::array({std::move(permission)})}})}});
  };
  ok("ModifyImageAttribute", change(named("UserId", "111122223333")));
  EXPECT_EQ(ok("DescribeImages", named("ExecutableUsers", Json::array({"111122223333"}))).list("Images").size(), 1U);
  EXPECT_EQ(code("ModifyImageAttribute", change(named("UserId", "me"))), "InvalidAMIAttributeItemValue");
  ok("ModifyImageAttribute", change(named("Group", "all")));
  EXPECT_TRUE(
      ok("DescribeImages", named("Owners", Json::array({"self"}))).list("Images").front().boolean("Public", false));
  EXPECT_EQ(ok("DescribeImages", named("Owners", Json::array({"amazon"}))).list("Images").size(), 2U);
}

class GroupTest : public Ec2Test {
 protected:
  GroupTest() {
    group_ = ok("CreateSecurityGroup", Json::object({{"GroupName", "web"}, {"Description", "d"}})).text("GroupId");
  }

  Json permissions(const Json& rules) { return Json::object({{"GroupId", group_}, {"IpPermissions", rules}}); }

  std::string group_;
};

TEST_F(GroupTest, ANewGroupLetsEverythingOutAndNothingIn) {
  const Json shown =
      ok("DescribeSecurityGroups", named("GroupIds", Json::array({group_}))).list("SecurityGroups").front();
  EXPECT_TRUE(shown.list("IpPermissions").empty());
  ASSERT_EQ(shown.list("IpPermissionsEgress").size(), 1U);
  EXPECT_EQ(shown.list("IpPermissionsEgress").front().text("IpProtocol"), "-1");
  const auto again =
      call("AuthorizeSecurityGroupEgress",
           permissions(Json::array(
               {Json::object({{"IpProtocol", "-1"}, {"IpRanges", Json::array({named("CidrIp", "0.0.0.0/0")})}})})));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().message, "the specified rule \"peer: 0.0.0.0/0, ALL, ALLOW\" already exists");
  EXPECT_EQ(code("CreateSecurityGroup", Json::object({{"GroupName", "WEB"}, {"Description", "d"}})),
            "InvalidGroup.Duplicate");
  EXPECT_EQ(code("CreateSecurityGroup", Json::object({{"GroupName", "sg-x"}, {"Description", "d"}})),
            "InvalidParameterValue");
}

TEST_F(GroupTest, RulesAreAuthorizedAndRevokedByPermissionAndById) {
  const Json added = ok("AuthorizeSecurityGroupIngress",
                        permissions(Json::array({rule("tcp", 22, "0.0.0.0/0"), rule("tcp", 80, "10.0.0.0/8")})));
  ASSERT_EQ(added.list("SecurityGroupRules").size(), 2U);
  const auto again = call("AuthorizeSecurityGroupIngress", permissions(Json::array({rule("6", 22, "0.0.0.0/0")})));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "InvalidPermission.Duplicate");
  EXPECT_EQ(again.error().message,
            "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW\" already exists");
  ok("RevokeSecurityGroupIngress",
     Json::object({{"GroupId", group_},
                   {"SecurityGroupRuleIds",
                    Json::array({added.list("SecurityGroupRules").front().text("SecurityGroupRuleId")})}}));
  ok("RevokeSecurityGroupIngress", permissions(Json::array({rule("tcp", 80, "10.0.0.0/8")})));
  EXPECT_EQ(code("RevokeSecurityGroupEgress", permissions(Json::array({rule("tcp", 80, "10.0.0.0/8")}))),
            "InvalidPermission.NotFound");
  // In the default VPC a missing ingress rule is named, not refused.
  EXPECT_EQ(ok("RevokeSecurityGroupIngress", permissions(Json::array({rule("tcp", 80, "10.0.0.0/8")})))
                .list("UnknownIpPermissions")
                .size(),
            1U);
}

TEST_F(GroupTest, RulesThatMakeNoSenseAreRefused) {
  const auto refused = [&](const Json& bad) {
    return code("AuthorizeSecurityGroupIngress", permissions(Json::array({bad})));
  };
  EXPECT_EQ(refused(rule("tcp", 22, "10.0.0.1/8")), "InvalidParameterValue");
  EXPECT_EQ(refused(rule("tcp", 22, "somewhere")), "InvalidParameterValue");
  EXPECT_EQ(refused(rule("tcp", 70000, "10.0.0.0/8")), "InvalidParameterValue");
  EXPECT_EQ(refused(rule("tpc", 22, "10.0.0.0/8")), "InvalidParameterValue");
  EXPECT_EQ(refused(Json::object({{"IpProtocol", "-1"}})), "InvalidPermission.Malformed");
  EXPECT_EQ(code("AuthorizeSecurityGroupIngress",
                 permissions(Json::array({rule("tcp", 22, "10.0.0.0/8"), rule("tcp", 22, "10.0.0.0/8")}))),
            "InvalidParameterValue");
  for (int port = 1; port <= 60; ++port) {
    ASSERT_EQ(refused(rule("tcp", port, "10.0.0.0/8")), "");
  }
  EXPECT_EQ(refused(rule("tcp", 61, "10.0.0.0/8")), "RulesPerSecurityGroupLimitExceeded");
}

TEST_F(GroupTest, AGroupInUseIsNotDeletedUntilTheInterfaceIsGone) {
  const std::string id = launched(named("SecurityGroupIds", Json::array({group_})));
  pass(Seconds(20));
  EXPECT_EQ(code("DeleteSecurityGroup", named("GroupId", group_)), "DependencyViolation");
  ok("TerminateInstances", ids(id));
  while (state(id) != "terminated") {
    pass(Seconds(1));
  }
  EXPECT_EQ(code("DeleteSecurityGroup", named("GroupId", group_)), "DependencyViolation");
  pass(Seconds(31));
  EXPECT_EQ(code("DeleteSecurityGroup", named("GroupId", group_)), "");
  EXPECT_EQ(code("DeleteSecurityGroup", named("GroupId", group_)), "InvalidGroup.NotFound");
  EXPECT_EQ(code("DeleteSecurityGroup", named("GroupName", "default")), "CannotDelete");
}

TEST_F(Ec2Test, ImportedKeysHaveTheFingerprintsThatAwsPrints) {
  // Both made with ssh-keygen; fingerprints of ssh-keygen -l and of openssl md5 over the DER public key.
  const std::string ed25519 =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIG648akxnPWyAtjesSbacRwGHduCdVDmI6ZGpJP3Lx3 me@host";
  const std::string rsa =
      "ssh-rsa "
      "AAAAB3NzaC1yc2EAAAADAQABAAAAgQC0JX4oEfQuaGxg5hQHx6f/L75MKheEXkqzrJcO8nUdCo4cCishCojQia52Chu7mMeKDg1aXTOx5"
      "lneDyp/AewayVbW+9Pvj07bzDtZ2DY1JM1jaWXArP+YrWRt7Kv2gkeMR7mVLW8WHXPeuzjskC4NLZ9NTybMRi/dHt0ZrSSrWw== me@host";
  const auto key = read_public_key(ed25519);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->fingerprint, "k3MbwH/uEyKWLWIwFObVi6T9EGRRYoM1T9VROukhruE=");
  EXPECT_EQ(read_public_key(rsa).value().fingerprint, "89:13:fc:67:f7:86:7c:01:b0:c0:ee:ee:82:89:91:42");
  EXPECT_EQ(key->line("me@host"), ed25519);
  const Json input = Json::object({{"KeyName", "k"}, {"PublicKeyMaterial", base64_encode(ed25519)}});
  EXPECT_EQ(ok("ImportKeyPair", input).text("KeyFingerprint"), key->fingerprint);
  EXPECT_EQ(code("ImportKeyPair", input), "InvalidKeyPair.Duplicate");
  EXPECT_EQ(
      code("ImportKeyPair", Json::object({{"KeyName", "l"}, {"PublicKeyMaterial", base64_encode("ssh-rsa AAAA me")}})),
      "InvalidKey.Format");
  EXPECT_EQ(ok("DescribeKeyPairs", named("KeyNames", Json::array({"k"}))).list("KeyPairs").front().find("PublicKey"),
            nullptr);
  ok("DeleteKeyPair", named("KeyName", "k"));
  ok("DeleteKeyPair", named("KeyName", "k"));
  EXPECT_EQ(code("DescribeKeyPairs", named("KeyNames", Json::array({"k"}))), "InvalidKeyPair.NotFound");
}

TEST_F(Ec2Test, MadeKeysAreRealAndTheSameForTheSameSeed) {
  Xoshiro one(5);
  Xoshiro two(5);
  const auto rsa = make_rsa_key(one);
  ASSERT_TRUE(rsa.has_value());
  EXPECT_EQ(rsa->fingerprint.size(), 59U);             // 20 bytes
  EXPECT_EQ(rsa->public_key.fingerprint.size(), 47U);  // 16 bytes
  EXPECT_THAT(rsa->private_pem, StartsWith("-----BEGIN RSA PRIVATE KEY-----"));
  EXPECT_EQ(make_rsa_key(two).value().private_pem, rsa->private_pem);
  const auto again = read_public_key(rsa->public_key.line("x"));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->fingerprint, rsa->public_key.fingerprint);
}

TEST_F(Ec2Test, TagsHaveLimits) {
  const std::string id = cloud_.instances().front().instance_id;
  const std::string region = cloud_.instances().front().region;
  const auto tag = [&](const std::string& key, const std::string& value) {
    return code("CreateTags",
                Json::object({{"Resources", Json::array({id})},
                              {"Tags", Json::array({Json::object({{"Key", key}, {"Value", value}})})}}),
                region);
  };
  EXPECT_EQ(tag("aws:x", "1"), "InvalidParameterValue");
  EXPECT_EQ(tag(std::string(129, 'k'), "1"), "InvalidParameterValue");
  EXPECT_EQ(tag("k", std::string(257, 'v')), "InvalidParameterValue");
  for (int i = 0; i < 48; ++i) {
    ASSERT_EQ(tag("k" + std::to_string(i), "v"), "");
  }
  EXPECT_EQ(tag("one more", "v"), "TagLimitExceeded");
  EXPECT_EQ(code("CreateTags", Json::object({{"Resources", Json::array({"vpc-00000000000000000"})},
                                             {"Tags", Json::array({Json::object({{"Key", "a"}, {"Value", "b"}})})}})),
            "InvalidVpcID.NotFound");
}

TEST_F(Ec2Test, FiltersRefuseUnknownNamesAndTooManyValues) {
  EXPECT_EQ(code("DescribeVpcs", filter("colour", "blue")), "InvalidParameterValue");
  JsonArray values;
  for (int i = 0; i < 201; ++i) {
    values.push_back(Json(std::to_string(i)));
  }
  EXPECT_EQ(code("DescribeVolumes",
                 Json::object({{"Filters", Json::array({Json::object({{"Name", "size"}, {"Values", values}})})}})),
            "FilterLimitExceeded");
  EXPECT_EQ(code("DescribeVolumes", named("MaxResults", 2)), "InvalidParameterValue");
  EXPECT_EQ(code("DescribeVolumes", named("NextToken", "forged")), "InvalidNextToken");
  EXPECT_EQ(ok("DescribeInstanceTypeOfferings", filter("instance-type", "t2.*"), "eu-north-1")
                .list("InstanceTypeOfferings")
                .size(),
            0U);
  EXPECT_EQ(ok("DescribeInstanceTypeOfferings", filter("instance-type", "t2.*")).list("InstanceTypeOfferings").size(),
            1U);
}

TEST_F(Ec2Test, NetworksAreMadeAndDeletedInOrder) {
  const Json vpc = ok("CreateVpc", named("CidrBlock", "10.0.0.0/16"));
  const std::string id = *vpc.at("Vpc", "VpcId")->string();
  const auto subnet = [&](const char* cidr) { return Json::object({{"VpcId", id}, {"CidrBlock", cidr}}); };
  const std::string made = *ok("CreateSubnet", subnet("10.0.1.0/24")).at("Subnet", "SubnetId")->string();
  EXPECT_EQ(code("CreateSubnet", subnet("10.0.1.128/25")), "InvalidSubnet.Conflict");
  EXPECT_EQ(code("CreateSubnet", subnet("10.1.0.0/24")), "InvalidSubnet.Range");
  const std::string machine = launched(named("SubnetId", made));
  EXPECT_EQ(instance(machine).text("PublicIpAddress"), "");
  EXPECT_EQ(code("DeleteVpc", named("VpcId", id)), "DependencyViolation");
  EXPECT_EQ(code("DeleteSubnet", named("SubnetId", made)), "DependencyViolation");
  pass(Seconds(20));
  ok("TerminateInstances", ids(machine));
  pass(Seconds(100));
  ok("DeleteSubnet", named("SubnetId", made));
  ok("DeleteVpc", named("VpcId", id));
  EXPECT_EQ(code("DescribeVpcs", named("VpcIds", Json::array({id}))), "InvalidVpcID.NotFound");
}

}  // namespace
}  // namespace parallax::sim
