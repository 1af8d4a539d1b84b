// What is measured, and who operates it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/json.h"

namespace parallax {

enum class ServiceType { cone, xcone, tap };
enum class RadiusUnit { degree, arcmin, arcsec };
enum class TapMode { sync, async, both };

std::string_view to_string(ServiceType type);
std::string_view to_string(RadiusUnit unit);
std::string_view to_string(TapMode mode);
std::optional<ServiceType> parse_service_type(std::string_view text);
std::optional<RadiusUnit> parse_radius_unit(std::string_view text);
std::optional<TapMode> parse_tap_mode(std::string_view text);

struct Service {
  std::string name;
  std::string provider;
  ServiceType type = ServiceType::cone;
  TapMode mode = TapMode::sync;  // of tap only
  std::string url;               // cone: base URL; xcone: template; tap: base URL without /sync
  std::string adql;              // of tap only: template
  RadiusUnit radius_unit = RadiusUnit::degree;
  std::optional<int> verb;      // cone: VERB, sent only when set
  std::optional<int> maxrec;    // MAXREC, sent only when set
  std::string response_format;  // RESPONSEFORMAT, sent only when set
  std::string accept_encoding;  // Accept-Encoding, sent only when set ("gzip", "identity")
  std::vector<std::pair<std::string, std::string>> parameters;  // further fixed parameters, in order
  // Redirects into private, loopback or link-local addresses are followed only where the configuration says so.
  bool private_redirects = false;
  std::string ivoid;  // the registry's identifier, where known; shapes no query

  // The first 16 hex digits of the SHA-256 over everything above that shapes a query (not name and provider): two
  // services with the same hash ask the same thing.
  std::string definition() const;
};

// Minutes of the day, UTC, 0 to 1440; written "HH:MM-HH:MM".
struct QuietHours {
  int from_minute = 0;
  int to_minute = 0;

  friend bool operator==(const QuietHours&, const QuietHours&) = default;
};

inline constexpr std::size_t kQuietHoursMax = 24;  // of one provider

std::string to_string(const QuietHours& hours);
// "22:00-06:30". Nothing where it is not of that form or both are equal.
std::optional<QuietHours> parse_quiet_hours(std::string_view text);

struct Provider {
  std::string name;
  double queries_per_second = 1;  // starts per second, over the whole fleet
  int parallel = 1;               // queries in flight, over the whole fleet
  bool simultaneous = false;      // whether several vantages may query it at the same moment
  int async_jobs = 1;             // asynchronous TAP jobs that exist at a time, over the whole fleet
  // Times of day, UTC, in which nothing is asked: from the first up to the second, over midnight where it is smaller.
  std::vector<QuietHours> quiet_hours = {};
  bool opt_out = false;  // the operator does not want to be measured: nothing is asked, and that is said
};

Json to_json(const Service& service);
Result<Service> service_from_json(const Json& json);
Json to_json(const Provider& provider);
Result<Provider> provider_from_json(const Json& json);

}  // namespace parallax
