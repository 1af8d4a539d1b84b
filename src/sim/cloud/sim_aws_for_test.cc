// A simulated AWS for tests in other languages: prints "url=...", serves until its input ends.
//
//   sim_aws_for_test [WORLD] [TIME_SCALE] [execute DIRECTORY | faults FILE]
//   sim_aws_for_test operations SERVICE       lists what is simulated
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "sim/cloud/fault_script.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/sim_aws.h"

int main(int argc, char** argv) {
  namespace sim = parallax::sim;
  if (argc > 2 && std::string_view(argv[1]) == "operations") {
    for (const std::string_view name : sim::operation_names(argv[2])) {
      std::printf("%.*s\n", static_cast<int>(name.size()), name.data());
    }
    return 0;
  }
  const auto clock = parallax::make_system_clock();
  const auto executor = parallax::make_thread_executor();
  sim::SimulatedAwsOptions options;
  if (argc > 1) {
    options.cloud.world = sim::parse_world(argv[1]).value();
  }
  if (argc > 2) {
    options.cloud.time_scale = std::stod(argv[2]);
  }
  if (argc > 4 && std::string_view(argv[3]) == "execute") {
    options.execute.emplace().directory = argv[4];
    options.execute->minute = parallax::Seconds(1);
  }
  if (argc > 4 && std::string_view(argv[3]) == "faults") {
    std::ifstream file(argv[4]);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto script = sim::parse_fault_script(argv[4], text).value();
    options.cloud.fault_rules = script.rules;
    options.cloud.capacity = script.capacity;
    options.cloud.round_trips = script.round_trips;
  }
  options.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  auto aws = sim::SimulatedAws::start(options, *clock, *executor);
  if (!aws) {
    std::fprintf(stderr, "%s\n", aws.error().text().c_str());
    return 1;
  }
  std::printf("url=%s\n", (*aws)->url().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
