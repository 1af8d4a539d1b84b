#include "probe/pause_listener.h"

#include <future>

#include <gtest/gtest.h>

#include "probe/fakes.h"

namespace parallax::probe {
namespace {

TEST(PauseListener, AsksAgainAndAgainAndHandsOnWhatHoldsWithinItsLimit) {
  JumpClock clock;
  const auto executor = make_thread_executor();
  int asked = 0;
  ScriptedClient client([&asked](const http::Request& request, const http::SendOptions&, const std::stop_token&) {
    EXPECT_EQ(request.url, "https://collector.org/base/api/v1/pauses");
    EXPECT_EQ(request.headers.get("Authorization"), "Bearer secret");
    switch (++asked) {
      case 1:
        return answer(200, R"({"pauses": [{"provider": "A", "wait_us": 7}, {"provider": "B", "wait_us": -7}]})");
      case 2:
        return failure(ErrorKind::unavailable, "reset", http::Phase::connect);
      case 3:
        return answer(200, "<html>");
      default:
        return answer(200, R"({"pauses": [{"provider": "C", "wait_us": 900000000000000}]})");
    }
  });
  SubmitOptions options;
  options.collector = "https://collector.org/base/";
  options.token = "secret";
  std::vector<std::pair<std::string, Micros>> heard;
  std::promise<void> enough;
  {
    const PauseListener listener(options, clock, *executor, client, [&](const std::string& provider, Micros wait) {
      heard.emplace_back(provider, wait);
      if (heard.size() == 2) {
        enough.set_value();
      }
    });
    ASSERT_EQ(enough.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  }
  EXPECT_EQ(heard[0], (std::pair<std::string, Micros>("A", Micros(7))));
  EXPECT_EQ(heard[1], (std::pair<std::string, Micros>("C", PauseListener::kPauseMax)));
}

TEST(PauseListener, DoesNotAskACollectorAgainThatDoesNotKnowItsPathOrToken) {
  for (const int status : {401, 403, 404}) {
    JumpClock clock;
    const auto executor = make_thread_executor();
    std::promise<void> asked;
    ScriptedClient client([&, n = 0](const http::Request&, const http::SendOptions&, const std::stop_token&) mutable {
      if (n++ == 0) {
        asked.set_value();
      }
      return answer(status);
    });
    {
      SubmitOptions options;
      options.collector = "https://collector.org";
      const PauseListener listener(options, clock, *executor, client, [](const std::string&, Micros) { FAIL(); });
      ASSERT_EQ(asked.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    }
    EXPECT_EQ(client.requests().size(), 1U) << status;
  }
}

}  // namespace
}  // namespace parallax::probe
