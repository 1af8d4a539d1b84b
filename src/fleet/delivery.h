// How the program reaches a machine that lacks this build: the part of a job's script that finds it there or fetches it
// from the collector, and what the script's own failures mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace parallax::fleet {

// A bundle of the program (docs/user/bundle.md) as a round's machines get it.
struct Bundle {
  std::string build;                 // letters, digits and "._+-"
  std::string sha256;                // of the archive, lower-case hex; told by the controller, never by what is fetched
  std::string url;                   // of the archive, as the machines reach the collector
  std::uint64_t bytes = 0;           // of the archive
  std::uint64_t unpacked_bytes = 0;  // of what is in it
};

// How a job's script ends where the program could not be had; its last line on stderr begins with kDeliveryMark and
// says why. Nothing of the job was run then.
inline constexpr int kNoFetchToolExitCode = 91;  // neither curl, GNU wget nor python3
inline constexpr int kFetchFailedExitCode = 92;  // the collector cannot be reached, or refuses
inline constexpr int kWrongSumExitCode = 93;     // what was fetched is not what the controller asked for
inline constexpr int kNoRoomExitCode = 94;       // no place on disk, or none that can be written
inline constexpr int kUnusableExitCode = 95;     // cannot be unpacked, or does not run there
inline constexpr std::string_view kDeliveryMark = "parallax: no program: ";

// How a shell ends where there is no such command.
inline constexpr int kNoCommandExitCode = 127;

// Error: invalid where a field holds what must not stand in a script.
Result<> check_bundle(const Bundle& bundle);

// Lines for sh that leave the program's path in $program or end the script with a code of above. They expect
// $directory, a private directory that is removed at the end, with the token in $directory/token. On the machine:
// PARALLAX_BUNDLES is the place of the builds (default /opt/parallax), of which the two used last are kept;
// PARALLAX_CA_FILE are roots for the collector's certificate instead of the machine's.
std::string delivery_lines(const Bundle& bundle);

// What a script that ended so says about the delivery, for a run's cause; nullopt where it ended for another reason.
std::optional<std::string> delivery_problem(int exit_code, std::string_view error_output);

}  // namespace parallax::fleet
