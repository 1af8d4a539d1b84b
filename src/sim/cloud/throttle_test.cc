#include "sim/cloud/throttle.h"

#include <gtest/gtest.h>

namespace parallax::sim {
namespace {

struct Row {
  const char* call;
  const char* input;
  double capacity;
  double refill;
};

// The table of "Request throttling for the Amazon EC2 API", class by class.
TEST(Throttle, HasThePublishedSizes) {
  const Row rows[] = {
      {"DescribeRegions", "{}", 100, 20},
      {"DescribeInstances", "{}", 50, 10},
      {"DescribeInstances", R"({"MaxResults":5})", 100, 20},
      {"DescribeInstances", R"({"InstanceIds":["i-1"]})", 100, 20},
      {"DescribeVolumes", R"({"Filters":[{"Name":"a"}]})", 100, 20},
      {"DescribeVolumes", R"({"Filters":[]})", 50, 10},
      {"DescribeSnapshots", R"({"SnapshotIds":["s"]})", 100, 20},
      {"GetConsoleOutput", "{}", 100, 20},
      {"ModifyInstanceAttribute", "{}", 50, 5},
      {"AuthorizeSecurityGroupIngress", "{}", 50, 5},
      {"RunInstances", "{}", 5, 2},
      {"StartInstances", "{}", 5, 2},
      {"StopInstances", "{}", 50, 5},
      {"TerminateInstances", "{}", 100, 5},
      {"CopyImage", "{}", 100, 1},
      {"CreateTags", "{}", 100, 10},
      {"ModifyNetworkInterfaceAttribute", "{}", 100, 5},
  };
  for (const Row& row : rows) {
    const Charge charge = charges_of("ec2", row.call, parse_json(row.input).value()).front();
    EXPECT_EQ(charge.size.capacity, row.capacity) << row.call << row.input;
    EXPECT_EQ(charge.size.refill_per_second, row.refill) << row.call << row.input;
    EXPECT_EQ(charge.count, 1) << row.call;
  }
}

TEST(Throttle, CountsInstancesApart) {
  const auto start = charges_of("ec2", "StartInstances", parse_json(R"({"InstanceIds":["i-1","i-2"]})").value());
  ASSERT_EQ(start.size(), 2U);
  EXPECT_EQ(start[1].count, 2);
  EXPECT_EQ(start[1].size.capacity, 1000);
  EXPECT_EQ(start[1].size.refill_per_second, 2);
  const auto run = charges_of("ec2", "RunInstances", parse_json(R"({"MinCount":1,"MaxCount":7})").value());
  EXPECT_EQ(run.at(1).count, 7);
  const auto stop = charges_of("ec2", "StopInstances", parse_json(R"({"InstanceIds":["i-1"]})").value());
  EXPECT_EQ(stop.at(1).size.refill_per_second, 20);
}

TEST(Throttle, UnfilteredReadingOfOneKindSharesNoBucketWithTheRest) {
  const Json nothing = Json::object();
  const Json paged = Json::object({{"MaxResults", 5}});
  EXPECT_NE(charges_of("ec2", "DescribeInstances", nothing)[0].bucket,
            charges_of("ec2", "DescribeInstances", paged)[0].bucket);
  EXPECT_EQ(charges_of("ec2", "DescribeRegions", nothing)[0].bucket,
            charges_of("ec2", "DescribeRegions", paged)[0].bucket);
}

TEST(Throttle, ABucketStartsFullAndRefills) {
  TokenBucket bucket({5, 2});
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(bucket.take(1, Monotonic(Seconds(10))));
  }
  EXPECT_FALSE(bucket.take(1, Monotonic(Seconds(10))));
  EXPECT_TRUE(bucket.take(1, Monotonic(Millis(10'500))));
  EXPECT_FALSE(bucket.take(1, Monotonic(Millis(10'500))));
  EXPECT_FALSE(bucket.take(6, Monotonic(Seconds(1000)))) << "never more than its size";
  EXPECT_TRUE(bucket.take(5, Monotonic(Seconds(1000))));
}

}  // namespace
}  // namespace parallax::sim
