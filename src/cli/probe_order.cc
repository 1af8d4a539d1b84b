#include "cli/probe_order.h"

#include <algorithm>
#include <array>
#include <set>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cone_options.h"
#include "cli/probe_options.h"
#include "cli/writers/outputs.h"
#include "probe/cones.h"
#include "probe/service_file.h"
#include "probe/service_tree.h"

namespace parallax::cli {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// --start-index and --cone-limit: a part of the cones, whether they were drawn or read.
Result<> cut_cones(const Arguments& arguments, Order& order) {
  constexpr std::int64_t kAll = 1'000'000'000;
  const std::int64_t first = TRY(arguments.integer("--start-index", 0, 0, kAll));
  const std::int64_t count = TRY(arguments.integer("--cone-limit", kAll, 1, kAll));
  if (!arguments.has("--start-index") && !arguments.has("--cone-limit")) {
    return {};
  }
  std::vector<Cone> cones = order.cone_list.empty() ? make_cones(order.cones) : std::move(order.cone_list);
  const auto size = static_cast<std::int64_t>(cones.size());
  if (first >= size) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--start-index {}: there are {} cones, so it is at most {}", first, size, size - 1));
  }
  order.cone_list.assign(cones.begin() + first, cones.begin() + std::min(size, first + count));
  return {};
}

// --mode: instead of what the list says. Series that were asked for twice would be one.
Result<> set_mode(const Arguments& arguments, Order& order) {
  const std::optional<std::string> word = arguments.value("--mode");
  if (!word) {
    return {};
  }
  const std::optional<TapMode> mode = parse_tap_mode(*word);
  if (!mode) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--mode: one of sync, async, both, not '{}'", terminal_safe(*word, 40)));
  }
  std::set<std::pair<std::string, std::string>> seen;
  for (Service& service : order.services) {
    if (service.type != ServiceType::tap) {
      continue;
    }
    service.mode = *mode;
    if (!seen.insert({service.provider, service.name}).second) {
      return make_error(ErrorKind::invalid,
                        fmt::format("--mode {}: TAP service '{}' of provider '{}' stands in the list once for each "
                                    "mode and would be asked twice",
                                    *word, terminal_safe(service.name, 80), terminal_safe(service.provider, 80)));
    }
  }
  if (seen.empty()) {
    return make_error(ErrorKind::invalid, fmt::format("--mode {}: the list holds no TAP service", *word));
  }
  return {};
}

}  // namespace

Result<ServiceList> services_at(World& world, const std::string& path) {
  if (!is_directory(world.files, path)) {
    const std::string text = TRY(read_input(world, path));
    return parse_services(path, text);
  }
  ServiceTree tree = TRY(read_service_tree(world.files, path));
  if (!tree.not_read.empty()) {
    log::note(fmt::format("not read, since service lists of a directory end in .py: {}{}",
                          terminal_safe(tree.not_read.front(), 300),
                          tree.not_read.size() > 1 ? fmt::format(" and {} more", tree.not_read.size() - 1) : ""));
  }
  return std::move(tree.list);
}

Result<> name_run(const Arguments& arguments, World& world, Order& order) {
  order.run_id = make_ulid(world.clock.now(), world.rng);
  order.round_id = order.run_id;
  order.fleet = arguments.value_or("--fleet", "local");
  order.vantage = arguments.value_or("--vantage", host_name());
  order.collector = TRY(submit_target(arguments));
  order.token = TRY(token_of(arguments, world));
  return {};
}

Result<Order> order_from_arguments(const Arguments& arguments, World& world) {
  if (const std::optional<std::string> path = arguments.value("--order")) {
    for (const char* name : {"--services", "--cones", "--cone-file", "--start-index", "--cone-limit", "--seed",
                             "--min-radius", "--max-radius", "--mode", "--collector"}) {
      if (arguments.has(name)) {
        return make_error(ErrorKind::invalid, fmt::format("{} does not go with --order, which says all that", name));
      }
    }
    const std::string text = TRY(read_input(world, *path));
    const Json json = TRY(parse_json(text).with_context("reading " + *path));
    return order_from_json(json).with_context("reading " + *path);
  }
  const std::optional<std::string> path = arguments.value("--services");
  if (!path) {
    return make_error(ErrorKind::invalid, "say what to measure: --services FILE, or --order FILE");
  }
  Order order;
  ServiceList list = TRY(services_at(world, *path));
  order.services = std::move(list.services);
  order.providers = std::move(list.providers);
  if (!list.opted_out.empty()) {
    log::note(describe_opted_out(list.opted_out));
  }
  if (const std::optional<std::string> cone_file = arguments.value("--cone-file")) {
    if (arguments.has("--cones") || arguments.has("--seed")) {
      return make_error(ErrorKind::invalid, "--cone-file does not go with --cones or --seed");
    }
    const std::string cone_text = TRY(read_input(world, *cone_file));
    order.cone_list = TRY(parse_cones(*cone_file, cone_text));
  } else {
    order.cones = TRY(cone_parameters(arguments, world));
    if (!arguments.has("--seed")) {
      log::note(fmt::format("seed {}", order.cones.seed));
    }
  }
  TRY(set_mode(arguments, order));
  TRY(cut_cones(arguments, order));
  TRY(name_run(arguments, world, order));
  return order;
}

}  // namespace parallax::cli
