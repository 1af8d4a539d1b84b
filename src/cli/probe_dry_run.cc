#include "cli/probe_dry_run.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/world.h"
#include "codec/csv.h"
#include "probe/cones.h"
#include "probe/query.h"
#include "probe/timetable.h"

namespace parallax::cli {

namespace {

enum class Format { table, ndjson, csv };

Result<Format> format_of(const Arguments& arguments) {
  if (arguments.has("--exec")) {
    return make_error(ErrorKind::invalid, "--exec does not go with --dry-run, which has no records");
  }
  const std::vector<std::string> outputs = arguments.list("--output");
  const std::string name = outputs.empty() ? "table" : outputs.front();
  if (outputs.size() <= 1 && name == "table") {
    return Format::table;
  }
  if (outputs.size() == 1 && (name == "ndjson" || name == "csv")) {
    return name == "csv" ? Format::csv : Format::ndjson;
  }
  return make_error(ErrorKind::invalid,
                    fmt::format("--output {}: with --dry-run it is one of table, ndjson, csv, on standard output",
                                terminal_safe(fmt::format("{}", fmt::join(outputs, " and ")), 200)));
}

Json described(const PlannedQuery& query, const Measurement& m) {
  return Json::object({{"offset_us", query.offset.count()},
                       {"sequence", query.sequence},
                       {"provider", m.provider},
                       {"service", m.service},
                       {"type", m.type},
                       {"mode", m.mode.empty() ? Json() : Json(m.mode)},
                       {"connection", to_string(query.connection)},
                       {"definition", m.definition},
                       {"cone_index", m.cone_index},
                       {"ra", m.ra},
                       {"dec", m.dec},
                       {"radius", m.radius},
                       {"method", m.type == "tap" ? "POST" : "GET"},
                       {"url", m.url},
                       {"query", m.query.empty() ? Json() : Json(m.query)}});
}

std::string csv_of(const Json& json, bool names) {
  CsvLine line;
  for (const auto& [name, value] : *json.members()) {
    if (names) {
      line.text(name);
    } else if (const std::string* string = value.string()) {
      line.text(terminal_safe(*string, string->size() * 4));
    } else {
      line.number(value.is_null() ? "" : value.dump());
    }
  }
  return line.take();
}

std::string table_line(const PlannedQuery& query, const Measurement& m) {
  return fmt::format("{:>9}  {:<20} {:<24} {:<9}  {} {}{}{}\n", to_human(query.offset), terminal_safe(m.provider, 20),
                     terminal_safe(m.service, 24), m.mode.empty() ? m.type : m.type + "-" + m.mode,
                     m.type == "tap" ? "POST" : "GET", terminal_safe(m.url, 2000), m.query.empty() ? "" : "  ",
                     terminal_safe(m.query, 2000));
}

// All providers' queries by the time at which they start.
std::vector<PlannedQuery> by_start(const Order& order, std::size_t cones) {
  std::vector<PlannedQuery> queries;
  for (ProviderTimetable& table : make_timetable(order, cones)) {
    if (!table.provider.opt_out) {
      queries.insert(queries.end(), table.queries.begin(), table.queries.end());
    }
  }
  std::stable_sort(queries.begin(), queries.end(),
                   [](const PlannedQuery& a, const PlannedQuery& b) { return a.offset < b.offset; });
  return queries;
}

}  // namespace

Result<int> tell_timetable(const Order& order, const Arguments& arguments) {
  const Format format = TRY(format_of(arguments));
  const std::vector<Cone> cones = order.cone_list.empty() ? make_cones(order.cones) : order.cone_list;
  const std::vector<PlannedQuery> queries = by_start(order, cones.size());
  if (format == Format::table) {
    print(fmt::format("{:>9}  {:<20} {:<24} {:<9}  {}\n", "start", "provider", "service", "type", "asked"));
  }
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const PlannedQuery& query = queries[i];
    Service service = order.services[query.service];
    Measurement m;
    service.mode = query.mode;  // of `both` the one that is asked now
    TRY(describe_query(service, cones[query.cone], query.cone, m).with_context("service " + service.name));
    std::string text;
    if (format == Format::table) {
      text = table_line(query, m);
    } else {
      const Json json = described(query, m);
      text = format == Format::ndjson ? json.dump() + "\n" : (i == 0 ? csv_of(json, true) : "") + csv_of(json, false);
    }
    if (!print(text)) {
      return 1;
    }
  }
  log::note(fmt::format("{} queries would be asked, the last {} after the begin; nothing was asked", queries.size(),
                        to_human(queries.empty() ? Micros(0) : queries.back().offset)));
  return 0;
}

}  // namespace parallax::cli
