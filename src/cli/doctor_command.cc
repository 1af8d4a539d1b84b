// parallax doctor: what this set-up is, and what is wrong with it.

#include <algorithm>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/doctor_checks.h"
#include "cli/fleet_session.h"

namespace parallax::cli {

namespace {

constexpr std::string_view kConfigDefault = "parallax.toml";
constexpr std::string_view kFirstRegion = "us-east-1";

Result<bool> wants_json(const Arguments& arguments) {
  const std::string output = arguments.value_or("--output", "table");
  if (output != "table" && output != "json") {
    return make_error(ErrorKind::invalid, fmt::format("--output: '{}' is not table or json", output));
  }
  return output == "json";
}

// The configuration where there is one. One that is named must be there; a broken one is a finding.
std::optional<Config> read_config(const Arguments& arguments, World& world, std::vector<Check>& checks) {
  const std::string path = arguments.value_or("--config", kConfigDefault);
  if (!arguments.has("--config")) {
    const Result<std::string> text = world.files.read(path, 16U << 20U);
    if (!text && text.error().kind == ErrorKind::not_found) {
      checks.push_back({"settings", "parallax.toml", Verdict::ok, "none here: no fleet is looked at", "", ""});
      return std::nullopt;
    }
  }
  Result<Config> config = load_config(world.files, path);
  if (!config) {
    checks.push_back({"settings", "parallax.toml", Verdict::problem, config.error().text(), "mend the file", ""});
    return std::nullopt;
  }
  checks.push_back({"settings", "parallax.toml", Verdict::ok,
                    fmt::format("{}: fleet {}, {} regions, {} services", path, config->fleet.name,
                                config->fleet.regions.size(), config->services.size()),
                    "", ""});
  return *std::move(config);
}

// --region, --all (enabled ones), the fleet's, or the default one. The first is where account-wide questions go.
Result<std::vector<std::string>> regions_of(const Arguments& arguments, const Patient& patient) {
  std::vector<std::string> asked = arguments.list("--region");
  if (arguments.has("--all") && !asked.empty()) {
    return make_error(ErrorKind::invalid, "--all and --region exclude each other");
  }
  const std::string& own = patient.session.settings.region;
  if (arguments.has("--all")) {
    const std::string home = own.empty() ? std::string(kFirstRegion) : own;
    const Json answer = TRY(patient.call("ec2", home, "DescribeRegions", Json::object()));
    asked = {home};
    for (const Json& region : answer.list("Regions")) {
      asked.push_back(region.text("RegionName"));
    }
  } else if (asked.empty() && patient.config && !patient.config->fleet.regions.empty()) {
    asked = patient.config->fleet.regions;
  } else if (asked.empty()) {
    asked = {own.empty() ? std::string(kFirstRegion) : own};
  }
  std::vector<std::string> regions;
  for (std::string& region : asked) {
    if (std::find(regions.begin(), regions.end(), region) == regions.end()) {
      regions.push_back(std::move(region));
    }
  }
  return regions;
}

void check_settings(Patient& patient) {
  const aws::Settings& settings = patient.session.settings;
  const aws::Configuration& files = *settings.configuration;
  const auto read = [](const std::string& path, const aws::ConfigSections& profiles) {
    return fmt::format("{} ({})", path.empty() ? "no home directory" : path,
                       profiles.empty() ? "absent or empty" : fmt::format("profiles: {}", profiles.size()));
  };
  patient.add({"settings", "files", Verdict::ok,
               fmt::format("{}, {}", read(files.config_path, files.config_profiles),
                           read(files.credentials_path, files.credentials_profiles)),
               "", ""});
  patient.add({"settings", "profile", Verdict::ok,
               fmt::format("{}{}", settings.profile, settings.profile_named ? "" : " (none was named)"), "", ""});
  if (settings.region.empty()) {
    patient.add({"settings", "default region", Verdict::warning, "none",
                 "set AWS_REGION or the profile's 'region', or give --region each time", ""});
  } else {
    patient.add({"settings", "default region", Verdict::ok,
                 fmt::format("{}, from {}", settings.region, settings.region_source), "", ""});
  }
  patient.add(
      {"settings", "calls", Verdict::ok,
       fmt::format("{} attempts at most{}{}{}", settings.attempts_max, settings.use_fips ? ", FIPS endpoints" : "",
                   settings.use_dual_stack ? ", dual-stack endpoints" : "",
                   settings.ca_bundle.empty() ? "" : fmt::format(", roots of {}", settings.ca_bundle)),
       "", ""});
}

int show(const std::vector<Check>& checks, bool json) {
  print(json ? report_to_json(checks).pretty() + "\n" : report_text(checks));
  return exit_code_of(checks);
}

void examine(Patient& patient, const std::string& journal_directory) {
  check_endpoints(patient);
  const bool known = check_credentials(patient) && check_identity(patient);
  check_regions(patient, known);
  if (known) {
    check_permissions(patient);
    check_quotas(patient);
  }
  check_own(patient, journal_directory);
}

Result<int> doctor(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const Micros limit = TRY(parse_duration(arguments.value_or("--deadline", "60s")).with_context("reading --deadline"));
  TRY(use_models(arguments, world));
  Result<AwsSession> opened = open_aws(arguments, world);
  if (!opened) {
    return show({{"settings", "files", Verdict::problem, opened.error().text(), "mend what it names", ""}}, json);
  }
  AwsSession& session = *opened;
  Patient patient{world, session, world.clock.monotonic() + limit, {}, {}, "", "", {}};
  patient.config = read_config(arguments, world, patient.checks);
  check_settings(patient);
  Result<std::vector<std::string>> regions = regions_of(arguments, patient);
  if (!regions && regions.error().kind == ErrorKind::invalid) {
    return std::move(regions).error();
  }
  if (!regions) {
    patient.add({"settings", "--all", Verdict::problem, regions.error().text(), "name regions by --region", ""});
  }
  patient.regions =
      regions ? *std::move(regions)
              : std::vector{session.settings.region.empty() ? std::string(kFirstRegion) : session.settings.region};
  examine(patient, state_directory(arguments, world, patient.config ? patient.config->fleet.name : "default"));
  const int code = show(patient.checks, json);
  return world.stop.stop_requested() ? 130 : code;
}

constexpr const char* kExamples = R"(Examples:
  parallax doctor                       credentials, rights, clock, and the fleet's or the default region
  parallax doctor --all                 every region of the account
  parallax doctor --profile audit --output json

Nothing is changed: what would change something is asked for with EC2's DryRun or of IAM's policy simulator.
Exit code: 0 no problem (warnings do not count), 1 a problem, 3 a problem in some of the regions only, 2 wrong usage.)";

}  // namespace

Command doctor_command() {
  std::vector<Option> options{
      Option{"--config", OptionKind::value, "FILE", "the configuration (default parallax.toml, where there is one)"},
      Option{"--region", OptionKind::list, "REGION",
             "look at this region; repeatable (default: the fleet's, else the default one)"},
      Option{"--all", OptionKind::flag, "", "look at all regions that are enabled for the account"},
      Option{"--output", OptionKind::value, "FORMAT", "table (default) or json"},
      Option{"--deadline", OptionKind::value, "TIME", "for everything together (default 60s)"}};
  for (Option& option : aws_options()) {
    options.push_back(std::move(option));
  }
  return Command{"doctor", "what this set-up is, and what is wrong with it", std::move(options), doctor, {}, kExamples};
}

}  // namespace parallax::cli
