// A guest that runs nothing: every command fails with exit code 126 and a text that says so. Lines of the script that
// are plain power commands ("shutdown -P +30") are honoured, so that timers can be tried without --execute. Or every
// other script is taken for a job that does nothing for a while and succeeds.
#pragma once

#include <utility>

#include "base/clock.h"
#include "sim/cloud/guest.h"

namespace parallax::sim {

// Thread safety: has no state.
class PlainGuest final : public Guest {
 public:
  // Calls back when a job's time is over.
  using Job = std::function<void(std::function<void()>)>;

  // `job` empty: scripts fail.
  PlainGuest(Clock& clock, GuestControl& control, Job job = {})
      : clock_(clock), control_(control), job_(std::move(job)) {}

  // Plain power commands of a boot hook are honoured too.
  void boot(const InstanceRef& instance, const std::string& user_data) override;
  void run(const GuestCommand& command, std::function<void(GuestResult)> done) override;
  void kill(const InstanceRef& instance, const std::string& command_id) override;
  void kill_all(const InstanceRef& instance) override;

 private:
  Clock& clock_;
  GuestControl& control_;
  const Job job_;
};

}  // namespace parallax::sim
