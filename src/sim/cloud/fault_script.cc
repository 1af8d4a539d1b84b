#include "sim/cloud/fault_script.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/toml.h"
#include "sim/cloud/regions.h"

namespace parallax::sim {

namespace {

constexpr Micros kDurationMax = Seconds(7 * 86400);
constexpr std::int64_t kInstancesMax = 1'000'000;

struct NamedTiming {
  std::string_view name;
  DurationRange CloudTimings::*range;
};

constexpr NamedTiming kTimings[] = {{"pending", &CloudTimings::pending},
                                    {"agent", &CloudTimings::agent},
                                    {"stopping", &CloudTimings::stopping},
                                    {"delivery", &CloudTimings::delivery},
                                    {"invocation", &CloudTimings::invocation},
                                    {"profile", &CloudTimings::profile},
                                    {"status_checks", &CloudTimings::status_checks},
                                    {"interface_lingers", &CloudTimings::interface_lingers},
                                    {"image_create", &CloudTimings::image_create},
                                    {"image_copy", &CloudTimings::image_copy},
                                    {"snapshot", &CloudTimings::snapshot}};

class ScriptReader {
 public:
  ScriptReader(std::string_view file, std::string_view text) : file_(file), text_(text) {}

  Result<FaultScript> read(const TomlValue& root) {
    for (const LocatedMember& member : *root.table()) {
      if (member.name == "fault") {
        TRY(read_faults(member));
      } else if (member.name == "capacity") {
        TRY(read_capacity(member));
      } else if (member.name == "latency") {
        TRY(read_latency(member));
      } else if (member.name == "timings") {
        TRY(read_timings(member));
      } else {
        return unknown(member, "table", {"fault", "capacity", "latency", "timings"});
      }
    }
    return std::move(script_);
  }

 private:
  Error error(const Place& place, std::string_view message) const {
    return make_error(ErrorKind::invalid, point_at(file_, text_, place.line, place.column, message));
  }

  Error unknown(const LocatedMember& member, std::string_view what, const std::vector<std::string_view>& known) const {
    const std::string_view near = suggest(member.name, known);
    return error(member.place, fmt::format("unknown {} '{}'{}", what, member.name,
                                           near.empty() ? fmt::format("; known are {}", fmt::join(known, ", "))
                                                        : fmt::format("; did you mean '{}'?", near)));
  }

  Result<> read_faults(const LocatedMember& member) {
    const LocatedValue::List* list = member.value.list();
    if (list == nullptr) {
      return error(member.place, "faults are written [[fault]], with two brackets");
    }
    if (list->size() > kFaultRulesMax) {
      return error(member.place, fmt::format("more than {} faults", kFaultRulesMax));
    }
    for (const LocatedValue& item : *list) {
      script_.rules.push_back(TRY(read_rule(item)));
    }
    return {};
  }

  Result<FaultRule> read_rule(const LocatedValue& value) const {
    if (value.table() == nullptr) {
      return error(value.place, "a fault is a table");
    }
    const LocatedMember* kind = value.find("kind");
    if (kind == nullptr) {
      return error(value.place, "this fault has no 'kind'");
    }
    FaultRule rule;
    rule.kind = TRY(read_kind(kind->value));
    bool counted = false;
    for (const LocatedMember& member : *value.table()) {
      if (member.name == "kind") {
        continue;
      }
      counted = counted || member.name == "count";
      TRY(read_key(rule, member));
    }
    if (value.find("nth") != nullptr && !counted) {
      rule.count = 1;
    }
    if (rule.until <= rule.after) {
      return error(value.place, "'until' is not later than 'after': this fault never strikes");
    }
    return rule;
  }

  Result<FaultKind> read_kind(const LocatedValue& value) const {
    std::vector<std::string_view> names;
    for (const FaultKind kind : fault_kinds()) {
      names.push_back(to_string(kind));
    }
    const std::string* name = value.string();
    const std::optional<FaultKind> kind = name == nullptr ? std::nullopt : parse_fault_kind(*name);
    if (kind) {
      return *kind;
    }
    const std::string_view near = name == nullptr ? std::string_view{} : suggest(*name, names);
    return error(value.place, near.empty()
                                  ? fmt::format("'kind' must be one of {}", fmt::join(names, ", "))
                                  : fmt::format("unknown kind of fault '{}'; did you mean '{}'?", *name, near));
  }

  Result<> read_key(FaultRule& rule, const LocatedMember& member) const {
    const std::string_view key = member.name;
    if (key == "region") {
      rule.region = TRY(read_region(member.value));
    } else if (key == "service" || key == "operation") {
      if (!strikes_requests(rule.kind)) {
        return error(member.place,
                     fmt::format("'{}' is no fault of a request: it has no '{}'", to_string(rule.kind), key));
      }
      (key == "service" ? rule.service : rule.operation) = TRY(read_text(member));
    } else if (key == "nth") {
      rule.first = TRY(read_count(member));
    } else if (key == "count") {
      rule.count = TRY(read_count(member));
    } else if (key == "probability") {
      const std::optional<double> number = member.value.number();
      if (!number || !(*number > 0 && *number <= 1)) {
        return error(member.value.place, "'probability' must be a number above 0 and not above 1");
      }
      rule.probability = *number;
    } else if (key == "after") {
      rule.after = TRY(read_duration(member));
    } else if (key == "until") {
      rule.until = TRY(read_duration(member));
    } else if (key == "duration") {
      rule.duration = TRY(read_duration(member));
    } else {
      return unknown(
          member, "key",
          {"kind", "region", "service", "operation", "nth", "count", "probability", "after", "until", "duration"});
    }
    return {};
  }

  Result<std::string> read_text(const LocatedMember& member) const {
    const std::string* text = member.value.string();
    if (text == nullptr || text->empty()) {
      return error(member.value.place, fmt::format("'{}' must be a string", member.name));
    }
    return *text;
  }

  Result<std::string> read_region(const LocatedValue& value) const {
    const std::string* text = value.string();
    if (text == nullptr) {
      return error(value.place, "'region' must be a string");
    }
    if (text->find('*') == std::string::npos && find_region(*text) == nullptr) {
      return error(value.place, unknown_region(*text));
    }
    return *text;
  }

  Result<std::uint64_t> read_count(const LocatedMember& member) const {
    const std::int64_t* number = member.value.integer();
    if (number == nullptr || *number < 1) {
      return error(member.value.place, fmt::format("'{}' must be an integer above 0", member.name));
    }
    return static_cast<std::uint64_t>(*number);
  }

  Result<Micros> read_duration(const LocatedMember& member) const { return read_duration(member, member.value); }

  Result<Micros> read_duration(const LocatedMember& member, const LocatedValue& value) const {
    const std::string* text = value.string();
    const Result<Micros> duration = parse_duration(text == nullptr ? "" : *text);
    if (!duration || *duration < Micros(0) || *duration > kDurationMax) {
      return error(value.place,
                   fmt::format("'{}' must be a duration up to 7 days: \"5s\", \"200ms\", \"1h\"", member.name));
    }
    return *duration;
  }

  Result<> read_capacity(const LocatedMember& table) {
    if (table.value.table() == nullptr) {
      return error(table.place, "[capacity] is a table of \"ZONE/TYPE\" = NUMBER");
    }
    for (const LocatedMember& member : *table.value.table()) {
      const std::int64_t* number = member.value.integer();
      const std::size_t slash = member.name.find('/');
      const std::string zone = member.name.substr(0, slash);
      const std::string type = slash == std::string::npos ? "" : member.name.substr(slash + 1);
      const auto is_part = [](const std::string& part) {
        return part == "*" || (!part.empty() && part.find('*') == std::string::npos);
      };
      if (!is_part(zone) || !is_part(type) || (zone == "*" && type == "*")) {
        return error(member.place, "write \"ZONE/TYPE\": \"us-west-2a/t3.micro\", \"us-west-2a/*\" or \"*/t3.micro\"");
      }
      if (number == nullptr || *number < 0 || *number > kInstancesMax) {
        return error(member.value.place, "the capacity must be a number of instances");
      }
      script_.capacity[member.name] = static_cast<int>(*number);
    }
    return {};
  }

  Result<> read_latency(const LocatedMember& table) {
    if (table.value.table() == nullptr) {
      return error(table.place, "[latency] is a table of REGION = \"DURATION\"");
    }
    for (const LocatedMember& member : *table.value.table()) {
      if (find_region(member.name) == nullptr) {
        return error(member.place, unknown_region(member.name));
      }
      script_.round_trips[member.name] = TRY(read_duration(member));
    }
    return {};
  }

  Result<> read_timings(const LocatedMember& table) {
    if (table.value.table() == nullptr) {
      return error(table.place, "[timings] is a table of NAME = \"DURATION\" or NAME = [\"LEAST\", \"MOST\"]");
    }
    CloudTimings defaults;
    for (const LocatedMember& member : *table.value.table()) {
      if (find_timing(defaults, member.name) == nullptr) {
        std::vector<std::string_view> known;
        for (const auto& [name, range] : kTimings) {
          known.push_back(name);
        }
        return unknown(member, "timing", known);
      }
      DurationRange range;
      if (const LocatedValue::List* both = member.value.list(); both != nullptr && both->size() == 2) {
        range = {TRY(read_duration(member, (*both)[0])), TRY(read_duration(member, (*both)[1]))};
      } else {
        range.min = range.max = TRY(read_duration(member));
      }
      if (range.max < range.min) {
        return error(member.value.place, fmt::format("'{}': the first duration is the longer one", member.name));
      }
      script_.timings[member.name] = range;
    }
    return {};
  }

  std::string_view file_, text_;
  FaultScript script_;
};

}  // namespace

DurationRange* find_timing(CloudTimings& timings, std::string_view name) {
  const auto* const found = std::ranges::find(kTimings, name, &NamedTiming::name);
  return found == std::end(kTimings) ? nullptr : &(timings.*(found->range));
}

Result<FaultScript> parse_fault_script(std::string_view file_name, std::string_view text) {
  const TomlValue root = TRY(parse_toml(file_name, text));
  return ScriptReader(file_name, text).read(root);
}

std::vector<FaultRule> seeded_faults(std::uint64_t seed) {
  Xoshiro rng(seed);
  std::vector<FaultRule> rules;
  for (const FaultKind kind : fault_kinds()) {
    FaultRule rule;
    rule.kind = kind;
    // What strikes each request must leave a program that retries a fair chance; a start or a boot is rarer.
    const double most = strikes_requests(kind) || kind == FaultKind::stale_read ? 0.05 : 0.2;
    rule.probability = most * (0.2 + 0.8 * rng.unit());
    if (kind == FaultKind::slow) {
      rule.duration = Millis(static_cast<std::int64_t>(200 + rng.below(10'000)));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::string describe(const FaultRule& rule) {
  std::string text = fmt::format("{} with probability {:.3f}", to_string(rule.kind), rule.probability);
  if (rule.duration) {
    text += fmt::format(", {} ms", std::chrono::duration_cast<Millis>(*rule.duration).count());
  }
  return text;
}

}  // namespace parallax::sim
