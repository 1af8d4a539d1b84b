// Secrets come from files with mode 0600 or the environment, never from an argument.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/world.h"
#include "record/token.h"

namespace parallax::cli {

// The text of a secret file. Error: invalid when others may read it, with the chmod that mends it.
Result<std::string> read_secret_file(World& world, const std::string& path);
Result<SigningKey> read_signing_key(World& world, const std::string& path);

}  // namespace parallax::cli
