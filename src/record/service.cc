#include "record/service.h"

#include <array>

#include <fmt/format.h>

#include "codec/hash.h"
#include "record/fields.h"

namespace parallax {

namespace {

using record::FieldReader;
using record::text_or_null;

constexpr std::array<std::string_view, 3> kTypes = {"cone", "xcone", "tap"};
constexpr std::array<std::string_view, 3> kUnits = {"degree", "arcmin", "arcsec"};
constexpr std::array<std::string_view, 3> kModes = {"sync", "async", "both"};

template <typename Enum>
std::optional<Enum> find_word(const std::array<std::string_view, 3>& words, std::string_view text) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == text) {
      return static_cast<Enum>(i);
    }
  }
  return std::nullopt;
}

// What shapes a query, without the names.
Json shape_of(const Service& s) {
  Json json;
  json.set("type", to_string(s.type));
  json.set("url", s.url);
  json.set_if("mode", s.type == ServiceType::tap ? Json(to_string(s.mode)) : Json());
  json.set_if("adql", text_or_null(s.adql));
  json.set_if("radius_unit", s.radius_unit == RadiusUnit::degree ? Json() : Json(to_string(s.radius_unit)));
  json.set_if("verb", s.verb);
  json.set_if("maxrec", s.maxrec);
  json.set_if("response_format", text_or_null(s.response_format));
  json.set_if("accept_encoding", text_or_null(s.accept_encoding));
  if (!s.parameters.empty()) {
    Json& list = json.set("parameters", JsonArray());
    for (const auto& [name, value] : s.parameters) {
      list.push(Json::array({name, value}));
    }
  }
  return json;
}

}  // namespace

std::string_view to_string(ServiceType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

std::string_view to_string(RadiusUnit unit) {
  return kUnits[static_cast<std::size_t>(unit)];
}

std::string_view to_string(TapMode mode) {
  return kModes[static_cast<std::size_t>(mode)];
}

std::optional<ServiceType> parse_service_type(std::string_view text) {
  return find_word<ServiceType>(kTypes, text);
}

std::optional<RadiusUnit> parse_radius_unit(std::string_view text) {
  return find_word<RadiusUnit>(kUnits, text);
}

std::optional<TapMode> parse_tap_mode(std::string_view text) {
  return find_word<TapMode>(kModes, text);
}

std::string to_string(const QuietHours& hours) {
  return fmt::format("{:02}:{:02}-{:02}:{:02}", hours.from_minute / 60, hours.from_minute % 60, hours.to_minute / 60,
                     hours.to_minute % 60);
}

std::optional<QuietHours> parse_quiet_hours(std::string_view text) {
  const auto digits = [&](std::size_t at) -> int {
    const char ten = text[at];
    const char one = text[at + 1];
    return ten >= '0' && ten <= '9' && one >= '0' && one <= '9' ? (ten - '0') * 10 + (one - '0') : -1;
  };
  const auto minute_of = [&](std::size_t at) -> int {
    const int hour = digits(at);
    const int minute = digits(at + 3);
    const bool valid = hour >= 0 && hour <= 24 && minute >= 0 && minute < 60 && hour * 60 + minute <= 24 * 60;
    return valid ? hour * 60 + minute : -1;
  };
  if (text.size() != 11 || text[2] != ':' || text[5] != '-' || text[8] != ':') {
    return std::nullopt;
  }
  const QuietHours hours{minute_of(0), minute_of(6)};
  if (hours.from_minute < 0 || hours.to_minute < 0 || hours.from_minute == hours.to_minute) {
    return std::nullopt;
  }
  return hours;
}

std::string Service::definition() const {
  return sha256_hex(shape_of(*this).canonical()).substr(0, 16);
}

Json to_json(const Service& service) {
  Json json = Json::object({{"name", service.name}, {"provider", service.provider}});
  const Json shape = shape_of(service);
  for (const auto& [name, value] : *shape.members()) {
    json.set(name, value);
  }
  json.set_if("ivoid", text_or_null(service.ivoid));
  json.set_if("private_redirects", service.private_redirects ? Json(true) : Json());
  json.set("definition", service.definition());
  return json;
}

Result<Service> service_from_json(const Json& json) {
  Service s;
  FieldReader reader(json, "service");
  for (const char* name : {"name", "type", "url"}) {
    reader.require(name);
  }
  reader.text("name", s.name);
  reader.text("provider", s.provider);
  reader.word("type", s.type, parse_service_type);
  reader.word("mode", s.mode, parse_tap_mode);
  reader.text("url", s.url);
  reader.text("adql", s.adql);
  reader.word("radius_unit", s.radius_unit, parse_radius_unit);
  reader.integer("verb", s.verb, 1, 3);
  reader.integer("maxrec", s.maxrec, 0, 1'000'000'000);
  reader.text("response_format", s.response_format);
  reader.text("accept_encoding", s.accept_encoding);
  reader.boolean("private_redirects", s.private_redirects);
  reader.text("ivoid", s.ivoid);
  for (const Json& item : json.list("parameters")) {
    const JsonArray* pair = item.items();
    if (pair == nullptr || pair->size() != 2 || !pair->at(0).is_string() || !pair->at(1).is_string()) {
      reader.complain("parameters", "a list of [name, value]");
      break;
    }
    s.parameters.emplace_back(*pair->at(0).string(), *pair->at(1).string());
  }
  if (reader.error()) {
    return *reader.error();
  }
  // A definition hash that does not fit would let two vantages measure different things under one name.
  const std::string stated = json.text("definition");
  if (!stated.empty() && stated != s.definition()) {
    return make_error(ErrorKind::invalid, fmt::format("service '{}': its definition hash is {}, but the order says {}",
                                                      s.name, s.definition(), stated));
  }
  return s;
}

Json to_json(const Provider& provider) {
  Json json = Json::object({{"name", provider.name},
                            {"queries_per_second", provider.queries_per_second},
                            {"parallel", provider.parallel},
                            {"simultaneous", provider.simultaneous},
                            {"async_jobs", provider.async_jobs}});
  if (!provider.quiet_hours.empty()) {
    Json& list = json.set("quiet_hours", JsonArray());
    for (const QuietHours& hours : provider.quiet_hours) {
      list.push(to_string(hours));
    }
  }
  json.set_if("opt_out", provider.opt_out ? Json(true) : Json());
  return json;
}

Result<Provider> provider_from_json(const Json& json) {
  Provider provider;
  FieldReader reader(json, "provider");
  reader.require("name");
  reader.text("name", provider.name);
  reader.number("queries_per_second", provider.queries_per_second, 1e-6, 1e6);
  reader.integer("parallel", provider.parallel, 1, 1000);
  reader.boolean("simultaneous", provider.simultaneous);
  reader.integer("async_jobs", provider.async_jobs, 1, 1000);
  reader.boolean("opt_out", provider.opt_out);
  const JsonArray& quiet = json.list("quiet_hours");
  if (quiet.size() > kQuietHoursMax) {
    reader.complain("quiet_hours", fmt::format("a list of at most {} entries", kQuietHoursMax));
  }
  for (const Json& item : quiet) {
    const std::string* text = item.string();
    const std::optional<QuietHours> hours = text == nullptr ? std::nullopt : parse_quiet_hours(*text);
    if (!hours) {
      reader.complain("quiet_hours", "a list of \"HH:MM-HH:MM\"");
      break;
    }
    provider.quiet_hours.push_back(*hours);
  }
  if (reader.error()) {
    return *reader.error();
  }
  return provider;
}

}  // namespace parallax
