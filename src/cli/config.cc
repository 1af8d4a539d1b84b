#include "cli/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/toml.h"
#include "fleet/regions.h"
#include "probe/service_file.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kLocalNameMax = 100;

// Reads one table: each key once, the rest are complaints.
class TableReader {
 public:
  TableReader(std::string_view file, std::string_view text, std::string_view name, const LocatedValue& table)
      : file_(file), text_(text), name_(name), table_(table) {
    if (table.table() == nullptr) {
      complain(table.place, fmt::format("'{}' must be a table, [{}]", name, name));
    }
  }

  void text(const char* key, std::string& target) {
    if (const LocatedValue* value = take(key)) {
      if (const std::string* string = value->string()) {
        target = *string;
      } else {
        wrong_type(key, *value, "a string");
      }
    }
  }

  void texts(const char* key, std::vector<std::string>& target) {
    const LocatedValue* value = take(key);
    if (value == nullptr) {
      return;
    }
    const LocatedValue::List* list = value->list();
    if (list == nullptr) {
      wrong_type(key, *value, "a list of strings");
      return;
    }
    target.clear();
    for (const LocatedValue& item : *list) {
      if (const std::string* string = item.string()) {
        target.push_back(*string);
      } else {
        wrong_type(key, item, "a list of strings");
      }
    }
  }

  void integer(const char* key, int& target, std::int64_t low, std::int64_t high) {
    if (const LocatedValue* value = take(key)) {
      const std::int64_t* number = value->integer();
      if (number != nullptr && *number >= low && *number <= high) {
        target = static_cast<int>(*number);
      } else {
        wrong_type(key, *value, fmt::format("an integer from {} to {}", low, high));
      }
    }
  }

  void number(const char* key, double& target, double low, double high) {
    if (const LocatedValue* value = take(key)) {
      const std::optional<double> read = value->number();
      if (read && *read >= low && *read <= high) {
        target = *read;
      } else {
        wrong_type(key, *value, fmt::format("a number from {} to {}", low, high));
      }
    }
  }

  void duration(const char* key, Micros& target, Micros low, Micros high) {
    if (const LocatedValue* value = take(key)) {
      const std::string* string = value->string();
      const Result<Micros> read = string == nullptr
                                      ? make_error(ErrorKind::invalid, "a duration is a string such as \"30m\"")
                                      : parse_duration(*string);
      if (!read) {
        complain(value->place, fmt::format("'{}': {}", key, read.error().message));
      } else if (*read < low || *read > high) {
        complain(value->place, fmt::format("'{}' must be from {} to {}", key, to_human(low), to_human(high)));
      } else {
        target = *read;
      }
    }
  }

  void word(const char* key, const std::vector<std::string_view>& words) {
    if (const LocatedValue* value = take(key)) {
      const std::string* string = value->string();
      if (string == nullptr || std::find(words.begin(), words.end(), *string) == words.end()) {
        std::string all;
        for (const std::string_view allowed : words) {
          all += fmt::format("{}'{}'", all.empty() ? "" : ", ", allowed);
        }
        complain(value->place, fmt::format("'{}' must be one of {}", key, all));
      }
    }
  }

  // The value itself, for what needs a closer look.
  const LocatedValue* take(const char* key) {
    known_.emplace_back(key);
    const LocatedMember* member = table_.find(key);
    return member == nullptr ? nullptr : &member->value;
  }

  void complain(const Place& place, std::string_view message) {
    if (!error_) {
      error_ = make_error(ErrorKind::invalid, point_at(file_, text_, place.line, place.column, message));
    }
  }

  // The first complaint; unknown keys last.
  Result<> finish() {
    if (!error_ && table_.table() != nullptr) {
      for (const LocatedMember& member : *table_.table()) {
        if (std::find(known_.begin(), known_.end(), member.name) == known_.end()) {
          const std::string_view best = suggest(member.name, known_);
          complain(member.place, fmt::format("unknown key '{}' in [{}]{}", member.name, name_,
                                             best.empty() ? "" : fmt::format("; did you mean '{}'?", best)));
        }
      }
    }
    if (error_) {
      return *error_;
    }
    return {};
  }

 private:
  void wrong_type(const char* key, const LocatedValue& value, std::string_view expected) {
    complain(value.place, fmt::format("'{}' must be {}", key, expected));
  }

  std::string_view file_, text_;
  std::string name_;
  const LocatedValue& table_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

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

void read_fleet(TableReader& reader, Config::Fleet& fleet) {
  reader.text("name", fleet.name);
  reader.text("home", fleet.home);
  reader.texts("regions", fleet.regions);
  reader.texts("instance_types", fleet.instance_types);
  check_regions(reader, fleet);
  // What the set-up of machines reads: checked here, so that a file is right or wrong as a whole.
  for (const char* key : {"image", "security_group"}) {
    if (const LocatedValue* value = reader.take(key); value != nullptr && value->table() == nullptr) {
      reader.complain(value->place, fmt::format("'{}' must be a table such as {{ name = \"NAVO\" }}", key));
    }
  }
  std::string text;
  reader.text("public_key", text);
  reader.text("instance_profile", text);
  reader.word("deadman", {"guest", "guest+scheduler"});
  double budget = 0;
  reader.number("budget_usd_per_month", budget, 0, 1e9);
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
    if (local.name.empty() || local.name.size() > kLocalNameMax) {
      reader.complain(place, fmt::format("[[local]] needs a 'name' of 1 to {} characters", kLocalNameMax));
    }
    const auto same = [&](const Config::Local& other) { return other.name == local.name; };
    if (std::any_of(config.locals.begin(), config.locals.end(), same)) {
      reader.complain(place, fmt::format("local vantage '{}' appears twice", local.name));
    }
    TRY(reader.finish());
    config.locals.push_back(std::move(local));
  }
  return {};
}

std::string beside(const std::string& config_path, const std::string& path) {
  const std::size_t slash = config_path.rfind('/');
  return path.starts_with('/') || slash == std::string::npos ? path : config_path.substr(0, slash + 1) + path;
}

}  // namespace

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
  TRY(read_table(source, "schedule", [&](TableReader& reader) {
    int rounds = 0;
    Micros window{0};
    reader.word("mode", {"paired", "rotate"});
    reader.integer("rounds_per_day", rounds, 1, 1440);
    reader.duration("window", window, Seconds(1), std::chrono::hours(24));
  }));
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
  }
  return config;
}

}  // namespace parallax::cli
