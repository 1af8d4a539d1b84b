// Secrets come from files with mode 0600 or the environment, never from an argument.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/world.h"
#include "record/token.h"

namespace parallax::cli {

// The text of a secret file. Error: invalid when others may read it, with the chmod that mends it.
Result<std::string> read_secret_file(World& world, const std::string& path);
Result<SigningKey> read_signing_key(World& world, const std::string& path);

// Text of requests and answers as it may be shown: values of parameters whose names speak of secrets (token, password,
// signature, ...) and user info in URLs become "[hidden]". What is escaped twice is not found.
std::string without_secrets(std::string_view text);
// A header field's value as it may be shown: credentials and cookies become "[hidden]".
std::string shown_header(std::string_view name, std::string_view value);

}  // namespace parallax::cli
