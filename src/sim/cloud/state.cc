#include "sim/cloud/state.h"

#include <fmt/format.h>

namespace parallax::sim {

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::pending:
      return "pending";
    case InstanceState::running:
      return "running";
    case InstanceState::shutting_down:
      return "shutting-down";
    case InstanceState::terminated:
      return "terminated";
    case InstanceState::stopping:
      return "stopping";
    case InstanceState::stopped:
      return "stopped";
  }
  return "";
}

void World::tell(std::string_view what, std::string_view region, std::string_view id, std::string_view state) {
  if (options.observe) {
    Json happened =
        Json::object({{"at", to_iso8601(now)}, {"what", what}, {"region", region}, {"id", id}, {"state", state}});
    outbox.emplace_back([observe = options.observe, happened = std::move(happened)] { observe(happened); });
  }
}

Micros World::scaled(Micros duration) const {
  return Micros(static_cast<std::int64_t>(static_cast<double>(duration.count()) / options.time_scale));
}

Micros World::draw(const DurationRange& range) {
  const double span = static_cast<double>((range.max - range.min).count());
  return scaled(range.min + Micros(static_cast<std::int64_t>(span * rng->unit())));
}

std::string World::hex_id(std::string_view prefix) {
  return fmt::format("{}0{:016x}", prefix, rng->next());
}

std::string World::uuid() {
  const std::uint64_t high = (rng->next() & 0xffffffffffff0fffULL) | 0x4000ULL;
  const std::uint64_t low = (rng->next() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU, high & 0xffffU,
                     low >> 48U, low & 0xffffffffffffULL);
}

std::string World::ipv4(int first_octet) {
  return fmt::format("{}.0.113.{}", first_octet, 1 + rng->below(254));
}

}  // namespace parallax::sim
