// VOSI: what a service says of itself: whether it is up, and what it can do within which limits.
//
// Elements are matched by local name. Both documents are claims of the service, to be kept beside what was measured;
// newer drafts make availability optional, so its absence is no fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace parallax::vo {

struct Availability {
  bool available = false;
  // Empty where absent or not a time.
  std::optional<Instant> up_since;
  std::optional<Instant> down_at;
  std::optional<Instant> back_at;
  std::string note;  // the notes, joined by "; ", cut to 4000 bytes
};

// Error: corrupt where it is not an availability document or says neither true nor false; refused for our limits
// (1 MiB).
Result<Availability> parse_availability(std::string_view document);

struct ServiceInterface {
  std::string role;     // "std" for the one of the standard
  std::string version;  // of the standard, where it is said
  std::string url;      // the first accessURL
};

struct Capability {
  std::string standard_id;  // lower case, for these ids are compared without regard to it
  std::vector<ServiceInterface> interfaces;
};

// What holds if nothing is asked for, and what cannot be passed. Empty where the service does not say, or not a number.
struct ServiceLimit {
  std::optional<std::int64_t> standard;  // <default>
  std::optional<std::int64_t> hard;
};

struct Capabilities {
  std::vector<Capability> all;
  // Of the TAP capability (TAPRegExt 1.0).
  ServiceLimit output_rows;        // outputLimit in rows
  ServiceLimit output_bytes;       // outputLimit in bytes
  ServiceLimit execution_seconds;  // executionDuration
  ServiceLimit retention_seconds;  // retentionPeriod
};

// Error: corrupt where it is not a capabilities document; refused for our limits (4 MiB).
Result<Capabilities> parse_capabilities(std::string_view document);

}  // namespace parallax::vo
