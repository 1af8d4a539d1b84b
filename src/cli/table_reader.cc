#include "cli/table_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

TableReader::TableReader(std::string_view file, std::string_view text, std::string_view name, const LocatedValue& table)
    : file_(file), text_(text), name_(name), table_(table) {
  if (table.table() == nullptr) {
    complain(table.place, fmt::format("'{}' must be a table, [{}]", name, name));
  }
}

void TableReader::text(const char* key, std::string& target) {
  if (const LocatedValue* value = take(key)) {
    if (const std::string* string = value->string()) {
      target = *string;
    } else {
      wrong_type(key, *value, "a string");
    }
  }
}

void TableReader::texts(const char* key, std::vector<std::string>& target) {
  const LocatedValue* value = take(key);
  if (value == nullptr) {
    return;
  }
  const LocatedValue::List* list = value->list();
  if (list == nullptr) {
    wrong_type(key, *value, "a list of strings");
    return;
  }
  target.clear();
  for (const LocatedValue& item : *list) {
    if (const std::string* string = item.string()) {
      target.push_back(*string);
    } else {
      wrong_type(key, item, "a list of strings");
    }
  }
}

void TableReader::integer(const char* key, int& target, std::int64_t low, std::int64_t high) {
  if (const LocatedValue* value = take(key)) {
    const std::int64_t* number = value->integer();
    if (number != nullptr && *number >= low && *number <= high) {
      target = static_cast<int>(*number);
    } else {
      wrong_type(key, *value, fmt::format("an integer from {} to {}", low, high));
    }
  }
}

void TableReader::number(const char* key, double& target, double low, double high) {
  if (const LocatedValue* value = take(key)) {
    const std::optional<double> read = value->number();
    if (read && *read >= low && *read <= high) {
      target = *read;
    } else {
      wrong_type(key, *value, fmt::format("a number from {} to {}", low, high));
    }
  }
}

void TableReader::duration(const char* key, Micros& target, Micros low, Micros high) {
  if (const LocatedValue* value = take(key)) {
    const std::string* string = value->string();
    const Result<Micros> read = string == nullptr
                                    ? make_error(ErrorKind::invalid, "a duration is a string such as \"30m\"")
                                    : parse_duration(*string);
    if (!read) {
      complain(value->place, fmt::format("'{}': {}", key, read.error().message));
    } else if (*read < low || *read > high) {
      complain(value->place, fmt::format("'{}' must be from {} to {}", key, to_human(low), to_human(high)));
    } else {
      target = *read;
    }
  }
}

void TableReader::word(const char* key, std::string& target, const std::vector<std::string_view>& words) {
  if (const LocatedValue* value = take(key)) {
    const std::string* string = value->string();
    if (string != nullptr && std::find(words.begin(), words.end(), *string) != words.end()) {
      target = *string;
      return;
    }
    std::string all;
    for (const std::string_view allowed : words) {
      all += fmt::format("{}'{}'", all.empty() ? "" : ", ", allowed);
    }
    const std::string_view best = string == nullptr ? "" : suggest(*string, words);
    complain(value->place, fmt::format("'{}' must be one of {}{}", key, all,
                                       best.empty() ? "" : fmt::format("; did you mean '{}'?", best)));
  }
}

const LocatedValue* TableReader::take(const char* key) {
  known_.emplace_back(key);
  const LocatedMember* member = table_.find(key);
  return member == nullptr ? nullptr : &member->value;
}

void TableReader::complain(const Place& place, std::string_view message) {
  if (!error_) {
    error_ = make_error(ErrorKind::invalid, point_at(file_, text_, place.line, place.column, message));
  }
}

Result<> TableReader::finish() {
  if (!error_ && table_.table() != nullptr) {
    for (const LocatedMember& member : *table_.table()) {
      if (std::find(known_.begin(), known_.end(), member.name) == known_.end()) {
        const std::string_view best = suggest(member.name, known_);
        complain(member.place, fmt::format("unknown key '{}' in [{}]{}", member.name, name_,
                                           best.empty() ? "" : fmt::format("; did you mean '{}'?", best)));
      }
    }
  }
  if (error_) {
    return *error_;
  }
  return {};
}

void TableReader::wrong_type(const char* key, const LocatedValue& value, std::string_view expected) {
  complain(value.place, fmt::format("'{}' must be {}", key, expected));
}

void TableReader::adopt(const Result<>& inner) {
  if (!inner && !error_) {
    error_ = inner.error();
  }
}

}  // namespace parallax::cli
