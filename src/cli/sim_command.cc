// parallax sim aws: the simulated cloud for anybody's tools.

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"
#include "base/mutex.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/serving.h"
#include "sim/cloud/fault_script.h"
#include "sim/cloud/identity.h"
#include "sim/cloud/regions.h"
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

// "--enabled a,b --enabled c": each a region of partition aws.
Result<std::vector<std::string>> read_regions(const Arguments& arguments, std::string_view option) {
  std::vector<std::string> regions;
  for (const std::string& given : arguments.list(option)) {
    for (const std::string_view part : split(given, ',')) {
      const std::string name(trim(part));
      const sim::RegionInfo* info = sim::find_region(name);
      if (info == nullptr || info->partition != "aws") {
        return make_error(ErrorKind::invalid,
                          fmt::format("{}: {}", option,
                                      info == nullptr ? sim::unknown_region(name)
                                                      : fmt::format("'{}' is of partition {}; aws is simulated", name,
                                                                    info->partition)));
      }
      if (std::ranges::find(regions, name) == regions.end()) {
        regions.push_back(name);
      }
    }
  }
  return regions;
}

// Which regions are enabled and which hold machines.
Result<> choose_regions(const Arguments& arguments, sim::CloudOptions& cloud) {
  cloud.opted_in = TRY(read_regions(arguments, "--enabled"));
  cloud.without_default_vpc = TRY(read_regions(arguments, "--no-default-vpc"));
  const std::vector<std::string> named = TRY(read_regions(arguments, "--region"));
  if (!named.empty()) {
    cloud.regions = named;
    return {};
  }
  if (!arguments.has("--all-regions")) {
    return {};
  }
  cloud.regions.clear();
  for (const sim::RegionInfo& info : sim::all_regions()) {
    const bool enabled = !info.opt_in_required || !arguments.has("--enabled") ||
                         std::ranges::find(cloud.opted_in, info.name) != cloud.opted_in.end();
    if (info.partition == "aws" && enabled) {
      cloud.regions.push_back(info.name);
    }
  }
  return {};
}

Result<sim::FaultScript> read_script(World& world, const std::string& path) {
  return sim::parse_fault_script(path, TRY(read_input(world, path)));
}

// Faults, capacity and latency, which a script file may all hold.
Result<> choose_faults(const Arguments& arguments, World& world, sim::CloudOptions& cloud) {
  if (const std::optional<std::string> from = arguments.value("--latency-from")) {
    const sim::RegionInfo* here = sim::find_region(*from);
    if (here == nullptr) {
      return make_error(ErrorKind::invalid, "--latency-from: " + sim::unknown_region(*from));
    }
    for (const sim::RegionInfo& there : sim::all_regions()) {
      cloud.round_trips[there.name] = sim::estimated_round_trip(*here, there);
    }
  }
  for (const std::string_view option : {"--faults", "--capacity", "--latency", "--timings"}) {
    const std::optional<std::string> path = arguments.value(option);
    if (!path) {
      continue;
    }
    const sim::FaultScript script = TRY(read_script(world, *path));
    cloud.fault_rules.insert(cloud.fault_rules.end(), script.rules.begin(), script.rules.end());
    for (const auto& [place, room] : script.capacity) {
      cloud.capacity.insert_or_assign(place, room);
    }
    for (const auto& [region, round_trip] : script.round_trips) {
      cloud.round_trips.insert_or_assign(region, round_trip);
    }
    for (const auto& [name, range] : script.timings) {
      *sim::find_timing(cloud.timings, name) = range;
    }
  }
  cloud.fault_seed = TRY(arguments.seed("--seed", 1));
  if (arguments.has("--fault-seed")) {
    cloud.fault_seed = TRY(arguments.seed("--fault-seed", 1));
    for (sim::FaultRule& rule : sim::seeded_faults(cloud.fault_seed)) {
      log::note("fault: " + sim::describe(rule));
      cloud.fault_rules.push_back(std::move(rule));
    }
  }
  return {};
}

void list_operations() {
  std::string out;
  for (const auto& [service, operation] : sim::simulated_operations()) {
    out += fmt::format("{}\t{}\n", service, operation);
  }
  print(out);
}

Result<sim::ExecuteOptions> execute_options(const Arguments& arguments, World& world) {
  sim::ExecuteOptions execute;
  execute.directory =
      fmt::format("{}/parallax-sim-{}", world.environment("TMPDIR").value_or("/tmp"), world.rng.below(1'000'000'000));
  // Relative to each machine's home, which outlives its boots: a spool of its own.
  execute.environment[""]["PARALLAX_SPOOL"] = "spool";
  execute.environment[""]["PARALLAX_BUNDLES"] = "bundles";  // not this machine's /opt
  if (!arguments.has("--bare")) {
    TRY(world.files.make_directories(execute.directory, 0700));
    execute.path_first = {TRY(link_program(world, execute.directory))};
  }
  return execute;
}

// Appends each document as a line; after a line that could not be written, no more are.
Result<std::function<void(const Json&)>> log_to(World& world, const std::string& path) {
  struct Log {
    Mutex mutex;
    std::unique_ptr<AppendFile> file GUARDED_BY(mutex);
    bool failed GUARDED_BY(mutex) = false;
  };

  auto lines = std::make_shared<Log>();
  {
    const MutexLock lock(lines->mutex);
    lines->file = TRY(world.files.open_append(path, 0644));
  }
  return std::function<void(const Json&)>([lines, path](const Json& happened) {
    const MutexLock lock(lines->mutex);
    if (lines->failed) {
      return;
    }
    if (const Result<> written = lines->file->append(happened.dump() + "\n"); !written) {
      lines->failed = true;
      log::error(fmt::format("--log {}: {}", path, written.error().text()));
    }
  });
}

// Who does the machines' work: real processes, nobody, or a pretence that takes as long as --jobs-take says.
Result<> choose_guest(const Arguments& arguments, World& world, sim::SimulatedAwsOptions& options) {
  if (arguments.has("--execute")) {
    options.execute = TRY(execute_options(arguments, world));
  } else if (arguments.has("--bare")) {
    return make_error(ErrorKind::invalid, "--bare goes with --execute");
  }
  if (const std::optional<std::string> takes = arguments.value("--jobs-take")) {
    if (options.execute) {
      return make_error(ErrorKind::invalid, "--jobs-take and --execute exclude each other");
    }
    const Result<Micros> duration = parse_duration(*takes);
    if (!duration || *duration < Micros(0)) {
      return make_error(ErrorKind::invalid, fmt::format("--jobs-take: '{}' is no duration such as 10s", *takes));
    }
    options.job_takes = *duration;
  }
  return {};
}

Result<int> sim_aws(const Arguments& arguments, World& world) {
  if (arguments.has("--operations")) {
    list_operations();
    return 0;
  }
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
  options.cloud.scale_all = arguments.has("--scale-all");
  options.cloud.fleet = arguments.value_or("--fleet", "NAVO");
  options.cloud.instances_per_region = static_cast<int>(TRY(arguments.integer("--instances", 1, 1, 10'000)));
  options.cloud.throttling = !arguments.has("--no-throttling");
  options.seed = TRY(arguments.seed("--seed", 1));
  if (const std::optional<std::string> policy = arguments.value("--policy")) {
    options.cloud.policy = TRY(read_policy(world, *policy));
  }
  const bool limited = !options.cloud.policy.empty();
  TRY(choose_regions(arguments, options.cloud));
  TRY(choose_faults(arguments, world, options.cloud));
  options.log = [](const std::string& line) { log::note(line); };
  if (const std::optional<std::string> path = arguments.value("--log")) {
    options.cloud.observe = TRY(log_to(world, *path));
  }
  RemovedAtEnd homes;
  TRY(choose_guest(arguments, world, options));
  if (options.execute) {
    homes.directory = options.execute->directory;
  }
  const std::vector<std::string>& regions = options.cloud.regions;
  const std::string region = std::ranges::find(regions, "us-west-2") != regions.end() ? "us-west-2" : regions.front();
  const std::unique_ptr<sim::SimulatedAws> aws =
      TRY(sim::SimulatedAws::start(std::move(options), world.clock, world.executor));
  log::note(fmt::format("simulated AWS on {}", aws->url()));
  print(sim::client_instructions(aws->url(), region));
  if (limited) {
    print(
        fmt::format("# The user with the rights of --policy alone:\n# export AWS_ACCESS_KEY_ID={}\n# export "
                    "AWS_SECRET_ACCESS_KEY={}\n",
                    sim::kLimitedAccessKey, sim::kLimitedSecret));
  }
  wait_for_stop(world);
  return 0;
}

std::vector<Option> sim_aws_options() {
  return {Option{"--listen", OptionKind::value, "ADDR:PORT",
                 "loopback only; default 127.0.0.1:4599; port 0 takes a free one"},
          Option{"--world", OptionKind::value, "NAME", "adopted (default), reference or empty"},
          Option{"--region", OptionKind::list, "R,...", "regions that hold machines (default: six)"},
          Option{"--all-regions", OptionKind::flag, "", "machines in every enabled region of partition aws"},
          Option{"--enabled", OptionKind::list, "R,...", "opt-in regions that the account has enabled"},
          Option{"--no-default-vpc", OptionKind::list, "R,...", "regions whose default VPC was deleted"},
          Option{"--time-scale", OptionKind::value, "N", "state changes N times quicker; time stamps stay true"},
          Option{"--scale-all", OptionKind::flag, "", "--time-scale holds for round trips and request limits too"},
          Option{"--fleet", OptionKind::value, "NAME", "value of the tag parallax:fleet (default NAVO)"},
          Option{"--instances", OptionKind::value, "N", "instances per region (default 1)"},
          Option{"--seed", OptionKind::value, "S", "equal seeds give equal worlds (default 1)"},
          Option{"--faults", OptionKind::value, "FILE", "what goes wrong, when and where (TOML)"},
          Option{"--fault-seed", OptionKind::value, "N", "every kind of fault, with probabilities drawn from N"},
          Option{"--capacity", OptionKind::value, "FILE", "a file with a table [capacity]: room by zone and type"},
          Option{"--latency", OptionKind::value, "FILE", "a file with a table [latency]: round trips by region"},
          Option{"--latency-from", OptionKind::value, "REGION", "round trips as from there, by distance"},
          Option{"--timings", OptionKind::value, "FILE", "a file with a table [timings]: how long the cloud takes"},
          Option{"--no-throttling", OptionKind::flag, "", "without the published request limits"},
          Option{"--policy", OptionKind::value, "FILE",
                 "an IAM policy: a second key, AKIAPARALLAXSIM00002, has exactly its rights"},
          Option{"--operations", OptionKind::flag, "", "list what is simulated, SERVICE and OPERATION a line, and end"},
          Option{"--log", OptionKind::value, "FILE", "each call and change of state, a JSON document a line, appended"},
          Option{"--jobs-take", OptionKind::value, "DURATION",
                 "without --execute: each command takes so long and succeeds (divided by the time scale)"},
          Option{"--execute", OptionKind::flag, "", "run commands sent through SSM as real processes of this machine"},
          Option{"--bare", OptionKind::flag, "", "with --execute: machines without parallax, as from a stock image"}};
}

}  // namespace

Command sim_command() {
  return Command{"sim",
                 "the simulated world",
                 {},
                 nullptr,
                 {Command{"aws",
                          "a simulated AWS as an HTTP endpoint for boto3, the AWS CLI, any SDK and parallax",
                          sim_aws_options(),
                          sim_aws,
                          {}},
                  sim_vo_command()}};
}

}  // namespace parallax::cli
