// What `parallax doctor` found: a list of checks, and how it is shown. Pure.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"

namespace parallax::cli {

enum class Verdict { ok, warning, problem, unknown };

std::string_view to_string(Verdict verdict);

struct Check {
  std::string area;  // "credentials", "clock", "region"
  std::string name;  // "source", "eu-west-3"
  Verdict verdict = Verdict::ok;
  std::string found;   // what is so; nothing secret
  std::string advice;  // what to do; empty where nothing
  std::string region;  // of a check of one region among several; empty: of the whole set-up
};

// 1 where something is wrong with the whole set-up or with every region, 3 with some of the regions, else 0. What could
// not be found out is no problem.
int exit_code_of(const std::vector<Check>& checks);

// {"verdict": worst, "checks": [{"area", "name", "region", "verdict", "found", "advice"}]}: absent is null.
Json report_to_json(const std::vector<Check>& checks);

// A table, and below it what to do.
std::string report_text(const std::vector<Check>& checks);

}  // namespace parallax::cli
