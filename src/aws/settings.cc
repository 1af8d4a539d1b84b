#include "aws/settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "http/url.h"

namespace parallax::aws {

namespace {

constexpr int kAttemptsMax = 100;
constexpr int kStandardAttempts = 3;
constexpr int kLegacyAttempts = 5;
constexpr int kMetadataTimeoutMax = 3600;  // seconds
constexpr std::size_t kAppIdBytesMax = 50;
constexpr std::size_t kNamesShown = 20;

Error invalid(std::string message) {
  return make_error(ErrorKind::invalid, std::move(message));
}

// A value and where it stands, for messages.
struct Named {
  std::string value;
  std::string source;
};

// Looks one name up: the environment first, then the profile. An empty variable is as good as none.
class Lookup {
 public:
  Lookup(const Environment& environment, const Settings& settings) : environment_(environment), settings_(settings) {}

  std::optional<Named> find(std::string_view variable, std::string_view key) const {
    const std::string value = variable.empty() ? "" : environment_(variable).value_or("");
    if (!value.empty()) {
      return Named{value, std::string(variable)};
    }
    const std::optional<std::string> text = config_text(settings_.profile_section(), key);
    if (text && !text->empty()) {
      return Named{*text, fmt::format("profile {}: {}", terminal_safe(settings_.profile, 80), key)};
    }
    return std::nullopt;
  }

  // "true" in any case is true, all else false, as botocore reads it.
  bool flag(std::string_view variable, std::string_view key) const {
    const std::optional<Named> found = find(variable, key);
    return found && equals_ignore_case(found->value, "true");
  }

  std::string text(std::string_view variable, std::string_view key) const {
    const std::optional<Named> found = find(variable, key);
    return found ? found->value : "";
  }

  Result<std::optional<int>> number(std::string_view variable, std::string_view key, int most) const {
    const std::optional<Named> found = find(variable, key);
    if (!found) {
      return std::optional<int>();
    }
    const std::string_view digits = trim(found->value);
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 1 || value > most) {
      return invalid(fmt::format("{} must be a whole number from 1 to {}, not '{}'", found->source, most,
                                 terminal_safe(found->value, 40)));
    }
    return std::optional(value);
  }

  // One of `allowed`, compared without case; the first one where nothing is said.
  Result<std::string> one_of(std::string_view variable, std::string_view key,
                             const std::vector<std::string_view>& allowed) const {
    const std::optional<Named> found = find(variable, key);
    if (!found) {
      return std::string(allowed.front());
    }
    const std::string value = to_lower(found->value);
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
      return invalid(fmt::format("{} must be one of {}, not '{}'", found->source, fmt::join(allowed, ", "),
                                 terminal_safe(found->value, 40)));
    }
    return value;
  }

 private:
  const Environment& environment_;
  const Settings& settings_;
};

Error unknown_profile(const Settings& settings, std::string_view source) {
  std::vector<std::string_view> names;
  for (const auto& [name, section] : settings.configuration->profiles) {
    names.push_back(name);
  }
  std::string message = fmt::format("{}: there is no profile '{}'", source, terminal_safe(settings.profile, 80));
  if (const std::string_view near = suggest(settings.profile, names); !near.empty()) {
    message += fmt::format("; did you mean '{}'?", terminal_safe(near, 80));
  }
  if (names.empty()) {
    message += fmt::format("; neither {} nor {} has any", settings.configuration->config_path,
                           settings.configuration->credentials_path);
    return invalid(std::move(message));
  }
  const bool is_cut = names.size() > kNamesShown;
  names.resize(std::min(names.size(), kNamesShown));
  std::string list;
  for (const std::string_view name : names) {
    list += (list.empty() ? "" : ", ") + terminal_safe(name, 80);
  }
  message += fmt::format("; there {} {}{}", names.size() == 1 ? "is" : "are", list, is_cut ? ", ..." : "");
  return invalid(std::move(message));
}

Result<> choose_profile(const Environment& environment, const SettingsOptions& options, Settings& settings) {
  std::string source = "the profile that was asked for";
  std::string name = options.profile;
  settings.profile_from_argument = !name.empty();
  for (const char* variable : {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"}) {
    if (name.empty()) {
      name = environment(variable).value_or("");
      source = variable;
    }
  }
  settings.profile_named = !name.empty();
  if (settings.profile_named) {
    settings.profile = name;
    if (settings.configuration->profile(name) == nullptr) {
      return unknown_profile(settings, source);
    }
  }
  return {};
}

void choose_region(const SettingsOptions& options, const Lookup& lookup, Settings& settings) {
  if (!options.region.empty()) {
    settings.region = options.region;
    settings.region_source = "--region";
    return;
  }
  std::optional<Named> found = lookup.find("AWS_REGION", "");
  if (!found) {
    found = lookup.find("AWS_DEFAULT_REGION", "region");
  }
  if (found) {
    settings.region = found->value;
    settings.region_source = found->source;
  }
}

// The section that the profile's key "services" names: for each service its endpoint_url.
Result<> read_services(Settings& settings) {
  const std::optional<std::string> name = config_text(settings.profile_section(), "services");
  if (!name) {
    return {};
  }
  const auto section = settings.configuration->services.find(*name);
  if (section == settings.configuration->services.end() || section->second.empty()) {
    return invalid(fmt::format("{}: profile {} names [services {}], which is not there",
                               settings.configuration->config_path, terminal_safe(settings.profile, 80),
                               terminal_safe(*name, 80)));
  }
  for (const auto& [service, value] : section->second) {
    const auto url = value.nested.find("endpoint_url");
    if (url != value.nested.end() && !url->second.empty()) {
      settings.endpoint.service_urls[service] = {
          url->second, fmt::format("[services {}]: {}: endpoint_url", terminal_safe(*name, 80), service)};
    }
  }
  return {};
}

Result<> read_endpoints(const Environment& environment, const SettingsOptions& options, const Lookup& lookup,
                        Settings& settings) {
  settings.use_fips = lookup.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  settings.use_dual_stack = lookup.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  settings.endpoint.url = options.endpoint_url;
  settings.endpoint.use_fips = settings.use_fips;
  settings.endpoint.use_dual_stack = settings.use_dual_stack;
  settings.endpoint.sts_legacy = settings.sts_regional_endpoints == "legacy";
  if (lookup.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")) {
    return {};
  }
  settings.endpoint.environment = [environment](std::string_view name) -> std::optional<std::string> {
    // Whether to ignore was decided above, where the environment's "false" wins over the profile's "true".
    return name == "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" ? std::nullopt : environment(name);
  };
  if (const std::optional<Named> url = lookup.find("", "endpoint_url")) {
    settings.endpoint.config_url = {url->value, url->source};
  }
  return read_services(settings);
}

Result<> read_metadata_service(const Lookup& lookup, const Environment& environment, Settings& settings) {
  MetadataServiceSettings& metadata = settings.metadata;
  metadata.disabled = equals_ignore_case(environment("AWS_EC2_METADATA_DISABLED").value_or(""), "true");
  metadata.v1_disabled = lookup.flag("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled");
  metadata.attempts =
      TRY(lookup.number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts", kAttemptsMax))
          .value_or(metadata.attempts);
  const std::optional<int> timeout =
      TRY(lookup.number("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout", kMetadataTimeoutMax));
  metadata.timeout = timeout ? Micros(Seconds(*timeout)) : metadata.timeout;
  const std::string mode = TRY(
      lookup.one_of("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode", {"ipv4", "ipv6"}));
  const bool is_mode_given =
      lookup.find("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode").has_value();
  if (mode == "ipv6" || (!is_mode_given && lookup.flag("AWS_IMDS_USE_IPV6", "imds_use_ipv6"))) {
    metadata.endpoint = "http://[fd00:ec2::254]";
  }
  if (const std::optional<Named> given =
          lookup.find("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")) {
    const Result<http::Url> url = http::parse_url(given->value);
    if (!url) {
      return invalid(fmt::format("{} must be an http or https URL: {}", given->source, url.error().message));
    }
    metadata.endpoint = given->value;
    while (metadata.endpoint.ends_with('/')) {
      metadata.endpoint.pop_back();
    }
  }
  return {};
}

// The published connect limits of the modes; "auto" is the standard mode, since we do not find out where we run.
std::optional<Micros> connect_limit_of(std::string_view mode) {
  struct Row {
    std::string_view mode;
    int connect_ms;
  };

  constexpr std::array<Row, 5> kRows{
      {{"standard", 3100}, {"in-region", 1100}, {"cross-region", 3100}, {"mobile", 30000}, {"auto", 3100}}};
  const auto at = std::find_if(kRows.begin(), kRows.end(), [&](const Row& row) { return row.mode == mode; });
  return at == kRows.end() ? std::nullopt : std::optional<Micros>(Millis(at->connect_ms));
}

Result<> read_retries(const Lookup& lookup, Settings& settings) {
  const bool is_mode_given = lookup.find("AWS_RETRY_MODE", "retry_mode").has_value();
  settings.retry_mode = TRY(lookup.one_of("AWS_RETRY_MODE", "retry_mode", {"standard", "legacy", "adaptive"}));
  const int fallback = is_mode_given && settings.retry_mode == "legacy" ? kLegacyAttempts : kStandardAttempts;
  settings.attempts_max = TRY(lookup.number("AWS_MAX_ATTEMPTS", "max_attempts", kAttemptsMax)).value_or(fallback);
  return {};
}

Result<> read_app_id(const Lookup& lookup, Settings& settings) {
  const std::optional<Named> id = lookup.find("AWS_SDK_UA_APP_ID", "sdk_ua_app_id");
  if (!id) {
    return {};
  }
  constexpr std::string_view kAllowed = "!#$%&'*+-.^_`|~";
  const auto is_fine = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kAllowed.find(c) != std::string_view::npos;
  };
  if (id->value.size() > kAppIdBytesMax) {
    return invalid(fmt::format("{} is longer than {} characters", id->source, kAppIdBytesMax));
  }
  settings.user_agent_app_id = id->value;
  // It becomes part of a header; what cannot stand there is replaced, as the SDKs do.
  for (char& c : settings.user_agent_app_id) {
    c = is_fine(c) ? c : '-';
  }
  return {};
}

}  // namespace

const ConfigSection& Settings::profile_section() const {
  static const ConfigSection kEmpty;
  const ConfigSection* found = configuration == nullptr ? nullptr : configuration->profile(profile);
  return found == nullptr ? kEmpty : *found;
}

Result<Settings> load_settings(const Environment& environment, Files& files, const SettingsOptions& options) {
  Settings settings;
  Result<std::shared_ptr<const Configuration>> configuration = load_configuration(environment, files);
  if (!configuration) {
    Error error = configuration.error();
    error.kind = ErrorKind::invalid;
    return error;
  }
  settings.configuration = std::move(configuration).value();
  TRY(choose_profile(environment, options, settings));
  const Lookup lookup(environment, settings);
  choose_region(options, lookup, settings);
  TRY(read_retries(lookup, settings));
  settings.ca_bundle = expand_path(lookup.text("AWS_CA_BUNDLE", "ca_bundle"), environment);
  settings.sts_regional_endpoints =
      TRY(lookup.one_of("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints", {"regional", "legacy"}));
  settings.defaults_mode = TRY(lookup.one_of("AWS_DEFAULTS_MODE", "defaults_mode",
                                             {"legacy", "standard", "in-region", "cross-region", "mobile", "auto"}));
  settings.connect_limit = connect_limit_of(settings.defaults_mode);
  TRY(read_app_id(lookup, settings));
  TRY(read_metadata_service(lookup, environment, settings));
  TRY(read_endpoints(environment, options, lookup, settings));
  return settings;
}

ClientOptions options_from(const Settings& settings, std::string_view product) {
  ClientOptions options;
  options.endpoint = settings.endpoint;
  options.retry.attempts_max = settings.attempts_max;
  options.ca_file = settings.ca_bundle;
  options.user_agent = product;
  if (!settings.user_agent_app_id.empty()) {
    options.user_agent += " app/" + settings.user_agent_app_id;
  }
  if (settings.connect_limit) {
    options.limits.connect = *settings.connect_limit;
    options.limits.tls = *settings.connect_limit;
  }
  return options;
}

}  // namespace parallax::aws
