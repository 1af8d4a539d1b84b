// The rule behind each finding and each verdict: what the standards ask for, and where. One table for whoever explains
// an answer to a person.
#pragma once

#include <string_view>
#include <vector>

#include "vo/verdict.h"

namespace parallax::vo {

struct FindingRule {
  std::string_view code;
  std::string_view where;  // "DALI 1.1 section 5.4"; "parallax" where the rule is ours
  std::string_view rule;   // a sentence
};

// Every code that a measurement's findings can have, by code.
const std::vector<FindingRule>& finding_rules();
// nullptr for a code that is not in the table.
const FindingRule* finding_rule(std::string_view code);

// What makes an answer come to this verdict: a sentence.
std::string_view verdict_rule(Verdict verdict);

}  // namespace parallax::vo
