// parallax sim aws: the simulated cloud for anybody's tools.

#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/serving.h"
#include "sim/cloud/identity.h"
#include "sim/cloud/sim_aws.h"

namespace parallax::cli {

namespace {

// The homes of the simulated machines are temporary files: gone with them.
struct RemovedAtEnd {
  std::string directory;

  ~RemovedAtEnd() {
    if (!directory.empty()) {
      std::error_code ignored;  // files that stay behind harm nobody
      std::filesystem::remove_all(directory, ignored);
    }
  }
};

constexpr std::size_t kPolicyBytesMax = 128U << 10U;

// A policy that IAM would refuse is refused before anything starts.
Result<std::string> read_policy(World& world, const std::string& path) {
  std::string text = TRY(world.files.read(path, kPolicyBytesMax));
  const Result<sim::Policy> policy = sim::parse_policy(text, sim::PolicyUse::identity);
  if (!policy) {
    return make_error(ErrorKind::invalid, fmt::format("{}: {}", path, policy.error().message));
  }
  return text;
}

Result<int> sim_aws(const Arguments& arguments, World& world) {
  const ListenAddress listen = TRY(parse_listen(arguments.value_or("--listen", "127.0.0.1:4599")));
  if (!is_loopback(listen.address)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--listen {}: the simulated cloud listens on loopback only", listen.address));
  }
  sim::SimulatedAwsOptions options;
  options.address = listen.address;
  options.port = listen.port;
  options.cloud.world = TRY(sim::parse_world(arguments.value_or("--world", "adopted")));
  options.cloud.time_scale = TRY(arguments.number("--time-scale", 1, 0.001, 1e6));
  options.cloud.fleet = arguments.value_or("--fleet", "NAVO");
  options.cloud.instances_per_region = static_cast<int>(TRY(arguments.integer("--instances", 1, 1, 10'000)));
  options.cloud.throttling = !arguments.has("--no-throttling");
  options.seed = TRY(arguments.seed("--seed", 1));
  if (arguments.has("--policy")) {
    options.cloud.policy = TRY(read_policy(world, arguments.value_or("--policy", "")));
  }
  const bool limited = !options.cloud.policy.empty();
  options.log = [](const std::string& line) { log::detail(line); };
  if (arguments.has("--execute")) {
    sim::ExecuteOptions execute;
    execute.directory =
        fmt::format("{}/parallax-sim-{}", world.environment("TMPDIR").value_or("/tmp"), world.rng.below(1'000'000'000));
    // Relative to each machine's home, which outlives its boots: a spool of its own.
    execute.environment[""]["PARALLAX_SPOOL"] = "spool";
    // The machines have this program on their PATH, as real ones would.
    execute.path_first = {world.program.substr(0, world.program.rfind('/'))};
    options.execute = std::move(execute);
  }
  const std::unique_ptr<sim::SimulatedAws> aws =
      TRY(sim::SimulatedAws::start(std::move(options), world.clock, world.executor));
  log::note(fmt::format("simulated AWS on {}", aws->url()));
  print(sim::client_instructions(aws->url(), "us-west-2"));
  if (limited) {
    print(
        fmt::format("# The user with the rights of --policy alone:\n# export AWS_ACCESS_KEY_ID={}\n# export "
                    "AWS_SECRET_ACCESS_KEY={}\n",
                    sim::kLimitedAccessKey, sim::kLimitedSecret));
  }
  wait_for_stop(world);
  return 0;
}

}  // namespace

Command sim_command() {
  return Command{
      "sim",
      "the simulated world",
      {},
      nullptr,
      {Command{"aws",
               "a simulated AWS (EC2, SSM) as an HTTP endpoint for boto3, the AWS CLI and parallax",
               {Option{"--listen", OptionKind::value, "ADDR:PORT",
                       "loopback only; default 127.0.0.1:4599; port 0 takes a free one"},
                Option{"--world", OptionKind::value, "NAME", "adopted (default), reference or empty"},
                Option{"--time-scale", OptionKind::value, "N", "state changes N times quicker; time stamps stay true"},
                Option{"--fleet", OptionKind::value, "NAME", "value of the tag parallax:fleet (default NAVO)"},
                Option{"--instances", OptionKind::value, "N", "instances per region (default 1)"},
                Option{"--seed", OptionKind::value, "S", "equal seeds give equal worlds (default 1)"},
                Option{"--no-throttling", OptionKind::flag, "", "without AWS's limits of requests a second"},
                Option{"--policy", OptionKind::value, "FILE",
                       "an IAM policy: a second key, AKIAPARALLAXSIM00002, has exactly its rights"},
                Option{"--execute", OptionKind::flag, "",
                       "run commands sent through SSM as real processes of this machine"}},
               sim_aws,
               {}}}};
}

}  // namespace parallax::cli
