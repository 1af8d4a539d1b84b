// Plays seeds of the simulated fleet:
//   scenario_replay SEED [COUNT] [--verbose] [--bug NAME] [--world REGIONSxROUNDS]
//   scenario_replay --from SEED --for SECONDS [--world REGIONSxROUNDS]    as many as fit into that time
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/scenario/planted_bugs.h"
#include "tests/scenario/seeds.h"

namespace {

struct Arguments {
  std::uint64_t seed = 0;
  std::uint64_t count = 1;
  std::uint64_t seconds = 0;  // not 0: until so much time has passed
  int regions = 0;            // 0: what the seed draws
  int rounds = 0;
  bool verbose = false;
  std::string_view bug;
};

template <typename Number>
bool read_number(std::string_view word, Number& target) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), target);
  return error == std::errc() && end == word.data() + word.size();
}

bool read_world(std::string_view word, Arguments& arguments) {
  const std::size_t cross = word.find('x');
  return cross != std::string_view::npos && read_number(word.substr(0, cross), arguments.regions) &&
         read_number(word.substr(cross + 1), arguments.rounds) && arguments.regions > 0 && arguments.rounds > 0;
}

bool read_arguments(int argc, char** argv, Arguments& arguments) {
  int numbers = 0;
  bool good = true;
  for (int i = 1; i < argc && good; ++i) {
    const std::string_view word = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    const bool takes_value = word == "--bug" || word == "--world" || word == "--from" || word == "--for";
    i += takes_value ? 1 : 0;
    if (word == "--verbose") {
      arguments.verbose = true;
    } else if (word == "--bug") {
      arguments.bug = value;
      good = parallax::scenario::plant(value);
    } else if (word == "--world") {
      good = read_world(value, arguments);
    } else if (word == "--from") {
      good = read_number(value, arguments.seed);
      ++numbers;
    } else if (word == "--for") {
      good = read_number(value, arguments.seconds) && arguments.seconds > 0;
    } else {
      good = ++numbers <= 2 && read_number(word, numbers == 1 ? arguments.seed : arguments.count);
    }
  }
  return good && numbers > 0;
}

struct Totals {
  std::uint64_t seeds = 0;
  std::uint64_t events = 0;
  std::size_t answered = 0;
  int failures = 0;
  int gaps = 0;
};

void play_one(std::uint64_t seed, const Arguments& arguments, Totals& totals) {
  const auto options = arguments.regions > 0 ? parallax::scenario::draw_large(seed, arguments.regions, arguments.rounds)
                                             : parallax::scenario::draw_options(seed);
  const auto report =
      parallax::scenario::play_options(options, parallax::sim::default_strand_kind(), arguments.verbose);
  ++totals.seeds;
  totals.events += report.events;
  totals.answered += report.measurements;
  totals.gaps += report.gaps;
  if (!report.ok) {
    ++totals.failures;
    const std::string world =
        arguments.regions > 0 ? fmt::format(" --world {}x{}", arguments.regions, arguments.rounds) : std::string();
    fmt::print("seed {} failed. Replay: tools/sim {}{} --verbose\n{}\n", seed, seed, world, report.failure);
    std::fflush(stdout);
  } else if (arguments.count == 1 && arguments.seconds == 0) {
    fmt::print("seed {}: all invariants held; {} events, {} queries answered, trace {:016x}\n{}", seed, report.events,
               report.measurements, report.fingerprint.first, parallax::scenario::describe(options));
  }
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!read_arguments(argc, argv, arguments)) {
    std::fputs(
        "usage: scenario_replay SEED [COUNT] [--verbose] [--bug NAME] [--world REGIONSxROUNDS]\n"
        "       scenario_replay --from SEED --for SECONDS [--world REGIONSxROUNDS]\n",
        stderr);
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  Totals totals;
  for (std::uint64_t seed = arguments.seed;; ++seed) {
    const bool over =
        arguments.seconds > 0 ? passed() >= static_cast<double>(arguments.seconds) : totals.seeds == arguments.count;
    if (over) {
      break;
    }
    play_one(seed, arguments, totals);
  }
  if (totals.seeds != 1) {
    fmt::print(
        "seeds {} to {}: {} played in {:.1f} s, {} failed; {} events, {} queries answered, {} machines without a "
        "timer for a while\n",
        arguments.seed, arguments.seed + totals.seeds - 1, totals.seeds, passed(), totals.failures, totals.events,
        totals.answered, totals.gaps);
  }
  return totals.failures == 0 ? 0 : 1;
}
