#include "sim/vo/sample_service.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "http/url.h"
#include "sim/vo/adql.h"
#include "sim/vo/catalogue.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kFieldsMax = 100;
constexpr Micros kSlowDelay = Seconds(10);

struct ColumnDefinition {
  TableColumn column;
  std::string_view cone_ucd;  // the older UCD that simple cone search asks for
  int verbosity;              // the VERB from which on it is shown
  TableCell (*value)(const FoundStar&);
};

const std::vector<ColumnDefinition>& all_columns() {
  using Type = TableColumn::Type;
  static const std::vector<ColumnDefinition> columns = {
      {{"id", Type::text, "", "meta.id;meta.main", "Hipparcos number"},
       "ID_MAIN",
       1,
       [](const FoundStar& f) { return TableCell(fmt::format("HIP {}", f.star->hip)); }},
      {{"ra", Type::real, "deg", "pos.eq.ra;meta.main", "ICRS right ascension, epoch 2000"},
       "POS_EQ_RA_MAIN",
       1,
       [](const FoundStar& f) { return TableCell(f.star->ra); }},
      {{"dec", Type::real, "deg", "pos.eq.dec;meta.main", "ICRS declination, epoch 2000"},
       "POS_EQ_DEC_MAIN",
       1,
       [](const FoundStar& f) { return TableCell(f.star->dec); }},
      {{"name", Type::text, "", "meta.id", "Proper name; NULL where the star has none"},
       "meta.id",
       2,
       [](const FoundStar& f) { return f.star->name.empty() ? TableCell() : TableCell(f.star->name); }},
      {{"vmag", Type::real, "mag", "phot.mag;em.opt.V", "Johnson V magnitude"},
       "phot.mag;em.opt.V",
       2,
       [](const FoundStar& f) { return TableCell(f.star->vmag); }},
      {{"hip", Type::integer, "", "meta.id", "Hipparcos number as a number"},
       "meta.id",
       3,
       [](const FoundStar& f) { return TableCell(f.star->hip); }},
      {{"bayer", Type::text, "", "meta.id", "Bayer designation"},
       "meta.id",
       3,
       [](const FoundStar& f) { return TableCell(f.star->bayer); }},
  };
  return columns;
}

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::string to_upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

Result<Serialization> parse_format(std::string_view text, Serialization fallback) {
  const std::string format = to_upper(text);
  const auto has = [&](std::string_view word) { return format.find(word) != std::string::npos; };
  if (format.empty() || format == "VOTABLE") {
    return fallback;
  }
  if (format == "VOTABLE/TD" || has("SERIALIZATION=TABLEDATA")) {
    return Serialization::tabledata;
  }
  if (format == "VOTABLE/B2" || has("SERIALIZATION=BINARY2")) {
    return Serialization::binary2;
  }
  if (format == "VOTABLE/B1" || has("SERIALIZATION=BINARY")) {
    return Serialization::binary;
  }
  if (has("X-VOTABLE") || has("TEXT/XML")) {
    return fallback;
  }
  return make_error(ErrorKind::invalid, fmt::format("Unsupported RESPONSEFORMAT '{}'", text));
}

Result<double> required_number(const std::map<std::string, std::string>& fields, const std::string& name, double min,
                               double max) {
  const auto field = fields.find(name);
  if (field == fields.end()) {
    return make_error(ErrorKind::invalid, fmt::format("Required parameter {} is missing", name));
  }
  const std::optional<double> value = parse_number(field->second);
  if (!value || *value < min || *value > max) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{} must be a number from {} to {}, not '{}'", name, min, max, field->second));
  }
  return *value;
}

Result<std::int64_t> optional_count(const std::map<std::string, std::string>& fields, const std::string& name,
                                    std::int64_t fallback) {
  const auto field = fields.find(name);
  if (field == fields.end()) {
    return fallback;
  }
  const std::optional<double> value = parse_number(field->second);
  if (!value || *value < 0 || *value > 1e9 || std::trunc(*value) != *value) {
    return make_error(ErrorKind::invalid, fmt::format("{} must be a count, not '{}'", name, field->second));
  }
  return static_cast<std::int64_t>(*value);
}

}  // namespace

struct SampleService::Answer {
  AnsweredQuery query;
  http::Response response;

  void fail(ErrorForm form, int status, std::string_view message) {
    response.status = status;
    response.headers.set("Content-Type", "application/x-votable+xml");
    response.body = write_error(form, message);
  }

  // `limit` cuts the rows and marks the overflow; `top` cuts without a mark, since the query asked for it.
  void show(const std::vector<const ColumnDefinition*>& columns, std::vector<FoundStar> found, bool cone_search,
            Serialization serialization, std::int64_t limit) {
    TableDocument document;
    document.serialization = serialization;
    document.overflow = static_cast<std::int64_t>(found.size()) > limit;
    found.resize(std::min(found.size(), static_cast<std::size_t>(limit)));
    for (const ColumnDefinition* definition : columns) {
      document.columns.push_back(definition->column);
      if (cone_search) {
        document.columns.back().ucd = definition->cone_ucd;
      }
    }
    for (const FoundStar& star : found) {
      std::vector<TableCell>& row = document.rows.emplace_back();
      for (const ColumnDefinition* definition : columns) {
        row.push_back(definition->value(star));
      }
    }
    query.rows = static_cast<std::int64_t>(found.size());
    query.overflow = document.overflow;
    response.status = 200;
    response.headers.set("Content-Type", cone_search ? "text/xml;content=x-votable" : "application/x-votable+xml");
    response.body = write_table(document);
  }
};

SampleService::SampleService(Clock& clock, SampleOptions options, QueryLog log)
    : clock_(clock), options_(std::move(options)), log_(std::move(log)) {}

http::Response SampleService::handle(const http::Request& request) {
  const Micros delay =
      options_.misbehaviour == Misbehaviour::slow && options_.delay == Micros(0) ? kSlowDelay : options_.delay;
  if (delay > Micros(0)) {
    clock_.sleep_for(delay, {});
  }
  Answer answered = answer(request);
  misbehave(request, answered);
  answered.query.name = options_.name;
  answered.query.http_status = answered.response.status;
  answered.query.at = clock_.now();
  answered.query.peer = request.peer;
  answered.query.user_agent = request.headers.get("User-Agent");
  if (log_ != nullptr) {
    log_(answered.query);
  }
  return std::move(answered.response);
}

SampleService::Answer SampleService::answer(const http::Request& request) const {
  Answer answer;
  const std::size_t mark = request.url.find('?');
  const std::string path = request.url.substr(0, mark);
  const std::string query = mark == std::string::npos ? "" : request.url.substr(mark + 1);
  const bool is_form = request.method == "POST";
  const auto decoded = http::form_decode(is_form && !query.empty() ? query + "&" + request.body
                                         : is_form                 ? request.body
                                                                   : query,
                                         kFieldsMax);
  const ErrorForm form = path == "/tap/sync" ? ErrorForm::dali : ErrorForm::cone_search;
  if (!decoded) {
    answer.fail(form, 400, decoded.error().message);
    return answer;
  }
  Fields fields;
  for (const auto& [name, value] : *decoded) {
    fields[to_upper(name)] = value;
  }
  if (path == "/tap/sync") {
    return answer_tap(fields);
  }
  if (path == "/scs" || path == "/xcone") {
    return answer_cone(fields, path == "/scs" ? "cone" : "xcone");
  }
  answer.response.status = 404;
  answer.response.headers.set("Content-Type", "text/plain");
  answer.response.body = "There are /scs, /xcone and /tap/sync.\n";
  return answer;
}

SampleService::Answer SampleService::answer_cone(const Fields& fields, std::string_view endpoint) const {
  Answer answer;
  answer.query.endpoint = endpoint;
  const auto parse = [&]() -> Result<std::pair<Serialization, std::int64_t>> {
    Cone cone;
    cone.ra = TRY(required_number(fields, "RA", 0, 360));
    cone.dec = TRY(required_number(fields, "DEC", -90, 90));
    cone.radius = TRY(required_number(fields, endpoint == "cone" ? "SR" : "RADIUS", 0, 180));
    answer.query.cone = cone;
    const auto format = fields.find("RESPONSEFORMAT");
    const Serialization serialization =
        TRY(parse_format(format == fields.end() ? "" : format->second, options_.serialization));
    const std::int64_t limit = TRY(optional_count(fields, "MAXREC", options_.rows_max));
    return std::pair(serialization, limit);
  };
  const auto parsed = parse();
  const auto verbosity = optional_count(fields, "VERB", 2);
  if (!parsed || !verbosity || *verbosity < 1 || *verbosity > 3) {
    answer.fail(ErrorForm::cone_search, 200, !parsed ? parsed.error().message : "VERB must be 1, 2 or 3");
    return answer;
  }
  std::vector<const ColumnDefinition*> columns;
  for (const ColumnDefinition& column : all_columns()) {
    if (column.verbosity <= *verbosity) {
      columns.push_back(&column);
    }
  }
  const std::int64_t limit = options_.misbehaviour == Misbehaviour::overflow ? 1 : parsed->second;
  // A radius of zero asks for the columns alone.
  auto found = answer.query.cone->radius == 0 ? std::vector<FoundStar>() : find_stars(*answer.query.cone);
  answer.show(columns, std::move(found), true, parsed->first, limit);
  return answer;
}

namespace {

// Those that the query names, in its order; all for `*`.
Result<std::vector<const ColumnDefinition*>> chosen_columns(const StarQuery& query) {
  std::vector<const ColumnDefinition*> columns;
  if (query.columns.empty()) {
    for (const ColumnDefinition& column : all_columns()) {
      columns.push_back(&column);
    }
  }
  for (const std::string& name : query.columns) {
    const auto column = std::ranges::find_if(
        all_columns(), [&](const ColumnDefinition& c) { return equals_ignore_case(c.column.name, name); });
    if (column == all_columns().end()) {
      return make_error(ErrorKind::invalid, fmt::format("No column '{}' in table 'stars'", name));
    }
    columns.push_back(&*column);
  }
  return columns;
}

}  // namespace

SampleService::Answer SampleService::answer_tap(const Fields& fields) const {
  Answer answer;
  answer.query.endpoint = "tap";
  const auto field = [&](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  std::vector<const ColumnDefinition*> columns;
  const auto parse = [&]() -> Result<std::pair<StarQuery, Serialization>> {
    if (const std::string request = field("REQUEST"); !request.empty() && request != "doQuery") {
      return make_error(ErrorKind::invalid, fmt::format("Unknown REQUEST '{}'", request));
    }
    if (const std::string lang = field("LANG"); !lang.starts_with("ADQL")) {
      return make_error(ErrorKind::invalid, fmt::format("Unknown LANG '{}'", lang));
    }
    StarQuery query = TRY(parse_adql(field("QUERY")));
    answer.query.cone = query.cone;
    const std::string format = field("RESPONSEFORMAT").empty() ? field("FORMAT") : field("RESPONSEFORMAT");
    const Serialization serialization = TRY(parse_format(format, options_.serialization));
    columns = TRY(chosen_columns(query));
    return std::pair(std::move(query), serialization);
  };
  const auto parsed = parse();
  const auto limit = optional_count(fields, "MAXREC", options_.rows_max);
  if (!parsed || !limit) {
    answer.fail(ErrorForm::dali, 400, parsed ? limit.error().message : parsed.error().message);
    return answer;
  }
  std::vector<FoundStar> found;
  if (parsed->first.cone) {
    found = find_stars(*parsed->first.cone);
  } else {
    for (const Star& star : bright_stars()) {
      found.push_back({&star, 0});
    }
  }
  if (parsed->first.top) {
    found.resize(std::min(found.size(), static_cast<std::size_t>(*parsed->first.top)));
  }
  const bool cut = options_.misbehaviour == Misbehaviour::overflow;
  answer.show(columns, std::move(found), false, parsed->second, cut ? 1 : *limit);
  return answer;
}

void SampleService::misbehave(const http::Request& request, Answer& answer) const {
  http::Response& response = answer.response;
  switch (options_.misbehaviour) {
    case Misbehaviour::html:
      response = {200, {}, "<!DOCTYPE html><html><body><h1>Down for maintenance</h1></body></html>\n"};
      response.headers.set("Content-Type", "text/html");
      break;
    case Misbehaviour::failure:
      response = {500, {}, "Traceback: the database is away\n"};
      response.headers.set("Content-Type", "text/plain");
      break;
    case Misbehaviour::truncated:
      response.body.resize(response.body.size() / 2);
      break;
    case Misbehaviour::redirect:
      if (request.url.find("again=1") != std::string::npos) {
        return;
      }
      response = {302, {}, ""};
      response.headers.set("Location",
                           request.url + (request.url.find('?') == std::string::npos ? "?" : "&") + "again=1");
      break;
    case Misbehaviour::throttled:
      response = {429, {}, "Too many requests\n"};
      response.headers.set("Content-Type", "text/plain");
      response.headers.set("Retry-After", "30");
      break;
    case Misbehaviour::none:
    case Misbehaviour::slow:
    case Misbehaviour::overflow:
      return;
  }
  if (options_.misbehaviour != Misbehaviour::truncated) {
    answer.query.rows.reset();
  }
}

}  // namespace parallax::sim
