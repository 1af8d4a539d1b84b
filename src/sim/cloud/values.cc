// Errors and values that all operations and decoders make.
#include "sim/cloud/operations.h"

namespace parallax::sim {

Error service_error(int status, std::string code, std::string message) {
  Error error;
  error.kind = status >= 500 ? ErrorKind::unavailable : ErrorKind::invalid;
  error.status = status;
  error.code = std::move(code);
  error.message = std::move(message);
  return error;
}

std::vector<std::string> strings_of(const Json& input, std::string_view member) {
  std::vector<std::string> strings;
  for (const Json& item : input.list(member)) {
    if (const std::string* text = item.string()) {
      strings.push_back(*text);
    }
  }
  return strings;
}

Json tag_list(const Tags& tags) {
  Json list{JsonArray{}};
  for (const auto& [key, value] : tags) {
    list.push(Json::object({{"Key", key}, {"Value", value}}));
  }
  return list;
}

Json epoch_seconds(Instant instant) {
  return static_cast<double>(instant.time_since_epoch().count()) / 1e6;
}

std::string iso_millis(Instant instant) {
  std::string text = to_iso8601(instant);  // ...05.678901Z
  text.erase(text.size() - 4, 3);
  return text;
}

}  // namespace parallax::sim
