#include "cli/aws_request.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "aws/client.h"
#include "aws/endpoint.h"
#include "aws/model/validate.h"
#include "base/text.h"
#include "cli/aws_names.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kParamsBytesMax = 16U << 20U;
constexpr std::string_view kHidden = "(sensitive, not shown)";
constexpr std::string_view kHiddenBlob = "KHNlbnNpdGl2ZSwgbm90IHNob3duKQ==";  // the same in base64, as blobs are
// Secrets that older models do not mark as such.
constexpr std::array<std::string_view, 3> kSecretNames = {"UserData", "WebIdentityToken", "SAMLAssertion"};
// Where to ask which regions an account has, when nothing says where it is at home.
constexpr std::string_view kFirstRegion = "us-east-1";

Result<Json> read_params(const Arguments& arguments, World& world) {
  const std::string given = arguments.value_or("--params", "{}");
  std::string name = "--params";
  std::string text = given;
  if (given == "-") {
    name = "standard input";
    text = TRY(read_stdin(kParamsBytesMax));
  } else if (given.starts_with('@')) {
    name = given.substr(1);
    text = TRY(read_input(world, name));
  }
  Result<Json> params = parse_json(text);
  if (!params) {
    return make_error(ErrorKind::invalid, fmt::format("{}: {}", name, params.error().message));
  }
  if (!params->is_object()) {
    return make_error(ErrorKind::invalid, fmt::format("{}: must be a JSON object of parameters, not {} {}", name,
                                                      params->is_array() ? "an" : "a", params->type_name()));
  }
  return params;
}

// The client makes idempotency tokens that are absent, so their absence is no problem.
Json with_any_tokens(const aws::Shape& input, Json params) {
  for (const aws::Member& member : input.members) {
    if (member.idempotency_token && params.find(member.name) == nullptr) {
      params.set(member.name, "00000000-0000-4000-8000-000000000000");
    }
  }
  return params;
}

Result<> check_params(const AwsRequest& request) {
  const aws::Shape* input = request.operation->input.get();
  std::vector<std::string> problems;
  if (input != nullptr) {
    problems = aws::validate(*request.model, *input, with_any_tokens(*input, request.params));
  } else if (!request.params.members()->empty()) {
    problems = {"takes no parameters"};
  }
  if (problems.empty()) {
    return {};
  }
  std::string text = fmt::format("{} {}: {} with the parameters; nothing was sent", request.model->metadata().service,
                                 request.operation->name,
                                 problems.size() == 1 ? "a problem" : fmt::format("{} problems", problems.size()));
  for (const std::string& problem : problems) {
    text += "\n  " + problem;
  }
  text += fmt::format("\n'parallax aws {} {} --help-params' shows what it takes.", request.model->metadata().service,
                      dashed(request.operation->name));
  return make_error(ErrorKind::invalid, std::move(text));
}

Result<std::vector<std::string>> enabled_regions(AwsSession& session, World& world, Monotonic deadline) {
  const std::string home = session.settings.region.empty() ? std::string(kFirstRegion) : session.settings.region;
  const Json answer = TRY(
      session.client->call({"ec2", home}, "DescribeRegions", Json::object(), {.deadline = deadline, .stop = world.stop})
          .with_context("finding the account's regions; --region names them instead"));
  std::vector<std::string> regions;
  for (const Json& region : answer.list("Regions")) {
    regions.push_back(region.text("RegionName"));
  }
  std::sort(regions.begin(), regions.end());
  if (regions.empty()) {
    return make_error(ErrorKind::corrupt, fmt::format("DescribeRegions in {} named no region", home));
  }
  return regions;
}

Result<std::vector<std::string>> asked_regions(const Arguments& arguments, const aws::ServiceModel& model,
                                               AwsSession& session, World& world, Monotonic deadline) {
  std::vector<std::string> asked = arguments.list("--region");
  const bool is_global = model.metadata().global_endpoint;
  if (arguments.has("--all")) {
    if (!asked.empty()) {
      return make_error(ErrorKind::invalid, "--all and --region exclude each other");
    }
    if (!is_global && arguments.has("--dry-run")) {
      return make_error(ErrorKind::invalid,
                        "--dry-run sends nothing, so it cannot ask which regions --all means: name them by --region");
    }
    return is_global ? std::vector<std::string>{session.settings.region} : enabled_regions(session, world, deadline);
  }
  if (asked.empty()) {
    asked.push_back(session.settings.region);
  }
  return asked;
}

}  // namespace

Result<AwsRequest> read_request(const Arguments& arguments, World& world) {
  AwsRequest request;
  request.model = TRY(service_named(arguments.value_or("service", "")));
  const std::string operation = arguments.value_or("operation", "");
  if (operation == "wait") {
    request.waiter = TRY(waiter_named(*request.model, arguments.value_or("waiter", "")));
    request.operation = TRY(operation_named(*request.model, request.waiter->operation));
  } else {
    request.operation = TRY(operation_named(*request.model, operation));
    if (const std::optional<std::string> more = arguments.value("waiter")) {
      return make_error(ErrorKind::invalid, fmt::format("'{}' is one word too many: parameters go into --params",
                                                        terminal_safe(*more, 80)));
    }
  }
  request.params = TRY(read_params(arguments, world));
  TRY(check_params(request));
  return request;
}

Result<std::vector<Place>> places_of(const Arguments& arguments, const aws::ServiceModel& model, AwsSession& session,
                                     World& world, Monotonic deadline) {
  const bool is_global = model.metadata().global_endpoint;
  std::vector<Place> places;
  for (std::string& region : TRY(asked_regions(arguments, model, session, world, deadline))) {
    if (region.empty() && !is_global) {
      return make_error(ErrorKind::invalid,
                        "no region: give --region REGION or --all, or set AWS_REGION or the profile's 'region'");
    }
    region = region.empty() ? std::string(kFirstRegion) : region;
    if (!aws::is_region_name(region)) {
      return make_error(
          ErrorKind::invalid,
          fmt::format("--region: '{}' is not the name of a region (such as eu-west-3)", terminal_safe(region, 60)));
    }
    Place place{region, region};
    if (is_global) {
      place.key = fmt::format("{}-global", aws::partition_of(region).id);
    }
    const auto same = [&](const Place& other) { return other.key == place.key; };
    if (std::none_of(places.begin(), places.end(), same)) {
      places.push_back(std::move(place));
    }
  }
  return places;
}

Json hide_sensitive(const aws::Shape& shape, const Json& value, bool is_secret) {
  if (value.is_null()) {
    return value;
  }
  const bool is_text = shape.type == aws::ShapeType::string || shape.type == aws::ShapeType::blob;
  if (shape.sensitive || (is_secret && is_text)) {
    return shape.type == aws::ShapeType::blob ? kHiddenBlob : kHidden;
  }
  Json hidden = value;
  if (JsonArray* items = hidden.items(); items != nullptr && shape.type == aws::ShapeType::list) {
    for (Json& item : *items) {
      item = hide_sensitive(*shape.item.shape, item, is_secret);
    }
  } else if (JsonObject* members = hidden.members()) {
    for (auto& [name, inner] : *members) {
      const aws::Member* member = shape.type == aws::ShapeType::map ? &shape.value : shape.find_member(name);
      const bool secret = std::find(kSecretNames.begin(), kSecretNames.end(), name) != kSecretNames.end();
      if (member != nullptr) {
        inner = hide_sensitive(*member->shape, inner, is_secret || secret);
      }
    }
  }
  return hidden;
}

}  // namespace parallax::cli
