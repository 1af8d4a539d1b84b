// Planted bugs: switches of simulation builds alone (PARALLAX_SIM_BUGS), by which the simulation shows that its
// invariants find what they are there to find. In every other build `sim_bug()` is a constant false and the compiler
// drops the branch.
#pragma once

namespace parallax {

struct SimBugs {
  bool skip_stop = false;             // the controller does not stop the machine after its job
  bool trust_stale_ping = false;      // an agent's ping from before this start counts as its answer
  bool drop_confirmed_check = false;  // a batch counts as delivered once sent, whatever the collector answers
  bool launch_without_token =
      false;                    // RunInstances without our ClientToken: whoever launches again gets another machine
  bool trust_the_name = false;  // what bears the fleet's name counts as the fleet's
};

#ifdef PARALLAX_SIM_BUGS
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): set by a simulation before it starts
inline SimBugs sim_bugs;

inline bool sim_bug(bool SimBugs::*bug) {
  return sim_bugs.*bug;
}
#else
constexpr bool sim_bug(bool SimBugs::* /*bug*/) {
  return false;
}
#endif

}  // namespace parallax
