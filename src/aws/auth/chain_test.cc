#include "aws/auth/chain.h"

#include <latch>
#include <thread>

#include <gtest/gtest.h>

#include "aws/auth/cache.h"
#include "aws/auth/test_files.h"
#include "aws/test_support.h"

namespace parallax::aws {
namespace {

using std::chrono::minutes;

// In everything secret; must be in no message.
constexpr std::string_view kHush = "hushhush";

struct World {
  testing::FakeClock clock;
  testing::FakeHttp http{clock};
  testing::HalfRng rng;
  testing::HomeFiles files;
  testing::TestEnvironment environment;
  std::vector<std::vector<std::string>> commands;
  Result<std::string> printed = std::string("{}");
  std::stop_source stop;
  SettingsOptions options;
  std::unique_ptr<CredentialProvider> provider;

  World& set(const std::string& name, const std::string& value) {
    environment.variables[name] = value;
    return *this;
  }

  World& config(std::string text) {
    files.content["/home/u/.aws/config"] = std::move(text);
    return *this;
  }

  CredentialProvider& chain() {
    if (provider == nullptr) {
      const Settings settings = load_settings(environment.reader(), files, options).value();
      const RunProcess run = [this](const std::vector<std::string>& argv, Micros /*limit*/, std::stop_token /*stop*/) {
        commands.push_back(argv);
        return printed;
      };
      provider = make_credential_chain({environment.reader(), files, http, clock, rng, run}, settings);
    }
    return *provider;
  }

  Result<Credentials> ask(Micros limit = Seconds(60)) {
    Result<Credentials> found = chain().credentials(clock.monotonic() + limit, stop.get_token());
    if (!found) {
      EXPECT_EQ(found.error().text().find(kHush), std::string::npos) << found.error().text();
    }
    EXPECT_EQ(chain().source().find(kHush), std::string::npos);
    return found;
  }

  std::string id(Micros limit = Seconds(60)) {
    const Result<Credentials> found = ask(limit);
    return found ? found->access_key_id : "error: " + found.error().text();
  }

  std::string in(Micros time) const { return to_iso8601_seconds(clock.now() + time); }

  std::string sts(const std::string& name, Micros lasts, const std::string& operation = "AssumeRole") const {
    return "<R><" + operation + "Result><Credentials><AccessKeyId>" + name +
           "</AccessKeyId><SecretAccessKey>hushhush</SecretAccessKey><SessionToken>hushhushtok</"
           "SessionToken><Expiration>" +
           in(lasts) +
           "</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn>"
           "</AssumedRoleUser></" +
           operation + "Result></R>";
  }

  std::string metadata(const std::string& name, Micros lasts) const {
    return Json::object({{"Code", "Success"},
                         {"AccessKeyId", name},
                         {"SecretAccessKey", "hushhush"},
                         {"Token", "hushhushtok"},
                         {"Expiration", in(lasts)}})
        .dump();
  }

  World& container(const std::string& name, Micros lasts) {
    http.then([=, this](const http::Request&) { return testing::FakeHttp::answer_of(200, metadata(name, lasts)); });
    return *this;
  }
};

void use_container(World& world) {
  world.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/keys");
}

constexpr std::string_view kRole =
    "[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = s\nexternal_id = ext\n"
    "[profile s]\naws_access_key_id = AKIAS\naws_secret_access_key = hushhush\n";

TEST(CredentialChain, PrefersTheEnvironmentUnlessAProfileWasAskedFor) {
  World world;
  world.set("AWS_ACCESS_KEY_ID", "AKIAENV").set("AWS_SECRET_ACCESS_KEY", "hushhush").set("AWS_PROFILE", "s");
  world.config(std::string(kRole));
  EXPECT_EQ(world.id(), "AKIAENV");
  EXPECT_EQ(world.chain().source(), "environment");
  World asked;
  asked.set("AWS_ACCESS_KEY_ID", "AKIAENV").set("AWS_SECRET_ACCESS_KEY", "hushhush").config(std::string(kRole));
  asked.options.profile = "s";
  EXPECT_EQ(asked.id(), "AKIAS");
  EXPECT_EQ(asked.chain().source(), "profile s in /home/u/.aws/config");
}

TEST(CredentialChain, SaysWhereItLooked) {
  World world;
  world.set("AWS_EC2_METADATA_DISABLED", "true");
  const Error error = world.ask().error();
  EXPECT_EQ(error.kind, ErrorKind::denied);
  EXPECT_EQ(error.code, "no-credentials");
  EXPECT_EQ(
      error.message,
      "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary "
      "ones), or a profile (AWS_ACCESS_KEY_ID is not set; /home/u/.aws/credentials has no keys of profile default; "
      "/home/u/.aws/config has no keys of profile default; there is no container endpoint; the instance metadata "
      "service is disabled (AWS_EC2_METADATA_DISABLED))");
}

TEST(CredentialChain, RefusesHalfAPairAndWhatWouldEndAHeader) {
  World half;
  half.set("AWS_ACCESS_KEY_ID", "AKIAENV");
  EXPECT_EQ(half.id(), "error: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not: set both");
  World broken;
  broken.set("AWS_ACCESS_KEY_ID", "AKIAENV").set("AWS_SECRET_ACCESS_KEY", "hushhush\nX-Evil: 1");
  EXPECT_EQ(broken.ask().error().kind, ErrorKind::invalid);
}

TEST(CredentialChain, AssumesARoleWithTheKeysOfItsSource) {
  World world;
  world.config(std::string(kRole)).options.profile = "r";
  world.set("AWS_REGION", "eu-west-3").http.answer(200, world.sts("ASIAR", Seconds(3600)));
  EXPECT_EQ(world.id(), "ASIAR");
  EXPECT_EQ(world.chain().source(), "profile r (assume role arn:aws:iam::1:role/r)");
  const http::Request& request = world.http.requests.at(0);
  EXPECT_EQ(request.url, "https://sts.eu-west-3.amazonaws.com/");
  EXPECT_NE(request.headers.get("Authorization").find("Credential=AKIAS/20261122/eu-west-3/sts/"), std::string::npos);
  EXPECT_NE(request.body.find("ExternalId=ext"), std::string::npos);
  EXPECT_NE(request.body.find("RoleSessionName=parallax-"), std::string::npos);
  EXPECT_EQ(world.id(), "ASIAR");
  EXPECT_TRUE(world.http.is_done());
}

TEST(CredentialChain, KeepsRolesWhereTheCliDoes) {
  World world;
  world.config(std::string(kRole)).options.profile = "r";
  world.http.answer(200, world.sts("ASIAR", Seconds(3600)));
  EXPECT_EQ(world.id(), "ASIAR");
  // sha1('{"ExternalId": "ext", "RoleArn": "arn:aws:iam::1:role/r"}')
  const std::string path =
      "/home/u/.aws/cli/cache/" +
      cache_key(Json::object({{"RoleArn", "arn:aws:iam::1:role/r"}, {"ExternalId", "ext"}}), PythonJson::spaced) +
      ".json";
  ASSERT_TRUE(world.files.content.contains(path));
  EXPECT_EQ(world.files.modes.at(path), 0600U);
  world.provider.reset();
  EXPECT_EQ(world.id(), "ASIAR") << "without a request";
  world.clock.time += minutes(46);
  world.provider.reset();
  world.http.answer(200, world.sts("ASIANEW", Seconds(3600)));
  EXPECT_EQ(world.id(), "ASIANEW") << "less than 15 minutes are left in the cache";
}

TEST(CredentialChain, WorksWithoutACacheToWriteTo) {
  World world;
  world.config(std::string(kRole)).options.profile = "r";
  world.files.is_read_only = true;
  world.http.answer(200, world.sts("ASIAR", Seconds(3600)));
  EXPECT_EQ(world.id(), "ASIAR");
}

TEST(CredentialChain, WritesJsonAsPythonDoes) {
  const Json object = Json::object({{"b", "\"\\\n\x7F\xC3\xA4\xF0\x9F\x98\x80"}, {"a", 1800}});
  EXPECT_EQ(python_json(object, PythonJson::spaced), R"({"a": 1800, "b": "\"\\\n\u007f\u00e4\ud83d\ude00"})");
  EXPECT_EQ(python_json(object, PythonJson::compact), R"({"a":1800,"b":"\"\\\n\u007f\u00e4\ud83d\ude00"})");
}

TEST(CredentialChain, FindsACircleOfProfiles) {
  World world;
  world.config(
      "[profile r]\nrole_arn = x\nsource_profile = s\n[profile s]\nrole_arn = y\nsource_profile = t\n"
      "[profile t]\nrole_arn = z\nsource_profile = s\n");
  world.options.profile = "r";
  EXPECT_EQ(world.ask().error().message, "the source_profiles of r go round in a circle: r -> s -> t -> s");
  World self;
  self.config("[profile r]\nrole_arn = x\nsource_profile = r\n").options.profile = "r";
  EXPECT_EQ(self.ask().error().message, "the source_profiles of r go round in a circle: r -> r");
}

TEST(CredentialChain, SaysHowToGetPastAOneTimeCode) {
  World world;
  world.config(
      "[profile r]\nrole_arn = x\nsource_profile = s\nmfa_serial = arn:mfa\n[profile s]\naws_access_key_id = A\n"
      "aws_secret_access_key = hushhush\n");
  world.options.profile = "r";
  EXPECT_EQ(world.ask().error().message,
            "profile r asks for a one-time code (mfa_serial arn:mfa), which we cannot ask for; run 'aws sts "
            "get-caller-identity --profile r' first: its answer is kept in ~/.aws/cli/cache, where we find it");
}

TEST(CredentialChain, RepeatsWhatStsFailedToDoAndStopsAtARefusal) {
  World world;
  world.config(std::string(kRole)).options.profile = "r";
  world.http.answer(503, "").answer(200, world.sts("ASIAR", Seconds(3600)));
  EXPECT_EQ(world.id(), "ASIAR");
  World denied;
  denied.config(std::string(kRole)).options.profile = "r";
  denied.http.answer(403,
                     "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not hushhush you</Message></Error>"
                     "</ErrorResponse>");
  const Error error = denied.ask().error();
  EXPECT_EQ(error.code, "AccessDenied");
  EXPECT_TRUE(denied.http.is_done());
}

TEST(CredentialChain, SendsTheWebIdentityTokenUnsignedAndReadsItAnew) {
  World world;
  world.set("AWS_WEB_IDENTITY_TOKEN_FILE", "/token").set("AWS_ROLE_ARN", "arn:aws-cn:iam::1:role/w");
  world.files.content["/token"] = "hushhushone\n";
  world.files.is_read_only = true;
  world.http.answer(200, world.sts("ASIAW1", Seconds(3600), "AssumeRoleWithWebIdentity"));
  EXPECT_EQ(world.id(), "ASIAW1");
  EXPECT_EQ(world.http.requests.at(0).url, "https://sts.cn-northwest-1.amazonaws.com.cn/") << "the role's partition";
  EXPECT_EQ(world.http.requests.at(0).headers.find("Authorization"), nullptr);
  EXPECT_TRUE(world.http.requests.at(0).body.find("WebIdentityToken=hushhushone") != std::string::npos);
  world.files.content["/token"] = "hushhushtwo";
  world.clock.time += minutes(55);
  world.http.answer(200, world.sts("ASIAW2", Seconds(3600), "AssumeRoleWithWebIdentity"));
  EXPECT_EQ(world.id(), "ASIAW2");
  EXPECT_TRUE(world.http.requests.at(1).body.find("hushhushtwo") != std::string::npos);
}

TEST(CredentialChain, RunsACredentialProcess) {
  World world;
  world.config("[default]\ncredential_process = \"/opt/my keys\" --for 'a b'\n");
  world.printed = std::string(R"({"Version":1,"AccessKeyId":"AKIAP","SecretAccessKey":"hushhush"})");
  EXPECT_EQ(world.id(), "AKIAP");
  EXPECT_EQ(world.commands.at(0), (std::vector<std::string>{"/opt/my keys", "--for", "a b"}));
  EXPECT_EQ(world.chain().source(), "credential_process of profile default");
  for (const char* bad : {"hushhush", "[]", "{}", R"({"Version":2,"AccessKeyId":"hushhush"})",
                          R"({"Version":1,"AccessKeyId":"hushhush"})",
                          R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"B","Expiration":"hushhush"})"}) {
    world.provider.reset();
    world.printed = std::string(bad);
    EXPECT_EQ(world.ask().error().kind, ErrorKind::unavailable) << bad;
  }
}

TEST(CredentialChain, SendsKeysOfAContainerNowhereElse) {
  for (const char* url : {"http://192.0.2.1/k", "http://127.evil.example/k", "http://localhost.evil.example/",
                          "http://169.254.169.254/k"}) {
    World world;
    world.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    EXPECT_EQ(world.ask().error().kind, ErrorKind::invalid) << url;
  }
  for (const char* url : {"http://127.0.0.1:1/k", "http://[::1]/k", "http://localhost/k", "http://169.254.170.23/v1",
                          "http://[fd00:ec2::23]/v1", "https://keys.example/k"}) {
    World world;
    world.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url).container("ASIAC", Seconds(7200));
    EXPECT_EQ(world.id(), "ASIAC") << url;
  }
  World relative;
  relative.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x?id=1").container("ASIAC", Seconds(7200));
  EXPECT_EQ(relative.id(), "ASIAC");
  EXPECT_EQ(relative.http.requests.at(0).url, "http://169.254.170.2/v2/x?id=1");
}

TEST(CredentialChain, AuthorizesAtTheContainerEndpoint) {
  World world;
  use_container(world);
  world.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hushhushenv").set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t");
  world.files.content["/t"] = "hushhushfile";
  world.container("ASIAC", Seconds(7200));
  EXPECT_EQ(world.id(), "ASIAC");
  EXPECT_EQ(world.http.requests.at(0).headers.get("Authorization"), "hushhushfile");
  world.files.content["/t"] = "hushhush\r\nX-Evil: 1";
  world.provider.reset();
  EXPECT_EQ(world.ask().error().message,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE holds a line end or control character");
}

TEST(CredentialChain, AsksAContainerThreeTimes) {
  World world;
  use_container(world);
  world.http.answer(500, "hushhush")
      .fail(http::Phase::connect, ErrorKind::unavailable, "connect-refused")
      .answer(200, "hushhush");
  EXPECT_EQ(world.ask().error().message, "container endpoint 127.0.0.1:1 answered with what is no JSON");
  EXPECT_TRUE(world.http.is_done());
  EXPECT_EQ(world.clock.waits, (std::vector<Micros>{Seconds(1), Seconds(1)}));
}

TEST(CredentialChain, AsksTheInstanceByVersionTwoAndElseByOne) {
  World world;
  world.http.answer(200, "session").answer(200, "fleet").answer(200, world.metadata("ASIAI", Seconds(7200)));
  EXPECT_EQ(world.id(), "ASIAI");
  EXPECT_EQ(world.chain().source(), "IMDSv2 role fleet");
  EXPECT_EQ(world.http.requests.at(0).method, "PUT");
  EXPECT_EQ(world.http.requests.at(2).url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/fleet");
  EXPECT_EQ(world.http.requests.at(2).headers.get("x-aws-ec2-metadata-token"), "session");
  EXPECT_EQ(world.http.sent.at(0).limits.total, Seconds(1));
  World old;
  old.http.answer(404, "").answer(200, "fleet").answer(200, old.metadata("ASIAI", Seconds(7200)));
  EXPECT_EQ(old.id(), "ASIAI");
  EXPECT_EQ(old.chain().source(), "IMDSv1 role fleet");
  World strict;
  strict.set("AWS_EC2_METADATA_V1_DISABLED", "true").http.answer(404, "");
  EXPECT_EQ(strict.ask().error().code, "credentials-unavailable");
}

TEST(CredentialChain, GoesOnWhenThereIsNoInstance) {
  World world;
  world.http.fail(http::Phase::connect, ErrorKind::timeout, "timeout");
  world.http.fail(http::Phase::connect, ErrorKind::timeout, "timeout");
  EXPECT_EQ(world.ask().error().code, "no-credentials");
  World untrusted;
  untrusted.http.answer(200, "s").answer(200, "fleet").answer(200, R"({"Code":"Unauthorized","Message":"no trust"})");
  EXPECT_NE(untrusted.ask().error().message.find("says for role fleet: Unauthorized no trust"), std::string::npos);
}

TEST(CredentialChain, UsesOldKeysOfAnInstanceWhileThereAreNoNewOnes) {
  World world;
  world.http.answer(200, "s").answer(200, "fleet").answer(200, world.metadata("ASIAOLD", -minutes(30)));
  const Result<Credentials> found = world.ask();
  ASSERT_TRUE(found.has_value());
  // 15 minutes and half of the way from 2 to 10.
  EXPECT_EQ(*found->expires, world.clock.now() + minutes(21));
}

TEST(CredentialRefresh, TriesEarlyAndMustLate) {
  World world;
  use_container(world);
  world.container("ASIA1", minutes(60));
  EXPECT_EQ(world.id(), "ASIA1");
  world.clock.time += minutes(44);
  EXPECT_EQ(world.id(), "ASIA1") << "more than 15 minutes are left";
  world.clock.time += minutes(3);
  world.http.answer(500, "").answer(500, "").answer(500, "");
  EXPECT_EQ(world.id(), "ASIA1") << "13 minutes are left: a failure is tolerated";
  EXPECT_EQ(world.id(), "ASIA1") << "and not repeated at once";
  EXPECT_TRUE(world.http.is_done());
  world.clock.time += minutes(4);
  world.http.answer(500, "").answer(500, "").answer(500, "");
  EXPECT_FALSE(world.ask().has_value()) << "9 minutes are left: there must be new ones";
  world.container("ASIA2", minutes(60));
  EXPECT_EQ(world.id(), "ASIA2");
}

TEST(CredentialRefresh, RefusesKeysThatHaveEndedAlready) {
  World world;
  use_container(world);
  world.container("ASIA1", Seconds(-1));
  EXPECT_EQ(world.ask().error().message, "container endpoint 127.0.0.1:1: the credentials have expired already");
}

TEST(CredentialRefresh, LetsOthersGoOnWithWhatThereIs) {
  World world;
  use_container(world);
  world.container("ASIA1", minutes(60));
  EXPECT_EQ(world.id(), "ASIA1");
  world.clock.time += minutes(47);
  std::string others;
  world.http.then([&](const http::Request&) {
    others = world.id();  // while the refresh is under way
    return testing::FakeHttp::answer_of(200, world.metadata("ASIA2", minutes(60)));
  });
  EXPECT_EQ(world.id(), "ASIA2");
  EXPECT_EQ(others, "ASIA1");
}

TEST(CredentialRefresh, MakesOthersWaitForTheFirstOnesUntilTheirDeadline) {
  World world;
  use_container(world);
  std::string others;
  world.http.then([&](const http::Request&) {
    others = world.id(Seconds(1));
    return testing::FakeHttp::answer_of(200, world.metadata("ASIA1", minutes(60)));
  });
  EXPECT_EQ(world.id(), "ASIA1");
  EXPECT_EQ(others, "error: the deadline passed while another task fetched credentials");
}

TEST(CredentialRefresh, IsOneAtATimeAndServesAllWhoWait) {
  World world;
  use_container(world);
  constexpr int kOthers = 4;
  std::latch started(kOthers);
  world.http.then([&](const http::Request&) {
    started.wait();
    return testing::FakeHttp::answer_of(200, world.metadata("ASIA1", minutes(600)));
  });
  const std::unique_ptr<Clock> clock = make_system_clock();
  const Settings settings = load_settings(world.environment.reader(), world.files, {}).value();
  world.provider =
      make_credential_chain({world.environment.reader(), world.files, world.http, *clock, world.rng, {}}, settings);
  world.clock.start = clock->now();
  const auto ask = [&] {
    return world.provider->credentials(clock->monotonic() + Seconds(60), {}).value().access_key_id;
  };
  std::vector<std::string> ids(kOthers);
  std::vector<std::jthread> tasks;
  for (std::string& id : ids) {
    tasks.emplace_back([&] {
      started.count_down();
      id = ask();
    });
  }
  EXPECT_EQ(ask(), "ASIA1");
  tasks.clear();
  EXPECT_EQ(ids, std::vector<std::string>(kOthers, "ASIA1"));
  EXPECT_EQ(world.http.requests.size(), 1U);
}

TEST(CredentialRefresh, FetchesAnewWhatAServiceCallsExpiredPastTheCache) {
  World world;
  world.config(std::string(kRole)).options.profile = "r";
  world.http.answer(200, world.sts("ASIA1", Seconds(3600)));
  const Credentials first = world.ask().value();
  world.chain().invalidate({"ASIAOTHER", "", "", std::nullopt});
  EXPECT_EQ(world.id(), "ASIA1");
  world.chain().invalidate(first);
  world.http.answer(200, world.sts("ASIA2", Seconds(3600)));
  EXPECT_EQ(world.id(), "ASIA2");
  world.chain().invalidate(first);
  EXPECT_EQ(world.id(), "ASIA2") << "somebody else's late complaint";
}

TEST(CredentialRefresh, StopsWhenToldTo) {
  World world;
  use_container(world);
  world.http.answer(500, "");
  world.stop.request_stop();
  EXPECT_EQ(world.ask().error().kind, ErrorKind::cancelled);
}

// --- SSO ---

constexpr std::string_view kSso =
    "[profile p]\nsso_session = corp\nsso_role_name = reader\nsso_account_id = 123456789012\n"
    "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n";
// sha1("corp")
constexpr std::string_view kTokenFile = "/home/u/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

struct SsoWorld : World {
  explicit SsoWorld(Micros token_lasts, bool refreshable = false) {
    config(std::string(kSso)).options.profile = "p";
    Json token = Json::object({{"accessToken", "hushhushsso"}, {"expiresAt", in(token_lasts)}});
    if (refreshable) {
      token.set("refreshToken", "hushhushrefresh");
      token.set("clientId", "client");
      token.set("clientSecret", "hushhushclient");
      token.set("registrationExpiresAt", in(minutes(600)));
    }
    files.content[path] = token.dump();
  }

  void answer_keys() {
    http.then([this](const http::Request&) {
      return testing::FakeHttp::answer_of(
          200, R"({"roleCredentials":{"accessKeyId":"ASIAS","secretAccessKey":"hushhush","sessionToken":"hushhush",)"
               R"("expiration":)" +
                   std::to_string((clock.now() + minutes(60)).time_since_epoch().count() / 1000) + "}}");
    });
  }

  const std::string path{kTokenFile};
};

TEST(Sso, ExchangesTheTokenForKeys) {
  SsoWorld world(minutes(300));
  world.answer_keys();
  EXPECT_EQ(world.id(), "ASIAS");
  const http::Request& request = world.http.requests.at(0);
  EXPECT_EQ(
      request.url,
      "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=reader&account_id=123456789012");
  EXPECT_EQ(request.headers.get("x-amz-sso_bearer_token"), "hushhushsso");
  EXPECT_EQ(world.chain().source(), "SSO (profile p, role reader in account 123456789012)");
}

TEST(Sso, RefreshesATokenThatEndsSoonAndKeepsIt) {
  SsoWorld world(minutes(5), true);
  world.http.answer(200, R"({"accessToken":"hushhushnew","expiresIn":3600,"refreshToken":"hushhushnext"})");
  world.answer_keys();
  EXPECT_EQ(world.id(), "ASIAS");
  EXPECT_EQ(world.http.requests.at(0).url, "https://oidc.eu-west-1.amazonaws.com/token");
  EXPECT_EQ(world.http.requests.at(1).headers.get("x-amz-sso_bearer_token"), "hushhushnew");
  const Json kept = parse_json(world.files.content.at(world.path)).value();
  EXPECT_EQ(kept.text("accessToken"), "hushhushnew");
  EXPECT_EQ(kept.text("refreshToken"), "hushhushnext");
  EXPECT_EQ(world.files.modes.at(world.path), 0600U);
}

TEST(Sso, UsesTheOldTokenWhenARefreshIsRefused) {
  SsoWorld world(minutes(5), true);
  world.http.answer(400, R"({"error":"hushhush"})");
  world.answer_keys();
  EXPECT_EQ(world.id(), "ASIAS");
}

TEST(Sso, SaysToLogIn) {
  SsoWorld expired(-minutes(5));
  EXPECT_EQ(expired.id(), "error: the SSO token has expired: run 'aws sso login --profile p' (for profile p)");
  SsoWorld refused(minutes(300));
  refused.http.answer(401, "hushhush", {{"x-amzn-errortype", "UnauthorizedException"}});
  EXPECT_EQ(refused.id(),
            "error: the SSO token is not accepted any more: run 'aws sso login --profile p' (for profile p)");
  SsoWorld absent(minutes(300));
  absent.files.remove(absent.path).value();
  EXPECT_EQ(absent.id(), "error: there is no SSO token for corp: run 'aws sso login --profile p' (for profile p)");
}

TEST(Sso, NamesWhatTheProfileLacks) {
  World world;
  world.config("[profile p]\nsso_role_name = reader\nsso_region = eu-west-1\n").options.profile = "p";
  EXPECT_EQ(world.id(), "error: profile p uses SSO but lacks sso_account_id, sso_start_url");
}

TEST(Expiration, IsReadInEveryFormThatToolsWrite) {
  const std::pair<std::string, std::string> kRows[] = {
      {"2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"},       {"2026-11-22T10:00:00UTC", "2026-11-22T10:00:00Z"},
      {"2026-11-22T10:00:00+00:00", "2026-11-22T10:00:00Z"},  {"2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00Z"},
      {"2026-11-22T10:00:00.5-0330", "2026-11-22T13:30:00Z"}, {"2026-11-22 10:00:00", "2026-11-22T10:00:00Z"},
  };
  for (const auto& [text, expected] : kRows) {
    const Result<Instant> instant = parse_expiration(text);
    ASSERT_TRUE(instant.has_value()) << text;
    EXPECT_EQ(to_iso8601_seconds(*instant), expected) << text;
  }
  EXPECT_FALSE(parse_expiration("tomorrow").has_value());
}

}  // namespace
}  // namespace parallax::aws
