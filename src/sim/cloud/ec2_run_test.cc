// RunInstances and the life of what it launches.
#include "codec/base64.h"
#include "sim/cloud/ec2_fixture.h"
#include "sim/cloud/plain_guest.h"

namespace parallax::sim {
namespace {

TEST_F(Ec2Test, ALaunchGoesThroughPendingToRunningAndItHasAllItsParts) {
  const Json answer = ok("RunInstances", launch());
  ASSERT_EQ(answer.list("Instances").size(), 1U);
  const std::string id = answer.list("Instances").front().text("InstanceId");
  EXPECT_EQ(*answer.list("Instances").front().at("State", "Name")->string(), "pending");
  EXPECT_EQ(state(id), "pending");
  pass(Seconds(20));
  EXPECT_EQ(state(id), "running");
  const Json shown = instance(id);
  EXPECT_FALSE(shown.text("PublicIpAddress").empty());
  EXPECT_THAT(shown.text("PrivateIpAddress"), testing::StartsWith("172.31."));
  EXPECT_EQ(shown.list("SecurityGroups").front().text("GroupName"), "default");
  ASSERT_EQ(shown.list("BlockDeviceMappings").size(), 1U);
  ASSERT_EQ(shown.list("NetworkInterfaces").size(), 1U);
  const std::string volume = *shown.list("BlockDeviceMappings").front().at("Ebs", "VolumeId")->string();
  const Json volumes = ok("DescribeVolumes", Json::object({{"VolumeIds", Json::array({volume})}}));
  EXPECT_EQ(volumes.list("Volumes").front().text("State"), "in-use");
}

TEST_F(Ec2Test, ALaunchChecksItsParametersAsEc2Does) {
  const auto with = [&](const char* name, Json value) {
    return code("RunInstances", launch(Json::object({{name, std::move(value)}})));
  };
  EXPECT_EQ(with("ImageId", "ami-00000000000000000"), "InvalidAMIID.NotFound");
  EXPECT_EQ(with("ImageId", "image"), "InvalidAMIID.Malformed");
  EXPECT_EQ(with("InstanceType", "t4g.micro"), "InvalidParameterValue");
  EXPECT_EQ(with("InstanceType", "x9.huge"), "InvalidParameterValue");
  EXPECT_EQ(with("KeyName", "nobody"), "InvalidKeyPair.NotFound");
  EXPECT_EQ(with("SubnetId", "subnet-00000000000000000"), "InvalidSubnetID.NotFound");
  EXPECT_EQ(with("SecurityGroupIds", Json::array({"sg-00000000000000000"})), "InvalidGroup.NotFound");
  EXPECT_EQ(with("SecurityGroups", Json::array({"nobody"})), "InvalidGroup.NotFound");
  EXPECT_EQ(with("Placement", Json::object({{"AvailabilityZone", "us-west-2z"}})), "InvalidParameterValue");
  EXPECT_EQ(with("MaxCount", 0), "InvalidParameterValue");
  EXPECT_EQ(with("MinCount", 2), "InvalidParameterValue");
  EXPECT_EQ(with("UserData", "not base64!"), "InvalidParameterValue");
  EXPECT_EQ(with("UserData", base64_encode(std::string((16U << 10U) + 1, 'x'))), "InvalidParameterValue");
  EXPECT_EQ(with("IamInstanceProfile", Json::object({{"Name", "nobody"}})), "InvalidParameterValue");
  EXPECT_EQ(with("LaunchTemplate", Json::object({{"LaunchTemplateName", "x"}})), "UnsupportedOperation");
  EXPECT_EQ(with("ClientToken", std::string(65, 'x')), "InvalidParameterValue");
  EXPECT_EQ(with("MetadataOptions", Json::object({{"HttpPutResponseHopLimit", 65}})), "InvalidParameterValue");
  EXPECT_EQ(code("RunInstances", Json::object({{"MinCount", 1}, {"MaxCount", 1}})), "MissingParameter");
}

TEST_F(Ec2Test, ATypeThatTheZoneLacksIsUnsupportedAndTheTextNamesOtherZones) {
  const std::string image = *ok("DescribeImages", filter("owner-alias", "amazon"), "us-east-1")
                                 .list("Images")
                                 .front()
                                 .find("ImageId")
                                 ->string();
  const Json images = ok("DescribeImages", Json::object({{"ImageIds", Json::array({image})}}), "us-east-1");
  const std::string type = images.list("Images").front().text("Architecture") == "arm64" ? "t4g.micro" : "t3.micro";
  const auto answer = call("RunInstances",
                           Json::object({{"ImageId", image},
                                         {"InstanceType", type},
                                         {"MinCount", 1},
                                         {"MaxCount", 1},
                                         {"Placement", Json::object({{"AvailabilityZone", "us-east-1e"}})}}),
                           "us-east-1");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "Unsupported");
  EXPECT_THAT(answer.error().message, testing::HasSubstr("choosing us-east-1a, us-east-1b"));
}

TEST_F(Ec2Test, AClientTokenGivesTheFirstAnswerAgainAndRefusesOtherParameters) {
  const Json first = launch(Json::object({{"ClientToken", "t-1"}}));
  const Json answer = ok("RunInstances", first);
  EXPECT_EQ(ok("RunInstances", first), answer);
  EXPECT_EQ(code("RunInstances", launch(Json::object({{"ClientToken", "t-1"}, {"EbsOptimized", true}}))),
            "IdempotentParameterMismatch");
  // In a zone that the request names, a token is that zone's.
  EXPECT_NE(
      ok("RunInstances", launch(Json::object({{"ClientToken", "t-1"},
                                              {"Placement", Json::object({{"AvailabilityZone", "us-west-2b"}})}}))),
      answer);
  ok("TerminateInstances", ids(answer.list("Instances").front().text("InstanceId")));
  EXPECT_EQ(code("RunInstances", first), "IdempotentInstanceTerminated");
  pass(Seconds(2 * 3600));
  EXPECT_EQ(code("RunInstances", first), "IdempotentInstanceTerminated");
}

TEST_F(Ec2Test, ADryRunChecksAndLaunchesNothing) {
  const std::size_t before = cloud_.instances().size();
  const auto answer = call("RunInstances", launch(Json::object({{"DryRun", true}})));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "DryRunOperation");
  EXPECT_EQ(answer.error().status, 412);
  EXPECT_EQ(code("RunInstances", launch(Json::object({{"DryRun", true}, {"KeyName", "nobody"}}))),
            "InvalidKeyPair.NotFound");
  EXPECT_EQ(cloud_.instances().size(), before);
}

TEST_F(Ec2Test, AZoneWithoutADefaultSubnetTakesNoLaunchThatNamesIt) {
  const Json subnets = ok("DescribeSubnets");
  for (const Json& subnet : subnets.list("Subnets")) {
    if (subnet.text("AvailabilityZone") != "us-west-2a") {
      ok("DeleteSubnet", Json::object({{"SubnetId", subnet.text("SubnetId")}}));
    }
  }
  EXPECT_EQ(
      code("RunInstances", launch(Json::object({{"Placement", Json::object({{"AvailabilityZone", "us-west-2b"}})}}))),
      "MissingInput");
}

TEST_F(Ec2Test, TerminationDeletesWhatGoesWithTheInstanceAndItStaysVisibleForAnHour) {
  const std::string id = launched(Json::object(
      {{"BlockDeviceMappings",
        Json::array({Json::object({{"DeviceName", "/dev/sdb"},
                                   {"Ebs", Json::object({{"VolumeSize", 9}, {"DeleteOnTermination", false}})}})})}}));
  pass(Seconds(20));
  ASSERT_EQ(instance(id).list("BlockDeviceMappings").size(), 2U);
  ok("TerminateInstances", ids(id));
  EXPECT_EQ(state(id), "shutting-down");
  pass(Seconds(60));
  EXPECT_EQ(state(id), "terminated");
  const JsonArray left = ok("DescribeVolumes", filter("status", "available")).list("Volumes");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left.front().integer("Size", 0), 9);
  EXPECT_EQ(code("StartInstances", ids(id)), "IncorrectInstanceState");
  EXPECT_EQ(code("StopInstances", ids(id)), "IncorrectInstanceState");
  EXPECT_EQ(code("RebootInstances", ids(id)), "IncorrectInstanceState");
  pass(Seconds(3700));
  EXPECT_EQ(code("DescribeInstances", ids(id)), "InvalidInstanceID.NotFound");
}

TEST_F(Ec2Test, SomeAttributesChangeOnlyWhileItIsStopped) {
  const std::string id = launched();
  pass(Seconds(20));
  const auto change = [&](const char* member, Json value) {
    return code("ModifyInstanceAttribute",
                Json::object({{"InstanceId", id}, {member, Json::object({{"Value", std::move(value)}})}}));
  };
  EXPECT_EQ(change("InstanceType", "t3.nano"), "IncorrectInstanceState");
  EXPECT_EQ(change("UserData", base64_encode("hello")), "IncorrectInstanceState");
  EXPECT_EQ(change("DisableApiTermination", true), "");
  EXPECT_EQ(code("TerminateInstances", ids(id)), "OperationNotPermitted");
  EXPECT_EQ(change("DisableApiTermination", false), "");
  ok("StopInstances", ids(id));
  EXPECT_EQ(code("StartInstances", ids(id)), "IncorrectInstanceState");
  pass(Seconds(60));
  EXPECT_EQ(instance(id).text("PublicIpAddress"), "");
  EXPECT_EQ(change("InstanceType", "t4g.nano"), "InvalidParameterCombination");
  EXPECT_EQ(change("InstanceType", "t3.nano"), "");
  EXPECT_EQ(change("UserData", base64_encode("hello")), "");
  const Json data = ok("DescribeInstanceAttribute", Json::object({{"InstanceId", id}, {"Attribute", "userData"}}));
  EXPECT_EQ(*data.at("UserData", "Value")->string(), base64_encode("hello"));
  EXPECT_EQ(instance(id).text("InstanceType"), "t3.nano");
}

TEST_F(Ec2Test, StatusChecksInitializeThenPass) {
  const std::string id = launched();
  const auto status = [&] {
    const Json answer = ok("DescribeInstanceStatus", ids(id));
    return answer.list("InstanceStatuses").empty()
               ? std::string("none")
               : *answer.list("InstanceStatuses").front().at("InstanceStatus", "Status")->string();
  };
  EXPECT_EQ(status(), "none");
  pass(Seconds(20));
  EXPECT_EQ(status(), "initializing");
  pass(Seconds(300));
  EXPECT_EQ(status(), "ok");
}

TEST_F(Ec2Test, AProfileIsAssociatedOnce) {
  const std::string id = launched();
  pass(Seconds(20));
  const Json profile =
      Json::object({{"InstanceId", id}, {"IamInstanceProfile", Json::object({{"Name", "parallax-NAVO"}})}});
  const Json made = ok("AssociateIamInstanceProfile", profile);
  EXPECT_EQ(*made.at("IamInstanceProfileAssociation", "State")->string(), "associating");
  EXPECT_EQ(code("AssociateIamInstanceProfile", profile), "IncorrectState");
  pass(Seconds(10));
  const JsonArray found =
      ok("DescribeIamInstanceProfileAssociations", filter("instance-id", id)).list("IamInstanceProfileAssociations");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().text("State"), "associated");
  ok("DisassociateIamInstanceProfile", Json::object({{"AssociationId", found.front().text("AssociationId")}}));
  EXPECT_EQ(instance(id).find("IamInstanceProfile"), nullptr);
}

class SmallCloud : public Ec2Test {
 protected:
  static CloudOptions small() {
    CloudOptions options = adopted();
    options.capacity = {{"us-west-2a/t3.micro", 1}, {"us-west-2b/*", 0}};
    options.vcpu_limit = 4;
    return options;
  }

  SmallCloud() : Ec2Test(small()) {}

  Json in_zone(const std::string& zone, int count = 1) {
    return launch(Json::object({{"Placement", Json::object({{"AvailabilityZone", zone}})}, {"MaxCount", count}}));
  }
};

TEST_F(SmallCloud, AZoneWithoutRoomSaysSoAndALaunchThatLeavesTheZoneOpenFindsAnother) {
  EXPECT_EQ(code("RunInstances", in_zone("us-west-2b")), "InsufficientInstanceCapacity");
  // Of two that are wanted and one that must be, one is what fits.
  EXPECT_EQ(ok("RunInstances", in_zone("us-west-2a", 2)).list("Instances").size(), 1U);
  const auto full = call("RunInstances", in_zone("us-west-2a"));
  ASSERT_FALSE(full.has_value());
  EXPECT_GE(full.error().status, 500);
  const std::string id = launched();
  EXPECT_EQ(*instance(id).at("Placement", "AvailabilityZone")->string(), "us-west-2c");
  EXPECT_EQ(code("RunInstances", launch()), "VcpuLimitExceeded");
}

class BareCloud : public Ec2Test {
 protected:
  static CloudOptions bare() {
    CloudOptions options;
    options.world = WorldKind::empty;
    options.without_default_vpc = {kRegion};
    return options;
  }

  BareCloud() : Ec2Test(bare()) {}
};

TEST_F(BareCloud, WithoutADefaultVpcNothingIsAssumedUntilOneIsMade) {
  const std::string image =
      ok("DescribeImages", filter("architecture", "x86_64")).list("Images").front().text("ImageId");
  const Json run = launch(Json::object({{"ImageId", image}}));
  EXPECT_EQ(code("RunInstances", run), "VPCIdNotSpecified");
  EXPECT_EQ(code("CreateSecurityGroup", Json::object({{"GroupName", "g"}, {"Description", "d"}})), "VPCIdNotSpecified");
  ok("CreateDefaultVpc");
  EXPECT_EQ(code("CreateDefaultVpc"), "DefaultVpcAlreadyExists");
  EXPECT_EQ(ok("RunInstances", run).list("Instances").size(), 1U);
}

class FaultyCloud : public Ec2Test {
 protected:
  static CloudOptions faulty() {
    CloudOptions options = adopted();
    options.faults.new_id_unknown = 1;
    options.faults.tags_lag = 1;
    return options;
  }

  FaultyCloud() : Ec2Test(faulty()) {}
};

TEST_F(FaultyCloud, ANewIdIsUnknownForAMomentAndTagsLag) {
  pass(Seconds(60));
  const std::string id = launched();
  EXPECT_EQ(code("DescribeInstances", ids(id)), "InvalidInstanceID.NotFound");
  pass(Seconds(11));
  EXPECT_EQ(code("DescribeInstances", ids(id)), "");
  ok("CreateTags", Json::object({{"Resources", Json::array({id})},
                                 {"Tags", Json::array({Json::object({{"Key", "late"}, {"Value", "1"}})})}}));
  EXPECT_TRUE(ok("DescribeInstances", filter("tag:late", "1")).list("Reservations").empty());
  pass(Seconds(21));
  EXPECT_EQ(ok("DescribeInstances", filter("tag:late", "1")).list("Reservations").size(), 1U);
}

}  // namespace

TEST_F(Ec2Test, ArmsTheTimerOfABootHookAtEveryBoot) {
  PlainGuest guest(clock_, cloud_);
  cloud_.set_guest(&guest);
  const std::string id = launched(
      Json::object({{"UserData", base64_encode("#cloud-boothook\n#!/bin/sh\narm() {\nshutdown -P +20\n}\narm\n")}}));
  for (int boot = 0; boot < 2; ++boot) {
    pass(Seconds(20));
    ASSERT_EQ(state(id), "running");
    pass(Seconds(19 * 60));
    ASSERT_EQ(state(id), "running");
    pass(Seconds(120));
    ASSERT_EQ(state(id), "stopped");
    ASSERT_EQ(code("StartInstances", ids(id)), "");
  }
}

TEST_F(Ec2Test, RunsUserDataOfNoOtherKindAtBoot) {
  PlainGuest guest(clock_, cloud_);
  cloud_.set_guest(&guest);
  const std::string id = launched(Json::object({{"UserData", base64_encode("#!/bin/sh\nshutdown -P +1\n")}}));
  pass(Seconds(600));
  EXPECT_EQ(state(id), "running");
}

}  // namespace parallax::sim
