#include "base/ids.h"

#include <fmt/format.h>

namespace parallax {

namespace {

constexpr std::string_view kLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

std::string make_ulid(Instant now, Rng& rng) {
  const auto millis = std::chrono::floor<Millis>(now.time_since_epoch()).count();
  std::string ulid(26, '0');
  auto time_bits = static_cast<std::uint64_t>(millis < 0 ? 0 : millis) & 0xFFFF'FFFF'FFFFU;
  for (std::size_t i = 10; i-- > 0;) {
    ulid[i] = kLetters[time_bits & 31U];
    time_bits >>= 5U;
  }
  std::uint64_t bits = rng.next();
  for (std::size_t i = 10; i < 26; ++i) {
    if (i == 18) {
      bits = rng.next();
    }
    ulid[i] = kLetters[bits & 31U];
    bits >>= 5U;
  }
  return ulid;
}

Result<Instant> ulid_time(std::string_view ulid) {
  if (ulid.size() != 26 || ulid[0] > '7') {
    return make_error(ErrorKind::invalid, fmt::format("'{}' is not a run id (a ULID of 26 characters)", ulid));
  }
  std::uint64_t millis = 0;
  for (std::size_t i = 0; i < ulid.size(); ++i) {
    const std::size_t digit = kLetters.find(ulid[i]);
    if (digit == std::string_view::npos) {
      return make_error(ErrorKind::invalid,
                        fmt::format("'{}' is not a run id: '{}' is not a digit of base 32", ulid, ulid[i]));
    }
    if (i < 10) {
      millis = millis * 32 + digit;
    }
  }
  return Instant(Millis(static_cast<std::int64_t>(millis)));
}

}  // namespace parallax
