// Reads one table of a configuration: each key once with its type and range; what is left is unknown. Keeps the first
// complaint, as "file:line:column: message" with the line and a caret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "codec/located.h"

namespace parallax::cli {

// `file`, `text` and `table` must outlive it. Thread safety: one thread.
class TableReader {
 public:
  // `name` as complaints show it, "fleet".
  TableReader(std::string_view file, std::string_view text, std::string_view name, const LocatedValue& table);

  // Each leaves the target as it is where the key is absent or wrong.
  void text(const char* key, std::string& target);
  void texts(const char* key, std::vector<std::string>& target);
  void integer(const char* key, int& target, std::int64_t low, std::int64_t high);
  void number(const char* key, double& target, double low, double high);
  void duration(const char* key, Micros& target, Micros low, Micros high);
  void word(const char* key, std::string& target, const std::vector<std::string_view>& words);

  // The value itself, for what needs a closer look; nullptr where it is absent.
  const LocatedValue* take(const char* key);

  // A table inside this one: its members are read by `read`, its complaints are ours. False where it is absent.
  template <typename Read>
  bool table(const char* key, Read read) {
    const LocatedValue* value = take(key);
    if (value == nullptr) {
      return false;
    }
    if (value->table() == nullptr) {
      wrong_type(key, *value, "a table, { ... }");
      return true;
    }
    TableReader inner(file_, text_, name_ + "." + key, *value);
    read(inner);
    adopt(inner.finish());
    return true;
  }

  void complain(const Place& place, std::string_view message);
  // The first complaint; unknown keys last.
  Result<> finish();

 private:
  void wrong_type(const char* key, const LocatedValue& value, std::string_view expected);
  void adopt(const Result<>& inner);

  std::string_view file_, text_;
  std::string name_;
  const LocatedValue& table_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

}  // namespace parallax::cli
