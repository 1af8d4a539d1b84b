#include "probe/service_check.h"

#include <set>
#include <string>

#include <fmt/format.h>

#include "http/url.h"
#include "probe/service_file.h"

namespace parallax::probe {

namespace {

// So that a record of a query always fits into the spool and through the collector.
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kUrlBytesMax = 8U << 10U;
constexpr std::size_t kAdqlBytesMax = 32U << 10U;

struct Placeholders {
  int positional = 0;
  bool ra = false, dec = false, radius = false;
  std::string unknown;  // the first other {word}

  bool any() const { return positional > 0 || ra || dec || radius || !unknown.empty(); }
};

Placeholders find_placeholders(std::string_view text) {
  Placeholders found;
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) {
      break;
    }
    const std::string_view word = text.substr(at + 1, end - at - 1);
    if (word.empty()) {
      ++found.positional;
    } else if (word == "ra") {
      found.ra = true;
    } else if (word == "dec") {
      found.dec = true;
    } else if (word == "radius") {
      found.radius = true;
    } else if (found.unknown.empty()) {
      found.unknown = word;
    }
  }
  return found;
}

Result<> check_template(const SourceText& source, Place place, std::string_view what, std::string_view text) {
  const Placeholders found = find_placeholders(text);
  if (!found.unknown.empty()) {
    const std::string_view near = suggest(found.unknown, {"ra", "dec", "radius"});
    return source.error(place,
                        fmt::format("{} has an unknown placeholder '{{{}}}'{}", what, terminal_safe(found.unknown, 40),
                                    near.empty() ? "" : fmt::format("; did you mean '{{{}}}'?", near)));
  }
  const bool named = found.ra || found.dec || found.radius;
  if (named && found.positional > 0) {
    return source.error(place, fmt::format("{} mixes {{}} with named placeholders; use one kind", what));
  }
  if (named ? !(found.ra && found.dec && found.radius) : found.positional != 3) {
    return source.error(
        place, named ? fmt::format("{} needs all of {{ra}}, {{dec}} and {{radius}}", what)
                     : fmt::format("{} needs {{ra}}, {{dec}} and {{radius}}, or three {{}} in that order; it has {}",
                                   what, found.positional == 0 ? "none" : fmt::format("{} {{}}", found.positional)));
  }
  return {};
}

std::string filled(std::string_view text) {
  std::string result(text);
  for (const std::string_view word : {"{ra}", "{dec}", "{radius}", "{}"}) {
    for (std::size_t at = result.find(word); at != std::string::npos; at = result.find(word)) {
      result.replace(at, word.size(), "1");
    }
  }
  return result;
}

Result<> check_url(const SourceText& source, const ServiceDraft& draft) {
  const Service& service = draft.service;
  if (service.url.empty()) {
    return source.error(draft.url, fmt::format("service '{}' has no URL", terminal_safe(service.name, 80)));
  }
  if (service.type == ServiceType::xcone) {
    TRY(check_template(source, draft.url, "the URL", service.url));
  } else if (find_placeholders(service.url).any()) {
    return source.error(draft.url, service.type == ServiceType::cone
                                       ? "the URL of a cone search takes no placeholders: RA, DEC and SR are appended; "
                                         "type 'xcone' is for URL templates"
                                       : "the URL of a TAP service takes no placeholders; they belong in 'adql'");
  }
  const Result<http::Url> url = http::parse_url(filled(service.url));
  if (!url) {
    return source.error(draft.url, url.error().message);
  }
  return {};
}

}  // namespace

Result<> check_service(const SourceText& source, const ServiceDraft& draft) {
  const Service& service = draft.service;
  if (service.name.empty()) {
    return source.error(draft.name, "a service needs a name");
  }
  if (service.name.size() > kNameBytesMax || service.provider.size() > kNameBytesMax) {
    return source.error(draft.name, fmt::format("names have at most {} bytes", kNameBytesMax));
  }
  if (service.url.size() > kUrlBytesMax || service.adql.size() > kAdqlBytesMax) {
    return source.error(service.url.size() > kUrlBytesMax ? draft.url : draft.adql,
                        fmt::format("longer than the limit of {} bytes",
                                    service.url.size() > kUrlBytesMax ? kUrlBytesMax : kAdqlBytesMax));
  }
  TRY(check_url(source, draft));
  if (service.type != ServiceType::tap) {
    return service.adql.empty() ? Result<>()
                                : source.error(draft.adql, "'adql' belongs to services of type 'tap' only");
  }
  if (trim(service.adql).empty()) {
    return source.error(draft.adql,
                        fmt::format("service '{}' is of type 'tap' and needs 'adql'", terminal_safe(service.name, 80)));
  }
  // Without any placeholder it is one fixed query, asked as often as there are cones: a liveness query, for example.
  return service.adql.find('{') == std::string::npos ? Result<>()
                                                     : check_template(source, draft.adql, "'adql'", service.adql);
}

Result<> check_list(const SourceText& source, const std::vector<ServiceDraft>& drafts) {
  if (drafts.empty()) {
    return source.error({1, 1}, "the list holds no service");
  }
  if (drafts.size() > kServicesMax) {
    return source.error(drafts.back().place, fmt::format("more services than the limit of {}", kServicesMax));
  }
  std::set<std::string> seen;
  for (const ServiceDraft& draft : drafts) {
    const Service& service = draft.service;
    const std::string mode(service.type == ServiceType::tap ? to_string(service.mode) : "");
    if (!seen.insert(fmt::format("{}\n{}\n{}\n{}", service.provider, service.name, to_string(service.type), mode))
             .second) {
      return source.error(draft.name, fmt::format("service '{}' ({}{}{}) of provider '{}' stands here twice",
                                                  terminal_safe(service.name, 80), to_string(service.type),
                                                  mode.empty() ? "" : ", ", mode, terminal_safe(service.provider, 80)));
    }
  }
  return {};
}

}  // namespace parallax::probe
