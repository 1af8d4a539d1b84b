#include "cli/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/table_reader.h"
#include "codec/hash.h"
#include "codec/toml.h"
#include "fleet/regions.h"
#include "probe/service_file.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kNameBytesMax = 100;
constexpr std::size_t kImageNameBytesMin = 3;
constexpr std::size_t kProfileNameBytesMax = 128;
constexpr int kInstancesMax = 10'000;  // of one region

struct Source {
  std::string_view file, text;
  const TomlValue& root;
};

template <typename Read>
Result<> read_table(const Source& source, const char* name, Read read) {
  const LocatedMember* member = source.root.find(name);
  if (member == nullptr) {
    return {};
  }
  TableReader reader(source.file, source.text, name, member->value);
  read(reader);
  return reader.finish();
}

void check_regions(TableReader& reader, Config::Fleet& fleet) {
  // read once more for the places of the items
  if (const LocatedValue* value = reader.take("regions"); value != nullptr && value->list() != nullptr) {
    std::vector<std::string> seen;
    for (const LocatedValue& item : *value->list()) {
      const std::string* id = item.string();
      if (id == nullptr) {
        continue;  // complained about already
      }
      if (const Result<> known = fleet::check_region(*id); !known) {
        reader.complain(item.place, known.error().message);
      }
      if (std::find(seen.begin(), seen.end(), *id) != seen.end()) {
        reader.complain(item.place, fmt::format("region '{}' appears twice", *id));
      }
      seen.push_back(*id);
    }
    if (value->list()->empty()) {
      reader.complain(value->place, "'regions' must name at least one region");
    }
  }
  if (const LocatedValue* home = reader.take("home"); home != nullptr && home->string() != nullptr) {
    if (const Result<> known = fleet::check_region(fleet.home); !known) {
      reader.complain(home->place, known.error().message);
    }
  }
}

// What may stand in all the names that we make of it: of images, key pairs, security groups, and in tags.
bool is_name(std::string_view text) {
  constexpr std::string_view kOthers = " ._-:/()@";
  return text.size() <= kNameBytesMax && !text.starts_with("sg-") && std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kOthers.find(c) != std::string_view::npos;
         });
}

// A string that has been read into `text`: its characters.
void check_name(TableReader& reader, const char* key, const std::string& text) {
  if (const LocatedValue* value = reader.take(key); value != nullptr && value->string() != nullptr) {
    if (text.empty() || !is_name(text)) {
      reader.complain(value->place, fmt::format("'{}' must be 1 to {} letters, digits, blanks and ._-:/()@, and not "
                                                "begin with sg-",
                                                key, kNameBytesMax));
    }
  }
}

void read_image(TableReader& reader, Config::Fleet& fleet) {
  reader.table("image", [&](TableReader& image) {
    std::string copy;
    std::string stock;
    image.text("copy", copy);
    check_name(image, "copy", copy);
    if (const LocatedValue* value = image.take("copy"); value != nullptr && copy.size() < kImageNameBytesMin) {
      image.complain(value->place, fmt::format("the name of an image has at least {} characters", kImageNameBytesMin));
    }
    image.text("stock", stock);
    const LocatedValue* value = image.take("stock");
    if (value != nullptr && value->string() != nullptr && stock != "al2023" && !stock.starts_with('/')) {
      image.complain(value->place,
                     "'stock' must be \"al2023\" or the path of a public SSM parameter that holds an image "
                     "id, beginning with '/'");
    }
    if (value != nullptr && image.take("copy") != nullptr) {
      image.complain(value->place, "an image is either a 'copy' or 'stock', not both");
    }
    fleet.image_copy = copy;
    fleet.image_stock = copy.empty() && stock.empty() ? fleet.image_stock : stock;
  });
  const LocatedValue* table = reader.take("image");
  if (table != nullptr && table->table() != nullptr && table->table()->empty()) {
    reader.complain(table->place, "'image' must be { copy = \"NAME\" } or { stock = \"al2023\" }");
  }
}

void read_subnets(TableReader& reader, Config::Fleet& fleet) {
  const LocatedValue* value = reader.take("subnets");
  if (value == nullptr) {
    return;
  }
  if (value->table() == nullptr) {
    reader.complain(value->place, "'subnets' must be a table such as { \"eu-west-3\" = \"subnet-0123\" }");
    return;
  }
  const std::vector<std::string_view> regions(fleet.regions.begin(), fleet.regions.end());
  for (const LocatedMember& member : *value->table()) {
    if (std::find(regions.begin(), regions.end(), member.name) == regions.end()) {
      const std::string_view best = suggest(member.name, regions);
      reader.complain(member.place, fmt::format("'{}' is none of this fleet's regions{}", member.name,
                                                best.empty() ? "" : fmt::format("; did you mean '{}'?", best)));
    }
    const std::string* id = member.value.string();
    if (id == nullptr || !id->starts_with("subnet-")) {
      reader.complain(member.value.place, "a subnet is named by its id, \"subnet-0123\"");
    } else {
      fleet.subnets[member.name] = *id;
    }
  }
}

void read_resources(TableReader& reader, Config::Fleet& fleet) {
  read_image(reader, fleet);
  reader.table("security_group", [&](TableReader& group) {
    group.text("name", fleet.group_name);
    check_name(group, "name", fleet.group_name);
    group.text("like_home", fleet.group_like_home);
    check_name(group, "like_home", fleet.group_like_home);
  });
  reader.text("public_key", fleet.public_key);
  reader.text("instance_profile", fleet.instance_profile);
  if (const LocatedValue* value = reader.take("instance_profile"); value != nullptr && value->string() != nullptr) {
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-";  // those that IAM takes
    if (fleet.instance_profile.empty() || fleet.instance_profile.size() > kProfileNameBytesMax ||
        fleet.instance_profile.find_first_not_of(kLetters) != std::string::npos) {
      reader.complain(value->place,
                      "'instance_profile' is the name of a profile, not its ARN: letters, digits, _+=,.@-");
    }
  }
  reader.word("deadman", fleet.deadman, {"guest", "guest+scheduler"});
  if (const LocatedValue* value = reader.take("budget_usd_per_month")) {
    double budget = 0;
    reader.number("budget_usd_per_month", budget, 0, 1e9);
    fleet.budget_usd_per_month = value->number() ? std::optional<double>(budget) : std::nullopt;
  }
  reader.integer("instances_per_region", fleet.instances_per_region, 1, kInstancesMax);
  // Longer than a machine may take to get its order: the agent's time-out, and a minute to deliver it.
  reader.duration("boot_timer", fleet.boot_timer, std::chrono::minutes(10), std::chrono::hours(24));
  read_subnets(reader, fleet);
}

void read_fleet(TableReader& reader, Config::Fleet& fleet) {
  reader.text("name", fleet.name);
  check_name(reader, "name", fleet.name);
  reader.text("home", fleet.home);
  reader.texts("regions", fleet.regions);
  reader.texts("instance_types", fleet.instance_types);
  if (const LocatedValue* types = reader.take("instance_types"); types != nullptr && fleet.instance_types.empty()) {
    reader.complain(types->place, "'instance_types' must name at least one type");
  }
  check_regions(reader, fleet);
  read_resources(reader, fleet);
}

void read_schedule(TableReader& reader, Config::Schedule& schedule) {
  reader.word("mode", schedule.mode, {"paired", "rotate"});
  reader.integer("rounds_per_day", schedule.rounds_per_day, 1, 1440);
  reader.duration("window", schedule.window, Seconds(1), std::chrono::hours(24));
}

// [[local]]: the hosts of one's own.
Result<> read_locals(const Source& source, Config& config) {
  const LocatedMember* member = source.root.find("local");
  if (member == nullptr) {
    return {};
  }
  const LocatedValue::List* list = member->value.list();
  if (list == nullptr) {
    return make_error(ErrorKind::invalid, point_at(source.file, source.text, member->place.line, member->place.column,
                                                   "'local' must be a list of tables, [[local]]"));
  }
  for (const LocatedValue& item : *list) {
    TableReader reader(source.file, source.text, "local", item);
    Config::Local local;
    reader.text("name", local.name);
    reader.duration("interval", local.interval, std::chrono::minutes(1), std::chrono::hours(24 * 31));
    const LocatedValue* name = reader.take("name");
    const Place& place = name == nullptr ? item.place : name->place;
    if (local.name.empty() || local.name.size() > kNameBytesMax) {
      reader.complain(place, fmt::format("[[local]] needs a 'name' of 1 to {} characters", kNameBytesMax));
    }
    const auto same = [&](const Config::Local& other) { return other.name == local.name; };
    if (std::any_of(config.locals.begin(), config.locals.end(), same)) {
      reader.complain(place, fmt::format("local vantage '{}' appears twice", local.name));
    }
    if (fleet::find_region(local.name) != nullptr) {
      reader.complain(place,
                      fmt::format("'{}' is the name of a region; a local vantage needs one of its own", local.name));
    }
    TRY(reader.finish());
    config.locals.push_back(std::move(local));
  }
  return {};
}

void read_job(TableReader& reader, Config::Job& job) {
  reader.duration("timeout", job.timeout, Seconds(10), std::chrono::hours(24));
  reader.integer("cones", job.cones, 1, 1'000'000);
  reader.number("min_radius", job.radius_min, 0, 180);
  reader.number("max_radius", job.radius_max, 0, 180);
  reader.text("services", job.services);
  reader.text("command", job.command);
  if (job.radius_min > job.radius_max) {
    const LocatedValue* value = reader.take("max_radius");
    reader.complain(value == nullptr ? Place() : value->place, "'max_radius' must not be below 'min_radius'");
  }
}

void read_collector(TableReader& reader, Config::Collector& collector) {
  reader.text("url", collector.url);
  reader.text("database", collector.database);
  reader.text("key", collector.key);
}

}  // namespace

std::string beside(const std::string& config_path, const std::string& path) {
  const std::size_t slash = config_path.rfind('/');
  return path.starts_with('/') || slash == std::string::npos ? path : config_path.substr(0, slash + 1) + path;
}

Result<Config> parse_config(std::string_view file_name, std::string_view text) {
  const TomlValue root = TRY(parse_toml(file_name, text));
  const Source source{file_name, text, root};
  Config config;
  TableReader top(file_name, text, "the file", root);
  for (const char* name : {"fleet", "job", "schedule", "collector", "local", "provider", "service"}) {
    top.take(name);
  }
  TRY(top.finish());
  TRY(read_table(source, "fleet", [&](TableReader& reader) { read_fleet(reader, config.fleet); }));
  TRY(read_table(source, "job", [&](TableReader& reader) { read_job(reader, config.job); }));
  TRY(read_table(source, "collector", [&](TableReader& reader) { read_collector(reader, config.collector); }));
  TRY(read_table(source, "schedule", [&](TableReader& reader) { read_schedule(reader, config.schedule); }));
  TRY(read_locals(source, config));
  if (config.fleet.name.empty()) {
    return make_error(ErrorKind::invalid, fmt::format("{}: [fleet] needs a 'name'", file_name));
  }
  if (config.fleet.regions.empty()) {
    return make_error(ErrorKind::invalid, fmt::format("{}: [fleet] needs 'regions'", file_name));
  }
  if (root.find("service") != nullptr) {
    ServiceList list = TRY(services_from_toml(file_name, text, root));
    config.services = std::move(list.services);
    config.providers = std::move(list.providers);
    config.opted_out = std::move(list.opted_out);
  }
  return config;
}

Result<Config> load_config(Files& files, const std::string& path) {
  constexpr std::size_t kConfigBytesMax = 4U << 20U;
  Result<std::string> text = files.read(path, kConfigBytesMax);
  if (!text) {
    Error error = text.error();
    error.message += "; name another file with --config";
    error.kind = ErrorKind::invalid;
    return error;
  }
  Config config = TRY(parse_config(path, *text));
  config.sha256 = sha256_hex(*text);
  config.collector.key = config.collector.key.empty() ? "" : beside(path, config.collector.key);
  if (!config.job.services.empty()) {
    const std::string services_path = beside(path, config.job.services);
    Result<std::string> services_text = files.read(services_path, kConfigBytesMax);
    if (!services_text) {
      Error error = services_text.error();
      error.kind = ErrorKind::invalid;
      error.context.push_back(fmt::format("named by [job] services in {}", path));
      return error;
    }
    ServiceList list = TRY(parse_services(services_path, *services_text));
    std::move(list.services.begin(), list.services.end(), std::back_inserter(config.services));
    std::move(list.providers.begin(), list.providers.end(), std::back_inserter(config.providers));
    std::move(list.opted_out.begin(), list.opted_out.end(), std::back_inserter(config.opted_out));
  }
  return config;
}

}  // namespace parallax::cli
