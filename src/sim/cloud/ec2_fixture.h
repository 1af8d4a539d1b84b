// What the tests of simulated EC2 share. Included by tests alone.
#pragma once

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/cloud/cloud.h"
#include "sim/cloud/test_clock.h"

namespace parallax::sim {

class Ec2Test : public testing::Test {
 protected:
  explicit Ec2Test(CloudOptions options = adopted()) : rng_(11), cloud_(std::move(options), clock_, rng_) {}

  static CloudOptions adopted() {
    CloudOptions options;
    options.regions = {kRegion, "eu-west-3"};
    return options;
  }

  Result<Json> call(const std::string& operation, const Json& input = Json::object(),
                    const std::string& region = kRegion) {
    return cloud_.call(Call{region, "ec2", operation}, input);
  }

  // The answer of a call that must succeed.
  Json ok(const std::string& operation, const Json& input = Json::object(), const std::string& region = kRegion) {
    Result<Json> answer = call(operation, input, region);
    EXPECT_TRUE(answer.has_value()) << operation << ": "
                                    << (answer ? "" : answer.error().code + " " + answer.error().message);
    return answer.value_or(Json::object());
  }

  // The error code of a call that must fail; "" when it does not.
  std::string code(const std::string& operation, const Json& input = Json::object(),
                   const std::string& region = kRegion) {
    const Result<Json> answer = call(operation, input, region);
    return answer ? "" : answer.error().code;
  }

  static Json filter(const std::string& name, const std::string& value) {
    return Json::object({{"Filters", Json::array({Json::object({{"Name", name}, {"Values", Json::array({value})}})})}});
  }

  std::string image_id() {
    const Json own = ok("DescribeImages", Json::object({{"Owners", Json::array({"self"})}}));
    return own.list("Images").empty() ? "" : own.list("Images").front().text("ImageId");
  }

  Json launch(Json more = Json::object()) {
    Json input =
        Json::object({{"ImageId", image_id()}, {"InstanceType", "t3.micro"}, {"MinCount", 1}, {"MaxCount", 1}});
    for (const auto& [name, value] : *more.members()) {
      input.set(name, value);
    }
    return input;
  }

  std::string launched(const Json& more = Json::object()) {
    const Json answer = ok("RunInstances", launch(more));
    return answer.list("Instances").empty() ? "" : answer.list("Instances").front().text("InstanceId");
  }

  Json instance(const std::string& id) {
    const Json answer = ok("DescribeInstances", ids(id));
    return answer.list("Reservations").empty() ? Json::object()
                                               : answer.list("Reservations").front().list("Instances").front();
  }

  std::string state(const std::string& id) { return *instance(id).at("State", "Name")->string(); }

  static Json ids(const std::string& id) { return Json::object({{"InstanceIds", Json::array({id})}}); }

  static Json rule(const std::string& protocol, int port, const std::string& cidr) {
    return Json::object({{"IpProtocol", protocol},
                         {"FromPort", port},
                         {"ToPort", port},
                         {"IpRanges", Json::array({Json::object({{"CidrIp", cidr}})})}});
  }

  void pass(Micros duration) {
    const Monotonic end = clock_.monotonic() + duration;
    while (clock_.monotonic() < end) {
      clock_.pass(std::max(Micros(1), std::min(end, cloud_.next_event()) - clock_.monotonic()));
      cloud_.advance();
    }
  }

  static constexpr const char* kRegion = "us-west-2";
  TestClock clock_;
  Xoshiro rng_;
  Cloud cloud_;
};

}  // namespace parallax::sim
