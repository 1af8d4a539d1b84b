// Reads the commands by which a script asks its machine to power off, as the simulated instance's shutdown, poweroff,
// halt, reboot, systemctl, telinit and init receive them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sim/cloud/guest.h"

namespace parallax::sim {

enum class PowerAction {
  none,       // help, an unrelated systemctl verb
  power_off,  // reaches the shutdown behaviour
  halt,       // stops the system but not the machine: like AWS, the instance keeps running and costing
  reboot,     // the system ends and comes back; the instance keeps running
  cancel,     // shutdown -c
};

struct PowerRequest {
  PowerAction action = PowerAction::none;
  std::int64_t after_minutes = 0;  // 0: now
};

// `words[0]` is the program, with or without its directory. nullopt: not one of ours. `now` places "hh:mm" (UTC).
std::optional<PowerRequest> parse_power_command(const std::vector<std::string>& words, Instant now);

// Splits a simple line of a script at blanks; a leading "sudo" and what stands after ';', '&', '|' or '#' is left out.
std::vector<std::string> words_of_line(std::string_view line);

// The script of user data that cloud-init runs at every boot, one that begins with the line "#cloud-boothook"; empty
// for user data of any other kind, which this simulated cloud does not run.
std::string_view boothook_of(std::string_view user_data);

// What a boot hook asks of its machine's power by lines of its own, as far as they are plain power commands: for guests
// that run no scripts. `now` and `minute` as of the functions beside it.
void arm_by_user_data(std::string_view user_data, const InstanceRef& instance, Instant now, Micros minute,
                      GuestControl& control);

// Does to the machine what was asked. `minute` is the length of a minute (tests shorten it).
void apply_power_request(const PowerRequest& request, const InstanceRef& instance, Micros minute,
                         GuestControl& control);

}  // namespace parallax::sim
