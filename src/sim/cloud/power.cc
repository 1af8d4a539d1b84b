#include "sim/cloud/power.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace parallax::sim {

namespace {

constexpr std::int64_t kMinutesPerDay = 1440;

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > 1'000'000) {
    return std::nullopt;
  }
  return value;
}

// "+N", "N", "now" or "hh:mm", in minutes from now.
std::optional<std::int64_t> parse_when(std::string_view text, Instant now) {
  if (text == "now") {
    return 0;
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) {
    const auto hours = parse_number(text.substr(0, colon));
    const auto minutes = parse_number(text.substr(colon + 1));
    if (!hours || !minutes || *hours > 23 || *minutes > 59) {
      return std::nullopt;
    }
    const auto today =
        std::chrono::duration_cast<std::chrono::minutes>(now.time_since_epoch()).count() % kMinutesPerDay;
    const std::int64_t wanted = *hours * 60 + *minutes;
    return wanted > today ? wanted - today : wanted - today + kMinutesPerDay;
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  return parse_number(text);
}

PowerRequest parse_shutdown(const std::vector<std::string>& words, Instant now) {
  PowerRequest request{PowerAction::power_off, 1};  // without a time: one minute
  bool time_seen = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help" || word == "--version" || word == "--show" || word == "-k") {
      return {};
    }
    if (word == "-c") {
      return {PowerAction::cancel, 0};
    }
    if (word == "-H" || word == "--halt") {
      request.action = PowerAction::halt;
    } else if (word == "-r" || word == "--reboot") {
      request.action = PowerAction::reboot;
    } else if (!word.starts_with('-') && !time_seen) {
      const auto when = parse_when(word, now);
      if (!when) {
        return {};
      }
      request.after_minutes = *when;
      time_seen = true;
    }
  }
  return request;
}

PowerRequest parse_systemctl(const std::vector<std::string>& words) {
  std::string verb;
  std::string unit;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].starts_with('-')) {
      continue;
    }
    (verb.empty() ? verb : unit) = words[i];
  }
  if (verb == "start" || verb == "isolate") {
    verb = unit.substr(0, unit.find(".target"));
  }
  if (verb == "poweroff") {
    return {PowerAction::power_off, 0};
  }
  if (verb == "halt") {
    return {PowerAction::halt, 0};
  }
  if (verb == "reboot" || verb == "kexec" || verb == "soft-reboot") {
    return {PowerAction::reboot, 0};
  }
  return {};
}

PowerRequest parse_direct(PowerAction action, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--help" || word == "-w" || word == "--wtmp-only") {
      return {};
    }
    if (word == "-p" || word == "--poweroff") {
      action = PowerAction::power_off;
    } else if (word == "--halt") {
      action = PowerAction::halt;
    } else if (word == "--reboot") {
      action = PowerAction::reboot;
    }
  }
  return {action, 0};
}

}  // namespace

std::optional<PowerRequest> parse_power_command(const std::vector<std::string>& words, Instant now) {
  if (words.empty()) {
    return std::nullopt;
  }
  const std::string program = words[0].substr(words[0].rfind('/') + 1);
  if (program == "shutdown") {
    return parse_shutdown(words, now);
  }
  if (program == "systemctl") {
    return parse_systemctl(words);
  }
  if (program == "poweroff") {
    return parse_direct(PowerAction::power_off, words);
  }
  if (program == "halt") {
    return parse_direct(PowerAction::halt, words);
  }
  if (program == "reboot") {
    return parse_direct(PowerAction::reboot, words);
  }
  if (program == "init" || program == "telinit") {
    const std::string level = words.size() > 1 ? words.back() : "";
    if (level == "0") {
      return PowerRequest{PowerAction::power_off, 0};
    }
    return PowerRequest{level == "6" ? PowerAction::reboot : PowerAction::none, 0};
  }
  return std::nullopt;
}

std::vector<std::string> words_of_line(std::string_view line) {
  line = line.substr(0, line.find_first_of(";&|#><"));
  std::vector<std::string> words;
  std::string word;
  for (const char c : line) {
    if (c == ' ' || c == '\t' || c == '\r') {
      if (!word.empty()) {
        words.push_back(std::move(word));
        word.clear();
      }
    } else {
      word += c;
    }
  }
  if (!word.empty()) {
    words.push_back(std::move(word));
  }
  if (!words.empty() && words.front() == "sudo") {
    words.erase(words.begin());
  }
  return words;
}

std::string_view boothook_of(std::string_view user_data) {
  constexpr std::string_view kMark = "#cloud-boothook";
  if (!user_data.starts_with(kMark)) {
    return {};
  }
  const std::size_t end = user_data.find('\n');
  const bool alone = trim(user_data.substr(0, end)) == kMark;
  return alone && end != std::string_view::npos ? user_data.substr(end + 1) : std::string_view();
}

void arm_by_user_data(std::string_view user_data, const InstanceRef& instance, Instant now, Micros minute,
                      GuestControl& control) {
  for (const std::string_view line : split(boothook_of(user_data), '\n')) {
    if (const auto request = parse_power_command(words_of_line(line), now)) {
      apply_power_request(*request, instance, minute, control);
    }
  }
}

void apply_power_request(const PowerRequest& request, const InstanceRef& instance, Micros minute,
                         GuestControl& control) {
  switch (request.action) {
    case PowerAction::power_off:
      if (request.after_minutes == 0) {
        control.power_off_now(instance);
      } else {
        control.schedule_shutdown(instance, minute * request.after_minutes);
      }
      return;
    case PowerAction::cancel:
      control.cancel_shutdown(instance);
      return;
    case PowerAction::halt:
      control.end_system(instance, SystemEnd::halted, minute * request.after_minutes);
      return;
    case PowerAction::reboot:
      control.end_system(instance, SystemEnd::rebooted, minute * request.after_minutes);
      return;
    case PowerAction::none:
      return;
  }
}

}  // namespace parallax::sim
