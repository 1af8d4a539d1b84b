// parallax fleet image create

#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_setup.h"
#include "cli/prompt.h"
#include "cli/table.h"
#include "fleet/image_making.h"

namespace parallax::cli {

namespace {

Result<fleet::ImageMaking> making_of(const Arguments& arguments, const fleet::Spec& spec) {
  fleet::ImageMaking making;
  making.instance_id = arguments.value_or("--from", "");
  if (!making.instance_id.starts_with("i-")) {
    return make_error(
        ErrorKind::invalid,
        fmt::format("--from: '{}' is no instance id; it looks like i-0123456789abcdef0", making.instance_id));
  }
  const bool copies = spec.image.kind == fleet::ImageSpec::Kind::copy;
  making.name = arguments.value_or("--name", copies ? spec.image.name : spec.fleet);
  making.reboot = arguments.has("--no-reboot") ? fleet::ImageReboot::no_reboot : fleet::ImageReboot::reboot;
  if (arguments.has("--poll")) {
    making.poll = TRY(change_options(arguments)).image_poll;
  }
  return making;
}

Result<int> create(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSetup setup = TRY(open_setup(arguments, world, RegionChoice::of_fleet));
  const fleet::ImageMaking making = TRY(making_of(arguments, setup.spec));
  const std::string what =
      fmt::format("image '{}' of {} in {}{}", making.name, making.instance_id, setup.spec.home,
                  making.reboot == fleet::ImageReboot::reboot ? ", which is rebooted for it if it runs" : "");
  if (arguments.has("--dry-run")) {
    print(fmt::format("would make {}\n", what));
    return 0;
  }
  if (!TRY(confirm(arguments, world, fmt::format("Make {}?", what), "agree with --yes"))) {
    log::note("nothing was done");
    return 1;
  }
  std::string told;  // a line for each change, not for each look
  const fleet::MadeImage made = TRY(fleet::make_image(
      setup.session.deps(world), setup.spec, making,
      [&](const std::string& text) {
        if (std::exchange(told, text) != text) {
          log::note(fmt::format("{}: {}", setup.spec.home, text));
        }
      },
      world.stop));
  std::string snapshots;
  for (const std::string& id : made.snapshots) {
    snapshots += (snapshots.empty() ? "" : " ") + id;
  }
  if (json) {
    print(Json::object({{"region", setup.spec.home},
                        {"image", made.id},
                        {"name", made.name},
                        {"snapshots", JsonArray(made.snapshots.begin(), made.snapshots.end())},
                        {"took_us", static_cast<std::int64_t>(made.took.count())}})
              .pretty() +
          "\n");
  } else {
    Table table({"region", "image", "name", "snapshots", "took>"});
    table.add({setup.spec.home, made.id, made.name, snapshots,
               fmt::format("{:.1f} s", static_cast<double>(made.took.count()) / 1e6)});
    print(table.text());
  }
  if (setup.spec.image.kind != fleet::ImageSpec::Kind::copy || setup.spec.image.name != made.name) {
    log::note(fmt::format(
        "the configuration's [fleet] image is another one; to copy this one: image = {{ copy = \"{}\" }}", made.name));
  }
  return 0;
}

std::vector<Option> image_options() {
  std::vector<Option> options{
      {"--from", OptionKind::value, "INSTANCE", "a machine of the home region", true},
      {"--name", OptionKind::value, "NAME", "of the image (default: the one that apply copies)"},
      {"--no-reboot", OptionKind::flag, "", "do not reboot a running machine for it"},
      yes_option(),
      dry_run_option(),
      change_poll_option()};
  // Home is the region: --region and --all would do nothing.
  for (Option& option : fleet_options()) {
    if (option.name != "--region" && option.name != "--all") {
      options.push_back(std::move(option));
    }
  }
  return options;
}

}  // namespace

Command fleet_image_command() {
  return Command{"image",
                 "home's image, which apply copies to the other regions",
                 {},
                 nullptr,
                 {Command{"create", "make it from a machine that was set up by hand", image_options(), create, {}}}};
}

}  // namespace parallax::cli
