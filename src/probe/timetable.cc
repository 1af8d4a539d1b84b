#include "probe/timetable.h"

#include <algorithm>
#include <numeric>

#include "base/rng.h"
#include "codec/hash.h"

namespace parallax {

namespace {

std::uint64_t seed_of(const Order& order) {
  const Sha256 digest = sha256(order.round_id.empty() ? order.run_id : order.round_id);
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    seed = (seed << 8U) | digest[i];
  }
  return seed;
}

std::vector<std::size_t> shuffled(std::size_t count, Rng& rng) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[rng.below(i)]);
  }
  return order;
}

// The order's providers, and defaults for those that only services name.
std::vector<ProviderTimetable> all_providers(const Order& order) {
  std::vector<ProviderTimetable> tables;
  const auto add = [&tables](const Provider& provider) {
    if (std::none_of(tables.begin(), tables.end(), [&](const auto& t) { return t.provider.name == provider.name; })) {
      tables.push_back({provider, Micros(static_cast<std::int64_t>(1e6 / provider.queries_per_second)), {}});
    }
  };
  for (const Provider& provider : order.providers) {
    add(provider);
  }
  for (const Service& service : order.services) {
    add(Provider{.name = service.provider});
  }
  return tables;
}

bool has_both_modes(const Service& service) {
  return service.type == ServiceType::tap && service.mode == TapMode::both;
}

// Sync before async; of a pair the cold one first, so that its connection is there for the warm one.
void add_variants(const Order& order, std::size_t service, std::size_t cone, std::size_t cones,
                  std::vector<PlannedQuery>& queries) {
  const Service& asked = order.services[service];
  const bool paired = order.connection == ConnectionSeries::pair;
  const std::size_t connections = paired ? 2 : 1;
  const std::size_t first = (service * cones + cone) * variants_of(order);
  for (std::size_t mode = 0; mode < (has_both_modes(asked) ? 2 : 1); ++mode) {
    for (std::size_t connection = 0; connection < connections; ++connection) {
      PlannedQuery query;
      query.sequence = static_cast<std::int64_t>(first + mode * connections + connection);
      query.service = service;
      query.cone = cone;
      query.mode = !has_both_modes(asked) ? asked.mode : mode == 0 ? TapMode::sync : TapMode::async;
      query.connection = !paired ? order.connection : connection == 0 ? ConnectionSeries::cold : ConnectionSeries::warm;
      queries.push_back(query);
    }
  }
}

}  // namespace

std::size_t variants_of(const Order& order) {
  const bool both = std::any_of(order.services.begin(), order.services.end(), has_both_modes);
  const std::size_t modes = both ? 2 : 1;
  const std::size_t connections = order.connection == ConnectionSeries::pair ? 2 : 1;
  return modes * connections;
}

std::vector<ProviderTimetable> make_timetable(const Order& order, std::size_t cones) {
  Xoshiro random(seed_of(order));
  std::vector<ProviderTimetable> tables = all_providers(order);
  for (const std::size_t service : shuffled(order.services.size(), random)) {
    const std::string& name = order.services[service].provider;
    const auto table =
        std::find_if(tables.begin(), tables.end(), [&](const auto& t) { return t.provider.name == name; });
    for (const std::size_t cone : shuffled(cones, random)) {
      add_variants(order, service, cone, cones, table->queries);
    }
  }
  const auto vantages = static_cast<std::size_t>(std::max(order.vantages, 1));
  for (std::size_t p = 0; p < tables.size(); ++p) {
    ProviderTimetable& table = tables[p];
    const bool takes_turns = !table.provider.simultaneous && order.turn > Micros(0);
    const auto slot = static_cast<std::int64_t>((static_cast<std::size_t>(order.position) + p) % vantages);
    const Micros begin = order.start_offset + (takes_turns ? slot * order.turn : Micros(0));
    for (std::size_t i = 0; i < table.queries.size(); ++i) {
      table.queries[i].offset = begin + static_cast<std::int64_t>(i) * table.interval;
      if (takes_turns) {
        table.queries[i].latest_start = begin + order.turn;
      }
    }
  }
  return tables;
}

}  // namespace parallax
