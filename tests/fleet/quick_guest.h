// A guest whose commands succeed at once: it honours the timer's line and says one line itself; its spool is empty.
#pragma once

#include <charconv>
#include <string>

#include "sim/cloud/guest.h"

namespace parallax::testing {

class QuickGuest final : public sim::Guest {
 public:
  explicit QuickGuest(sim::GuestControl& control) : control_(control) {}

  void run(const sim::GuestCommand& command, std::function<void(sim::GuestResult)> done) override {
    ++commands_;
    constexpr std::string_view kTimer = "shutdown -P +";
    if (const std::size_t line = command.script.find(kTimer); line != std::string::npos) {
      int minutes = 0;
      const char* const begin = command.script.data() + line + kTimer.size();
      std::from_chars(begin, command.script.data() + command.script.size(), minutes);
      control_.schedule_shutdown(command.instance, Seconds(60) * minutes);
    }
    const bool drained = command.script.find("parallax-spool") != std::string::npos;
    done({0, drained ? "parallax-spool 0 0\n" : "said on " + command.instance.instance_id + "\n", ""});
  }

  void kill(const sim::InstanceRef& /*instance*/, const std::string& /*command_id*/) override {}

  void kill_all(const sim::InstanceRef& /*instance*/) override {}

  int commands() const { return commands_; }

 private:
  sim::GuestControl& control_;
  int commands_ = 0;
};

}  // namespace parallax::testing
