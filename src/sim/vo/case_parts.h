// What the parts of the catalogue are written with. Inside src/sim/vo only.
#pragma once

#include <string>
#include <utility>

#include "sim/vo/case_documents.h"
#include "sim/vo/cases.h"

namespace parallax::sim {

constexpr const char* kVotableType = "application/x-votable+xml";

inline CaseAnswer answer_of(std::string body, std::string type = kVotableType, int status = 200) {
  CaseAnswer answer;
  answer.status = status;
  answer.headers = {{"Content-Type", std::move(type)}};
  answer.body = std::move(body);
  return answer;
}

inline VoCase make_case(int row, CaseKind kind, std::string name, std::string serves, Expected expected,
                        CaseAnswer answer) {
  VoCase made;
  made.name = std::move(name);
  made.kind = kind;
  made.row = row;
  made.serves = std::move(serves);
  made.expected = std::move(expected);
  made.answers = {std::move(answer)};
  return made;
}

inline VoCase cone_case(int row, std::string name, std::string serves, Expected expected, CaseAnswer answer) {
  return make_case(row, CaseKind::cone, std::move(name), std::move(serves), std::move(expected), std::move(answer));
}

inline VoCase tap_case(int row, std::string name, std::string serves, Expected expected, CaseAnswer answer) {
  return make_case(row, CaseKind::tap, std::move(name), std::move(serves), std::move(expected), std::move(answer));
}

// A table that is read whole.
inline Expected all_rows(std::string finding = "") {
  return {"ok", "", kCaseRows, std::move(finding)};
}

inline Expected fails(std::string verdict, std::string code, std::string finding = "") {
  return {std::move(verdict), std::move(code), std::nullopt, std::move(finding)};
}

}  // namespace parallax::sim
