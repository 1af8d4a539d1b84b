#include "vo/vosi.h"

#include <charconv>
#include <cstddef>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/xml.h"

namespace parallax::vo {
namespace {

constexpr std::size_t kAvailabilityBytesMax = std::size_t{1} << 20;
constexpr std::size_t kCapabilitiesBytesMax = std::size_t{4} << 20;
constexpr std::size_t kNoteBytesMax = 4000;
constexpr std::size_t kWordBytesMax = 100;

Result<XmlElement> parse_root(std::string_view document, std::size_t bytes_max, std::string_view wanted) {
  XmlLimits limits = xml_tree_limits();
  limits.bytes_max = bytes_max;
  XmlElement root = TRY(parse_xml(document, limits).with_context(fmt::format("reading VOSI {}", wanted)));
  if (root.name != wanted) {
    return make_error(ErrorKind::corrupt, fmt::format("expected VOSI {}, got an XML document of <{}>", wanted,
                                                      terminal_safe(root.name, kWordBytesMax)));
  }
  return root;
}

std::optional<Instant> time_of(const XmlElement& parent, std::string_view name) {
  const Result<Instant> time = parse_iso8601(trim(parent.child_text(name)));
  return time ? std::optional(*time) : std::nullopt;
}

// Only whole numbers from 0 on: anything else says nothing.
std::optional<std::int64_t> count_of(std::string_view text) {
  text = trim(text);
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = problem == std::errc() && end == text.data() + text.size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

// Reads the values in `unit`; one that names none counts too, unless `unit_needed`.
void read_limit(const XmlElement& capability, std::string_view name, std::string_view unit, bool unit_needed,
                ServiceLimit& limit) {
  for (const XmlElement& element : capability.children) {
    if (element.name != name) {
      continue;
    }
    for (const XmlElement& value : element.children) {
      const auto written = value.attribute("unit");
      if (written ? !equals_ignore_case(*written, unit) : unit_needed) {
        continue;
      }
      std::optional<std::int64_t>* target = nullptr;
      if (value.name == "default") {
        target = &limit.standard;
      } else if (value.name == "hard") {
        target = &limit.hard;
      }
      if (target != nullptr && !*target) {
        *target = count_of(value.text);
      }
    }
  }
}

// The id itself or with a version behind "#" or "/"; "#aux" stands for a service that is described elsewhere.
bool is_tap(std::string_view standard_id) {
  constexpr std::string_view kTap = "ivo://ivoa.net/std/tap";
  if (!standard_id.starts_with(kTap) || standard_id.ends_with("#aux")) {
    return false;
  }
  const std::string_view rest = standard_id.substr(kTap.size());
  return rest.empty() || rest.starts_with('#') || rest.starts_with('/');
}

Capability read_capability(const XmlElement& element) {
  Capability capability;
  capability.standard_id = to_lower(trim(element.attribute("standardID").value_or("")));
  for (const XmlElement& child : element.children) {
    if (child.name == "interface") {
      capability.interfaces.push_back({std::string(child.attribute("role").value_or("")),
                                       std::string(child.attribute("version").value_or("")),
                                       std::string(trim(child.child_text("accessURL")))});
    }
  }
  return capability;
}

}  // namespace

Result<Availability> parse_availability(std::string_view document) {
  const XmlElement root = TRY(parse_root(document, kAvailabilityBytesMax, "availability"));
  const std::string_view said = trim(root.child_text("available"));
  Availability availability;
  if (said == "1" || equals_ignore_case(said, "true")) {
    availability.available = true;
  } else if (said != "0" && !equals_ignore_case(said, "false")) {
    return make_error(ErrorKind::corrupt, fmt::format("<available> of the availability says '{}', not true or false",
                                                      terminal_safe(said, kWordBytesMax)));
  }
  availability.up_since = time_of(root, "upSince");
  availability.down_at = time_of(root, "downAt");
  availability.back_at = time_of(root, "backAt");
  std::string note;
  for (const XmlElement& child : root.children) {
    if (child.name == "note" && note.size() < kNoteBytesMax) {
      note += (note.empty() ? "" : "; ") + std::string(trim(child.text));
    }
  }
  availability.note = to_utf8(std::string_view(note).substr(0, kNoteBytesMax));
  return availability;
}

Result<Capabilities> parse_capabilities(std::string_view document) {
  const XmlElement root = TRY(parse_root(document, kCapabilitiesBytesMax, "capabilities"));
  Capabilities capabilities;
  for (const XmlElement& child : root.children) {
    if (child.name != "capability") {
      continue;
    }
    capabilities.all.push_back(read_capability(child));
    if (is_tap(capabilities.all.back().standard_id)) {
      read_limit(child, "outputLimit", "row", false, capabilities.output_rows);
      read_limit(child, "outputLimit", "byte", true, capabilities.output_bytes);
      read_limit(child, "executionDuration", "second", false, capabilities.execution_seconds);
      read_limit(child, "retentionPeriod", "second", false, capabilities.retention_seconds);
    }
  }
  return capabilities;
}

}  // namespace parallax::vo
