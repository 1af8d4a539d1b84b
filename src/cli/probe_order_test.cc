#include "cli/probe_order.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "cli/probe_dry_run.h"
#include "cli/world_for_test.h"
#include "probe/cones.h"

namespace parallax::cli {
namespace {

class ProbeOrderTest : public testing::Test {
 protected:
  ProbeOrderTest() {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
    std::ofstream(root_ / "s.csv") << "base_name,service_type,access_url,adql\n"
                                      "a,cone,http://127.0.0.1:1/scs?,\n"
                                      "t,tap,http://127.0.0.1:1/tap,\"SELECT {}, {}, {}\"\n";
    give("--services", (root_ / "s.csv").string());
  }

  ~ProbeOrderTest() override { std::filesystem::remove_all(root_); }

  void give(const std::string& name, const std::string& value) { arguments_.values[name].push_back(value); }

  std::string complaint() {
    const Result<Order> order = order_from_arguments(arguments_, world_.world);
    return order ? "" : order.error().text();
  }

  // What --dry-run prints on standard output.
  std::string dry_run(const std::string& output) {
    give("--seed", "1");
    give("--cones", "2");
    give("--output", output);
    const Order order = order_from_arguments(arguments_, world_.world).value();
    testing::internal::CaptureStdout();
    EXPECT_EQ(tell_timetable(order, arguments_).value(), 0);
    return testing::internal::GetCapturedStdout();
  }

  const std::filesystem::path root_ =
      std::filesystem::path(testing::TempDir()) /
      ("probe-order-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
  WorldForTest world_;
  Arguments arguments_;
};

TEST_F(ProbeOrderTest, TakesAPartOfTheCones) {
  give("--seed", "1");
  give("--start-index", "2");
  give("--cone-limit", "3");
  const Order order = order_from_arguments(arguments_, world_.world).value();
  const std::vector<Cone> all = make_cones({1, 10, 0.05, 0.25});
  EXPECT_EQ(order.cone_list, std::vector<Cone>(all.begin() + 2, all.begin() + 5));
}

TEST_F(ProbeOrderTest, TakesAPartOfAConeFileToItsEnd) {
  std::ofstream(root_ / "c.csv") << "ra,dec,radius\n1,2,0.1\n3,4,0.1\n";
  give("--cone-file", (root_ / "c.csv").string());
  give("--start-index", "1");
  give("--cone-limit", "100000000");
  EXPECT_EQ(order_from_arguments(arguments_, world_.world).value().cone_list, (std::vector<Cone>{{3, 4, 0.1}}));
}

TEST_F(ProbeOrderTest, SaysHowManyConesThereAre) {
  give("--start-index", "10");
  EXPECT_EQ(complaint(), "--start-index 10: there are 10 cones, so it is at most 9");
}

TEST_F(ProbeOrderTest, TakesADirectoryOfProviders) {
  std::filesystem::create_directories(root_ / "tree" / "Cool");
  std::ofstream(root_ / "tree" / "Cool" / "x.py")
      << "[{'base_name': 'x', 'service_type': 'cone', 'access_url': 'https://x.example.org/scs?', 'adql': ''}]";
  arguments_.values["--services"] = {(root_ / "tree").string()};
  const Order order = order_from_arguments(arguments_, world_.world).value();
  ASSERT_EQ(order.services.size(), 1U);
  EXPECT_EQ(order.services[0].provider, "Cool");
  arguments_.values["--services"] = {root_.string()};
  EXPECT_NE(complaint().find("there is no service list in it"), std::string::npos);
}

// The port is one where nobody listens: a query that was sent would be seen as a failure, and there is none.
TEST_F(ProbeOrderTest, ShowsWhatWouldBeAskedAndAsksNothing) {
  const std::string lines = dry_run("ndjson");
  std::vector<Json> queries;
  for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1) {
    queries.push_back(parse_json(lines.substr(at, lines.find('\n', at) - at)).value());
  }
  ASSERT_EQ(queries.size(), 4U);
  std::vector<std::string> asked;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    EXPECT_EQ(queries[i].integer("offset_us", -1), static_cast<std::int64_t>(i) * 1'000'000);  // one provider: its host
    asked.push_back(queries[i].text("method") + " " + queries[i].text("url") + " " + queries[i].text("query"));
  }
  std::sort(asked.begin(), asked.end());
  EXPECT_EQ(asked, (std::vector<std::string>{
                       "GET http://127.0.0.1:1/scs?RA=140.8782967&DEC=23.2258674&SR=0.0787144 ",
                       "GET http://127.0.0.1:1/scs?RA=253.0518599&DEC=2.3425167&SR=0.1648211 ",
                       "POST http://127.0.0.1:1/tap/sync SELECT 140.8782967, 23.2258674, 0.0787144",
                       "POST http://127.0.0.1:1/tap/sync SELECT 253.0518599, 2.3425167, 0.1648211",
                   }));
}

TEST_F(ProbeOrderTest, ShowsItAsATable) {
  const std::string text = dry_run("table");
  EXPECT_TRUE(text.starts_with("    start  provider             service                  type       asked\n")) << text;
  EXPECT_NE(text.find("tap-sync   POST http://127.0.0.1:1/tap/sync  SELECT 253.0518599, 2.3425167, 0.1648211\n"),
            std::string::npos)
      << text;
}

TEST_F(ProbeOrderTest, WritesNoRecordsInADryRun) {
  give("--output", "servicemon-csv=x.csv");
  const Order order = order_from_arguments(arguments_, world_.world).value();
  EXPECT_EQ(tell_timetable(order, arguments_).error().text(),
            "--output servicemon-csv=x.csv: with --dry-run it is one of table, ndjson, csv, on standard output");
  give("--exec", "cat");
  EXPECT_EQ(tell_timetable(order, arguments_).error().text(),
            "--exec does not go with --dry-run, which has no records");
}

}  // namespace
}  // namespace parallax::cli
