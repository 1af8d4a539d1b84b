// Bugs planted on purpose, to test that the simulation finds them. Only simulation builds (PARALLAX_SIM_BUGS) can switch them on; in
// the product `sim_bug()` is a constant false and the compiler drops the branch.
#pragma once

namespace parallax {

enum class SimBug { none, skip_stop, trust_stale_ping, drop_confirmed_check };

#ifdef PARALLAX_SIM_BUGS
SimBug& planted_sim_bug();

inline bool sim_bug(SimBug bug) {
  return planted_sim_bug() == bug;
}
#else
constexpr bool sim_bug(SimBug /*bug*/) {
  return false;
}
#endif

}  // namespace parallax
