#include "sim/cloud/execute.h"

namespace parallax::sim {
std::string_view to_string(Containment) {
  return "shims";
}

Result<std::unique_ptr<ProcessGuest>> ProcessGuest::start(const ExecuteOptions&, Clock&, Executor&, GuestControl&) {
  return make_error(ErrorKind::internal, "not yet");
}
}  // namespace parallax::sim
