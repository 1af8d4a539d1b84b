#include "base/sim_bugs.h"

namespace parallax {

#ifdef PARALLAX_SIM_BUGS
SimBug& planted_sim_bug() {
  static SimBug bug = SimBug::none;
  return bug;
}
#endif

}  // namespace parallax
