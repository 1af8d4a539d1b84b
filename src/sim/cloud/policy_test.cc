#include "sim/cloud/policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace parallax::sim {
namespace {

constexpr const char* kInstance = "arn:aws:ec2:us-west-2:000000000000:instance/i-0123";

Policy policy_of(const std::string& statements) {
  const auto policy = parse_policy(R"({"Version":"2012-10-17","Statement":[)" + statements + "]}", PolicyUse::identity);
  EXPECT_TRUE(policy.has_value()) << statements << (policy.has_value() ? "" : policy.error().message);
  return policy.value_or(Policy{});
}

Decision decide(const std::string& statements, const std::string& action, const std::string& resource,
                ConditionKeys keys = {}) {
  const Policy policy = policy_of(statements);
  return evaluate({&policy}, {action, resource, std::move(keys)}).decision;
}

struct Case {
  const char* name;
  const char* statements;
  const char* action;
  const char* resource;
  Decision expected;
};

TEST(Policy, DecidesByEffectActionAndResource) {
  using enum Decision;
  const char* allow_all = R"({"Effect":"Allow","Action":"*","Resource":"*"})";
  const char* deny_stop =
      R"({"Effect":"Allow","Action":"ec2:*","Resource":"*"},{"Effect":"Deny","Action":"ec2:Stop*","Resource":"*"})";
  const char* one_region =
      R"({"Effect":"Allow","Action":"ec2:StopInstances","Resource":"arn:aws:ec2:us-west-2:*:instance/*"})";
  const Case cases[] = {
      {"everything", allow_all, "ec2:StopInstances", kInstance, allow},
      {"nothing said", R"({"Effect":"Allow","Action":"ssm:*","Resource":"*"})", "ec2:StopInstances", kInstance,
       implicit_deny},
      {"deny wins over allow", deny_stop, "ec2:StopInstances", kInstance, explicit_deny},
      {"deny of another action", deny_stop, "ec2:StartInstances", kInstance, allow},
      {"actions ignore letter case", R"({"Effect":"Allow","Action":"EC2:stopINSTANCES","Resource":"*"})",
       "ec2:StopInstances", kInstance, allow},
      {"one character", R"({"Effect":"Allow","Action":"ec2:St?pInstances","Resource":"*"})", "ec2:StopInstances",
       kInstance, allow},
      {"not action", R"({"Effect":"Allow","NotAction":"iam:*","Resource":"*"})", "ec2:StopInstances", kInstance, allow},
      {"not action names it", R"({"Effect":"Allow","NotAction":"ec2:*","Resource":"*"})", "ec2:StopInstances",
       kInstance, implicit_deny},
      {"region in the ARN", one_region, "ec2:StopInstances", kInstance, allow},
      {"another region", one_region, "ec2:StopInstances", "arn:aws:ec2:eu-west-3:000000000000:instance/i-1",
       implicit_deny},
      {"another type", one_region, "ec2:StopInstances", "arn:aws:ec2:us-west-2:000000000000:volume/vol-1",
       implicit_deny},
      {"resources keep letter case",
       R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:ec2:us-west-2:*:Instance/*"})", "ec2:StopInstances",
       kInstance, implicit_deny},
      {"a wildcard stays within its part of the ARN",
       R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:ec2:*:instance/*"})", "ec2:StopInstances", kInstance,
       implicit_deny},
      {"a short ARN ends in wildcards", R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:ec2:us-west-2"})",
       "ec2:StopInstances", kInstance, allow},
      {"an action without resources needs *",
       R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:ec2:*:*:instance/*"})", "ec2:DescribeInstances", "*",
       implicit_deny},
      {"not resource", R"({"Effect":"Deny","Action":"*","NotResource":"arn:aws:ec2:*:*:instance/*"})",
       "ec2:DescribeInstances", "*", explicit_deny},
      {"not resource names it", R"({"Effect":"Deny","Action":"*","NotResource":"arn:aws:ec2:*:*:instance/*"})",
       "ec2:StopInstances", kInstance, implicit_deny},
      {"the resource after the fifth colon is one part",
       R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/a:*"})", "ssm:GetParameter",
       "arn:aws:ssm:us-west-2:000000000000:parameter/a:1", allow},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(decide(c.statements, c.action, c.resource), c.expected) << c.name;
  }
}

struct ConditionCase {
  const char* condition;
  bool holds;
};

TEST(Policy, DecidesByConditions) {
  const ConditionKeys keys = {{"aws:resourcetag/fleet", {"NAVO"}},
                              {"aws:requestedregion", {"us-west-2"}},
                              {"aws:tagkeys", {"fleet", "owner"}},
                              {"aws:securetransport", {"true"}},
                              {"aws:currenttime", {"2026-11-22T10:00:00Z"}},
                              {"aws:sourceip", {"192.0.2.77"}},
                              {"ec2:volumesize", {"8"}},
                              {"aws:username", {"ada"}},
                              {"aws:principalarn", {"arn:aws:iam::000000000000:role/ops"}}};
  const ConditionCase cases[] = {
      {R"("StringEquals":{"aws:ResourceTag/fleet":"NAVO"})", true},
      {R"("StringEquals":{"AWS:resourcetag/FLEET":"NAVO"})", true},
      {R"("StringEquals":{"aws:ResourceTag/fleet":"navo"})", false},
      {R"("StringEquals":{"aws:ResourceTag/fleet":["x","NAVO"]})", true},
      {R"("StringEquals":{"aws:ResourceTag/other":"NAVO"})", false},
      {R"("StringEqualsIfExists":{"aws:ResourceTag/other":"NAVO"})", true},
      {R"("StringEqualsIfExists":{"aws:ResourceTag/fleet":"other"})", false},
      {R"("StringNotEquals":{"aws:ResourceTag/other":"NAVO"})", true},
      {R"("StringNotEquals":{"aws:ResourceTag/fleet":["x","NAVO"]})", false},
      {R"("StringEqualsIgnoreCase":{"aws:ResourceTag/fleet":"navo"})", true},
      {R"("StringLike":{"aws:RequestedRegion":"us-*"})", true},
      {R"("StringEquals":{"aws:RequestedRegion":"us-*"})", false},
      {R"("StringNotLike":{"aws:RequestedRegion":["eu-*","us-*"]})", false},
      {R"("StringLike":{"aws:ResourceTag/fleet":"${aws:username}"})", false},
      {R"("StringEquals":{"aws:username":"${aws:username}"})", true},
      {R"("StringEquals":{"aws:username":"${aws:nothing, 'ada'}"})", true},
      {R"("StringEquals":{"aws:username":"${aws:nothing}"})", false},
      {R"("StringLike":{"aws:username":"${*}"})", false},
      {R"("ForAllValues:StringEquals":{"aws:TagKeys":["fleet","owner","more"]})", true},
      {R"("ForAllValues:StringEquals":{"aws:TagKeys":["fleet"]})", false},
      {R"("ForAllValues:StringEquals":{"aws:NoKeys":["fleet"]})", true},
      {R"("ForAnyValue:StringEquals":{"aws:TagKeys":["fleet"]})", true},
      {R"("ForAnyValue:StringLike":{"aws:TagKeys":["x*"]})", false},
      {R"("ForAnyValue:StringEquals":{"aws:NoKeys":["fleet"]})", false},
      {R"("Bool":{"aws:SecureTransport":true})", true},
      {R"("Bool":{"aws:SecureTransport":"false"})", false},
      {R"("Null":{"aws:ResourceTag/fleet":"false"})", true},
      {R"("Null":{"aws:ResourceTag/other":true})", true},
      {R"("Null":{"aws:ResourceTag/fleet":"true"})", false},
      {R"("NumericLessThanEquals":{"ec2:VolumeSize":8})", true},
      {R"("NumericLessThan":{"ec2:VolumeSize":"8"})", false},
      {R"("NumericGreaterThan":{"ec2:VolumeSize":"7.5"})", true},
      {R"("NumericEquals":{"ec2:VolumeSize":"8.0"})", true},
      {R"("NumericNotEquals":{"ec2:VolumeSize":"9"})", true},
      {R"("DateGreaterThan":{"aws:CurrentTime":"2026-01-01"})", true},
      {R"("DateLessThan":{"aws:CurrentTime":"2026-11-22T09:59:59Z"})", false},
      {R"("IpAddress":{"aws:SourceIp":"192.0.2.0/24"})", true},
      {R"("IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.64/28"]})", true},
      {R"("IpAddress":{"aws:SourceIp":"192.0.2.64/29"})", false},
      {R"("NotIpAddress":{"aws:SourceIp":"192.0.2.77"})", false},
      {R"("IpAddress":{"aws:SourceIp":"2001:db8::/32"})", false},
      {R"("ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"})", true},
      {R"("ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/other"})", false},
      {R"("ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"})", false},
      {R"("StringEquals":{"aws:username":"ada"},"Bool":{"aws:SecureTransport":"true"})", true},
      {R"("StringEquals":{"aws:username":"ada"},"Bool":{"aws:SecureTransport":"false"})", false},
  };
  for (const ConditionCase& c : cases) {
    const std::string statement =
        fmt::format(R"({{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{}}}}})", c.condition);
    EXPECT_EQ(decide(statement, "ec2:StopInstances", kInstance, keys) == Decision::allow, c.holds) << c.condition;
  }
}

TEST(Policy, SubstitutesVariablesInResourcesOfTheNewerVersionOnly) {
  const std::string statement =
      R"("Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::*:user/${aws:username}"}})";
  const PolicyRequest own{"iam:GetUser", "arn:aws:iam::000000000000:user/a*a", {{"aws:username", {"a*a"}}}};
  const PolicyRequest other{"iam:GetUser", "arn:aws:iam::000000000000:user/abba", {{"aws:username", {"a*a"}}}};
  const Policy newer = parse_policy(R"({"Version":"2012-10-17",)" + statement, PolicyUse::identity).value();
  const Policy older = parse_policy(R"({"Version":"2008-10-17",)" + statement, PolicyUse::identity).value();
  EXPECT_EQ(evaluate({&newer}, own).decision, Decision::allow);
  EXPECT_EQ(evaluate({&newer}, other).decision, Decision::implicit_deny) << "what a variable holds is no wildcard";
  EXPECT_EQ(evaluate({&older}, own).decision, Decision::implicit_deny);
}

TEST(Policy, RefusesWhatIamRefuses) {
  const std::pair<const char*, const char*> cases[] = {
      {"{", "This policy contains invalid Json"},
      {R"({"Version":"2012-10-18","Statement":[]})", "Policy document must be version 2012-10-17 or greater."},
      {R"({"Version":"2012-10-17"})", "Syntax errors in policy."},
      {R"({"Version":"2012-10-17","Statement":[]})", "Syntax errors in policy."},
      {R"({"Statement":{"Effect":"Allow","Resource":"*"}})", "Policy statement must contain actions."},
      {R"({"Statement":{"Effect":"Allow","Action":"ec2:*"}})", "Policy statement must contain resources."},
      {R"({"Statement":{"Effect":"allow","Action":"ec2:*","Resource":"*"}})", "Invalid effect: allow"},
      {R"({"Statement":{"Effect":"Allow","Action":"stop","Resource":"*"}})",
       "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
      {R"({"Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"i-1"}})",
       "Resource i-1 must be in ARN format or \"*\"."},
      {R"({"Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*","Principal":"*"}})",
       "Policy document should not specify a principal."},
      {R"({"Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringMatches":{"a:b":"c"}}}})",
       "Invalid Condition type : StringMatches."},
      {R"({"Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*","Colour":"blue"}})",
       "Syntax errors in policy."},
      {R"({"Statement":[{"Sid":"a","Effect":"Allow","Action":"ec2:*","Resource":"*"},
                        {"Sid":"a","Effect":"Allow","Action":"ec2:*","Resource":"*"}]})",
       "Statement IDs (SID) in a single policy must be unique."},
  };
  for (const auto& [text, message] : cases) {
    const auto policy = parse_policy(text, PolicyUse::identity);
    ASSERT_FALSE(policy.has_value()) << text;
    EXPECT_EQ(policy.error().code, "MalformedPolicyDocument");
    EXPECT_EQ(policy.error().message, message) << text;
  }
}

TEST(Policy, TrustNeedsItsPrincipal) {
  const char* text = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
      "Principal":{"Service":["ec2.amazonaws.com"],"AWS":"000000000000"}}]})";
  const Policy policy = parse_policy(text, PolicyUse::trust).value();
  const PolicyRequest request{"sts:AssumeRole", "arn:aws:iam::000000000000:role/x", {}};
  EXPECT_EQ(evaluate_trust(policy, request, {{"Service", {"ec2.amazonaws.com"}}}).decision, Decision::allow);
  EXPECT_EQ(evaluate_trust(policy, request, {{"AWS", {"000000000000"}}}).decision, Decision::allow);
  EXPECT_EQ(evaluate_trust(policy, request, {{"Service", {"lambda.amazonaws.com"}}}).decision, Decision::implicit_deny);
  for (const char* bad :
       {R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}})",
        R"({"Statement":{"Effect":"Allow","Action":"ec2:*","Principal":"*"}})",
        R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*"}})"}) {
    EXPECT_FALSE(parse_policy(bad, PolicyUse::trust).has_value()) << bad;
  }
}

}  // namespace
}  // namespace parallax::sim
