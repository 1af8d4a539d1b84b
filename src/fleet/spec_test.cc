#include "fleet/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parallax::fleet {
namespace {

using ::testing::HasSubstr;

// Made by ssh-keygen for this test; their private keys were thrown away.
constexpr const char* kRsa1024 =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCtWfNMuR6TIHnrC3qfUxSMGOuQbtb8/5IN63d9GcAa40/sm3A6hz5aB9mBVxyK"
    "9Skerr2ARblKKTks6RLwslVL7wG2zoiFhsEzzynSyskEXeU5r+T8q0nQLq+2HQWuW+gtiuvXZJ2d2m00TL8Nne9+Wjozc/tTattf"
    "1zgvBO0SGw==";
constexpr const char* kRsa2048 =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDorbyl3pcE0Ij+W+e2u1bkstoZylJTRio1O6qIfPPl7PHRbuJa1qnGAAkM7W4c"
    "LP31d1rJDJif99R3Wy0AAIL9/WjotJJ7J+jG1JvZn/wL1J7M1jUoDVdgG5Rlef0jHde5Cd3UbgfiE5xlJQpBOQykrHSs6uMJyVhv"
    "n2i7CUv4Gnciut/vN9yH7pf6+OvVmY1CQDSsPufJkNPGSCbuKUEK2PFB6yUCS4OzeX1pUradnOh2WYs24INk8hNVFZ8Np7F+lag3"
    "5YXzYK6VgrOB2VXWMLxrF0aViv10suXUubD4lOo+pxTX5jMboRKVSVSsffmYr9ywpC22FG6yTJ5iW3Df";
constexpr const char* kRsa3072 =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCxh/nSj9/0Vt7CqBZ83eTHbWQcKhj42gKXKY4a2EwmTKltTx+0096QTHhOobec"
    "ZFMjzUWRgpcmnERfjT3DvgeCKEkbJKzB/RYyFW6ZPkTWYtc1dD7SwXWHETi8aG2UIbrR/ew4xo0lihNoJtytoyopG1HDgVYr/4Zo"
    "5bOEBlRaRX31LKSiJNPQZvoJ+mJHOuao0lAe5mJcFi7P+q54gRmncW/CMQZpszxzikOSufdKNP4UbRNLJnD/2UQCpJjJudAq/XmR"
    "A8J+nLguShGbn6gv/B5X6EgWB4n40F/0ajogLagfpmqO7LgJnnGOVZ/F3EHAT444C9HSq83uP2uAymNB8grsyTd1Xb1FVTYgYKBl"
    "oUP9FQ5PWRYPLk122k/AXaDlZJg31BDIg9tmIpip83m924e1ryW44We8ivR6DzGAOA5TT8Cm8Pt6WZNt/GcW39/eEG3s8KdOPpXF"
    "wGjf7ejV+PepOfyHE8tbK0bFW749dV7QkegkGmXyEfkOu8bvis0=";
constexpr const char* kEd25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIER81L77cu0vc0KBWwktlqXCdu35074SZAYjvyPuOR2p";

struct KeyRow {
  const char* line;
  const char* type;
  const char* digest;       // ssh-keygen -l
  const char* fingerprint;  // ssh-keygen -e -m PKCS8 | openssl pkey -pubin -outform DER | openssl md5 -c
};

class PublicKey : public ::testing::TestWithParam<KeyRow> {};

TEST_P(PublicKey, HasTheDigestOfSshKeygenAndTheFingerprintOfEc2) {
  const Result<KeySpec> key = parse_public_key(std::string(GetParam().line) + " somebody@host\n", "NAVO");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->name, "NAVO");
  EXPECT_EQ(key->type, GetParam().type);
  EXPECT_EQ(key->material, GetParam().line);
  EXPECT_EQ(key->digest, GetParam().digest);
  EXPECT_EQ(imported_fingerprint(*key).value_or("none"), GetParam().fingerprint);
}

INSTANTIATE_TEST_SUITE_P(Types, PublicKey,
                         ::testing::Values(KeyRow{kRsa1024, "rsa", "SHA256:ZYgotaG6ih52/SXK+KTbwEMs3RY5ewCI3pK21hftuSg",
                                                  "42:af:7d:0e:0c:bf:b5:33:52:1e:a1:b9:da:8f:ea:26"},
                                           KeyRow{kRsa2048, "rsa", "SHA256:loXobTSEBko+/OlLo2srQyJqnBqh1oRLFeLlmquE6+I",
                                                  "f2:58:7b:41:eb:92:a3:de:f7:61:37:07:f9:61:cc:bd"},
                                           KeyRow{kEd25519, "ed25519",
                                                  "SHA256:O9Oh4+HiO+6Uj4PbsuOwEOcW/x84CxKnalco0IiGSUs",
                                                  "O9Oh4+HiO+6Uj4PbsuOwEOcW/x84CxKnalco0IiGSUs="}));

std::string complaint(std::string_view line) {
  const Result<KeySpec> key = parse_public_key(line, "NAVO");
  return key ? "" : key.error().message;
}

TEST(PublicKeyLine, IsRefusedWithTheReason) {
  EXPECT_EQ(complaint(kRsa3072), "EC2 takes RSA keys of 1024, 2048 and 4096 bits, this one has 3072");
  EXPECT_EQ(complaint("ecdsa-sha2-nistp256 AAAA"),
            "EC2 takes keys of the types ssh-rsa and ssh-ed25519, not 'ecdsa-sha2-nistp256'");
  EXPECT_THAT(complaint(""), HasSubstr("a public key is one line"));
  EXPECT_THAT(complaint("ssh-rsa"), HasSubstr("does not hold a key"));
  EXPECT_THAT(complaint("ssh-rsa A*AA"), HasSubstr("damaged"));
  EXPECT_THAT(complaint("ssh-rsa" + std::string(kEd25519).substr(11)),
              HasSubstr("does not hold a key of the type ssh-rsa"));
  EXPECT_THAT(complaint("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIER81L77"), HasSubstr("the ED25519 key is damaged"));
  EXPECT_THAT(complaint("ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB"), HasSubstr("the RSA key is damaged"));
  EXPECT_THAT(complaint(std::string(20'000, 'a')), HasSubstr("at most 16384 bytes"));
}

TEST(PublicKeyLine, IsToldToBeAPrivateKeyWithoutShowingIt) {
  const std::string said = complaint("-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET\n-----END OPENSSH PRIVATE KEY-----");
  EXPECT_THAT(said, HasSubstr("this is a private key"));
  EXPECT_EQ(said.find("SECRET"), std::string::npos);
}

TEST(BootTimer, HoldsALineThatIsTheShutdownAlone) {
  const std::string script = boot_user_data(Seconds(20 * 60));
  EXPECT_EQ(script.substr(0, 27), "#cloud-boothook\n#!/bin/sh\n#");
  EXPECT_THAT(script, HasSubstr("\nshutdown -P +20\n"));
  EXPECT_THAT(script, HasSubstr("\nBefore=amazon-ssm-agent.service snap.amazon-ssm-agent.amazon-ssm-agent.service\n"));
  EXPECT_THAT(script, HasSubstr("\nAfter=dbus.service systemd-logind.service\n"));
  EXPECT_LT(script.size(), 16'384U);
}

TEST(BootTimer, CountsWholeMinutesUpwardsAndNeverNone) {
  EXPECT_THAT(boot_user_data(Seconds(61)), HasSubstr("\nshutdown -P +2\n"));
  EXPECT_THAT(boot_user_data(Micros(0)), HasSubstr("\nshutdown -P +1\n"));
}

TEST(BootTimer, HasAVersionForEachText) {
  EXPECT_NE(boot_timer_version(Seconds(1200)), boot_timer_version(Seconds(1260)));
  EXPECT_EQ(boot_timer_version(Seconds(1200)), boot_timer_version(Seconds(1199)));
  EXPECT_THAT(boot_timer_version(Seconds(1200)), HasSubstr("20m-"));
}

TEST(ImageSpec, KnowsTheParameterOfAStockImage) {
  ImageSpec image;
  EXPECT_EQ(image.parameter(), "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64");
  image.name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id";
  EXPECT_EQ(image.parameter(), image.name);
  image.kind = ImageSpec::Kind::copy;
  EXPECT_EQ(image.parameter(), "");
}

struct ArchitectureRow {
  const char* type;
  const char* architecture;
};

class Architecture : public ::testing::TestWithParam<ArchitectureRow> {};

TEST_P(Architecture, IsToldByTheNameOfTheType) {
  EXPECT_EQ(architecture_of(GetParam().type), GetParam().architecture);
}

INSTANTIATE_TEST_SUITE_P(
    Types, Architecture,
    ::testing::Values(ArchitectureRow{"t3.micro", "x86_64"}, ArchitectureRow{"g4dn.xlarge", "x86_64"},
                      ArchitectureRow{"m7i-flex.large", "x86_64"}, ArchitectureRow{"u-6tb1.112xlarge", "x86_64"},
                      ArchitectureRow{"t4g.micro", "arm64"}, ArchitectureRow{"c7gn.large", "arm64"},
                      ArchitectureRow{"is4gen.xlarge", "arm64"}, ArchitectureRow{"g5g.xlarge", "arm64"},
                      ArchitectureRow{"a1.medium", "arm64"}, ArchitectureRow{"mac2.metal", ""},
                      ArchitectureRow{"t4g", ""}, ArchitectureRow{"large.t4g", ""}, ArchitectureRow{"", ""}));

TEST(Spec, TakesTheStockImageOfTheFirstTypesArchitecture) {
  Spec spec;
  spec.instance_types = {"t4g.micro", "t3.micro"};
  EXPECT_EQ(spec.stock_parameter(), "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64");
  spec.instance_types = {"t3.micro", "t4g.micro"};
  EXPECT_EQ(spec.stock_parameter(), "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64");
  spec.image.name = "/own/image";
  EXPECT_EQ(spec.stock_parameter(), "/own/image");
}

TEST(Spec, HasAFormThatLeavesTheOrderOfRegionsAndMoneyOut) {
  Spec spec;
  spec.fleet = "NAVO";
  spec.regions = {"us-west-2", "eu-west-3"};
  Spec other = spec;
  other.regions = {"eu-west-3", "us-west-2"};
  other.budget_usd_per_month = 5;
  other.rounds_per_day = 24;
  EXPECT_EQ(to_json(spec).canonical(), to_json(other).canonical());
  other.boot_timer = Seconds(3600);
  EXPECT_NE(to_json(spec).canonical(), to_json(other).canonical());
}

TEST(Spec, NamesWhatIamHoldsAfterTheFleetAsIamTakesIt) {
  EXPECT_EQ(our_profile("NAVO"), "parallax-NAVO");
  EXPECT_EQ(scheduler_role("NAVO"), "parallax.scheduler-NAVO");
  EXPECT_NE(our_profile("scheduler-NAVO"), scheduler_role("NAVO"));
  // Not the same name for what differs in a character that IAM does not take, or beyond its 64.
  EXPECT_TRUE(our_profile("my fleet").starts_with("parallax-my-fleet-"));
  EXPECT_NE(our_profile("my fleet"), our_profile("my/fleet"));
  const std::string name(100, 'N');
  EXPECT_EQ(our_profile(name).size(), 64U);
  EXPECT_NE(our_profile(name), our_profile(name + "N"));
  EXPECT_EQ(scheduler_role(name).size(), 64U);
}

}  // namespace
}  // namespace parallax::fleet
