// A guest that runs the scripts of Run Command as real processes of this machine, kept away from this machine's own
// power switch.
//
// Each boot of an instance is a small world of processes: a mount namespace in which the simulator's shutdown,
// poweroff, halt, reboot, systemctl, telinit and init lie over the real ones (by their real paths too), the sockets of
// init, logind and D-Bus and /proc/sysrq-trigger are covered, /dev/shm is its own; and a PID namespace, so that
// stopping the instance kills the whole tree, whatever it forked. The capabilities to reboot, load modules and mount
// are dropped. Without the right to make namespaces (Containment::shims) only PATH leads to the simulated commands;
// then a root that could reach a real init is refused.
//
// What is not simulated: files outside the instance's home and /dev/shm are this machine's own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "sim/cloud/guest.h"

namespace parallax::sim {

struct ExecuteOptions {
  // Homes, scripts and shims of the instances lie below it; made if it is missing. Absolute, of letters, digits and
  // "/._-" alone, and not below /run or /dev.
  std::string directory;
  // Variables for every command; those of the region come after those of "" and win. The rest of our own environment
  // is not handed on.
  std::map<std::string, std::map<std::string, std::string>> environment;
  std::vector<std::string> path_first;  // directories before the usual ones on PATH (after the simulated commands)
  Micros minute{Seconds(60)};           // how long a minute of `shutdown +N` is; tests shorten it
};

enum class Containment {
  namespaces,       // root: mount and PID namespace
  user_namespaces,  // not root: the same inside a user namespace
  shims,            // neither: PATH only
};

std::string_view to_string(Containment containment);

class ProcessGuest : public Guest {
 public:
  // Finds out what containment this machine allows. Error: denied when it would not keep a script from this machine's
  // power switch; invalid (directory).
  static Result<std::unique_ptr<ProcessGuest>> start(const ExecuteOptions& options, Clock& clock, Executor& executor,
                                                     GuestControl& control);
  // The destructor kills every process of every instance and waits until they are gone.

  virtual Containment containment() const = 0;
};

}  // namespace parallax::sim
