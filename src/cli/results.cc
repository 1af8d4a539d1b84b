#include "cli/results.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/csv.h"
#include "codec/json.h"
#include "http/url.h"
#include "vo/cone_search.h"
#include "vo/tap.h"

namespace parallax::cli {

namespace {

// The members of our CSV that are read back: what was asked, when, how long it took, what came of it.
constexpr std::array<std::string_view, 20> kTexts = {
    "schema",       "id",         "run_id",       "round_id",   "fleet",      "vantage", "provider",
    "service",      "type",       "mode",         "connection", "definition", "query",   "url",
    "scheduled_at", "started_at", "failed_phase", "verdict",    "code",       "message"};
constexpr std::array<std::string_view, 20> kNumbers = {
    "sequence",   "cone_index",    "ra",          "dec",      "radius",   "resolve_us", "connect_us", "tls_us",
    "send_us",    "first_byte_us", "transfer_us", "total_us", "parse_us", "limit_us",   "hops",       "http_status",
    "bytes_wire", "bytes_decoded", "rows",        "columns"};

template <typename Names>
bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Without the apostrophe that keeps a spreadsheet from running a cell.
std::string_view plain(std::string_view cell) {
  const bool defused =
      cell.size() > 1 && cell[0] == '\'' && std::string_view("=+-@\t\r").find(cell[1]) != std::string_view::npos;
  return defused ? cell.substr(1) : cell;
}

std::optional<double> number_in(std::string_view cell) {
  double number = 0;
  const auto [end, status] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  const bool whole = status == std::errc() && end == cell.data() + cell.size() && std::isfinite(number);
  return whole ? std::optional(number) : std::nullopt;
}

std::string first_line(const Error& error) {
  const std::string text = error.text();
  return text.substr(0, text.find('\n'));
}

// The cells of one row by the names in the header; names are without case.
class Row {
 public:
  Row(const std::map<std::string, std::size_t, std::less<>>& columns, const CsvRecord& record)
      : columns_(columns), record_(record) {}

  std::string_view cell(std::string_view name) const {
    const auto found = columns_.find(name);
    return found == columns_.end() || found->second >= record_.size() ? std::string_view()
                                                                      : plain(record_[found->second].text);
  }

  std::optional<double> number(std::string_view name) const { return number_in(cell(name)); }

 private:
  const std::map<std::string, std::size_t, std::less<>>& columns_;
  const CsvRecord& record_;
};

Result<Measurement> our_row(const Row& row) {
  Json json = Json::object();
  for (const std::string_view name : kTexts) {
    if (!row.cell(name).empty()) {
      json.set(std::string(name), row.cell(name));
    }
  }
  for (const std::string_view name : kNumbers) {
    if (row.cell(name).empty()) {
      continue;
    }
    const std::optional<double> number = row.number(name);
    if (!number) {
      return make_error(ErrorKind::invalid,
                        fmt::format("{}: '{}' is no number", name, terminal_safe(row.cell(name), 50)));
    }
    const bool whole = *number == std::floor(*number) && std::abs(*number) < 9e15;
    json.set(std::string(name), whole ? Json(static_cast<std::int64_t>(*number)) : Json(*number));
  }
  return measurement_from_json(json);
}

std::optional<std::int64_t> micros(const std::optional<double>& seconds) {
  constexpr double kSecondsMax = 1e9;
  if (!seconds || *seconds < 0 || *seconds > kSecondsMax) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(std::llround(*seconds * 1e6));
}

std::optional<std::int64_t> count(const std::optional<double>& number) {
  constexpr double kCountMax = 9e15;
  return number && *number >= 0 && *number < kCountMax ? std::optional(static_cast<std::int64_t>(*number))
                                                       : std::nullopt;
}

// ":" is no error; ours are ":verdict: words".
void take_servicemon_error(std::string_view errmsg, Measurement& m) {
  std::string_view said = errmsg.starts_with(':') ? errmsg.substr(1) : errmsg;
  if (trim(said).empty()) {
    m.verdict = m.http_status && *m.http_status >= 400 ? Verdict::http_error : Verdict::ok;
    return;
  }
  const std::size_t colon = std::min(said.find(':'), said.size());
  if (const std::optional<Verdict> ours = parse_verdict(said.substr(0, colon))) {
    m.verdict = *ours;
    said.remove_prefix(std::min(colon + 1, said.size()));
  } else {
    m.verdict = m.http_status && *m.http_status >= 400 ? Verdict::http_error : Verdict::service_error;
  }
  m.message = trim(said);
}

// other_params, a Python dictionary of texts, as it was asked: {'VERB': '2'}.
vo::Parameters other_parameters(std::string_view text) {
  vo::Parameters parameters;
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\'' && text[at] != '"') {
      continue;
    }
    const char quote = text[at];
    std::string word;
    for (++at; at < text.size() && text[at] != quote; ++at) {
      at += text[at] == '\\' && at + 1 < text.size() ? 1U : 0U;
      word += text[at];
    }
    // Our own files have them as they stood in the URL.
    Result<std::string> decoded = http::percent_decode(word);
    words.push_back(decoded ? std::move(decoded).value() : std::move(word));
  }
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    parameters.emplace_back(words[i], words[i + 1]);
  }
  return parameters;
}

// The URL that was asked, of what servicemon keeps of it.
std::string asked_url(const Measurement& m, const Row& row) {
  std::string access(row.cell("access_url"));
  if (access.empty()) {
    return "";
  }
  if (m.type == "tap") {
    return m.mode == "async" ? access : vo::tap_sync_url(access);
  }
  if (m.type == "cone" && m.ra && m.dec && m.radius) {
    return vo::cone_search_url(access, {*m.ra, *m.dec, *m.radius}, other_parameters(row.cell("other_params")));
  }
  return access;
}

Result<Measurement> servicemon_row(const Row& row) {
  Measurement m;
  m.service = row.cell("base_name");
  m.type = row.cell("service_type");
  if (m.service.empty() || (m.type != "cone" && m.type != "xcone" && m.type != "tap")) {
    return make_error(ErrorKind::invalid, fmt::format("base_name '{}', service_type '{}': no query of servicemon's",
                                                      terminal_safe(m.service, 50), terminal_safe(m.type, 50)));
  }
  m.vantage = row.cell("location");
  if (m.type == "tap") {
    // servicemon's rows name the mode in `name` only: base_name_tap-async_RA_DEC_SR.
    m.mode = row.cell("name").substr(0, m.service.size() + 10).ends_with("_tap-async") ? "async" : "sync";
  }
  m.ra = row.number("ra");
  m.dec = row.number("dec");
  m.radius = row.number("sr");
  m.query = row.cell("adql");
  if (const Result<Instant> started = parse_iso8601(row.cell("start_time"))) {
    m.started_at = *started;
  }
  m.total_us = micros(row.number("query_total_dur")).value_or(0);
  m.times.transfer_us = micros(row.number("stream_to_file_dur"));
  m.times.first_byte_us = micros(row.number("do_query_dur"));
  m.rows = count(row.number("num_rows"));
  m.columns = count(row.number("num_columns"));
  m.bytes_decoded = count(row.number("size"));
  if (const std::optional<std::int64_t> status = count(row.number("status")); status && *status <= 999) {
    m.http_status = static_cast<int>(*status);
  }
  m.url = asked_url(m, row);
  take_servicemon_error(row.cell("errmsg"), m);
  return m;
}

Result<Results> parse_ndjson(std::string_view file_name, std::string_view text) {
  Results results;
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view record = trim(text.substr(at, end - at));
    at = end + 1;
    ++line;
    if (record.empty()) {
      continue;
    }
    if (results.rows.size() + results.unread.size() == kResultRowsMax) {
      return make_error(ErrorKind::refused, fmt::format("{}: more than {} records", file_name, kResultRowsMax));
    }
    const Result<Json> json = parse_json(record);
    Result<Measurement> m = json ? measurement_from_json(*json) : Result<Measurement>(json.error());
    if (m) {
      results.rows.push_back({line, std::move(m).value()});
    } else {
      results.unread.push_back({line, first_line(m.error())});
    }
  }
  return results;
}

Result<Results> parse_csv_results(std::string_view file_name, std::string_view text, ResultFormat format) {
  Results results;
  results.format = format;
  CsvLimits limits;
  limits.bytes_max = kResultBytesMax;
  limits.records_max = kResultRowsMax;
  const std::vector<CsvRecord> records = TRY(parse_csv(file_name, text, limits));
  std::map<std::string, std::size_t, std::less<>> columns;
  for (std::size_t i = 0; !records.empty() && i < records.front().size(); ++i) {
    columns.emplace(to_lower(trim(records.front()[i].text)), i);
  }
  for (std::size_t i = 1; i < records.size(); ++i) {
    const Row row(columns, records[i]);
    const std::size_t line = records[i].empty() ? 0 : records[i].front().place.line;
    Result<Measurement> m = format == ResultFormat::csv ? our_row(row) : servicemon_row(row);
    if (m) {
      results.rows.push_back({line, std::move(m).value()});
    } else {
      results.unread.push_back({line, first_line(m.error())});
    }
  }
  return results;
}

// Told by the first line.
std::optional<ResultFormat> sniff(std::string_view text) {
  const std::string_view start = trim(text.substr(0, 64U << 10U));
  if (start.starts_with('{')) {
    return ResultFormat::ndjson;
  }
  const std::string head = to_lower(start.substr(0, start.find('\n')));
  if (head.find("base_name") != std::string::npos && head.find("service_type") != std::string::npos) {
    return ResultFormat::servicemon;
  }
  if (head.find("schema") != std::string::npos && head.find("verdict") != std::string::npos) {
    return ResultFormat::csv;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(ResultFormat format) {
  switch (format) {
    case ResultFormat::ndjson:
      return "ndjson";
    case ResultFormat::csv:
      return "csv";
    case ResultFormat::servicemon:
      return "servicemon";
  }
  return "";
}

Result<std::optional<ResultFormat>> result_format(std::string_view name) {
  if (name.empty() || name == "auto") {
    return std::optional<ResultFormat>();
  }
  for (const ResultFormat format : {ResultFormat::ndjson, ResultFormat::csv, ResultFormat::servicemon}) {
    if (to_string(format) == name) {
      return std::optional(format);
    }
  }
  return make_error(ErrorKind::invalid,
                    fmt::format("'{}': it is one of auto, ndjson, csv, servicemon", terminal_safe(name, 50)));
}

Result<Results> parse_results(std::string_view file_name, std::string_view text, std::optional<ResultFormat> format) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  if (!format) {
    format = sniff(text);
  }
  if (!format) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{}: neither our NDJSON or CSV nor servicemon's CSV, by its first line", file_name));
  }
  Results results = *format == ResultFormat::ndjson ? TRY(parse_ndjson(file_name, text))
                                                    : TRY(parse_csv_results(file_name, text, *format));
  return results;
}

Result<Results> read_results(World& world, const std::string& path, std::optional<ResultFormat> format) {
  Result<std::string> text = world.files.read(path, kResultBytesMax);
  if (!text) {
    Error error = text.error();
    error.kind = ErrorKind::invalid;  // a wrong name is wrong usage
    return error;
  }
  return parse_results(path, *text, format);
}

}  // namespace parallax::cli
