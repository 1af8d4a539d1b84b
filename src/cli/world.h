// The real world: built by main() alone and handed to the commands.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/files.h"
#include "base/rng.h"
#include "http/client.h"

namespace parallax::cli {

struct World {
  Clock& clock;
  Rng& rng;
  Executor& executor;
  Files& files;
  http::Client& http;
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::stop_token stop;       // the first SIGINT or SIGTERM
  std::stop_token hard_stop;  // the second one
  std::string program;        // the path of this program
  bool terminal = false;      // stderr is a terminal
  // Puts a question to a person and gives the line typed; error: cancelled by a signal, or nobody answered in time.
  // Empty where standard input or stderr is no terminal.
  std::function<Result<std::string>(const std::string& question)> ask = {};
};

// A file that the user named, 16 MiB at most. Error: invalid, since a wrong name is wrong usage.
Result<std::string> read_input(World& world, const std::string& path);
// World::ask on this process's terminal.
Result<std::string> ask_terminal(const std::string& question, const std::stop_token& stop);
// All bytes of stdin up to `bytes_max`. Error: refused.
Result<std::string> read_stdin(std::size_t bytes_max);
// Writes data to stdout. False when nobody reads any more.
bool print(std::string_view data);

}  // namespace parallax::cli
