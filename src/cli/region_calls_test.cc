#include "cli/region_calls.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace parallax::cli {
namespace {

Json result(int value) {
  return Json::object({{"result", value}});
}

Error denied() {
  Error error = make_error(ErrorKind::denied, "no");
  error.code = "AuthFailure";
  error.status = 401;
  error.request_id = "r-1";
  return error;
}

struct Bench {
  std::unique_ptr<Executor> executor = make_thread_executor();
  std::string text;
  std::stop_source stop;
  int writes_left = 1000;

  AnswerWriter::Sink sink() {
    return [this](std::string_view piece) {
      text += piece;
      return --writes_left >= 0;
    };
  }

  Tally run(const std::vector<std::string>& places, const PlaceWork& work, bool lines = false) {
    const auto writer = lines ? make_lines_writer(sink()) : make_document_writer(places, sink());
    return call_places(
        *executor, places, work, *writer, [](const Answer&) {}, stop.get_token());
  }
};

TEST(RegionCalls, WritesOneDocumentInTheOrderAsked) {
  Bench bench;
  std::atomic<bool> second_done = false;
  const Tally tally =
      bench.run({"b", "a"}, [&](std::size_t place, const std::stop_token&, const Emit& emit) -> Result<> {
        if (place == 1) {
          emit(result(2), true);
          second_done = true;
          second_done.notify_all();
          return {};
        }
        second_done.wait(false);
        return denied();
      });
  EXPECT_EQ(tally.exit_code(), 3);
  EXPECT_EQ(bench.text, R"({
  "b": {
    "error": {
      "kind": "denied",
      "code": "AuthFailure",
      "message": "no",
      "status": 401,
      "request_id": "r-1"
    }
  },
  "a": {
    "result": 2
  }
}
)");
}

TEST(RegionCalls, WritesALineForEachPage) {
  Bench bench;
  const Tally tally = bench.run(
      {"a"},
      [&](std::size_t, const std::stop_token&, const Emit& emit) -> Result<> {
        emit(result(1), false);
        emit(result(2), true);
        return {};
      },
      true);
  EXPECT_EQ(tally.exit_code(), 0);
  EXPECT_EQ(bench.text, "{\"region\":\"a\",\"result\":1}\n{\"region\":\"a\",\"result\":2}\n");
}

TEST(RegionCalls, RunsAllPlacesAtOnceUpToTheLimit) {
  Bench bench;
  std::vector<std::string> places;
  for (std::size_t i = 0; i < kPlacesAtOnce + 20; ++i) {
    places.push_back(std::to_string(i));
  }
  std::atomic<std::size_t> under_way = 0, most = 0, begun = 0;
  const Tally tally = bench.run(places, [&](std::size_t, const std::stop_token&, const Emit& emit) -> Result<> {
    const std::size_t now = ++under_way;
    for (std::size_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    ++begun;
    begun.notify_all();
    // Nobody goes on before a full set has begun: what ran in sequence would hang here.
    for (std::size_t seen = begun; seen < kPlacesAtOnce; seen = begun) {
      begun.wait(seen);
    }
    --under_way;
    emit(result(0), true);
    return {};
  });
  EXPECT_EQ(most, kPlacesAtOnce);
  EXPECT_EQ(tally.exit_code(), 0);
}

TEST(RegionCalls, KeepsWhatHasEndedWhenInterrupted) {
  Bench bench;
  const Tally tally =
      bench.run({"a", "b"}, [&](std::size_t place, const std::stop_token& stop, const Emit& emit) -> Result<> {
        if (place == 0) {
          emit(result(1), true);
          bench.stop.request_stop();
          return {};
        }
        while (!stop.stop_requested()) {
          std::this_thread::yield();
        }
        return make_error(ErrorKind::cancelled, "cancelled");
      });
  EXPECT_EQ(tally.exit_code(), 130);
  const Json document = parse_json(bench.text).value();
  EXPECT_EQ(document.at("a")->integer("result", 0), 1);
  EXPECT_EQ(document.at("b", "error")->text("kind"), "cancelled");
}

TEST(RegionCalls, EndsTheWorkWhenNobodyReads) {
  Bench bench;
  bench.writes_left = 0;
  const Tally tally =
      bench.run({"a", "b"}, [&](std::size_t place, const std::stop_token& stop, const Emit& emit) -> Result<> {
        if (place == 0) {
          emit(result(1), true);
          return {};
        }
        while (!stop.stop_requested()) {
          std::this_thread::yield();
        }
        return make_error(ErrorKind::cancelled, "cancelled");
      });
  EXPECT_EQ(tally.exit_code(), 1);
}

TEST(RegionCalls, CountsAllFailedAsFailed) {
  Bench bench;
  EXPECT_EQ(bench.run({"a", "b"}, [](std::size_t, const std::stop_token&, const Emit&) -> Result<> { return denied(); })
                .exit_code(),
            1);
}

}  // namespace
}  // namespace parallax::cli
