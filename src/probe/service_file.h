// Service lists and cone lists as people write them: our TOML, servicemon's Python literals, CSV. A list is checked
// whole before anything is sent; every complaint reads "file:line:column: what", with the line and a caret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/toml.h"
#include "record/cone.h"
#include "record/service.h"

namespace parallax {

struct ServiceList {
  std::vector<Service> services;
  std::vector<Provider> providers;  // one for each provider that a service names, in order of appearance
  std::vector<Service> opted_out;   // of providers with `opt_out`: never asked
};

// "not asked, since their providers have opted out: a, b and 3 more"; empty where there are none.
std::string describe_opted_out(const std::vector<Service>& services);

inline constexpr std::size_t kServicesMax = 10'000;

// The name tells the format: .toml, .py, anything else is CSV. Error: invalid, refused (limits).
Result<ServiceList> parse_services(std::string_view file_name, std::string_view text);

// The tables `provider` and `service` of a configuration; what else `root` holds is not looked at. `text` is what
// `root` was read from, to point into.
Result<ServiceList> services_from_toml(std::string_view file_name, std::string_view text, const TomlValue& root);

// .py: a list of dictionaries with ra, dec, radius in degrees; anything else: CSV with these columns.
Result<std::vector<Cone>> parse_cones(std::string_view file_name, std::string_view text);

// Replaces &amp; &lt; &gt; &quot; &#NN; and &#xHH;, and nothing else: &copy=1 is a parameter, not a sign.
std::string unescape_html(std::string_view text);

}  // namespace parallax
