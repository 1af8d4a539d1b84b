// The columns and number forms of servicemon's csv_writer, so that what reads its files reads ours.
#include "cli/writers/servicemon_csv.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/writers/local_time.h"
#include "cli/writers/writer.h"
#include "codec/csv.h"
#include "vo/position.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kExtras = 8;

std::string seconds(std::int64_t micros) {
  return python_number(static_cast<double>(micros) / 1e6);
}

std::string optional_number(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "";
}

// The steps of an asynchronous job. Looking for an error is no request of ours, so it has a name and no time.
using Extra = std::pair<std::string_view, std::optional<std::int64_t>>;

std::vector<Extra> extras(const Measurement& m) {
  if (m.mode != "async") {
    return {};
  }
  return {{"tap_submit", m.submit_us},
          {"tap_run", m.run_us},
          {"tap_wait", m.wait_us},
          {"tap_raise_if_error", std::nullopt},
          {"tap_fetch_response", m.fetch_us},
          {"tap_delete", m.delete_us}};
}

// "{'VERB': '2'}", as Python prints a dictionary of strings.
std::string python_dictionary(const std::vector<std::pair<std::string, std::string>>& members) {
  const auto quoted = [](std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
      if (c == '\'' || c == '\\') {
        result += '\\';
      }
      result += c;
    }
    return result + "'";
  };
  std::string result;
  for (const auto& [name, value] : members) {
    result += fmt::format("{}{}: {}", result.empty() ? "" : ", ", quoted(name), quoted(value));
  }
  return "{" + result + "}";
}

class ServicemonCsvWriter final : public MeasurementWriter {
 public:
  explicit ServicemonCsvWriter(TextSink sink) : sink_(std::move(sink)) {}

  Result<> write(const Measurement& m) override {
    std::string text;
    CsvLine line;
    if (!header_) {
      header_ = true;
      for (const std::string& name : servicemon_columns()) {
        line.text(name);
      }
      text = line.take();
    }
    put_times(m, line);
    put_query(m, line);
    return sink_(text + line.take());
  }

 private:
  static void put_times(const Measurement& m, CsvLine& line) {
    line.text(servicemon_name(m));
    line.text(m.started_at ? local_time_text(*m.started_at) : "");
    line.text(m.started_at ? local_time_text(*m.started_at + Micros(m.total_us)) : "");
    const std::int64_t body = m.times.transfer_us.value_or(0);
    line.number(seconds(m.total_us - body)).number(seconds(body)).number(seconds(m.total_us));
    const std::vector<Extra> steps = extras(m);
    for (std::size_t i = 0; i < kExtras; ++i) {
      line.text(i < steps.size() ? steps[i].first : "");
      line.number(i < steps.size() && steps[i].second ? seconds(*steps[i].second) : "");
    }
  }

  static void put_query(const Measurement& m, CsvLine& line) {
    const AskedAddress asked = asked_address(m);
    line.text(m.service).text(m.type);
    for (const std::optional<double>& value : {m.ra, m.dec, m.radius}) {
      line.number(value ? python_number(*value) : "");
    }
    line.text(m.query).text(python_dictionary(asked.other_params)).text(asked.access_url);
    const bool good = is_success(m.verdict);
    line.text(good ? ":"
                   : fmt::format(":{}: {}", to_string(m.verdict),
                                 terminal_safe(m.message.empty() ? m.code : m.message, 2000)));
    line.number(m.http_status ? std::to_string(*m.http_status) : "");
    line.number(optional_number(m.bytes_decoded)).number(optional_number(m.rows)).number(optional_number(m.columns));
  }

  const TextSink sink_;
  bool header_ = false;
};

}  // namespace

std::string python_number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) {
    text += ".0";
  }
  return text;
}

std::string servicemon_name(const Measurement& m) {
  const auto number = [](const std::optional<double>& value) { return value ? python_number(*value) : ""; };
  return fmt::format("{}_{}{}_{}_{}_{}", m.service, m.type, m.mode.empty() ? "" : "-" + m.mode, number(m.ra),
                     number(m.dec), number(m.radius));
}

AskedAddress asked_address(const Measurement& m) {
  AskedAddress asked{m.url, {}};
  if (m.type == "tap") {
    for (const std::string_view end : {"/sync", "/async"}) {
      if (const std::size_t at = asked.access_url.rfind(end); at != std::string::npos) {
        const std::size_t after = at + end.size();
        if (after == asked.access_url.size() || asked.access_url[after] == '?') {
          asked.access_url.erase(at, end.size());
          break;
        }
      }
    }
    return asked;
  }
  if (m.type != "cone" || !m.ra || !m.dec) {
    return asked;
  }
  const std::string position = fmt::format("RA={}&DEC={}&SR=", vo::decimal_degrees(*m.ra), vo::decimal_degrees(*m.dec));
  const std::size_t at = asked.access_url.rfind(position);
  if (at == std::string::npos) {
    return asked;
  }
  const std::string rest = asked.access_url.substr(at + position.size());
  asked.access_url.erase(at);
  const std::vector<std::string_view> parts = split(rest, '&');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = std::min(parts[i].find('='), parts[i].size());
    asked.other_params.emplace_back(parts[i].substr(0, equals), parts[i].substr(std::min(equals + 1, parts[i].size())));
  }
  return asked;
}

const std::vector<std::string>& servicemon_columns() {
  static const std::vector<std::string> columns = [] {
    std::vector<std::string> names = {"name",         "start_time",         "end_time",
                                      "do_query_dur", "stream_to_file_dur", "query_total_dur"};
    for (std::size_t i = 0; i < kExtras; ++i) {
      names.push_back(fmt::format("extra_dur{}_name", i));
      names.push_back(fmt::format("extra_dur{}_value", i));
    }
    for (const char* name : {"base_name", "service_type", "RA", "DEC", "SR", "ADQL", "other_params", "access_url",
                             "errmsg", "status", "size", "num_rows", "num_columns"}) {
      names.emplace_back(name);
    }
    return names;
  }();
  return columns;
}

std::unique_ptr<MeasurementWriter> make_servicemon_csv_writer(TextSink sink) {
  return std::make_unique<ServicemonCsvWriter>(std::move(sink));
}

}  // namespace parallax::cli
