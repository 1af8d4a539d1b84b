// Conditions: each operator, the qualifiers ForAllValues, ForAnyValue and IfExists.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

#include "base/text.h"
#include "base/time.h"
#include "sim/cloud/policy.h"

namespace parallax::sim {

namespace {

// True where the request's value fits the policy's. Negated operators use the same function and turn the result around.
using Compare = bool (*)(const PolicyPattern& wanted, const std::string& value);

bool string_equals(const PolicyPattern& wanted, const std::string& value) {
  return wanted.literal() == value;
}

bool string_equals_ignore_case(const PolicyPattern& wanted, const std::string& value) {
  return equals_ignore_case(wanted.literal(), value);
}

bool string_like(const PolicyPattern& wanted, const std::string& value) {
  return wanted.matches(value);
}

// ArnEquals and ArnLike behave alike.
bool arn_like(const PolicyPattern& wanted, const std::string& value) {
  return value.starts_with("arn:") && wanted.matches_arn(value);
}

bool boolean_equals(const PolicyPattern& wanted, const std::string& value) {
  return equals_ignore_case(wanted.literal(), value);
}

std::optional<double> parse_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional<double>(value) : std::nullopt;
}

// ISO 8601 or seconds since 1970.
std::optional<double> parse_date(const std::string& text) {
  if (const auto seconds = parse_number(text)) {
    return seconds;
  }
  const Result<Instant> instant = parse_iso8601(text.size() == 10 ? text + "T00:00:00Z" : text);
  return instant ? std::optional<double>(static_cast<double>(instant->time_since_epoch().count()) / 1e6) : std::nullopt;
}

enum class Order { equal, less, less_or_equal, greater, greater_or_equal };

bool in_order(Order order, double value, double wanted) {
  switch (order) {
    case Order::equal:
      return value == wanted;
    case Order::less:
      return value < wanted;
    case Order::less_or_equal:
      return value <= wanted;
    case Order::greater:
      return value > wanted;
    case Order::greater_or_equal:
      return value >= wanted;
  }
  return false;
}

template <Order kOrder>
bool numeric(const PolicyPattern& wanted, const std::string& value) {
  const auto limit = parse_number(wanted.literal());
  const auto number = parse_number(value);
  return limit && number && in_order(kOrder, *number, *limit);
}

template <Order kOrder>
bool date(const PolicyPattern& wanted, const std::string& value) {
  const auto limit = parse_date(wanted.literal());
  const auto moment = parse_date(value);
  return limit && moment && in_order(kOrder, *moment, *limit);
}

struct Address {
  int family = 0;
  std::array<unsigned char, 16> bytes{};
};

std::optional<Address> parse_address(const std::string& text) {
  Address address;
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, text.c_str(), address.bytes.data()) == 1) {
      address.family = family;
      return address;
    }
  }
  return std::nullopt;
}

bool ip_address(const PolicyPattern& wanted, const std::string& value) {
  const std::string range = wanted.literal();
  const std::size_t slash = range.find('/');
  const auto network = parse_address(range.substr(0, slash));
  const auto address = parse_address(value);
  if (!network || !address || network->family != address->family) {
    return false;
  }
  const double whole = network->family == AF_INET ? 32 : 128;
  const double asked = slash == std::string::npos ? whole : parse_number(range.substr(slash + 1)).value_or(-1);
  if (asked < 0 || asked > whole) {
    return false;
  }
  const auto bits = static_cast<unsigned>(asked);
  for (unsigned bit = 0; bit < bits; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((network->bytes.at(bit / 8) ^ address->bytes.at(bit / 8)) & mask) != 0) {
      return false;
    }
  }
  return true;
}

struct Comparison {
  std::string_view name;
  Compare compare;
  bool negated;
};

constexpr std::array kComparisons = {
    Comparison{"StringEquals", string_equals, false},
    Comparison{"StringNotEquals", string_equals, true},
    Comparison{"StringEqualsIgnoreCase", string_equals_ignore_case, false},
    Comparison{"StringNotEqualsIgnoreCase", string_equals_ignore_case, true},
    Comparison{"StringLike", string_like, false},
    Comparison{"StringNotLike", string_like, true},
    Comparison{"ArnEquals", arn_like, false},
    Comparison{"ArnLike", arn_like, false},
    Comparison{"ArnNotEquals", arn_like, true},
    Comparison{"ArnNotLike", arn_like, true},
    Comparison{"Bool", boolean_equals, false},
    Comparison{"BinaryEquals", string_equals, false},
    Comparison{"NumericEquals", numeric<Order::equal>, false},
    Comparison{"NumericNotEquals", numeric<Order::equal>, true},
    Comparison{"NumericLessThan", numeric<Order::less>, false},
    Comparison{"NumericLessThanEquals", numeric<Order::less_or_equal>, false},
    Comparison{"NumericGreaterThan", numeric<Order::greater>, false},
    Comparison{"NumericGreaterThanEquals", numeric<Order::greater_or_equal>, false},
    Comparison{"DateEquals", date<Order::equal>, false},
    Comparison{"DateNotEquals", date<Order::equal>, true},
    Comparison{"DateLessThan", date<Order::less>, false},
    Comparison{"DateLessThanEquals", date<Order::less_or_equal>, false},
    Comparison{"DateGreaterThan", date<Order::greater>, false},
    Comparison{"DateGreaterThanEquals", date<Order::greater_or_equal>, false},
    Comparison{"IpAddress", ip_address, false},
    Comparison{"NotIpAddress", ip_address, true},
};

const Comparison* find_comparison(std::string_view name) {
  const auto found = std::ranges::find(kComparisons, name, &Comparison::name);
  return found == kComparisons.end() ? nullptr : &*found;
}

bool null_holds(const Condition& condition, const ConditionKeys& keys) {
  const bool absent = !keys.contains(condition.key);
  return std::ranges::any_of(condition.values,
                             [&](const std::string& value) { return equals_ignore_case(value, "true") == absent; });
}

}  // namespace

bool known_comparison(std::string_view comparison) {
  return comparison == "Null" || find_comparison(comparison) != nullptr;
}

bool condition_holds(const Condition& condition, const ConditionKeys& keys, bool variables) {
  if (condition.comparison == "Null") {
    return null_holds(condition, keys);
  }
  const Comparison* comparison = find_comparison(condition.comparison);
  if (comparison == nullptr) {
    return false;
  }
  const auto found = keys.find(condition.key);
  if (found == keys.end()) {
    if (condition.set != Condition::Set::single) {
      return condition.set == Condition::Set::for_all || condition.if_exists;
    }
    return condition.if_exists || comparison->negated;
  }
  std::vector<PolicyPattern> wanted;
  for (const std::string& value : condition.values) {
    if (auto pattern = PolicyPattern::make(value, keys, variables)) {
      wanted.push_back(*std::move(pattern));
    }
  }
  const auto fits = [&](const std::string& value) {
    const bool any = std::ranges::any_of(wanted, [&](const auto& w) { return comparison->compare(w, value); });
    return any != comparison->negated;
  };
  if (condition.set == Condition::Set::for_all) {
    return std::ranges::all_of(found->second, fits);
  }
  // A negated operator without qualifier speaks of every value that the key has.
  return condition.set == Condition::Set::single && comparison->negated ? std::ranges::all_of(found->second, fits)
                                                                        : std::ranges::any_of(found->second, fits);
}

}  // namespace parallax::sim
