// Parameter Store: the account's own parameters, and of the public ones those that name Amazon Linux 2023 images and
// regions.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "sim/cloud/filters.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/regions.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kNameMax = 1011;
constexpr std::size_t kStandardValueMax = 4096;
constexpr std::size_t kAdvancedValueMax = 8192;
constexpr std::size_t kParametersMax = 10'000;
constexpr std::size_t kVersionsMax = 100;
constexpr std::size_t kLevelsMax = 15;
constexpr std::size_t kNamesMax = 10;
constexpr std::string_view kRegions = "/aws/service/global-infrastructure/regions/";
constexpr std::string_view kImages = "/aws/service/ami-amazon-linux-latest/";

struct ImageParameter {
  std::string_view name;
  std::string_view architecture;
};

constexpr std::array kImageParameters = {ImageParameter{"al2023-ami-kernel-default-arm64", "arm64"},
                                         ImageParameter{"al2023-ami-kernel-default-x86_64", "x86_64"},
                                         ImageParameter{"al2023-ami-kernel-6.1-arm64", "arm64"},
                                         ImageParameter{"al2023-ami-kernel-6.1-x86_64", "x86_64"}};

Error validation(std::string message) {
  return client_error("ValidationException", std::move(message));
}

Parameter public_parameter(std::string name, std::string value, std::string data_type, Instant now) {
  Parameter parameter;
  parameter.name = std::move(name);
  parameter.type = "String";
  parameter.data_type = std::move(data_type);
  parameter.versions.push_back({1, std::move(value), "", now - Seconds(30 * 86400), ""});
  return parameter;
}

// The newest image of Amazon's for the architecture; empty where the region has none.
std::string amazon_image(RegionState& region, std::string_view architecture) {
  const Json* newest = nullptr;
  for (const auto& [id, image] : region.of(ResourceKind::image)) {
    const Json& json = image.description;
    if (json.text("ImageOwnerAlias") == "amazon" && json.text("Architecture") == architecture &&
        json.text("Name").starts_with("al2023") &&
        (newest == nullptr || newest->text("CreationDate") < json.text("CreationDate"))) {
      newest = &json;
    }
  }
  return newest == nullptr ? "" : newest->text("ImageId");
}

std::map<std::string, Parameter> public_parameters(Context& context) {
  std::map<std::string, Parameter> parameters;
  const auto add = [&](const std::string& name, const std::string& value, const char* data_type) {
    parameters.emplace(name, public_parameter(name, value, data_type, context.world.now));
  };
  for (const ImageParameter& image : kImageParameters) {
    if (const std::string id = amazon_image(context.region, image.architecture); !id.empty()) {
      add(std::string(kImages) + std::string(image.name), id, "aws:ec2:image");
    }
  }
  for (const auto& [name, region] : context.world.regions) {
    add(std::string(kRegions) + name, name, "text");
    if (const RegionInfo* info = find_region(name)) {
      add(std::string(kRegions) + name + "/longName", info->city, "text");
    }
  }
  return parameters;
}

std::string arn_of(const Context& context, const Parameter& parameter) {
  const bool is_public = parameter.name.starts_with("/aws/");
  return fmt::format("arn:aws:ssm:{}:{}:parameter{}{}", context.region.name, is_public ? "" : kSimulatedAccount,
                     parameter.name.starts_with('/') ? "" : "/", parameter.name);
}

// What is stored of a SecureString is not readable; this stands for it.
std::string ciphertext(const std::string& value) {
  return base64_encode(bytes_of(sha256("parallax simulated ciphertext " + value)));
}

Json parameter_json(const Context& context, const Parameter& parameter, const ParameterVersion& version, bool decrypt) {
  const bool hidden = parameter.type == "SecureString" && !decrypt;
  return Json::object({{"Name", parameter.name},
                       {"Type", parameter.type},
                       {"Value", hidden ? ciphertext(version.value) : version.value},
                       {"Version", version.version},
                       {"LastModifiedDate", epoch_seconds(version.modified)},
                       {"ARN", arn_of(context, parameter)},
                       {"DataType", parameter.data_type}});
}

Json metadata_json(const Parameter& parameter, const ParameterVersion& version) {
  Json json = Json::object({{"Name", parameter.name},
                            {"Type", parameter.type},
                            {"LastModifiedDate", epoch_seconds(version.modified)},
                            {"LastModifiedUser", version.modified_by},
                            {"Version", version.version},
                            {"Tier", parameter.tier},
                            {"Policies", JsonArray{}},
                            {"DataType", parameter.data_type}});
  if (!version.description.empty()) {
    json.set("Description", version.description);
  }
  if (!parameter.key_id.empty()) {
    json.set("KeyId", parameter.key_id);
  }
  return json;
}

// "NAME", "NAME:VERSION" or an ARN of either.
Result<Json> find_parameter(Context& context, std::string asked, bool decrypt) {
  const std::string whole = asked;
  if (asked.starts_with("arn:")) {
    const std::size_t at = asked.find(":parameter/");
    asked = at == std::string::npos ? "" : asked.substr(at + std::string_view(":parameter").size());
    if (!asked.starts_with("/aws/") && !context.region.parameters.contains(asked.substr(0, asked.find(':')))) {
      asked = asked.substr(std::min<std::size_t>(1, asked.size()));
    }
  }
  const std::size_t colon = asked.find(':');
  const std::string name = asked.substr(0, colon);
  std::map<std::string, Parameter> public_ones;
  const std::map<std::string, Parameter>* all = &context.region.parameters;
  if (name.starts_with("/aws/")) {
    public_ones = public_parameters(context);
    all = &public_ones;
  }
  const auto found = all->find(name);
  if (found == all->end()) {
    return client_error("ParameterNotFound", "");
  }
  const Parameter& parameter = found->second;
  if (colon == std::string::npos) {
    return parameter_json(context, parameter, parameter.versions.back(), decrypt);
  }
  const auto version = std::ranges::find_if(parameter.versions, [&](const ParameterVersion& v) {
    return std::to_string(v.version) == asked.substr(colon + 1);
  });
  if (version == parameter.versions.end()) {
    return client_error(
        "ParameterVersionNotFound",
        fmt::format("Systems Manager could not find version {} of {}. Verify the version and try again.",
                    asked.substr(colon + 1), name));
  }
  Json json = parameter_json(context, parameter, *version, decrypt);
  json.set("Selector", asked.substr(colon));
  return json;
}

Result<Json> get_parameter(Context& context, const Json& input) {
  const Json parameter = TRY(find_parameter(context, input.text("Name"), input.boolean("WithDecryption", false)));
  return Json::object({{"Parameter", parameter}});
}

Result<Json> get_parameters(Context& context, const Json& input) {
  const std::vector<std::string> names = strings_of(input, "Names");
  if (names.size() > kNamesMax) {
    return validation(
        "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have "
        "length less than or equal to 10");
  }
  JsonArray parameters;
  JsonArray invalid;
  for (const std::string& name : names) {
    const Result<Json> parameter = find_parameter(context, name, input.boolean("WithDecryption", false));
    (parameter ? parameters : invalid).push_back(parameter ? *parameter : Json(name));
  }
  return Json::object({{"Parameters", std::move(parameters)}, {"InvalidParameters", std::move(invalid)}});
}

bool below_path(const std::string& name, const std::string& path, bool recursive) {
  const std::string head = path.ends_with('/') ? path : path + "/";
  return name.starts_with(head) && (recursive || name.find('/', head.size()) == std::string::npos);
}

Result<bool> passes(const Parameter& parameter, const std::string& key, const std::string& option,
                    const std::vector<std::string>& values) {
  const auto any = [&](const auto& test) { return std::ranges::any_of(values, test); };
  if (key == "Path") {
    return any([&](const std::string& path) { return below_path(parameter.name, path, option == "Recursive"); });
  }
  std::string text;
  if (key == "Name") {
    text = parameter.name;
  } else if (key == "Type") {
    text = parameter.type;
  } else if (key == "KeyId") {
    text = parameter.key_id;
  } else if (key == "Tier") {
    text = parameter.tier;
  } else if (key == "DataType") {
    text = parameter.data_type;
  } else if (key.starts_with("tag:")) {
    const auto tag = parameter.tags.find(key.substr(4));
    if (tag == parameter.tags.end()) {
      return false;
    }
    if (values.empty()) {
      return true;
    }
    text = tag->second;
  } else {
    return client_error("InvalidFilterKey", fmt::format("The following filter key is not valid: {}.", key));
  }
  if (option.empty() || option == "Equals") {
    return any([&](const std::string& value) { return value == text; });
  }
  if (option == "BeginsWith") {
    return any([&](const std::string& value) { return text.starts_with(value); });
  }
  if (option == "Contains") {
    return any([&](const std::string& value) { return text.find(value) != std::string::npos; });
  }
  return client_error("InvalidFilterOption", fmt::format("The following filter option is not valid: {}.", option));
}

Result<bool> passes_filters(const Parameter& parameter, const Json& input) {
  for (const Json& filter : input.list("ParameterFilters")) {
    if (!TRY(passes(parameter, filter.text("Key"), filter.text("Option"), strings_of(filter, "Values")))) {
      return false;
    }
  }
  // The older list compares names by their beginning.
  for (const Json& filter : input.list("Filters")) {
    const std::string key = filter.text("Key");
    if (!TRY(passes(parameter, key, key == "Name" ? "BeginsWith" : "Equals", strings_of(filter, "Values")))) {
      return false;
    }
  }
  return true;
}

Result<Json> get_by_path(Context& context, const Json& input) {
  const std::string path = input.text("Path");
  if (!path.starts_with('/')) {
    return validation(
        "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward "
        "slash \"/\".");
  }
  const std::map<std::string, Parameter> all =
      path.starts_with("/aws") ? public_parameters(context) : context.region.parameters;
  std::vector<Json> found;
  for (const auto& [name, parameter] : all) {
    if (below_path(name, path, input.boolean("Recursive", false)) && TRY(passes_filters(parameter, input))) {
      found.push_back(
          parameter_json(context, parameter, parameter.versions.back(), input.boolean("WithDecryption", false)));
    }
  }
  return page_of("GetParametersByPath", "Parameters", std::move(found), input, PageLimits{1, 10, 10});
}

Result<Json> describe_parameters(Context& context, const Json& input) {
  if (!input.list("Filters").empty() && !input.list("ParameterFilters").empty()) {
    return validation("You can use either Filters or ParameterFilters in a single request.");
  }
  std::vector<Json> found;
  for (const auto& [name, parameter] : context.region.parameters) {
    if (TRY(passes_filters(parameter, input))) {
      found.push_back(metadata_json(parameter, parameter.versions.back()));
    }
  }
  return page_of("DescribeParameters", "Parameters", std::move(found), input, PageLimits{1, 50, 50});
}

Result<Json> get_history(Context& context, const Json& input) {
  const auto found = context.region.parameters.find(input.text("Name"));
  if (found == context.region.parameters.end()) {
    return client_error("ParameterNotFound", "");
  }
  const Parameter& parameter = found->second;
  std::vector<Json> versions;
  for (const ParameterVersion& version : parameter.versions) {
    Json json = metadata_json(parameter, version);
    json.set("Value",
             parameter_json(context, parameter, version, input.boolean("WithDecryption", false)).text("Value"));
    json.set("Labels", JsonArray{});
    versions.push_back(std::move(json));
  }
  return page_of("GetParameterHistory", "Parameters", std::move(versions), input, PageLimits{1, 50, 50});
}

Result<> check_parameter_name(const std::string& name) {
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.-/").find(c) != std::string_view::npos;
  });
  if (!plain || name.empty() || name.size() > kNameMax || name.ends_with('/')) {
    return validation(
        "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of "
        "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following "
        "3 symbols .-_");
  }
  const bool path = name.starts_with('/');
  if (!path && name.find('/') != std::string::npos) {
    return validation("Parameter name must be a fully qualified name.");
  }
  const std::string lower = to_lower(name.substr(path ? 1 : 0));
  if (lower.starts_with("aws") || lower.starts_with("ssm")) {
    return lower.starts_with("aws")
               ? client_error("AccessDeniedException", "No access to reserved parameter name: " + name + ".")
               : validation("Parameter name: can't be prefixed with \"ssm\" (case-insensitive).");
  }
  if (static_cast<std::size_t>(std::ranges::count(name, '/')) > kLevelsMax) {
    return client_error("HierarchyLevelLimitExceededException",
                        "A hierarchy can have a maximum of 15 levels. For more information, see Requirements and "
                        "constraints for parameter names.");
  }
  return {};
}

// Options that would need what the simulator lacks, and values that no tier takes.
Result<> check_put(const Json& input, const std::string& tier) {
  for (const std::string_view member : {"AllowedPattern", "Policies"}) {
    if (!input.text(member).empty()) {
      return validation(fmt::format("{} is not simulated.", member));
    }
  }
  const std::size_t size_max = tier == "Standard" ? kStandardValueMax : kAdvancedValueMax;
  if (input.text("Value").size() > size_max) {
    return validation(
        fmt::format("{} tier parameters support a maximum parameter value of {} characters.", tier, size_max));
  }
  if (input.text("Value").empty()) {
    return validation(
        "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have "
        "length greater than or equal to 1.");
  }
  if (input.boolean("Overwrite", false) && !input.list("Tags").empty()) {
    return validation(
        "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove "
        "overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
        "RemoveTagsFromResource.");
  }
  return {};
}

std::string tier_of(const Json& input) {
  const std::string tier = input.text("Tier", "Standard");
  const bool large = input.text("Value").size() > kStandardValueMax;
  return tier == "Intelligent-Tiering" ? (large ? "Advanced" : "Standard") : tier;
}

Result<> overwrite(Parameter& parameter, const Json& input) {
  if (!input.boolean("Overwrite", false)) {
    return client_error(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request "
        "to true.");
  }
  if (!input.text("Type").empty() && input.text("Type") != parameter.type) {
    return client_error(
        "HierarchyTypeMismatchException",
        fmt::format("Type mismatch: the existing parameter type: {} is different from the new type: {}.",
                    parameter.type, input.text("Type")));
  }
  if (parameter.versions.size() >= kVersionsMax) {
    parameter.versions.erase(parameter.versions.begin());
  }
  return {};
}

Result<Json> put_parameter(Context& context, const Json& input) {
  const std::string name = input.text("Name");
  TRY(check_parameter_name(name));
  const std::string tier = tier_of(input);
  TRY(check_put(input, tier));
  auto& parameters = context.region.parameters;
  const auto found = parameters.find(name);
  const bool exists = found != parameters.end();
  if (exists) {
    TRY(overwrite(found->second, input));
  } else if (input.text("Type").empty()) {
    return validation("A parameter type is required when you create a parameter.");
  } else if (parameters.size() >= kParametersMax) {
    return client_error("ParameterLimitExceeded", "This simulated region keeps no more parameters.");
  }
  Parameter& parameter = exists ? found->second : parameters[name];
  if (!exists) {
    parameter.name = name;
    parameter.type = input.text("Type");
    parameter.data_type = input.text("DataType", "text");
    for (const Json& tag : input.list("Tags")) {
      parameter.tags[tag.text("Key")] = tag.text("Value");
    }
  }
  if (parameter.type == "SecureString") {
    parameter.key_id = input.text("KeyId", "alias/aws/ssm");
  }
  parameter.tier = tier;
  const std::int64_t version = exists ? parameter.versions.back().version + 1 : 1;
  const std::string who = context.caller == nullptr ? "arn:aws:iam::000000000000:user/parallax" : context.caller->arn;
  parameter.versions.push_back({version, input.text("Value"), input.text("Description"), context.world.now, who});
  return Json::object({{"Version", version}, {"Tier", tier}});
}

Result<Json> delete_parameter(Context& context, const Json& input) {
  if (context.region.parameters.erase(input.text("Name")) == 0) {
    return client_error("ParameterNotFound", "");
  }
  return Json::object();
}

Result<Json> delete_parameters(Context& context, const Json& input) {
  JsonArray deleted;
  JsonArray invalid;
  for (const std::string& name : strings_of(input, "Names")) {
    (context.region.parameters.erase(name) == 0 ? invalid : deleted).emplace_back(name);
  }
  return Json::object({{"DeletedParameters", std::move(deleted)}, {"InvalidParameters", std::move(invalid)}});
}

}  // namespace

std::vector<OperationEntry> ssm_parameter_operations() {
  return {{"GetParameter", get_parameter},
          {"GetParameters", get_parameters},
          {"GetParametersByPath", get_by_path},
          {"GetParameterHistory", get_history},
          {"DescribeParameters", describe_parameters},
          {"PutParameter", put_parameter},
          {"DeleteParameter", delete_parameter},
          {"DeleteParameters", delete_parameters}};
}

}  // namespace parallax::sim
