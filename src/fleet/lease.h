// The lease on a running machine: a tag that says which run holds it and until when. Together with the state before the
// start it makes sure that a machine is under one job at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace parallax::fleet {

inline constexpr const char* kFleetTag = "parallax:fleet";
inline constexpr const char* kLeaseTag = "parallax:lease";

struct Lease {
  std::string run_id;
  std::string owner;  // "host:pid" of the controller
  Instant expiry;

  friend bool operator==(const Lease&, const Lease&) = default;
};

// "RUN_ID OWNER 2026-11-22T10:00:00Z"; at most 256 characters, as a tag's value may be.
std::string to_text(const Lease& lease);
// Nothing for an empty or foreign text.
std::optional<Lease> parse_lease(std::string_view text);

}  // namespace parallax::fleet
