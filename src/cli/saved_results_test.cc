#include "cli/saved_results.h"

#include <gtest/gtest.h>

#include "probe/fakes.h"
#include "probe/query.h"

namespace parallax::cli {
namespace {

using probe::answer;
using probe::MemoryFiles;
using probe::ScriptedClient;
using probe::votable;

Measurement measured(std::string service) {
  Measurement m;
  m.id = "run-1";
  m.service = std::move(service);
  m.type = "cone";
  m.ra = 1.5;
  m.dec = -2;
  m.radius = 0.25;
  return m;
}

TEST(SavedResultsTest, NamesAreServicemonsAndSafe) {
  MemoryFiles files;
  SavedResults saved(files, "out");
  saved.keep(measured("Stars"), {}, "<a/>", false);
  EXPECT_EQ(files.content.at("out/Stars/Stars_cone_1.5_-2.0_0.25.xml"), "<a/>");
  saved.keep(measured("../../etc/x y"), {}, "b", false);
  EXPECT_EQ(files.content.at("out/_._.._etc_x_y/_._.._etc_x_y_cone_1.5_-2.0_0.25.xml"), "b");
  http::Headers packed;
  packed.set("Content-Encoding", "GZIP");
  saved.keep(measured("Stars"), packed, "c", false);
  EXPECT_TRUE(files.content.contains("out/Stars/Stars_cone_1.5_-2.0_0.25.xml.gz"));
  EXPECT_TRUE(saved.finish());
  EXPECT_EQ(safe_file_name(""), "_");
  EXPECT_EQ(safe_file_name(std::string(1000, 'a')).size(), 150U);
  EXPECT_EQ(safe_file_name(".."), "_.");
}

TEST(SavedResultsTest, WhatIsTooLargeIsLeftOutAndSaid) {
  MemoryFiles files;
  SavedResults saved(files, "out");
  saved.keep(measured("Stars"), {}, "cut", true);
  EXPECT_TRUE(files.content.empty());
  EXPECT_FALSE(saved.finish());
}

TEST(SavedResultsTest, GetsTheBodyOfTheLastAnswerWhateverItIs) {
  MemoryFiles files;
  SavedResults saved(files, "out");
  QueryOptions options;
  options.keeper = &saved;
  const std::unique_ptr<Clock> clock = make_system_clock();
  const std::unique_ptr<Executor> executor = make_thread_executor();
  Service service;
  service.name = "Stars";
  service.url = "http://h.example/scs?";
  const auto ask = [&](Cone cone, ScriptedClient::Script script) {
    ScriptedClient client(std::move(script));
    Measurement m;
    m.id = "run-1";
    ignore(describe_query(service, cone, 0, m), "the template is good");
    run_query(service, cone, options, Seconds(100), *clock, *executor, client, {}, m);
  };
  const std::string large = votable(20'000);
  ask({1, 2, 0.5}, [&](const http::Request& request, const auto&, const auto&) {
    return request.url.ends_with("/there") ? answer(200, large) : answer(302, "moved", {{"Location", "/there"}});
  });
  ask({2, 2, 0.5}, [](const auto&, const auto&, const auto&) { return answer(500, "<html>broken"); });
  ask({3, 2, 0.5}, [](const auto&, const auto&, const auto&) {
    return probe::failure(ErrorKind::unavailable, "connect-refused", http::Phase::connect);
  });
  EXPECT_EQ(files.content.size(), 2U) << "no answer, no file";
  EXPECT_EQ(files.content.at("out/Stars/Stars_cone_1.0_2.0_0.5.xml"), large);
  EXPECT_EQ(files.content.at("out/Stars/Stars_cone_2.0_2.0_0.5.xml"), "<html>broken");
}

}  // namespace
}  // namespace parallax::cli
