#include "vo/describe.h"

#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::vo {

namespace {

Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}

Json describe_fields(const VotableSummary& summary) {
  Json fields = Json::array();
  for (const Field& field : summary.fields) {
    Json item = Json::object({{"name", field.name}, {"datatype", text_or_null(field.datatype)}});
    item.set_if("arraysize", text_or_null(field.arraysize));
    item.set_if("unit", text_or_null(field.unit));
    item.set_if("ucd", text_or_null(field.ucd));
    item.set_if("xtype", text_or_null(field.xtype));
    item.set_if("null", field.has_null_value ? Json(field.null_value) : Json());
    fields.push(std::move(item));
  }
  return fields;
}

// The message of the status, else what kept us from reading the body.
std::string_view message_of(const VotableSummary& summary) {
  return summary.message.empty() ? summary.problem_text : summary.message;
}

}  // namespace

Json describe(const VotableSummary& summary) {
  Json marks = Json::array();
  for (const StatusMark& mark : summary.marks) {
    marks.push(mark.value);
  }
  Json findings = Json::array();
  for (const Finding& finding : summary.findings) {
    findings.push(Json::object(
        {{"code", finding.code}, {"message", finding.message}, {"count", static_cast<std::int64_t>(finding.count)}}));
  }
  Json problem;
  if (summary.problem != Problem::none) {
    problem = Json::object(
        {{"kind", to_string(summary.problem)}, {"code", summary.problem_code}, {"message", summary.problem_text}});
  }
  return Json::object({
      {"kind", to_string(summary.kind)},
      {"rows", summary.rows},
      {"columns", summary.columns},
      {"rows_counted", summary.rows_counted},
      {"serialization", text_or_null(summary.serialization)},
      {"status", text_or_null(summary.status)},
      {"message", text_or_null(message_of(summary))},
      {"marks", std::move(marks)},
      {"version", text_or_null(summary.version)},
      {"namespace", text_or_null(summary.xml_namespace)},
      {"cells", static_cast<std::int64_t>(summary.cells)},
      {"null_cells", static_cast<std::int64_t>(summary.null_cells)},
      {"bad_cells", static_cast<std::int64_t>(summary.bad_cells)},
      {"bytes", static_cast<std::int64_t>(summary.bytes_in)},
      {"bytes_decoded", static_cast<std::int64_t>(summary.bytes_decoded)},
      {"problem", std::move(problem)},
      {"findings", std::move(findings)},
      {"fields", describe_fields(summary)},
  });
}

std::string describe_text(const VotableSummary& summary) {
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      text += fmt::format("{:<14}{}\n", name, terminal_safe(value));
    }
  };
  line("kind", to_string(summary.kind));
  line("serialization", summary.serialization);
  line("status", summary.status);
  line("message", message_of(summary));
  line("rows", summary.rows_counted ? fmt::format("{}", summary.rows) : "not counted");
  line("columns", fmt::format("{}", summary.columns));
  if (summary.cells > 0) {
    line("cells", fmt::format("{}, {} of them null", summary.cells, summary.null_cells));
  }
  line("version", summary.version);
  line("bytes", summary.bytes_in == summary.bytes_decoded
                    ? fmt::format("{}", summary.bytes_in)
                    : fmt::format("{}, decoded {}", summary.bytes_in, summary.bytes_decoded));
  if (summary.problem != Problem::none) {
    line("problem", fmt::format("{}: {}", to_string(summary.problem), summary.problem_text));
  }
  for (const Finding& finding : summary.findings) {
    line("finding", fmt::format("{}: {}{}", finding.code, finding.message,
                                finding.count > 1 ? fmt::format(" ({} times)", finding.count) : ""));
  }
  if (!summary.fields.empty()) {
    text += fmt::format("\n{:<24} {:<14} {:<10} {:<10} {}\n", "field", "datatype", "arraysize", "unit", "ucd");
  }
  for (const Field& field : summary.fields) {
    text += fmt::format("{:<24} {:<14} {:<10} {:<10} {}\n", terminal_safe(field.name, 80),
                        terminal_safe(field.datatype, 40), terminal_safe(field.arraysize, 40),
                        terminal_safe(field.unit, 40), terminal_safe(field.ucd, 200));
  }
  return text;
}

}  // namespace parallax::vo
