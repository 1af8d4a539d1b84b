#include "sim/cloud/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/cloud/test_clock.h"

namespace parallax::sim {
namespace {

using testing::HasSubstr;

// The statements of a policy that a user of its own has; calls are made in its name.
class Account {
 public:
  explicit Account(const std::string& statements)
      : cloud_(options(statements), clock_, rng_), who_(cloud_.access_key(std::string(kLimitedAccessKey))->who) {
    for (const InstanceView& view : cloud_.instances()) {
      if (view.region == "us-west-2") {
        id_ = view.instance_id;
      }
    }
  }

  Result<Json> call(const std::string& service, const std::string& operation, const Json& input,
                    const std::string& region = "us-west-2") {
    return cloud_.call(Call{region, service, operation}, input, &who_);
  }

  Result<Json> as_administrator(const std::string& service, const std::string& operation, const Json& input) {
    return cloud_.call(Call{"us-west-2", service, operation}, input);
  }

  Result<Json> stop(const std::string& region = "us-west-2") {
    return call("ec2", "StopInstances", Json::object({{"InstanceIds", JsonArray{id_}}}), region);
  }

  const std::string& id() const { return id_; }

  Principal& who() { return who_; }

  Cloud& cloud() { return cloud_; }

  TestClock& clock() { return clock_; }

 private:
  static CloudOptions options(const std::string& statements) {
    CloudOptions options;
    options.policy = R"({"Version":"2012-10-17","Statement":[)" + statements + "]}";
    return options;
  }

  TestClock clock_;
  Xoshiro rng_{3};
  Cloud cloud_;
  Principal who_;
  std::string id_;
};

std::string code_of(const Result<Json>& answer) {
  return answer.has_value() ? "" : answer.error().code;
}

TEST(Authorize, RefusesWhatNoPolicyAllowsInEachServicesWords) {
  Account account(R"({"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"})");
  EXPECT_TRUE(account.call("ec2", "DescribeInstances", Json::object()).has_value());
  const auto ec2 = account.stop();
  ASSERT_FALSE(ec2.has_value());
  EXPECT_EQ(ec2.error().code, "UnauthorizedOperation");
  EXPECT_EQ(ec2.error().status, 403);
  EXPECT_THAT(ec2.error().message,
              HasSubstr("User: arn:aws:iam::000000000000:user/limited is not authorized to perform: ec2:StopInstances "
                        "on resource: arn:aws:ec2:us-west-2:000000000000:instance/" +
                        account.id() + " because no identity-based policy allows the ec2:StopInstances action"));
  const auto ssm = account.call("ssm", "ListCommands", Json::object());
  EXPECT_EQ(code_of(ssm), "AccessDeniedException");
  EXPECT_EQ(ssm.error().status, 400);
  const auto sts = account.call("sts", "GetAccessKeyInfo", Json::object({{"AccessKeyId", kLimitedAccessKey}}));
  EXPECT_EQ(code_of(sts), "AccessDenied");
  EXPECT_EQ(sts.error().status, 403);
  EXPECT_TRUE(account.call("sts", "GetCallerIdentity", Json::object()).has_value()) << "needs no permission";
}

TEST(Authorize, TheEncodedMessageSaysWhatWasAsked) {
  Account account(R"({"Effect":"Allow","Action":"sts:DecodeAuthorizationMessage","Resource":"*"})");
  const std::string message = account.stop().error().message;
  const std::string encoded = message.substr(message.rfind(' ') + 1);
  const auto decoded = account.call("sts", "DecodeAuthorizationMessage", Json::object({{"EncodedMessage", encoded}}));
  ASSERT_TRUE(decoded.has_value());
  const Json json = parse_json(decoded->text("DecodedMessage")).value();
  EXPECT_FALSE(json.boolean("allowed", true));
  EXPECT_EQ(json.find("context")->text("action"), "ec2:StopInstances");
  EXPECT_EQ(code_of(account.call("sts", "DecodeAuthorizationMessage",
                                 Json::object({{"EncodedMessage", encoded.substr(4) + "AAAA"}}))),
            "InvalidAuthorizationMessageException");
}

TEST(Authorize, TagConditionsLookAtTheResource) {
  Account ours(R"({"Effect":"Allow","Action":"ec2:StopInstances","Resource":"*",
                   "Condition":{"StringEquals":{"aws:ResourceTag/parallax:fleet":"NAVO"}}})");
  EXPECT_TRUE(ours.stop().has_value());
  Account others(R"({"Effect":"Allow","Action":"ec2:StopInstances","Resource":"*",
                     "Condition":{"StringEquals":{"ec2:ResourceTag/parallax:fleet":"OTHER"}}})");
  EXPECT_EQ(code_of(others.stop()), "UnauthorizedOperation");
}

TEST(Authorize, RegionsByCondition) {
  Account account(R"({"Effect":"Allow","Action":"ec2:Describe*","Resource":"*",
                      "Condition":{"StringEquals":{"ec2:Region":"us-west-2"}}})");
  EXPECT_TRUE(account.call("ec2", "DescribeInstances", Json::object()).has_value());
  EXPECT_EQ(code_of(account.call("ec2", "DescribeInstances", Json::object(), "eu-west-3")), "UnauthorizedOperation");
}

TEST(Authorize, DryRunAnswersWhetherItIsAllowed) {
  Account account(R"({"Effect":"Allow","Action":"ec2:StopInstances","Resource":"*"})");
  const Json input = Json::object({{"InstanceIds", JsonArray{account.id()}}, {"DryRun", true}});
  const auto allowed = account.call("ec2", "StopInstances", input);
  EXPECT_EQ(code_of(allowed), "DryRunOperation");
  EXPECT_EQ(allowed.error().status, 412);
  const auto refused = account.call("ec2", "StartInstances", input);
  EXPECT_EQ(code_of(refused), "UnauthorizedOperation");
  EXPECT_EQ(refused.error().status, 403);
}

TEST(Authorize, SendCommandNeedsDocumentAndInstance) {
  const std::string document = R"({"Effect":"Allow","Action":"ssm:SendCommand",
      "Resource":"arn:aws:ssm:*::document/AWS-RunShellScript"})";
  const std::string instance = R"({"Effect":"Allow","Action":"ssm:SendCommand",
      "Resource":"arn:aws:ec2:*:000000000000:instance/*",
      "Condition":{"StringEquals":{"ssm:resourceTag/parallax:fleet":"NAVO"}}})";
  const auto send = [](Account& account) {
    return account.call("ssm", "SendCommand",
                        Json::object({{"DocumentName", "AWS-RunShellScript"},
                                      {"InstanceIds", JsonArray{account.id()}},
                                      {"Parameters", Json::object({{"commands", JsonArray{"true"}}})}}));
  };
  Account half(document);
  EXPECT_EQ(code_of(send(half)), "AccessDeniedException");
  Account other_half(instance);
  EXPECT_EQ(code_of(send(other_half)), "AccessDeniedException");
  Account both(document + "," + instance);
  EXPECT_EQ(code_of(send(both)), "InvalidInstanceId") << "allowed; the instance is stopped";
}

TEST(Authorize, TagsGivenAtCreationNeedCreateTags) {
  const std::string make = R"({"Effect":"Allow","Action":"ec2:ImportKeyPair","Resource":"*",
      "Condition":{"StringEquals":{"aws:RequestTag/fleet":"x"}}})";
  const Json tagged = Json::object(
      {{"KeyName", "k"},
       {"PublicKeyMaterial",
        "c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUlHNjQ4YWt4blBXeUF0amVzU2JhY1J3R0hkdUNkVkRtSTZaR3BKUDNMeDMgbW"
        "U="},
       {"DryRun", true},
       {"TagSpecifications",
        JsonArray{Json::object(
            {{"ResourceType", "key-pair"}, {"Tags", JsonArray{Json::object({{"Key", "fleet"}, {"Value", "x"}})}}})}}});
  Account without(make);
  const auto refused = without.call("ec2", "ImportKeyPair", tagged);
  EXPECT_EQ(code_of(refused), "UnauthorizedOperation");
  EXPECT_THAT(refused.error().message, HasSubstr("ec2:CreateTags"));
  Account with(make + R"(,{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*",
      "Condition":{"StringEquals":{"ec2:CreateAction":"ImportKeyPair"}}})");
  EXPECT_EQ(code_of(with.call("ec2", "ImportKeyPair", tagged)), "DryRunOperation");
  EXPECT_EQ(code_of(with.call("ec2", "CreateTags",
                              Json::object({{"Resources", JsonArray{with.id()}},
                                            {"Tags", JsonArray{Json::object({{"Key", "a"}, {"Value", "b"}})}}}))),
            "UnauthorizedOperation");
}

TEST(Sts, SaysWhoCalls) {
  Account account(R"({"Effect":"Allow","Action":"ec2:*","Resource":"*"})");
  EXPECT_EQ(account.call("sts", "GetCallerIdentity", Json::object())->text("Arn"),
            "arn:aws:iam::000000000000:user/limited");
  EXPECT_EQ(account.as_administrator("sts", "GetCallerIdentity", Json::object())->text("Arn"),
            "arn:aws:iam::000000000000:user/parallax");
}

TEST(Sts, SessionTokensExpireAndCannotMakeOthers) {
  Account account(R"({"Effect":"Allow","Action":"*","Resource":"*"})");
  const auto answer = account.call("sts", "GetSessionToken", Json::object({{"DurationSeconds", 900}}));
  ASSERT_TRUE(answer.has_value());
  const Json& credentials = *answer->find("Credentials");
  const auto key = account.cloud().access_key(credentials.text("AccessKeyId"));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->session_token, credentials.text("SessionToken"));
  EXPECT_EQ(key->expires, account.clock().now() + Seconds(900));
  account.who() = key->who;
  EXPECT_TRUE(account.stop().has_value());
  EXPECT_EQ(code_of(account.call("sts", "GetSessionToken", Json::object())), "AccessDenied");
  EXPECT_EQ(code_of(account.call("iam", "ListRoles", Json::object())), "InvalidClientTokenId");
}

TEST(Iam, ANewProfileReachesEc2RegionByRegion) {
  TestClock clock;
  Xoshiro rng(9);
  World world;
  world.clock = &clock;
  world.rng = &rng;
  world.now = clock.now();
  world.mono = clock.monotonic();
  build_world(world);
  RegionState& region = world.region("us-west-2");
  Context context{world, region};
  const Json name = Json::object({{"InstanceProfileName", "p"}, {"RoleName", "parallax-NAVO"}});
  ASSERT_TRUE(find_operation("iam", "CreateInstanceProfile")(context, name).has_value());
  world.mono += Seconds(60);
  EXPECT_FALSE(profile_usable(world, region, "p").has_value()) << "it has no role";
  ASSERT_TRUE(find_operation("iam", "AddRoleToInstanceProfile")(context, name).has_value());
  const auto early = profile_usable(world, region, "p");
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().message,
            "Value (p) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name");
  world.mono += Seconds(20);
  EXPECT_TRUE(profile_usable(world, region, "p").has_value());
  EXPECT_TRUE(profile_usable(world, region, profile_arn(world, "p")).has_value());
}

TEST(Iam, PassRoleIsNeededToGiveARoleToAProfile) {
  const std::string add = R"({"Effect":"Allow","Action":["iam:AddRoleToInstanceProfile","iam:CreateInstanceProfile"],
      "Resource":"*"})";
  const std::string pass = R"({"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::*:role/parallax-NAVO",
      "Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}})";
  const Json input = Json::object({{"InstanceProfileName", "p"}, {"RoleName", "parallax-NAVO"}});
  Account without(add);
  ASSERT_TRUE(without.call("iam", "CreateInstanceProfile", input).has_value());
  EXPECT_THAT(without.call("iam", "AddRoleToInstanceProfile", input).error().message, HasSubstr("iam:PassRole"));
  Account with(add + "," + pass);
  ASSERT_TRUE(with.call("iam", "CreateInstanceProfile", input).has_value());
  EXPECT_TRUE(with.call("iam", "AddRoleToInstanceProfile", input).has_value());
}

TEST(Sts, ARoleThatTrustsEc2AloneCannotBeAssumed) {
  Account account(R"({"Effect":"Allow","Action":"*","Resource":"*"})");
  const auto refused = account.call(
      "sts", "AssumeRole",
      Json::object({{"RoleArn", "arn:aws:iam::000000000000:role/parallax-NAVO"}, {"RoleSessionName", "me"}}));
  EXPECT_EQ(code_of(refused), "AccessDenied");
  EXPECT_EQ(refused.error().message,
            "User: arn:aws:iam::000000000000:user/limited is not authorized to perform: sts:AssumeRole on resource: "
            "arn:aws:iam::000000000000:role/parallax-NAVO");
}

}  // namespace
}  // namespace parallax::sim
