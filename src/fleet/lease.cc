#include "fleet/lease.h"

#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::fleet {

std::string to_text(const Lease& lease) {
  std::string owner = lease.owner.substr(0, 180);
  for (char& c : owner) {
    c = c == ' ' ? '_' : c;
  }
  return fmt::format("{} {} {}", lease.run_id, owner, to_iso8601_seconds(lease.expiry));
}

std::optional<Lease> parse_lease(std::string_view text) {
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.size() != 3) {
    return std::nullopt;
  }
  const Result<Instant> expiry = parse_iso8601(words[2]);
  if (!expiry) {
    return std::nullopt;
  }
  return Lease{std::string(words[0]), std::string(words[1]), *expiry};
}

}  // namespace parallax::fleet
