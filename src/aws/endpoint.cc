#include "aws/endpoint.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/json.h"
#include "http/url.h"

namespace parallax::aws {

extern const std::string_view aws_endpoints_json;  // NOLINT(readability-identifier-naming): named after its file

namespace {

constexpr std::size_t kRegionBytesMax = 32;
constexpr std::string_view kAwsPartition = "aws";

struct Rules {
  std::vector<Partition> partitions;
  std::vector<std::vector<std::string>> heads;  // of each partition: what its regions' names begin with
  Json services;
};

std::vector<std::string> strings_of(const Json& json, std::string_view name) {
  std::vector<std::string> texts;
  for (const Json& item : json.list(name)) {
    texts.push_back(*item.string());
  }
  return texts;
}

const Rules& rules() {
  static const Rules kRules = [] {
    Result<Json> document = parse_json(aws_endpoints_json);
    CHECK(document.has_value(), "data/aws-endpoints.json is damaged");
    Rules read;
    for (const Json& item : document->list("partitions")) {
      read.partitions.push_back({item.text("id"), item.text("suffix"), item.text("dual_stack_suffix"),
                                 item.text("main_region"), strings_of(item, "regions")});
      read.heads.push_back(strings_of(item, "heads"));
    }
    read.services = *document->find("services");
    return read;
  }();
  return kRules;
}

bool contains(const std::vector<std::string>& texts, std::string_view wanted) {
  return std::find(texts.begin(), texts.end(), wanted) != texts.end();
}

// Whether `region` is HEAD-\w+-\d+.
bool matches(std::string_view region, std::string_view head) {
  if (!region.starts_with(head) || region.size() <= head.size() || region[head.size()] != '-') {
    return false;
  }
  return split(region.substr(head.size() + 1), '-').size() == 2 && is_region_name(region);
}

// The suffix of AWS_ENDPOINT_URL_...: the service id in capitals, blanks as underscores.
std::string environment_suffix(std::string_view service_id) {
  std::string name;
  for (const char c : service_id) {
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == ' ' || c == '-' ? '_' : c;
  }
  return name;
}

bool is_ignoring(const EndpointOptions& options) {
  return options.environment &&
         equals_ignore_case(options.environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").value_or(""), "true");
}

// An empty URL where none is configured.
ConfiguredUrl configured_url(const ServiceName& service, const EndpointOptions& options) {
  if (!options.url.empty()) {
    return {options.url, "the endpoint"};
  }
  if (is_ignoring(options)) {
    return {};
  }
  const std::string suffix = environment_suffix(service.service_id);
  for (const std::string& name : {"AWS_ENDPOINT_URL_" + suffix, std::string("AWS_ENDPOINT_URL")}) {
    const std::string value = options.environment ? options.environment(name).value_or("") : "";
    if (!value.empty()) {
      return {value, name};
    }
  }
  const auto own = options.service_urls.find(to_lower(suffix));
  return own == options.service_urls.end() ? options.config_url : own->second;
}

Result<std::string> checked_url(const ConfiguredUrl& configured) {
  const Result<http::Url> url = http::parse_url(configured.url);
  if (!url) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{} must be an http or https URL: {}", configured.source, url.error().message));
  }
  if (!url->query.empty()) {
    return make_error(ErrorKind::invalid, fmt::format("{} must not have a query ('?...')", configured.source));
  }
  std::string text = url->text();
  while (text.ends_with('/')) {
    text.pop_back();
  }
  return text;
}

// The region that is asked for `region`: itself, but for services that few regions serve.
Result<std::string> serving_region(const Json* service, const Partition& partition, std::string_view region) {
  const Json* few = service == nullptr ? nullptr : service->at("regions", partition.id);
  if (few == nullptr) {
    return std::string(region);
  }
  const std::vector<std::string> served = strings_of(*few, "served");
  if (contains(served, region)) {
    return std::string(region);
  }
  if (served.empty()) {
    return make_error(ErrorKind::invalid,
                      fmt::format("partition {} (region {}) has no such service; ask in a region of another partition, "
                                  "such as us-east-1, with credentials of that partition",
                                  partition.id, region));
  }
  const std::string nearest = few->find("nearest")->text(region.substr(0, region.find('-')));
  return !nearest.empty() ? nearest : contains(served, partition.main_region) ? partition.main_region : served.front();
}

std::string_view variant_of(const EndpointOptions& options) {
  return options.use_fips ? (options.use_dual_stack ? "both" : "fips") : options.use_dual_stack ? "dual" : "";
}

Result<std::string> host_of(const ServiceName& service, const Json* rule, const Partition& partition,
                            std::string_view region, const EndpointOptions& options) {
  const std::string_view variant = variant_of(options);
  const Json* host = rule == nullptr ? nullptr : rule->at("hosts", partition.id, variant);
  if (host == nullptr) {
    return fmt::format("{}{}.{}.{}", service.prefix, options.use_fips ? "-fips" : "", region,
                       options.use_dual_stack ? partition.dual_stack_suffix : partition.suffix);
  }
  if (host->is_null()) {
    return make_error(ErrorKind::invalid, fmt::format("partition {} has no {} endpoint of {}", partition.id,
                                                      options.use_fips ? "FIPS" : "dual-stack", service.service_id));
  }
  std::string text = *host->string();
  constexpr std::string_view kPlaceholder = "{region}";
  if (const std::size_t at = text.find(kPlaceholder); at != std::string::npos) {
    text.replace(at, kPlaceholder.size(), region);
  }
  return text;
}

bool is_legacy_sts(const ServiceName& service, const Json* rule, std::string_view region,
                   const EndpointOptions& options) {
  return options.sts_legacy && !options.use_fips && !options.use_dual_stack && service.prefix == "sts" &&
         rule != nullptr && contains(strings_of(*rule, "legacy_regions"), region);
}

}  // namespace

const Partition& partition_of(std::string_view region) {
  const Rules& all = rules();
  for (const Partition& partition : all.partitions) {
    if (contains(partition.regions, region)) {
      return partition;
    }
  }
  for (std::size_t i = 0; i < all.partitions.size(); ++i) {
    if (std::any_of(all.heads[i].begin(), all.heads[i].end(),
                    [&](const std::string& head) { return matches(region, head); })) {
      return all.partitions[i];
    }
  }
  return *find_partition(kAwsPartition);
}

const Partition* find_partition(std::string_view id) {
  const std::vector<Partition>& all = rules().partitions;
  const auto at = std::find_if(all.begin(), all.end(), [&](const Partition& partition) { return partition.id == id; });
  return at == all.end() ? nullptr : &*at;
}

bool is_region_name(std::string_view region) {
  const std::vector<std::string_view> parts = split(region, '-');
  if (region.size() > kRegionBytesMax || parts.size() < 3) {
    return false;
  }
  const auto all = [](std::string_view text, char first, char last) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return c >= first && c <= last; });
  };
  return all(parts.back(), '0', '9') &&
         std::all_of(parts.begin(), parts.end() - 1, [&](std::string_view part) { return all(part, 'a', 'z'); });
}

Result<Endpoint> resolve_endpoint(const ServiceName& service, std::string_view region, const EndpointOptions& options) {
  if (!is_region_name(region)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("'{}' is not the name of a region (such as eu-west-3)", terminal_safe(region, 60)));
  }
  const Partition& partition = partition_of(region);
  const Json* rule = rules().services.find(service.prefix);
  const std::string serving = TRY(serving_region(rule, partition, region));
  const Json* global_region = rule == nullptr ? nullptr : rule->at("signing_region", partition.id);
  Endpoint endpoint;
  endpoint.signing_region = global_region == nullptr ? serving : *global_region->string();
  const ConfiguredUrl configured = configured_url(service, options);
  if (!configured.url.empty()) {
    if (options.use_fips || options.use_dual_stack) {
      return make_error(ErrorKind::invalid,
                        fmt::format("{} endpoints and an endpoint of one's own ({}) exclude each other",
                                    options.use_fips ? "FIPS" : "dual-stack", configured.source));
    }
    endpoint.url = TRY(checked_url(configured));
  } else if (is_legacy_sts(service, rule, region, options)) {
    endpoint = {"https://sts.amazonaws.com", "us-east-1"};
  } else {
    endpoint.url = "https://" + TRY(host_of(service, rule, partition, serving, options));
  }
  return endpoint;
}

Result<Endpoint> resolve_endpoint(const Metadata& service, std::string_view region, const EndpointOptions& options) {
  return resolve_endpoint(ServiceName{service.endpoint_prefix, service.service_id}, region, options);
}

}  // namespace parallax::aws
