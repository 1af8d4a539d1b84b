#include "http/message.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace parallax::http {

namespace {

constexpr std::array<std::string_view, 7> kPhases = {"", "resolve", "connect", "tls", "send", "first_byte", "transfer"};

}  // namespace

const std::string* Headers::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (equals_ignore_case(field, name)) {
      return &value;
    }
  }
  return nullptr;
}

std::string Headers::get(std::string_view name, std::string_view fallback) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string(fallback) : *value;
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return equals_ignore_case(field.first, name); });
}

std::string_view to_string(Phase phase) {
  return kPhases[static_cast<std::size_t>(phase)];
}

std::optional<Phase> parse_phase(std::string_view text) {
  for (std::size_t i = 1; i < kPhases.size(); ++i) {
    if (kPhases[i] == text) {
      return static_cast<Phase>(i);
    }
  }
  return std::nullopt;
}

}  // namespace parallax::http
