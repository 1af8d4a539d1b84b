#include "cli/fleet_spec.h"

#include <fmt/format.h>

namespace parallax::cli {

namespace {

Result<fleet::KeySpec> read_public_key(Files& files, const std::string& path, const std::string& name,
                                       const std::string& config_path) {
  constexpr std::size_t kKeyFileBytesMax = 64U << 10U;
  Result<std::string> text = files.read(path, kKeyFileBytesMax);
  if (!text) {
    Error error = text.error();
    error.kind = ErrorKind::invalid;
    error.context.push_back(fmt::format("named by [fleet] public_key in {}", config_path));
    return error;
  }
  Result<fleet::KeySpec> key = fleet::parse_public_key(*text, name);
  if (!key) {
    return make_error(ErrorKind::invalid, fmt::format("{}: {}", path, key.error().message));
  }
  return key;
}

}  // namespace

Result<fleet::Spec> make_spec(Files& files, const Config& config, const std::string& config_path) {
  const Config::Fleet& from = config.fleet;
  fleet::Spec spec;
  spec.fleet = from.name;
  spec.home = from.home;
  spec.regions = from.regions;
  spec.instance_types = from.instance_types;
  spec.instances_per_region = from.instances_per_region;
  spec.image.kind = from.image_copy.empty() ? fleet::ImageSpec::Kind::stock : fleet::ImageSpec::Kind::copy;
  spec.image.name = from.image_copy.empty() ? from.image_stock : from.image_copy;
  spec.group.name = from.group_name.empty() ? from.name : from.group_name;
  spec.group.like_home = from.group_like_home;
  if (!from.public_key.empty()) {
    spec.key = TRY(read_public_key(files, beside(config_path, from.public_key), from.name, config_path));
  }
  const std::string our_profile = fleet::our_profile(from.name);
  spec.profile.name = from.instance_profile.empty() ? our_profile : from.instance_profile;
  spec.profile.ours = spec.profile.name == our_profile || spec.profile.name == kOurProfile;
  spec.deadman = from.deadman == "guest" ? fleet::Deadman::guest : fleet::Deadman::guest_and_scheduler;
  spec.subnets = from.subnets;
  spec.boot_timer = from.boot_timer;
  spec.job_timeout = config.job.timeout;
  // "rotate" runs each vantage as often as "paired" does.
  spec.rounds_per_day = config.schedule.rounds_per_day;
  spec.budget_usd_per_month = from.budget_usd_per_month;
  return spec;
}

}  // namespace parallax::cli
