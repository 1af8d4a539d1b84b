// A user's own cases, from TOML: docs/user/sim-vo.md has the form.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sim/vo/cases.h"

namespace parallax::sim {

constexpr std::size_t kScriptCasesMax = 1000;
constexpr std::size_t kScriptAnswersMax = 1000;  // of a case

// `read` gives a file that the script names. Error: invalid, "FILE:LINE:COLUMN: ...".
Result<std::vector<VoCase>> parse_case_script(std::string_view file_name, std::string_view text,
                                              const std::function<Result<std::string>(const std::string&)>& read);

}  // namespace parallax::sim
