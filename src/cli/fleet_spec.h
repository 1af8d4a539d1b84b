// From the configuration to what the fleet should be.
#pragma once

#include <string>

#include "base/files.h"
#include "cli/config.h"
#include "fleet/spec.h"

namespace parallax::cli {

// A profile of this name is made by us too, as the one that bears the fleet's name (fleet::our_profile) is where
// [fleet] instance_profile names none; any other name is that of an existing one.
inline constexpr const char* kOurProfile = "parallax";

// Reads the public key's file, which [fleet] public_key names beside `config_path`. Error: invalid, naming the file.
Result<fleet::Spec> make_spec(Files& files, const Config& config, const std::string& config_path);

}  // namespace parallax::cli
