// What commands ask of a collector: one GET in the controller's name, JSON back.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "cli/world.h"
#include "codec/json.h"
#include "record/token.h"

namespace parallax::cli {

// A token of role controller that is valid for ten minutes. Error: invalid (key).
Result<std::string> brief_controller_token(World& world, const SigningKey& key, const std::string& fleet);

struct CollectorLimits {
  Micros timeout{Seconds(30)};
  std::size_t bytes_max = 32U << 20U;
};

// Error: what kept us from an answer; unavailable with the status and the beginning of the text where it is not 200.
Result<Json> get_from_collector(World& world, const std::string& url, const std::string& token,
                                const CollectorLimits& limits = {});

}  // namespace parallax::cli
