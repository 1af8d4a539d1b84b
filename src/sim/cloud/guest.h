// What runs on a simulated instance. The cloud hands commands to a Guest; the guest tells the cloud, through
// GuestControl, what its operating system does to the machine. Two implementations run today: ProcessGuest
// (execute.h, real processes) and PlainGuest (plain_guest.h, runs nothing); a simulated world brings its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tuple>

#include "base/time.h"

namespace parallax::sim {

// One boot of one instance. A request that names an earlier boot is from a machine that no longer runs: it is ignored.
struct InstanceRef {
  std::string region;
  std::string instance_id;
  std::uint64_t boot = 0;

  friend bool operator==(const InstanceRef&, const InstanceRef&) = default;

  friend bool operator<(const InstanceRef& a, const InstanceRef& b) {
    return std::tie(a.region, a.instance_id, a.boot) < std::tie(b.region, b.instance_id, b.boot);
  }
};

struct GuestCommand {
  InstanceRef instance;
  std::string command_id;
  std::string script;             // the lines of the `commands` parameter, joined
  std::string working_directory;  // empty: the guest's own
};

struct GuestResult {
  int exit_code = 0;
  // What was kept; the guest reads on beyond kGuestOutputBytesMax but keeps no more.
  std::string out;
  std::string err;
};

constexpr std::size_t kGuestOutputBytesMax = 64U << 10U;

// Thread safety: the cloud calls from any thread, never holding a lock; `done` may be called from any thread or from
// inside run(), at most once. Nothing here may block for long.
class Guest {
 public:
  virtual ~Guest() = default;

  // The operating system comes up on a machine that has user data (decoded). Not called where there is none. Unless a
  // guest says otherwise nothing is done with it; see arm_by_user_data() in power.h.
  virtual void boot(const InstanceRef& /*instance*/, const std::string& /*user_data*/) {}

  // Starts a command. Time limits are the cloud's: it calls kill() when they have passed.
  virtual void run(const GuestCommand& command, std::function<void(GuestResult)> done) = 0;
  // Ends one command (cancelled or out of time). `done` may still be called; the cloud ignores it then.
  virtual void kill(const InstanceRef& instance, const std::string& command_id) = 0;
  // The power is off: everything that runs on that boot of the instance ends at once.
  virtual void kill_all(const InstanceRef& instance) = 0;
};

enum class SystemEnd { halted, rebooted };

// What the operating system in the guest can do to its machine. Thread safety: any thread. `after` is real time, never
// divided by the time scale, because the job beside the timer also runs in real time.
class GuestControl {
 public:
  virtual ~GuestControl() = default;
  // `shutdown -P +N`: replaces an earlier timer; lost when the machine stops for another reason.
  virtual void schedule_shutdown(const InstanceRef& instance, Micros after) = 0;
  virtual void cancel_shutdown(const InstanceRef& instance) = 0;
  virtual void power_off_now(const InstanceRef& instance) = 0;
  // `halt` and `reboot`, now or after a while: the operating system ends with all that runs in it, the machine stays on
  // and goes on costing. A halted one is silent from then on; a rebooted one has its agent back after a while. Takes
  // the place of a timer.
  virtual void end_system(const InstanceRef& instance, SystemEnd how, Micros after) = 0;
};

}  // namespace parallax::sim
