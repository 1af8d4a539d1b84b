// A guest that runs nothing: every command fails with exit code 126 and a text that says so. Lines of the script that
// are plain power commands ("shutdown -P +30") are honoured, so that timers can be tried without --execute.
#pragma once

#include "base/clock.h"
#include "sim/cloud/guest.h"

namespace parallax::sim {

// Thread safety: has no state.
class PlainGuest final : public Guest {
 public:
  PlainGuest(Clock& clock, GuestControl& control) : clock_(clock), control_(control) {}

  // Plain power commands of a boot hook are honoured too.
  void boot(const InstanceRef& instance, const std::string& user_data) override;
  void run(const GuestCommand& command, std::function<void(GuestResult)> done) override;
  void kill(const InstanceRef& instance, const std::string& command_id) override;
  void kill_all(const InstanceRef& instance) override;

 private:
  Clock& clock_;
  GuestControl& control_;
};

}  // namespace parallax::sim
