// The shell scripts that keep an instance's processes apart from this machine: the simulated power commands, and the
// set-up of an instance's namespaces.
#pragma once

#include <string>
#include <vector>

#include "sim/cloud/execute.h"

namespace parallax::sim {

// The programs that are covered.
extern const std::vector<std::string> kPowerCommands;

// What stands in the place of each of them; it tells `fifo` its name and arguments, one line a request.
// `covered`: /run/systemd is the instance's own.
std::string power_command_script(const std::string& instance_id, const std::string& fifo, bool covered);

// Runs as the first process of the instance's namespaces: covers what must be covered, checks that it is, prints
// "ready", then reaps orphans until it is killed. Ends with a message and code 1 when something cannot be covered.
std::string boot_script(const std::string& shims);

// How a script is started in the namespaces that process `boot_pid` holds (or without any).
std::vector<std::string> command_line(Containment containment, int boot_pid, const std::string& working_directory,
                                      const std::string& script);

// How the first process of an instance's namespaces is started.
std::vector<std::string> boot_line(Containment containment, const std::string& boot_script);

}  // namespace parallax::sim
