#include "probe/service_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "codec/csv.h"
#include "codec/python_literal.h"
#include "http/url.h"
#include "probe/service_check.h"

namespace parallax {

namespace {

using probe::ServiceDraft;
using probe::SourceText;

using Names = std::vector<std::string_view>;

std::string unknown_key(std::string_view what, std::string_view name, const Names& known) {
  const std::string_view near = suggest(name, known);
  return fmt::format("unknown {} '{}'{}", what, terminal_safe(name, 80),
                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

// Reads members of one table; the first complaint is kept.
class TableReader {
 public:
  TableReader(const SourceText& source, const LocatedValue& table) : source_(source), table_(table) {}

  void only(const Names& known) {
    if (table_.table() == nullptr) {
      fail(table_.place, fmt::format("a table expected, not {}", table_.type_name()));
      return;
    }
    for (const LocatedMember& member : *table_.table()) {
      if (std::find(known.begin(), known.end(), member.name) == known.end()) {
        fail(member.place, unknown_key("key", member.name, known));
      }
    }
  }

  Place text(std::string_view name, std::string& target) {
    const LocatedMember* member = table_.find(name);
    if (member == nullptr) {
      return table_.place;
    }
    if (const std::string* string = member->value.string()) {
      target = *string;
    } else {
      expected(*member, "a string");
    }
    return member->value.place;
  }

  template <typename Enum, typename Parse>
  Place word(std::string_view name, Enum& target, Parse parse, const Names& words) {
    std::string written;
    const Place place = text(name, written);
    if (table_.find(name) != nullptr && !error_) {
      if (const std::optional<Enum> value = parse(written)) {
        target = *value;
      } else {
        fail(place, fmt::format("{}; one of {}", unknown_key(name, written, words), fmt::join(words, ", ")));
      }
    }
    return place;
  }

  template <typename Target>
  void integer(std::string_view name, Target& target, std::int64_t low, std::int64_t high) {
    if (const LocatedMember* member = table_.find(name)) {
      const std::int64_t* value = member->value.integer();
      if (value != nullptr && *value >= low && *value <= high) {
        target = static_cast<int>(*value);
      } else {
        expected(*member, fmt::format("an integer from {} to {}", low, high));
      }
    }
  }

  void number(std::string_view name, double& target, double low, double high) {
    if (const LocatedMember* member = table_.find(name)) {
      const std::optional<double> value = member->value.number();
      if (value && *value >= low && *value <= high) {
        target = *value;
      } else {
        expected(*member, fmt::format("a number from {} to {}", low, high));
      }
    }
  }

  void boolean(std::string_view name, bool& target) {
    if (const LocatedMember* member = table_.find(name)) {
      if (const bool* value = member->value.boolean()) {
        target = *value;
      } else {
        expected(*member, "true or false");
      }
    }
  }

  void quiet_hours(std::string_view name, std::vector<QuietHours>& target) {
    const LocatedMember* member = table_.find(name);
    if (member == nullptr) {
      return;
    }
    if (member->value.list() == nullptr || member->value.list()->size() > kQuietHoursMax) {
      expected(*member, fmt::format("a list of at most {} times of day in UTC, [\"22:00-06:30\"]", kQuietHoursMax));
      return;
    }
    for (const LocatedValue& item : *member->value.list()) {
      const std::string* text = item.string();
      const std::optional<QuietHours> hours = text == nullptr ? std::nullopt : parse_quiet_hours(*text);
      if (!hours) {
        fail(item.place, fmt::format("'{}': \"HH:MM-HH:MM\" in UTC expected, with two different times", name));
        return;
      }
      target.push_back(*hours);
    }
  }

  // A table of fixed parameters: strings, or integers as they are written.
  void parameters(std::string_view name, std::vector<std::pair<std::string, std::string>>& target) {
    const LocatedMember* member = table_.find(name);
    if (member == nullptr) {
      return;
    }
    if (member->value.table() == nullptr) {
      expected(*member, "a table of names and values");
      return;
    }
    for (const LocatedMember& item : *member->value.table()) {
      if (const std::string* string = item.value.string()) {
        target.emplace_back(item.name, *string);
      } else if (const std::int64_t* integer = item.value.integer()) {
        target.emplace_back(item.name, std::to_string(*integer));
      } else {
        expected(item, "a string or an integer");
      }
    }
  }

  void require(std::string_view name) {
    if (table_.find(name) == nullptr) {
      fail(table_.place, fmt::format("key '{}' is missing", name));
    }
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  void expected(const LocatedMember& member, std::string_view what) {
    fail(member.value.place, fmt::format("'{}' must be {}", terminal_safe(member.name, 80), what));
  }

  void fail(Place place, std::string_view message) {
    if (!error_) {
      error_ = source_.error(place, message);
    }
  }

  const SourceText& source_;
  const LocatedValue& table_;
  std::optional<Error> error_;
};

const Names kTypes = {"cone", "xcone", "tap"};
const Names kModes = {"sync", "async", "both"};
const Names kUnits = {"degree", "arcmin", "arcsec"};

Result<ServiceDraft> draft_from_toml(const SourceText& source, const LocatedValue& table) {
  ServiceDraft draft;
  Service& s = draft.service;
  draft.place = table.place;
  TableReader reader(source, table);
  reader.only({"name", "provider", "type", "mode", "url", "adql", "radius_unit", "verb", "maxrec", "response_format",
               "accept_encoding", "parameters", "private_redirects"});
  for (const char* name : {"name", "provider", "type", "url"}) {
    reader.require(name);
  }
  draft.name = reader.text("name", s.name);
  const Place provider = reader.text("provider", s.provider);
  draft.type = reader.word("type", s.type, parse_service_type, kTypes);
  draft.mode = reader.word("mode", s.mode, parse_tap_mode, kModes);
  draft.url = reader.text("url", s.url);
  draft.adql = reader.text("adql", s.adql);
  reader.word("radius_unit", s.radius_unit, parse_radius_unit, kUnits);
  reader.integer("verb", s.verb, 1, 3);
  reader.integer("maxrec", s.maxrec, 0, 1'000'000'000);
  reader.text("response_format", s.response_format);
  reader.text("accept_encoding", s.accept_encoding);
  reader.parameters("parameters", s.parameters);
  reader.boolean("private_redirects", s.private_redirects);
  if (reader.error()) {
    return *reader.error();
  }
  if (s.provider.empty()) {
    return source.error(provider, "'provider' must not be empty");
  }
  TRY(check_service(source, draft));
  return draft;
}

Result<std::vector<Provider>> providers_from_toml(const SourceText& source, const LocatedValue& root) {
  std::vector<Provider> providers;
  const LocatedMember* tables = root.find("provider");
  if (tables == nullptr) {
    return providers;
  }
  if (tables->value.table() == nullptr) {
    return source.error(tables->place, "providers are tables such as [provider.IRSA]");
  }
  for (const LocatedMember& member : *tables->value.table()) {
    Provider provider;
    provider.name = member.name;
    TableReader reader(source, member.value);
    reader.only({"queries_per_second", "parallel", "simultaneous", "async_jobs", "quiet_hours", "opt_out"});
    reader.number("queries_per_second", provider.queries_per_second, 1e-6, 1e6);
    reader.integer("parallel", provider.parallel, 1, 1000);
    reader.integer("async_jobs", provider.async_jobs, 1, 1000);
    reader.boolean("simultaneous", provider.simultaneous);
    reader.boolean("opt_out", provider.opt_out);
    reader.quiet_hours("quiet_hours", provider.quiet_hours);
    if (reader.error()) {
      return *reader.error();
    }
    providers.push_back(std::move(provider));
  }
  return providers;
}

// Checks the list as a whole and gives each provider without limits of its own the defaults.
Result<ServiceList> finish(const SourceText& source, std::vector<ServiceDraft> drafts,
                           const std::vector<Provider>& providers) {
  TRY(check_list(source, drafts));
  ServiceList list;
  for (ServiceDraft& draft : drafts) {
    const std::string& name = draft.service.provider;
    const auto same = [&name](const Provider& provider) { return provider.name == name; };
    if (std::none_of(list.providers.begin(), list.providers.end(), same)) {
      const auto given = std::find_if(providers.begin(), providers.end(), same);
      list.providers.push_back(given == providers.end() ? Provider{.name = name} : *given);
    }
    const auto provider = std::find_if(list.providers.begin(), list.providers.end(), same);
    (provider->opt_out ? list.opted_out : list.services).push_back(std::move(draft.service));
  }
  std::erase_if(list.providers, [](const Provider& provider) { return provider.opt_out; });
  if (list.services.empty() && !list.opted_out.empty()) {
    return source.error({1, 1}, "every provider of this list has opted out: there is nothing to measure");
  }
  return list;
}

// servicemon's four columns, from either format.
struct ServicemonRow {
  Place place;
  std::array<std::string, 4> values;  // base_name, service_type, access_url, adql
  std::array<Place, 4> places;
  std::array<bool, 4> present{};
};

const Names kColumns = {"base_name", "service_type", "access_url", "adql"};

std::optional<std::size_t> column_of(std::string_view name) {
  const auto found = std::find(kColumns.begin(), kColumns.end(), name == "ADQL" ? "adql" : name);
  return found == kColumns.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - kColumns.begin()));
}

Result<ServiceDraft> draft_from_row(const SourceText& source, ServicemonRow row) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (!row.present[i]) {
      return source.error(row.place, fmt::format("key '{}' is missing", kColumns[i]));
    }
  }
  for (std::size_t i = 0; i < 4; ++i) {
    row.places[i] = row.present[i] ? row.places[i] : row.place;
  }
  ServiceDraft draft;
  draft.place = draft.mode = row.place;
  draft.name = row.places[0];
  draft.type = row.places[1];
  draft.url = row.places[2];
  draft.adql = row.places[3];
  draft.service.name = row.values[0];
  const std::optional<ServiceType> type = parse_service_type(row.values[1]);
  if (!type) {
    return source.error(draft.type, fmt::format("{}; one of {}", unknown_key("service_type", row.values[1], kTypes),
                                                fmt::join(kTypes, ", ")));
  }
  draft.service.type = *type;
  draft.service.url = unescape_html(row.values[2]);
  draft.service.adql = trim(row.values[3]).empty() ? "" : row.values[3];
  TRY(check_service(source, draft));
  // The files do not name an operator; whoever runs the host is the unit of politeness.
  std::string_view host = draft.service.url;
  host.remove_prefix(host.find("://") + 3);
  draft.service.provider = to_lower(host.substr(0, host.find_first_of("/?#:")));
  return draft;
}

Result<ServiceList> services_from_python(const SourceText& source) {
  const LocatedValue root = TRY(parse_python_literal(source.file, source.text));
  if (root.list() == nullptr) {
    return source.error(root.place, fmt::format("a list of dictionaries expected, not {}", root.type_name()));
  }
  std::vector<ServiceDraft> drafts;
  for (const LocatedValue& item : *root.list()) {
    if (item.table() == nullptr) {
      return source.error(item.place, fmt::format("a dictionary expected, not {}", item.type_name()));
    }
    ServicemonRow row;
    row.place = item.place;
    for (const LocatedMember& member : *item.table()) {
      const std::optional<std::size_t> column = column_of(member.name);
      if (!column) {
        return source.error(member.place, unknown_key("key", member.name, kColumns));
      }
      if (row.present[*column]) {
        return source.error(member.place, "'adql' and 'ADQL' are the same key");
      }
      if (member.value.string() == nullptr) {
        return source.error(member.value.place, fmt::format("'{}' must be a string", member.name));
      }
      row.values[*column] = *member.value.string();
      row.places[*column] = member.value.place;
      row.present[*column] = true;
    }
    drafts.push_back(TRY(draft_from_row(source, std::move(row))));
  }
  return finish(source, std::move(drafts), {});
}

// For each field of the header line, which of the known columns it is.
Result<std::vector<std::size_t>> read_header(const SourceText& source, const CsvRecord& header, const Names& known) {
  std::vector<std::size_t> columns;
  for (const CsvField& field : header) {
    const std::string_view name = trim(field.text);
    const auto found = std::find(known.begin(), known.end(), name == "ADQL" ? "adql" : name);
    if (found == known.end()) {
      return source.error(field.place, unknown_key("column", name, known));
    }
    const auto column = static_cast<std::size_t>(found - known.begin());
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      return source.error(field.place, fmt::format("column '{}' stands here twice", *found));
    }
    columns.push_back(column);
  }
  return columns;
}

Result<> check_width(const SourceText& source, const CsvRecord& record, std::size_t width) {
  if (record.size() == width) {
    return {};
  }
  return source.error(record.front().place,
                      fmt::format("this line has {} fields, the header has {}", record.size(), width));
}

Result<ServiceList> services_from_csv(const SourceText& source) {
  const std::vector<CsvRecord> records = TRY(parse_csv(source.file, source.text));
  std::vector<ServiceDraft> drafts;
  if (!records.empty()) {
    const std::vector<std::size_t> columns = TRY(read_header(source, records.front(), kColumns));
    for (std::size_t i = 1; i < records.size(); ++i) {
      const CsvRecord& record = records[i];
      TRY(check_width(source, record, columns.size()));
      ServicemonRow row;
      row.place = record.front().place;
      for (std::size_t k = 0; k < columns.size(); ++k) {
        row.values[columns[k]] = record[k].text;
        row.places[columns[k]] = record[k].place;
        row.present[columns[k]] = true;
      }
      drafts.push_back(TRY(draft_from_row(source, std::move(row))));
    }
  }
  return finish(source, std::move(drafts), {});
}

const Names kConeColumns = {"ra", "dec", "radius"};

Result<Cone> checked_cone(const SourceText& source, Place place, const std::array<std::optional<double>, 3>& values) {
  constexpr std::array<std::pair<double, double>, 3> kRanges = {{{0, 360}, {-90, 90}, {0, 180}}};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!values[i]) {
      return source.error(place, fmt::format("'{}' is missing", kConeColumns[i]));
    }
    if (!(*values[i] >= kRanges[i].first && *values[i] <= kRanges[i].second)) {
      return source.error(place, fmt::format("'{}' must be a number from {} to {} degrees", kConeColumns[i],
                                             kRanges[i].first, kRanges[i].second));
    }
  }
  return Cone{*values[0] == 360 ? 0 : *values[0], *values[1], *values[2]};
}

Result<std::vector<Cone>> cones_from_python(const SourceText& source) {
  const LocatedValue root = TRY(parse_python_literal(source.file, source.text));
  if (root.list() == nullptr) {
    return source.error(root.place, fmt::format("a list of dictionaries expected, not {}", root.type_name()));
  }
  std::vector<Cone> cones;
  for (const LocatedValue& item : *root.list()) {
    TableReader reader(source, item);
    reader.only(kConeColumns);
    if (reader.error()) {
      return *reader.error();
    }
    std::array<std::optional<double>, 3> values;
    for (std::size_t i = 0; i < 3; ++i) {
      if (const LocatedMember* member = item.find(kConeColumns[i])) {
        values[i] = member->value.number();
        if (!values[i]) {
          return source.error(member->value.place, fmt::format("'{}' must be a number", member->name));
        }
      }
    }
    cones.push_back(TRY(checked_cone(source, item.place, values)));
  }
  return cones;
}

Result<std::vector<Cone>> cones_from_csv(const SourceText& source) {
  const std::vector<CsvRecord> records = TRY(parse_csv(source.file, source.text));
  std::vector<Cone> cones;
  if (records.empty()) {
    return cones;
  }
  const std::vector<std::size_t> columns = TRY(read_header(source, records.front(), kConeColumns));
  for (std::size_t i = 1; i < records.size(); ++i) {
    const CsvRecord& record = records[i];
    TRY(check_width(source, record, columns.size()));
    std::array<std::optional<double>, 3> values;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const std::string_view text = trim(record[k].text);
      double value = 0;
      const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (status != std::errc() || end != text.data() + text.size()) {
        return source.error(record[k].place, fmt::format("'{}' must be a number", kConeColumns[columns[k]]));
      }
      values[columns[k]] = value;
    }
    cones.push_back(TRY(checked_cone(source, record.front().place, values)));
  }
  return cones;
}

}  // namespace

Result<ServiceList> services_from_toml(std::string_view file_name, std::string_view text, const TomlValue& root) {
  const SourceText source{file_name, text};
  const std::vector<Provider> providers = TRY(providers_from_toml(source, root));
  std::vector<ServiceDraft> drafts;
  if (const LocatedMember* services = root.find("service")) {
    if (services->value.list() == nullptr) {
      return source.error(services->place, "services are tables of a list: [[service]]");
    }
    for (const LocatedValue& table : *services->value.list()) {
      drafts.push_back(TRY(draft_from_toml(source, table)));
    }
  }
  return finish(source, std::move(drafts), providers);
}

namespace {

// A list beyond one of our limits is as wrong as any other: the caller's usage, not a failure of the work.
Error as_invalid(Error error) {
  if (error.kind == ErrorKind::refused) {
    error.kind = ErrorKind::invalid;
  }
  return error;
}

Result<ServiceList> read_services(std::string_view file_name, std::string_view text) {
  const SourceText source{file_name, text};
  if (file_name.ends_with(".py")) {
    return services_from_python(source);
  }
  if (!file_name.ends_with(".toml")) {
    return services_from_csv(source);
  }
  const TomlValue root = TRY(parse_toml(file_name, text));
  TableReader reader(source, root);
  reader.only({"provider", "service"});
  if (reader.error()) {
    return *reader.error();
  }
  return services_from_toml(file_name, text, root);
}

}  // namespace

Result<ServiceList> parse_services(std::string_view file_name, std::string_view text) {
  Result<ServiceList> list = read_services(file_name, text);
  return list ? std::move(list) : as_invalid(std::move(list).error());
}

std::string describe_opted_out(const std::vector<Service>& services) {
  constexpr std::size_t kNamedMax = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(services.size(), kNamedMax); ++i) {
    names += (i == 0 ? "" : ", ") + services[i].name;
  }
  if (services.size() > kNamedMax) {
    names += fmt::format(" and {} more", services.size() - kNamedMax);
  }
  return names.empty() ? names : "not asked, since their providers have opted out: " + names;
}

Result<std::vector<Cone>> parse_cones(std::string_view file_name, std::string_view text) {
  const SourceText source{file_name, text};
  Result<std::vector<Cone>> read = file_name.ends_with(".py") ? cones_from_python(source) : cones_from_csv(source);
  if (!read) {
    return as_invalid(std::move(read).error());
  }
  std::vector<Cone> cones = std::move(read).value();
  if (cones.empty()) {
    return source.error({1, 1}, "the list holds no cone");
  }
  return cones;
}

std::string unescape_html(std::string_view text) {
  constexpr std::size_t kEntityMax = 11;
  constexpr std::array<std::pair<std::string_view, char>, 4> kNamed = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}}};
  std::string result;
  while (!text.empty()) {
    const std::size_t end = text.front() == '&' ? text.substr(0, kEntityMax).find(';') : std::string_view::npos;
    if (end == std::string_view::npos) {
      result += text.front();
      text.remove_prefix(1);
      continue;
    }
    const std::string_view name = text.substr(1, end - 1);
    const auto* named =
        std::find_if(kNamed.begin(), kNamed.end(), [&](const auto& pair) { return pair.first == name; });
    char sign = named == kNamed.end() ? '\0' : named->second;
    if (name.starts_with('#') && name.size() > 1) {
      const bool hex = name[1] == 'x' || name[1] == 'X';
      const std::string_view digits = name.substr(hex ? 2 : 1);
      unsigned code = 0;
      const auto [stop, status] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
      // URLs are ASCII; anything else is left as it was written.
      if (status == std::errc() && stop == digits.data() + digits.size() && code > 0x20 && code < 0x7F) {
        sign = static_cast<char>(code);
      }
    }
    if (sign != '\0') {
      result += sign;
      text.remove_prefix(end + 1);
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

}  // namespace parallax
