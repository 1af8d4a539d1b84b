#include "vo/problem.h"

namespace parallax::vo {

void note_problem(VotableSummary& summary, const Error& error) {
  if (summary.problem != Problem::none) {
    return;
  }
  // Damaged base64 and a part of a row are what remains of a stream that was cut and patched up on the way.
  const bool is_cut = error.code == "xml-truncated" || error.code == "inflate-truncated" ||
                      error.code == "bad-base64" || error.code == "partial-row" || error.code == "fits-truncated";
  if (error.kind == ErrorKind::refused) {
    summary.problem = Problem::refused;
  } else {
    summary.problem = is_cut ? Problem::truncated : Problem::not_votable;
  }
  summary.problem_code = error.code;
  summary.problem_text = error.message;
}

}  // namespace parallax::vo
