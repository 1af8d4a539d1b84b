// A World for tests of commands: real interfaces, nobody at the terminal, nothing in the environment.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/world.h"

namespace parallax::cli {

struct WorldForTest {
  std::unique_ptr<Clock> clock = make_system_clock();
  std::unique_ptr<Rng> rng = make_system_rng();
  std::unique_ptr<Executor> executor = make_thread_executor();
  std::unique_ptr<Files> files = make_system_files();
  std::unique_ptr<http::Client> http = http::make_curl_client(*clock);
  std::stop_source stop;
  World world{*clock,
              *rng,
              *executor,
              *files,
              *http,
              [](const std::string& /*name*/) { return std::optional<std::string>(); },
              stop.get_token(),
              {},
              "parallax",
              false,
              {}};
  std::vector<std::string> questions;  // that were put to answer()'s person

  // Somebody sits at the terminal who answers every question so.
  void answer(std::string text) {
    world.ask = [this, text = std::move(text)](const std::string& question) -> Result<std::string> {
      questions.push_back(question);
      return text;
    };
  }
};

}  // namespace parallax::cli
