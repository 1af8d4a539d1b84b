#include "sim/cloud/plain_guest.h"

#include "base/text.h"
#include "sim/cloud/power.h"

namespace parallax::sim {

void PlainGuest::boot(const InstanceRef& instance, const std::string& user_data) {
  arm_by_user_data(user_data, instance, clock_.now(), std::chrono::minutes(1), control_);
}

void PlainGuest::run(const GuestCommand& command, std::function<void(GuestResult)> done) {
  GuestResult result;
  result.exit_code = 0;
  for (const std::string_view line : split(command.script, '\n')) {
    if (const auto request = parse_power_command(words_of_line(line), clock_.now())) {
      apply_power_request(*request, command.instance, std::chrono::minutes(1), control_);
    } else if (!trim(line).empty()) {
      result.exit_code = 126;
      result.err =
          "This simulated cloud does not execute commands: it was started without --execute. "
          "Of the script only plain shutdown lines were honoured.\n";
    }
  }
  if (result.exit_code != 0 && job_) {
    job_([done = std::move(done)] { done({}); });
    return;
  }
  done(std::move(result));
}

void PlainGuest::kill(const InstanceRef& /*instance*/, const std::string& /*command_id*/) {}

void PlainGuest::kill_all(const InstanceRef& /*instance*/) {}

}  // namespace parallax::sim
