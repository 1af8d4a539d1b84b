#include "vo/status_marks.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::vo {

namespace {

constexpr std::size_t kMarksMax = 100;
constexpr std::size_t kValueMax = 200;

std::string cut(std::string_view text, std::size_t size_max) {
  return to_utf8(trim(text).substr(0, size_max));
}

// "OK", "ERROR" or "OVERFLOW" where `text` is or begins with that word, in any case; else "". `rest` is what follows.
std::string_view status_word(std::string_view text, std::string_view& rest) {
  text = trim(text);
  const std::size_t end = text.find_first_of(" \t\r\n:;,.");
  const std::string_view word = text.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : text.substr(end);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n:;,."), rest.size()));
  for (const std::string_view known : {"OK", "ERROR", "OVERFLOW"}) {
    if (equals_ignore_case(word, known)) {
      return known;
    }
  }
  return "";
}

}  // namespace

bool StatusMarks::is_mark(std::string_view name) {
  name = trim(name);
  return equals_ignore_case(name, "QUERY_STATUS") || equals_ignore_case(name, "Error");
}

void StatusMarks::add(std::string_view name, std::string_view value, std::string_view content, MarkPlace place,
                      std::int64_t rows, Findings& findings) {
  StatusMark mark;
  mark.rows_before = rows;
  mark.is_cone_error = equals_ignore_case(trim(name), "Error");
  if (mark.is_cone_error) {
    mark.value = "Error";
    mark.message = cut(trim(value).empty() ? content : value, kMessageMax);
  } else {
    std::string_view rest;
    std::string_view word = status_word(value, rest);
    mark.value = cut(value, kValueMax);
    mark.message = cut(trim(content).empty() ? rest : content, kMessageMax);
    if (word.empty()) {
      word = status_word(content, rest);
      if (!word.empty()) {
        findings.add("status-in-text", [] { return "QUERY_STATUS is in the text of INFO, not in its value"; });
        mark.value = word;
        mark.message = cut(rest, kMessageMax);
      } else {
        findings.add("status-unknown",
                     [&] { return fmt::format("QUERY_STATUS is '{}'", terminal_safe(mark.value, kValueMax)); });
      }
    }
    if (place == MarkPlace::root || place == MarkPlace::table) {
      findings.add(place == MarkPlace::root ? "status-at-root" : "status-in-table",
                   [] { return "QUERY_STATUS is not in the RESOURCE"; });
    }
  }
  // Where there are too many, the last one is kept: it is the one that counts.
  if (marks_.size() == kMarksMax) {
    findings.add("many-marks", [] { return fmt::format("more than {} status marks", kMarksMax); });
    marks_.pop_back();
  }
  marks_.push_back(std::move(mark));
}

void StatusMarks::restart_rows() {
  for (StatusMark& mark : marks_) {
    mark.rows_before = 0;
  }
}

void StatusMarks::conclude(VotableSummary& summary, Findings& findings) && {
  const StatusMark* cone_error = nullptr;
  for (const StatusMark& mark : marks_) {
    std::string_view rest;
    if (mark.is_cone_error) {
      if (summary.rows > mark.rows_before) {
        findings.add("error-mark-with-rows", [] { return "an Error mark stands before a table that has rows"; });
      } else {
        cone_error = &mark;
      }
    } else if (const std::string_view word = status_word(mark.value, rest); !word.empty()) {
      summary.status = word;
      summary.message = mark.message;
    }
  }
  if (cone_error != nullptr && (summary.status != "ERROR" || summary.message.empty())) {
    if (!summary.status.empty() && summary.status != "ERROR") {
      findings.add("mixed-marks",
                   [&] { return fmt::format("both QUERY_STATUS {} and an Error mark", summary.status); });
    }
    summary.status = "ERROR";
    summary.message = cone_error->message;
  }
  summary.marks = std::move(marks_);
}

}  // namespace parallax::vo
