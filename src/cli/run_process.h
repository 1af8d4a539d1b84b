// Runs a program of the user's, without a shell, for its standard output (credential_process).
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace parallax::cli {

constexpr std::size_t kProcessOutputBytesMax = 64U << 10U;

// The standard output of `argv` (looked up in PATH), when it ended with status 0 within `limit`. Its standard input is
// /dev/null and its standard error ours, where it may explain itself. It gets a process group of its own, which is
// killed as a whole when the limit passes, `stop` is requested, or it prints more than kProcessOutputBytesMax.
// Errors: invalid (cannot be started), unavailable (ended otherwise, code "process-failed"), timeout, cancelled,
// refused (too much output). No message has any of the output in it: that may be secret. Thread safety: any thread.
Result<std::string> run_process(Clock& clock, const std::vector<std::string>& argv, Micros limit, std::stop_token stop);

}  // namespace parallax::cli
