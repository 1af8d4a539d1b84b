#include "vo/votable_summary.h"

#include <algorithm>

namespace parallax::vo {

std::string_view to_string(BodyKind kind) {
  switch (kind) {
    case BodyKind::empty:
      return "empty";
    case BodyKind::votable:
      return "votable";
    case BodyKind::xml:
      return "xml";
    case BodyKind::html:
      return "html";
    case BodyKind::json:
      return "json";
    case BodyKind::text:
      return "text";
    case BodyKind::csv:
      return "csv";
    case BodyKind::fits:
      return "fits";
    case BodyKind::parquet:
      return "parquet";
    case BodyKind::other:
      break;
  }
  return "other";
}

std::string_view to_string(Problem problem) {
  switch (problem) {
    case Problem::not_votable:
      return "not-votable";
    case Problem::truncated:
      return "truncated";
    case Problem::refused:
      return "refused";
    case Problem::none:
      break;
  }
  return "none";
}

bool Findings::has(std::string_view code) const {
  return std::any_of(list_.begin(), list_.end(), [&](const Finding& finding) { return finding.code == code; });
}

}  // namespace parallax::vo
