#include "aws/model/model.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "base/check.h"
#include "base/mutex.h"

namespace parallax::aws {

namespace detail {

// A line of the packed text, parsed at first use. The owner never moves, so views and references into it stay good.
template <typename T>
struct Slot {
  std::string_view name;
  std::string_view json;
  mutable std::atomic<const T*> parsed{nullptr};
  mutable std::unique_ptr<const T> owned;
};

struct ShapeSlot : Slot<Shape> {
  const ModelTables* tables = nullptr;
};

struct ModelTables {
  std::string text;
  std::string_view metadata;
  std::vector<Slot<Operation>> operations;
  std::vector<ShapeSlot> shapes;
  std::vector<Slot<Paginator>> paginators;
  std::vector<Slot<Waiter>> waiters;
  mutable Mutex mutex;  // held while one line is parsed; guards Slot::owned
};

namespace {

template <typename Slots>
auto find_slot(const Slots& slots, std::string_view name) -> decltype(slots.data()) {
  const auto at = std::lower_bound(slots.begin(), slots.end(), name,
                                   [](const auto& slot, std::string_view wanted) { return slot.name < wanted; });
  return at != slots.end() && at->name == name ? &*at : nullptr;
}

template <typename T, typename Parse>
const T& parsed(const ModelTables& tables, const Slot<T>& slot, const Parse& parse) {
  if (const T* ready = slot.parsed.load(std::memory_order_acquire)) {
    return *ready;
  }
  const MutexLock lock(tables.mutex);
  if (slot.owned == nullptr) {
    const Result<Json> json = parse_json(slot.json);
    CHECK(json.has_value(), slot.name);
    slot.owned = std::make_unique<const T>(parse(slot.name, *json));
    slot.parsed.store(slot.owned.get(), std::memory_order_release);
  }
  return *slot.owned;
}

ShapeRef reference(const ModelTables& tables, const Json* json) {
  return json == nullptr ? ShapeRef() : ShapeRef(find_slot(tables.shapes, json->text("shape")));
}

ShapeType parse_type(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, ShapeType>, 12> kTypes{{
      {"structure", ShapeType::structure},
      {"list", ShapeType::list},
      {"map", ShapeType::map},
      {"string", ShapeType::string},
      {"character", ShapeType::string},
      {"integer", ShapeType::integer},
      {"long", ShapeType::integer},
      {"float", ShapeType::floating},
      {"double", ShapeType::floating},
      {"boolean", ShapeType::boolean},
      {"blob", ShapeType::blob},
      {"timestamp", ShapeType::timestamp},
  }};
  for (const auto& [name, type] : kTypes) {
    if (name == text) {
      return type;
    }
  }
  CHECK(false, text);
}

TimestampFormat parse_format(const std::string& text) {
  if (text == "iso8601") {
    return TimestampFormat::iso8601;
  }
  if (text == "unixTimestamp") {
    return TimestampFormat::unix_seconds;
  }
  return text == "rfc822" ? TimestampFormat::rfc822 : TimestampFormat::unset;
}

Member parse_member(const ModelTables& tables, std::string_view name, const Json& json) {
  Member member;
  member.name = name;
  member.location_name = json.text("locationName");
  member.query_name = json.text("queryName");
  member.location = json.text("location");
  member.shape = reference(tables, &json);
  CHECK(static_cast<bool>(member.shape), name);
  member.timestamp_format = parse_format(json.text("timestampFormat"));
  member.idempotency_token = json.boolean("idempotencyToken", false);
  member.flattened = json.boolean("flattened", false);
  member.json_value = json.boolean("jsonvalue", false);
  member.host_label = json.boolean("hostLabel", false);
  member.deprecated = json.boolean("deprecated", false);
  return member;
}

std::vector<std::string> texts(const JsonArray& items) {
  std::vector<std::string> out;
  for (const Json& item : items) {
    if (const std::string* text = item.string()) {
      out.push_back(*text);
    }
  }
  return out;
}

// Paginators write one name as a string and several as a list.
std::vector<std::string> one_or_many(const Json& json, std::string_view name) {
  const Json* member = json.find(name);
  if (member != nullptr && member->string() != nullptr) {
    return {*member->string()};
  }
  return texts(json.list(name));
}

void parse_members(const ModelTables& tables, const Json& json, Shape& shape) {
  if (const Json* members = json.find("members")) {
    for (const auto& [name, member] : *members->members()) {
      shape.members.push_back(parse_member(tables, name, member));
    }
  }
  for (const std::string& name : texts(json.list("required"))) {
    for (Member& member : shape.members) {
      member.required = member.required || member.name == name;
    }
  }
}

void parse_exception(const Json& json, Shape& shape) {
  shape.exception = json.boolean("exception", false);
  shape.server_fault = json.boolean("fault", false);
  shape.error_code = shape.name;
  if (const Json* error = json.find("error")) {
    shape.error_code = error->text("code", shape.name);
    shape.error_status = static_cast<int>(error->integer("httpStatusCode", 0));
  }
}

constexpr double kInt32Min = -2147483648.0;
constexpr double kInt32Max = 2147483647.0;

Shape parse_shape(const ModelTables& tables, std::string_view name, const Json& json) {
  Shape shape;
  shape.name = name;
  shape.type = parse_type(json.text("type"));
  shape.enum_values = texts(json.list("enum"));
  if (const Json* min = json.find("min")) {
    shape.min = min->number();
  }
  if (const Json* max = json.find("max")) {
    shape.max = max->number();
  }
  if (json.text("type") == "integer") {  // has 32 bits, "long" has 64
    shape.min = std::max(shape.min.value_or(kInt32Min), kInt32Min);
    shape.max = std::min(shape.max.value_or(kInt32Max), kInt32Max);
  }
  shape.pattern = json.text("pattern");
  shape.location_name = json.text("locationName");
  shape.timestamp_format = parse_format(json.text("timestampFormat"));
  shape.flattened = json.boolean("flattened", false);
  shape.sensitive = json.boolean("sensitive", false);
  shape.payload = json.text("payload");
  shape.document = json.boolean("document", false);
  shape.is_union = json.boolean("union", false);
  shape.event_stream = json.boolean("eventstream", false);
  parse_members(tables, json, shape);
  for (const auto& [key, target] : {std::pair{"member", &shape.item}, {"key", &shape.key}, {"value", &shape.value}}) {
    if (const Json* member = json.find(key)) {
      *target = parse_member(tables, "", *member);
    }
  }
  parse_exception(json, shape);
  return shape;
}

Operation parse_operation(const ModelTables& tables, std::string_view name, const Json& json) {
  Operation operation;
  operation.name = name;
  if (const Json* http = json.find("http")) {
    operation.method = http->text("method", "POST");
    operation.uri = http->text("requestUri", "/");
    operation.response_code = static_cast<int>(http->integer("responseCode", operation.response_code));
  }
  if (const Json* endpoint = json.find("endpoint")) {
    operation.host_prefix = endpoint->text("hostPrefix");
  }
  operation.is_unsigned = json.text("authtype") == "none";
  operation.input = reference(tables, json.find("input"));
  operation.output = reference(tables, json.find("output"));
  if (const Json* output = json.find("output")) {
    operation.result_wrapper = output->text("resultWrapper");
  }
  for (const std::string& error : texts(json.list("errors"))) {
    operation.errors.emplace_back(find_slot(tables.shapes, error));
  }
  operation.deprecated = json.boolean("deprecated", false);
  return operation;
}

Paginator parse_paginator(std::string_view name, const Json& json) {
  Paginator paginator;
  paginator.operation = name;
  paginator.input_tokens = one_or_many(json, "input_token");
  paginator.output_tokens = one_or_many(json, "output_token");
  paginator.result_keys = one_or_many(json, "result_key");
  paginator.non_aggregate_keys = one_or_many(json, "non_aggregate_keys");
  paginator.limit_key = json.text("limit_key");
  paginator.more_results = json.text("more_results");
  return paginator;
}

Waiter parse_waiter(std::string_view name, const Json& json) {
  Waiter waiter;
  waiter.name = name;
  waiter.operation = json.text("operation");
  waiter.delay_seconds = static_cast<int>(json.integer("delay", 0));
  waiter.attempts_max = static_cast<int>(json.integer("maxAttempts", 0));
  for (const Json& acceptor : json.list("acceptors")) {
    const Json* expected = acceptor.find("expected");
    waiter.acceptors.push_back({acceptor.text("state"), acceptor.text("matcher"), acceptor.text("argument"),
                                expected == nullptr ? Json() : *expected});
  }
  return waiter;
}

Protocol parse_protocol(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Protocol>, 4> kProtocols{{
      {"ec2", Protocol::ec2},
      {"query", Protocol::query},
      {"json", Protocol::json},
      {"rest-json", Protocol::rest_json},
  }};
  for (const auto& [name, protocol] : kProtocols) {
    if (name == text) {
      return protocol;
    }
  }
  return Protocol::other;
}

// Newer models list what the service speaks, the best first: the first that we speak counts. Older ones name one.
void choose_protocol(const Json& json, Metadata& metadata) {
  metadata.protocol_name = json.text("protocol");
  metadata.protocol = parse_protocol(metadata.protocol_name);
  for (const std::string& name : texts(json.list("protocols"))) {
    if (parse_protocol(name) != Protocol::other) {
      metadata.protocol_name = name;
      metadata.protocol = parse_protocol(name);
      return;
    }
  }
}

Metadata parse_metadata(std::string_view service, const Json& json) {
  Metadata metadata;
  metadata.service = service;
  choose_protocol(json, metadata);
  metadata.api_version = json.text("apiVersion");
  metadata.endpoint_prefix = json.text("endpointPrefix");
  metadata.signing_name = json.text("signingName", metadata.endpoint_prefix);
  metadata.service_id = json.text("serviceId");
  metadata.target_prefix = json.text("targetPrefix");
  metadata.json_version = json.text("jsonVersion", "1.0");
  metadata.xml_namespace = json.text("xmlNamespace");
  metadata.global_endpoint = json.find("globalEndpoint") != nullptr && service == "iam";
  metadata.query_compatible = json.find("awsQueryCompatible") != nullptr;
  return metadata;
}

struct Line {
  std::string_view name;
  std::string_view json;
};

template <typename Slots>
void fill(Slots& slots, const std::vector<Line>& lines) {
  slots = Slots(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    slots[i].name = lines[i].name;
    slots[i].json = lines[i].json;
  }
}

// Cuts the text into lines by kind. Error: corrupt.
Result<> index_lines(ModelTables& tables) {
  std::vector<Line> operations, shapes, paginators, waiters;
  std::string_view rest = tables.text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const std::size_t tab = line.find('\t', 2);
    if (line.size() < 3 || line[1] != '\t' || tab == std::string_view::npos) {
      return make_error(ErrorKind::corrupt, "service model: a line without KIND, NAME and JSON");
    }
    const Line fields{line.substr(2, tab - 2), line.substr(tab + 1)};
    if (line[0] == 'M') {
      tables.metadata = fields.json;
    } else {
      auto* lines = line[0] == 'O' ? &operations : line[0] == 'S' ? &shapes : line[0] == 'P' ? &paginators : &waiters;
      lines->push_back(fields);
    }
  }
  fill(tables.operations, operations);
  fill(tables.shapes, shapes);
  fill(tables.paginators, paginators);
  fill(tables.waiters, waiters);
  for (ShapeSlot& slot : tables.shapes) {
    slot.tables = &tables;
  }
  return {};
}

template <typename Slots>
std::vector<std::string_view> names_of(const Slots& slots) {
  std::vector<std::string_view> names;
  names.reserve(slots.size());
  for (const auto& slot : slots) {
    names.push_back(slot.name);
  }
  return names;
}

}  // namespace

}  // namespace detail

std::string_view to_string(ShapeType type) {
  constexpr std::string_view kNames[] = {"structure", "list",    "map",  "string",   "integer",
                                         "floating",  "boolean", "blob", "timestamp"};
  return kNames[static_cast<std::size_t>(type)];
}

const Shape& ShapeRef::operator*() const {
  CHECK(slot_ != nullptr, "an empty ShapeRef");
  return detail::parsed(*slot_->tables, *slot_, [&](std::string_view name, const Json& json) {
    return detail::parse_shape(*slot_->tables, name, json);
  });
}

const Member* Shape::find_member(std::string_view member_name) const {
  const auto at =
      std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.name == member_name; });
  return at == members.end() ? nullptr : &*at;
}

const Member* Shape::find_member_by_location(std::string_view wire_name) const {
  const auto at = std::find_if(members.begin(), members.end(),
                               [&](const Member& member) { return member.wire_name() == wire_name; });
  return at == members.end() ? nullptr : &*at;
}

ServiceModel::ServiceModel() : tables_(std::make_unique<detail::ModelTables>()) {}

ServiceModel::~ServiceModel() = default;

const Operation* ServiceModel::find_operation(std::string_view name) const {
  const auto* slot = detail::find_slot(tables_->operations, name);
  return slot == nullptr ? nullptr : &detail::parsed(*tables_, *slot, [&](std::string_view own_name, const Json& json) {
    return detail::parse_operation(*tables_, own_name, json);
  });
}

const Shape* ServiceModel::find_shape(std::string_view name) const {
  return ShapeRef(detail::find_slot(tables_->shapes, name)).get();
}

const Paginator* ServiceModel::find_paginator(std::string_view operation) const {
  const auto* slot = detail::find_slot(tables_->paginators, operation);
  return slot == nullptr ? nullptr : &detail::parsed(*tables_, *slot, detail::parse_paginator);
}

const Waiter* ServiceModel::find_waiter(std::string_view name) const {
  const auto* slot = detail::find_slot(tables_->waiters, name);
  return slot == nullptr ? nullptr : &detail::parsed(*tables_, *slot, detail::parse_waiter);
}

std::vector<std::string_view> ServiceModel::operation_names() const {
  return detail::names_of(tables_->operations);
}

std::vector<std::string_view> ServiceModel::waiter_names() const {
  return detail::names_of(tables_->waiters);
}

Result<std::unique_ptr<ServiceModel>> load_service(std::string_view name, std::string text) {
  std::unique_ptr<ServiceModel> model(new ServiceModel());
  model->tables_->text = std::move(text);
  TRY(detail::index_lines(*model->tables_));
  model->metadata_ = detail::parse_metadata(name, TRY(parse_json(model->tables_->metadata)));
  return model;
}

}  // namespace parallax::aws
