#include "cli/fleet_bundle.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/collector_call.h"
#include "cli/version.h"
#include "collector/bundles.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kListBytesMax = 1U << 20U;
constexpr Micros kListTimeout{Seconds(20)};

Result<fleet::Bundle> from_file(World& world, const std::string& path, const std::string& collector) {
  Result<std::string> archive = world.files.read(path, collector::kBundleBytesMax);
  if (!archive) {
    Error error = archive.error();
    error.kind = ErrorKind::invalid;
    return error;
  }
  const collector::Bundle found = TRY(collector::open_bundle(*std::move(archive)).with_context("reading " + path));
  if (found.build != kBuild) {
    log::note(fmt::format("{} is of build {}, this is {}: the machines run the bundle's", path, found.build, kBuild));
  }
  return fleet::Bundle{found.build, found.sha256, fmt::format("{}/api/v1/bundle/{}", collector, found.build),
                       found.archive->size(), found.unpacked_bytes};
}

Result<Json> ask_for_list(World& world, const fleet::RoundSpec& round) {
  const std::string token = TRY(brief_controller_token(world, *round.signing_key, round.fleet));
  return get_from_collector(world, round.collector + "/api/v1/bundles", token, {kListTimeout, kListBytesMax});
}

// What the collector has of our build; nothing where it has none.
Result<std::optional<fleet::Bundle>> from_collector(World& world, const fleet::RoundSpec& round) {
  const Json list = TRY(ask_for_list(world, round));
  for (const Json& item : list.list("bundles")) {
    if (item.text("build") == kBuild) {
      fleet::Bundle bundle;
      bundle.build = kBuild;
      bundle.sha256 = item.text("sha256");
      bundle.url = fmt::format("{}/api/v1/bundle/{}", round.collector, kBuild);
      bundle.bytes = static_cast<std::uint64_t>(item.integer("bytes", 0));
      bundle.unpacked_bytes = static_cast<std::uint64_t>(item.integer("unpacked_bytes", 0));
      TRY(fleet::check_bundle(bundle));
      return std::optional(std::move(bundle));
    }
  }
  return std::optional<fleet::Bundle>();
}

}  // namespace

Option bundle_option() {
  return Option{"--bundle", OptionKind::value, "FILE",
                "machines fetch this bundle from the collector (default: the collector's, of this build)"};
}

Result<> choose_bundle(const Arguments& arguments, World& world, fleet::RoundSpec& round) {
  const std::optional<std::string> path = arguments.value("--bundle");
  if (path && !round.command.empty()) {
    return make_error(ErrorKind::invalid, "--bundle: [job] command is run without our program");
  }
  if (path && round.collector.empty()) {
    return make_error(ErrorKind::invalid,
                      "--bundle: machines fetch it from the collector, so [collector] needs a 'url'");
  }
  if (path) {
    round.bundle = TRY(from_file(world, *path, round.collector));
    return fleet::check_bundle(*round.bundle);
  }
  if (!round.command.empty() || round.keep_running || !round.signing_key) {
    return {};
  }
  Result<std::optional<fleet::Bundle>> found = from_collector(world, round);
  const std::string_view instead = "the machines use the 'parallax' on their PATH";
  if (!found) {
    log::note(fmt::format("{} cannot say whether it has a bundle of build {} ({}); {}", round.collector, kBuild,
                          found.error().text(), instead));
  } else if (!*found) {
    log::note(
        fmt::format("{} has no bundle of build {} ('parallax serve --bundle'); {}", round.collector, kBuild, instead));
  } else {
    round.bundle = **std::move(found);
  }
  return {};
}

}  // namespace parallax::cli
