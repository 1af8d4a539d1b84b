// Wildcards and policy variables.
#include <array>

#include "base/text.h"
#include "sim/cloud/policy.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kArnParts = 6;

int lower(int unit) {
  return unit >= 'A' && unit <= 'Z' ? unit - 'A' + 'a' : unit;
}

int unit_of(char c) {
  return static_cast<int>(static_cast<unsigned char>(c));
}

// "aws:username" or "aws:username, 'nobody'" -> the value.
std::optional<std::string> variable_value(std::string_view inside, const ConditionKeys& keys) {
  const std::size_t comma = inside.find(',');
  const auto found = keys.find(to_lower(trim(inside.substr(0, comma))));
  if (found != keys.end() && found->second.size() == 1) {
    return found->second[0];
  }
  if (comma == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view fallback = trim(inside.substr(comma + 1));
  if (fallback.size() < 2 || fallback.front() != '\'' || fallback.back() != '\'') {
    return std::nullopt;
  }
  return std::string(fallback.substr(1, fallback.size() - 2));
}

}  // namespace

std::optional<PolicyPattern> PolicyPattern::make(std::string_view text, const ConditionKeys& keys, bool variables) {
  PolicyPattern pattern;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end =
        variables && text.substr(i).starts_with("${") ? text.find('}', i + 2) : std::string_view::npos;
    if (end != std::string_view::npos) {
      const std::string_view inside = text.substr(i + 2, end - i - 2);
      // ${*}, ${?} and ${$} are the characters themselves.
      const bool character = inside == "*" || inside == "?" || inside == "$";
      const std::optional<std::string> value = character ? std::string(inside) : variable_value(inside, keys);
      if (!value) {
        return std::nullopt;
      }
      for (const char c : *value) {
        pattern.units_.push_back(unit_of(c));
      }
      i = end;
    } else {
      pattern.units_.push_back(text[i] == '*' ? kAny : text[i] == '?' ? kOne : unit_of(text[i]));
    }
  }
  return pattern;
}

bool PolicyPattern::matches_from(const int* begin, const int* end, std::string_view text, LetterCase letter_case) {
  const auto same = [&](int unit, char c) {
    return unit == kOne || unit == unit_of(c) ||
           (letter_case == LetterCase::ignored && unit >= 0 && lower(unit) == lower(unit_of(c)));
  };
  const int* p = begin;
  std::size_t t = 0;
  const int* star = nullptr;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p != end && *p == kAny) {
      star = p++;
      star_text = t;
    } else if (p != end && same(*p, text[t])) {
      ++p;
      ++t;
    } else if (star != nullptr) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p != end && *p == kAny) {
    ++p;
  }
  return p == end;
}

bool PolicyPattern::matches(std::string_view text, LetterCase letter_case) const {
  return matches_from(units_.data(), units_.data() + units_.size(), text, letter_case);
}

bool PolicyPattern::matches_arn(std::string_view arn) const {
  if (units_.size() == 1 && units_[0] == kAny) {
    return true;
  }
  static constexpr std::array<int, 1> kEverything = {kAny};
  const int* begin = units_.data();
  const int* const all_end = units_.data() + units_.size();
  bool exhausted = false;
  for (std::size_t part = 0; part < kArnParts; ++part) {
    const std::size_t colon = part + 1 < kArnParts ? arn.find(':') : std::string_view::npos;
    const std::string_view text = arn.substr(0, colon);
    const int* end = begin;
    while (!exhausted && end != all_end && (part + 1 == kArnParts || *end != ':')) {
      ++end;
    }
    const bool matched = exhausted
                             ? matches_from(kEverything.data(), kEverything.data() + 1, text, LetterCase::significant)
                             : matches_from(begin, end, text, LetterCase::significant);
    if (!matched) {
      return false;
    }
    exhausted = exhausted || end == all_end;
    begin = exhausted ? all_end : end + 1;
    arn = colon == std::string_view::npos ? "" : arn.substr(colon + 1);
  }
  return true;
}

std::string PolicyPattern::literal() const {
  std::string text;
  for (const int unit : units_) {
    text += unit == kAny ? '*' : unit == kOne ? '?' : static_cast<char>(static_cast<unsigned char>(unit));
  }
  return text;
}

}  // namespace parallax::sim
