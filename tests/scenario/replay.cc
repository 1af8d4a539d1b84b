// Replays seeds: scenario_replay SEED [COUNT] [--verbose] [--bug skip_stop|trust_stale_ping|drop_confirmed_check]
#include <charconv>
#include <cstdio>
#include <string_view>

#include <fmt/format.h>

#include "tests/scenario/fleet_world.h"
#include "tests/scenario/planted_bugs.h"

namespace {

struct Arguments {
  std::uint64_t seed = 0;
  std::uint64_t count = 1;
  bool verbose = false;
  std::string_view bug;
};

bool read_arguments(int argc, char** argv, Arguments& arguments) {
  int numbers = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--verbose") {
      arguments.verbose = true;
    } else if (word == "--bug" && i + 1 < argc) {
      arguments.bug = argv[++i];
    } else {
      std::uint64_t& target = numbers++ == 0 ? arguments.seed : arguments.count;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), target);
      if (error != std::errc() || end != word.data() + word.size() || numbers > 2) {
        return false;
      }
    }
  }
  return numbers > 0 && (arguments.bug.empty() || parallax::scenario::plant(arguments.bug));
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!read_arguments(argc, argv, arguments)) {
    std::fputs(
        "usage: scenario_replay SEED [COUNT] [--verbose] [--bug skip_stop|trust_stale_ping|drop_confirmed_check]\n",
        stderr);
    return 2;
  }
  int failures = 0;
  std::uint64_t events = 0;
  std::size_t answered = 0;
  int gaps = 0;
  for (std::uint64_t seed = arguments.seed; seed < arguments.seed + arguments.count; ++seed) {
    const auto report = parallax::scenario::play_seed(seed, parallax::sim::default_strand_kind(), arguments.verbose);
    events += report.events;
    answered += report.measurements;
    gaps += report.gaps;
    if (!report.ok) {
      ++failures;
      fmt::print("{}\n", report.failure);
    } else if (arguments.count == 1) {
      fmt::print("seed {}: all invariants held; {} events, {} queries answered, trace {:016x}\n{}", seed, report.events,
                 report.measurements, report.fingerprint.first,
                 parallax::scenario::describe(parallax::scenario::draw_options(seed)));
    }
  }
  if (arguments.count > 1) {
    fmt::print("{} seeds, {} failed; {} events, {} queries answered, {} machines without a timer for a while\n",
               arguments.count, failures, events, answered, gaps);
  }
  return failures == 0 ? 0 : 1;
}
