// parallax aws SERVICE OPERATION | SERVICE wait WAITER: any call of any modelled service, in any or all regions at
// once.

#include <fmt/format.h>

#include "aws/paginate.h"
#include "aws/wait.h"
#include "base/log.h"
#include "cli/aws_names.h"
#include "cli/aws_parameters.h"
#include "cli/aws_request.h"
#include "cli/aws_session.h"
#include "cli/commands.h"
#include "cli/region_calls.h"
#include "cli/table.h"

namespace parallax::cli {

namespace {

constexpr std::string_view kCallDeadline = "60s";
constexpr std::string_view kWaitDeadline = "10m";

// ---- what there is

// One name a line, so that grep reads it.
Result<int> list_names(const std::vector<std::string_view>& names, bool json) {
  JsonArray list;
  std::string text;
  for (const std::string_view name : names) {
    list.emplace_back(name);
    text += dashed(name) + "\n";
  }
  print(json ? Json(std::move(list)).pretty() + "\n" : text);
  return 0;
}

// Of a folder with hundreds of services the names alone: counting would read every model.
constexpr std::size_t kCountedMax = 20;

Result<int> list_services(bool json) {
  if (aws::service_names().size() > kCountedMax) {
    return list_names(aws::service_names(), json);
  }
  JsonArray list;
  Table table({"service", "API version", "operations>", "waiters>"});
  for (const std::string_view name : aws::service_names()) {
    const aws::ServiceModel* model = aws::find_service(name);
    if (model == nullptr) {
      continue;
    }
    const std::size_t operations = model->operation_names().size();
    const std::size_t waiters = model->waiter_names().size();
    const std::string& version = model->metadata().api_version;
    table.add({std::string(name), version, std::to_string(operations), std::to_string(waiters)});
    list.push_back(
        Json::object({{"service", name}, {"api_version", version}, {"operations", operations}, {"waiters", waiters}}));
  }
  print(json ? Json(std::move(list)).pretty() + "\n" : table.text());
  return 0;
}

// ---- calls

struct Options {
  bool lines = false;  // NDJSON
  Micros deadline{0};
};

Result<Options> read_options(const Arguments& arguments) {
  Options options;
  const std::string output = arguments.value_or("--output", "json");
  if (output != "json" && output != "ndjson") {
    return make_error(ErrorKind::invalid, fmt::format("--output: '{}' is not json or ndjson", output));
  }
  options.lines = output == "ndjson";
  const bool waits = arguments.value_or("operation", "") == "wait";
  const std::string deadline = arguments.value_or("--deadline", waits ? kWaitDeadline : kCallDeadline);
  options.deadline = TRY(parse_duration(deadline).with_context("reading --deadline"));
  if (options.deadline < Millis(100) || options.deadline > std::chrono::hours(24)) {
    return make_error(ErrorKind::invalid, "--deadline: from 100ms to 24h");
  }
  if (waits && arguments.has("--paginate")) {
    return make_error(ErrorKind::invalid, "a waiter reads its own pages: --paginate does not go with it");
  }
  return options;
}

Result<int> show_requests(const AwsRequest& request, const std::vector<Place>& places, AwsSession& session) {
  const aws::Shape* input = request.operation->input.get();
  const Json params = input == nullptr ? request.params : hide_sensitive(*input, request.params);
  Json document = Json::object();
  for (const Place& place : places) {
    const aws::Client::Preview preview = TRY(
        session.client->preview({request.model->metadata().service, place.region}, request.operation->name, params));
    Json headers = Json::object();
    for (const auto& [name, value] : preview.request.headers) {
      headers.set(name, value);
    }
    // Some calls, such as AssumeRoleWithWebIdentity, are made without a signature.
    const Json signed_for =
        request.operation->is_unsigned
            ? Json()
            : Json::object({{"service", preview.signing_service}, {"region", preview.signing_region}});
    document.set(place.key, Json::object({{"request", Json::object({{"method", preview.request.method},
                                                                    {"url", preview.request.url},
                                                                    {"headers", std::move(headers)},
                                                                    {"body", preview.request.body}})},
                                          {"signed_for", signed_for}}));
  }
  print(document.pretty() + "\n");
  return 0;
}

// Emits a page when the next one is there, so that the last one can say that it is the last.
Result<> emit_pages(aws::Client& client, const aws::CallTarget& target, const AwsRequest& request,
                    const aws::CallOptions& options, const Emit& emit) {
  std::optional<Json> held;
  int number = 0;
  const auto give = [&](bool last) {
    emit(Json::object({{"page", number}, {"last", last}, {"result", std::move(*held)}}), last);
  };
  TRY(aws::for_each_page(client, target, request.operation->name, request.params, options,
                         [&](const Json& page) -> Result<aws::Pages> {
                           if (held) {
                             give(false);
                           }
                           held = page;
                           ++number;
                           return aws::Pages::go_on;
                         }));
  give(true);
  return {};
}

Result<> call_one(aws::Client& client, const aws::CallTarget& target, const AwsRequest& request, bool paginate,
                  bool lines, const aws::CallOptions& options, const Emit& emit) {
  if (request.waiter == nullptr && paginate && lines) {
    return emit_pages(client, target, request, options, emit);
  }
  const std::string& operation = request.operation->name;
  Json result = request.waiter != nullptr
                    ? TRY(aws::wait(client, target, request.waiter->name, request.params, options))
                : paginate ? TRY(aws::collect_pages(client, target, operation, request.params, options))
                           : TRY(client.call(target, operation, request.params, options));
  emit(Json::object({{"result", std::move(result)}}), true);
  return {};
}

Result<int> call(const Arguments& arguments, World& world) {
  const Options options = TRY(read_options(arguments));
  const Monotonic deadline = world.clock.monotonic() + options.deadline;
  AwsSession session = TRY(open_aws(arguments, world));
  const AwsRequest request = TRY(read_request(arguments, world));
  if (arguments.has("--dry-run")) {
    return show_requests(request, TRY(places_of(arguments, *request.model, session, world, deadline)), session);
  }
  TRY(require_credentials(session, world));
  const std::vector<Place> places = TRY(places_of(arguments, *request.model, session, world, deadline));
  std::vector<std::string> keys;
  for (const Place& place : places) {
    keys.push_back(place.key);
    // What cannot be written down for this place is wrong usage, told before anything is sent.
    TRY(session.client->preview({request.model->metadata().service, place.region}, request.operation->name,
                                request.params));
  }
  const bool paginate = arguments.has("--paginate");
  const PlaceWork work = [&](std::size_t place, const std::stop_token& stop, const Emit& emit) {
    return call_one(*session.client, {request.model->metadata().service, places[place].region}, request, paginate,
                    options.lines, {.deadline = deadline, .stop = stop}, emit);
  };
  const std::unique_ptr<AnswerWriter> writer =
      options.lines ? make_lines_writer(print) : make_document_writer(keys, print);
  const Tally tally = call_places(
      world.executor, keys, work, *writer,
      [&](const Answer& answer) {
        if (answer.error && answer.error->kind != ErrorKind::cancelled) {
          log::error(fmt::format("{}: {}", keys[answer.place], answer.error->text()));
        }
      },
      world.stop);
  return tally.exit_code();
}

Result<int> run(const Arguments& arguments, World& world) {
  const bool json = arguments.value_or("--output", "table") != "table";
  TRY(use_models(arguments, world));
  const std::optional<std::string> service = arguments.value("service");
  if (!service) {
    return list_services(json);
  }
  const std::optional<std::string> operation = arguments.value("operation");
  if (operation && !arguments.has("--help-params") && (*operation != "wait" || arguments.value("waiter"))) {
    return call(arguments, world);
  }
  const aws::ServiceModel* model = TRY(service_named(*service));
  if (!operation) {
    return list_names(model->operation_names(), json);
  }
  if (*operation != "wait") {
    print(parameter_tree(*model, *TRY(operation_named(*model, *operation))));
    return 0;
  }
  const std::optional<std::string> waiter = arguments.value("waiter");
  if (!waiter) {
    return list_names(model->waiter_names(), json);
  }
  const aws::Waiter* known = TRY(waiter_named(*model, *waiter));
  print(parameter_tree(*model, *TRY(operation_named(*model, known->operation))));
  return 0;
}

constexpr const char* kExamples = R"(Examples:
  parallax aws                                     services;  'parallax aws ec2' its operations
  parallax aws ec2 describe-instances --help-params        what it takes
  parallax aws sts get-caller-identity
  parallax aws ec2 describe-instances --all --paginate     every region of the account at once
  parallax aws ec2 stop-instances --region eu-west-3 --params '{"InstanceIds": ["i-0123456789abcdef0"]}'
  parallax aws ec2 run-instances --params @machine.json --dry-run
  parallax aws ec2 wait instance-stopped --params '{"InstanceIds": ["i-0123456789abcdef0"]}' --deadline 5m
  parallax aws ec2 describe-images --params '{"Owners": ["self"]}' --all | jq -r '.[].result.Images[]?.ImageId'

The answer is one JSON document, a member for each region: {"eu-west-3": {"result": ...} or {"error": ...}}.
Exit code: 0 all regions answered, 3 some, 1 none, 2 wrong usage or parameters, 130 interrupted.)";

}  // namespace

Command aws_command() {
  std::vector<Option> options{
      Option{"service", OptionKind::value, "SERVICE", "ec2, ssm, ...; without it: a list", false, true},
      Option{"operation", OptionKind::value, "OPERATION",
             "describe-instances or DescribeInstances, or the word wait; without it: a list", false, true},
      Option{"waiter", OptionKind::value, "WAITER", "after wait: instance-running, ...; without it: a list", false,
             true},
      Option{"--params", OptionKind::value, "JSON",
             "the parameters as a JSON object; @FILE reads a file, - standard input"},
      Option{"--region", OptionKind::list, "REGION", "this region; repeatable (default: AWS_REGION, the profile's)"},
      Option{"--all", OptionKind::flag, "", "all regions that are enabled for the account"},
      Option{"--paginate", OptionKind::flag, "", "all pages: merged in json, a line each in ndjson"},
      Option{"--output", OptionKind::value, "FORMAT",
             "json (default): one document; ndjson: a line as each region answers"},
      Option{"--deadline", OptionKind::value, "TIME", "for everything together (default 60s, wait 10m)"},
      Option{"--dry-run", OptionKind::flag, "", "print the request, send nothing (EC2's own DryRun is a parameter)"},
      Option{"--help-params", OptionKind::flag, "", "print the tree of the operation's parameters"}};
  for (Option& option : aws_options()) {
    options.push_back(std::move(option));
  }
  return Command{"aws",    "any call of any AWS service, in any or all regions at once", std::move(options), run, {},
                 kExamples};
}

}  // namespace parallax::cli
