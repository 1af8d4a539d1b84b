// A guest whose commands succeed at once: it honours the timer's line and says one line itself; its spool is empty.
#pragma once

#include <charconv>
#include <string>

#include "sim/cloud/guest.h"

namespace parallax::testing {

class QuickGuest final : public sim::Guest {
 public:
  explicit QuickGuest(sim::GuestControl& control) : control_(control) {}

  void boot(const sim::InstanceRef& instance, const std::string& user_data) override { arm(instance, user_data); }

  void run(const sim::GuestCommand& command, std::function<void(sim::GuestResult)> done) override {
    ++commands_;
    arm(command.instance, command.script);
    const bool drained = command.script.find("parallax-spool") != std::string::npos;
    done({0, drained ? "parallax-spool 0 0\n" : "said on " + command.instance.instance_id + "\n", ""});
  }

  void kill(const sim::InstanceRef& /*instance*/, const std::string& /*command_id*/) override {}

  void kill_all(const sim::InstanceRef& /*instance*/) override {}

  int commands() const { return commands_; }

 private:
  void arm(const sim::InstanceRef& instance, const std::string& script) {
    constexpr std::string_view kTimer = "shutdown -P +";
    if (const std::size_t line = script.find(kTimer); line != std::string::npos) {
      int minutes = 0;
      std::from_chars(script.data() + line + kTimer.size(), script.data() + script.size(), minutes);
      control_.schedule_shutdown(instance, Seconds(60) * minutes);
    }
  }

  sim::GuestControl& control_;
  int commands_ = 0;
};

}  // namespace parallax::testing
