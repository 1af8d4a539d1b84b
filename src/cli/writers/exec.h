// A program of the user's that gets every record: the plug-in mechanism, in any language.
#pragma once

#include <memory>
#include <string>

#include "cli/world.h"
#include "cli/writers/writer.h"

namespace parallax::cli {

struct ExecLimits {
  std::size_t queue_max = 10'000;  // records that wait for the program
  Micros end_wait{Seconds(30)};    // for the program to read the rest and to end, once its input is at its end
  Micros kill_wait{Seconds(2)};    // from SIGTERM to SIGKILL
};

// `command` is run by `sh -c` as the user typed it, in a process group of its own; records come to it only as lines of
// NDJSON on its standard input. Its standard output is ours; its standard error becomes our messages, line by line.
// A record that it has not read when it ends, or for which the queue had no room, is appended to `undelivered` (a
// file's name), and finish() says so. Errors of finish(): unavailable, where it ended with another status than 0 or
// records are left; timeout. Error: invalid, where it cannot be started.
Result<std::unique_ptr<MeasurementWriter>> make_exec_writer(const std::string& command, std::string undelivered,
                                                            World& world, const ExecLimits& limits = {});

}  // namespace parallax::cli
