#include "sim/cloud/endpoint.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/hash.h"
#include "sim/cloud/test_clock.h"
#include "sim/cloud/wire.h"

namespace parallax::sim {
namespace {

using testing::HasSubstr;

// A signer for tests, written out for one shape of request: headers host and x-amz-date.
http::Request signed_request(const std::string& service, const std::string& body, Instant now,
                             const std::string& target = "") {
  std::string date = to_iso8601_seconds(now);
  std::erase_if(date, [](char c) { return c == '-' || c == ':'; });
  http::Request request;
  request.method = "POST";
  request.url = "/";
  request.body = body;
  request.headers.set("Host", "localhost:4566");
  request.headers.set("X-Amz-Date", date);
  std::string names = "host;x-amz-date";
  std::string headers = "host:localhost:4566\nx-amz-date:" + date + "\n";
  if (!target.empty()) {
    request.headers.set("X-Amz-Target", target);
    names += ";x-amz-target";
    headers += "x-amz-target:" + target + "\n";
  }
  const std::string canonical = "POST\n/\n\n" + headers + "\n" + names + "\n" + sha256_hex(body);
  const std::string scope = date.substr(0, 8) + "/us-west-2/" + service + "/aws4_request";
  const std::string text = "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + sha256_hex(canonical);
  Sha256 key = hmac_sha256("AWS4" + std::string(kSimulatedSecret), date.substr(0, 8));
  for (const std::string& part : {std::string("us-west-2"), service, std::string("aws4_request")}) {
    key = hmac_sha256(bytes_of(key), part);
  }
  request.headers.set("Authorization", "AWS4-HMAC-SHA256 Credential=" + std::string(kSimulatedAccessKey) + "/" + scope +
                                           ", SignedHeaders=" + names +
                                           ", Signature=" + to_hex(bytes_of(hmac_sha256(bytes_of(key), text))));
  return request;
}

class EndpointTest : public testing::Test {
 protected:
  EndpointTest() : rng_(5), cloud_({}, clock_, rng_), endpoint_(cloud_, clock_, options()) {}

  EndpointOptions options() {
    return EndpointOptions{true, [this](const std::string& line) { log_ += line + "\n"; }};
  }

  http::Response ec2(const std::string& action, const std::string& more = "") {
    return endpoint_.handle(signed_request("ec2", "Action=" + action + "&Version=2016-11-15" + more, clock_.now()));
  }

  http::Response ssm(const std::string& operation, const std::string& body) {
    return endpoint_.handle(signed_request("ssm", body, clock_.now(), "AmazonSSM." + operation));
  }

  void fault(FaultKind kind) {
    cloud_.set_fault_hook([kind](const std::string&, const std::string&, const std::string&) { return Fault{kind}; });
  }

  std::string first_id() {
    for (const InstanceView& instance : cloud_.instances()) {
      if (instance.region == "us-west-2") {
        return instance.instance_id;
      }
    }
    return "";
  }

  std::string state_of_first() {
    for (const InstanceView& instance : cloud_.instances()) {
      if (instance.region == "us-west-2") {
        return instance.state;
      }
    }
    return "";
  }

  std::string log_;
  TestClock clock_;
  Xoshiro rng_;
  Cloud cloud_;
  CloudEndpoint endpoint_;
};

TEST_F(EndpointTest, AnswersInTheFormOfTheEc2Protocol) {
  const http::Response response = ec2("DescribeInstances");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body,
              testing::StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeInstancesResponse "
                                  "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>"));
  EXPECT_THAT(response.body, HasSubstr("<reservationSet><item>"));
  EXPECT_THAT(response.body, HasSubstr("<instanceState><code>80</code><name>stopped</name></instanceState>"));
  EXPECT_NE(response.headers.get("Date"), "");
}

TEST_F(EndpointTest, TellsEachAnsweredCall) {
  std::vector<std::string> told;
  CloudOptions options;
  options.observe = [&](const Json& happened) {
    told.push_back(fmt::format("{} {}:{} {} {}", happened.text("region"), happened.text("service"),
                               happened.text("operation"), happened.integer("status", -1), happened.text("code")));
  };
  Cloud cloud(options, clock_, rng_);
  CloudEndpoint endpoint(cloud, clock_);
  const auto ask = [&](const std::string& action) {
    endpoint.handle(signed_request("ec2", "Action=" + action + "&Version=2016-11-15", clock_.now()));
  };
  ask("DescribeRegions");
  ask("StopInstances&InstanceId.1=i-00000000000000001");
  cloud.set_fault_hook(
      [](const std::string&, const std::string&, const std::string&) { return Fault{FaultKind::answer_lost}; });
  ask("DescribeRegions");
  EXPECT_THAT(told, testing::ElementsAre("us-west-2 ec2:DescribeRegions 200 ",
                                         "us-west-2 ec2:StopInstances 400 InvalidInstanceID.NotFound",
                                         "us-west-2 ec2:DescribeRegions 0 answer lost"));
}

TEST_F(EndpointTest, OperationsWithoutAnOutputReturnTrue) {
  EXPECT_THAT(ec2("CreateTags", "&ResourceId.1=" + first_id() + "&Tag.1.Key=a&Tag.1.Value=b").body,
              HasSubstr("<return>true</return>"));
}

TEST_F(EndpointTest, AChangedBodyDoesNotFitItsSignature) {
  http::Request request = signed_request("ec2", "Action=DescribeRegions&Version=2016-11-15", clock_.now());
  request.body += "&AllRegions=true";
  const http::Response response = endpoint_.handle(request);
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(response.body, HasSubstr("<Code>AuthFailure</Code>"));
}

TEST_F(EndpointTest, LimitsTheAgeOfARequestToFifteenMinutes) {
  const auto status = [&](Micros offset) {
    return endpoint_.handle(signed_request("ec2", "Action=DescribeRegions&Version=2016-11-15", clock_.now() + offset))
        .status;
  };
  EXPECT_EQ(status(-Seconds(900)), 200);
  EXPECT_EQ(status(-Seconds(901)), 400);
  EXPECT_EQ(status(Seconds(900)), 200);
  EXPECT_EQ(status(Seconds(901)), 400);
}

TEST_F(EndpointTest, ForeignHostsAndBrowsersAreRefusedBeforeTheBodyIsRead) {
  http::Request request = signed_request("ec2", "Action=DescribeRegions&Version=2016-11-15", clock_.now());
  for (const char* host : {"localhost", "127.0.0.1:80", "[::1]:80", "LocalHost:1"}) {
    request.headers.set("Host", host);
    EXPECT_FALSE(endpoint_.admit(request).answer.has_value()) << host;
  }
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"}) {
    request.headers.set("Host", host);
    ASSERT_TRUE(endpoint_.admit(request).answer.has_value()) << host;
    EXPECT_EQ(endpoint_.admit(request).answer->status, 403);
  }
  request.headers.set("Host", "localhost");
  request.headers.set("Origin", "http://localhost");
  EXPECT_EQ(endpoint_.handle(request).status, 403);
}

TEST_F(EndpointTest, NamesInTheLogWhatIsNotSimulated) {
  EXPECT_EQ(ec2("CreateTransitGateway", "").status, 400);
  EXPECT_EQ(log_, "simulated cloud: ec2:CreateTransitGateway is not simulated\n");
}

TEST_F(EndpointTest, JsonErrorsHaveTheServicesForm) {
  const http::Response response =
      ssm("SendCommand", R"({"InstanceIds":[")" + first_id() +
                             R"("],"DocumentName":"AWS-RunShellScript","Parameters":{"commands":["true"]}})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"__type":"InvalidInstanceId","Message":"Instances [[)" + first_id() +
                               R"(]] not in a valid state for account 000000000000"})");
  EXPECT_EQ(response.headers.get("Content-Type"), "application/x-amz-json-1.1");
}

TEST_F(EndpointTest, JsonInputIsCheckedAgainstTheModel) {
  EXPECT_THAT(ssm("ListCommands", R"({"Colour":1})").body, HasSubstr("ValidationException"));
  EXPECT_THAT(ssm("ListCommands", R"({"MaxResults":51})").body, HasSubstr("ValidationException"));
  EXPECT_THAT(ssm("ListCommands", R"({"MaxResults":"5"})").body, HasSubstr("SerializationException"));
  EXPECT_THAT(ssm("ListCommands", "[]").body, HasSubstr("SerializationException"));
  EXPECT_THAT(ssm("GetCommandInvocation", "{}").body, HasSubstr("Member must not be null"));
  const std::string comment(101, 'x');
  EXPECT_THAT(
      ssm("SendCommand", R"({"DocumentName":"AWS-RunShellScript","Comment":")" + comment + R"("})").body,
      HasSubstr("at 'comment' failed to satisfy constraint: Member must have length less than or equal to 100"));
}

TEST_F(EndpointTest, ALostRequestChangesNothingAndALostAnswerDoes) {
  fault(FaultKind::request_lost);
  EXPECT_EQ(ec2("StartInstances", "&InstanceId.1=" + first_id()).status, kStatusConnectionCut);
  EXPECT_EQ(state_of_first(), "stopped");
  fault(FaultKind::answer_lost);
  EXPECT_EQ(ec2("StartInstances", "&InstanceId.1=" + first_id()).status, kStatusConnectionCut);
  EXPECT_EQ(state_of_first(), "pending");
}

TEST_F(EndpointTest, FaultsSpeakTheServicesLanguage) {
  fault(FaultKind::throttle);
  EXPECT_EQ(ec2("DescribeRegions").status, 503);
  EXPECT_THAT(ec2("DescribeRegions").body, HasSubstr("RequestLimitExceeded"));
  EXPECT_EQ(ssm("ListCommands", "{}").body, R"({"__type":"ThrottlingException","message":"Rate exceeded"})");
  fault(FaultKind::server_error);
  EXPECT_EQ(ec2("DescribeRegions").status, 500);
  fault(FaultKind::bare_server_error);
  EXPECT_THAT(ec2("DescribeRegions").body, testing::Not(HasSubstr("<Code>")));
}

TEST(WireForm, ReadsEscapesAndRefusesBrokenOnes) {
  EXPECT_EQ(form_field("a=1&b=%20x+y%2F", "b"), " x y/");
  EXPECT_EQ(form_field("b=%2", "b"), "");
  const aws::ServiceModel& ec2 = *aws::find_service("ec2");
  const aws::Operation& operation = *ec2.find_operation("DescribeInstances");
  EXPECT_EQ(decode_form(ec2, operation, "Filter.1.Name=%zz").error().code, "MalformedQueryString");
  EXPECT_EQ(decode_form(ec2, operation, "DryRun=true&DryRun=false").error().code, "InvalidParameterCombination");
  EXPECT_EQ(decode_form(ec2, operation, "InstanceId.2=i-1").error().code, "UnknownParameter");
  const std::string deep = "Filter.1" + std::string(40, '.') + "=x";
  EXPECT_EQ(decode_form(ec2, operation, deep).error().code, "MalformedQueryString");
  const Json input = *decode_form(ec2, operation, "Filter.1.Name=tag%3AName&Filter.1.Value.1=a&Filter.1.Value.2=b");
  EXPECT_EQ(input.dump(), R"({"Filters":[{"Name":"tag:Name","Values":["a","b"]}]})");
}

TEST(WireXml, EscapesWhatXmlCannotHold) {
  EXPECT_EQ(xml_escape("<a&\"\x01\xff"), "&lt;a&amp;&quot;?\xEF\xBF\xBD");
}

}  // namespace
}  // namespace parallax::sim
