#include "record/order.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/ids.h"
#include "record/fields.h"

namespace parallax {

namespace {

using record::FieldReader;
using record::instant_or_null;
using record::text_or_null;

constexpr std::size_t kListMax = 100'000;
constexpr std::array<std::string_view, 3> kSeries = {"cold", "warm", "pair"};
constexpr std::int64_t kDayMicros = 86'400'000'000;

template <typename T, typename Read>
Result<> read_list(const Json& json, std::string_view name, Read read, std::vector<T>& target) {
  const JsonArray& items = json.list(name);
  if (items.size() > kListMax) {
    return make_error(ErrorKind::refused, fmt::format("order: '{}' has more than {} entries", name, kListMax));
  }
  for (const Json& item : items) {
    target.push_back(TRY(read(item)));
  }
  return {};
}

template <typename T>
Json list_to_json(const std::vector<T>& items) {
  JsonArray array;
  for (const T& item : items) {
    array.push_back(to_json(item));
  }
  return array;
}

}  // namespace

std::string_view to_string(ConnectionSeries series) {
  return kSeries[static_cast<std::size_t>(series)];
}

std::optional<ConnectionSeries> parse_connection_series(std::string_view text) {
  const auto* const found = std::find(kSeries.begin(), kSeries.end(), text);
  return found == kSeries.end() ? std::nullopt : std::optional(static_cast<ConnectionSeries>(found - kSeries.begin()));
}

Json to_json(const Order& order) {
  Json json;
  json.set("schema", kOrderSchema);
  json.set("fleet", order.fleet);
  json.set("round_id", order.round_id);
  json.set("run_id", order.run_id);
  json.set("vantage", order.vantage);
  json.set("instance_id", text_or_null(order.instance_id));
  json.set("instance_type", text_or_null(order.instance_type));
  json.set("collector", text_or_null(order.collector));
  json.set("token", text_or_null(order.token));
  json.set("cones", to_json(order.cones));
  if (!order.cone_list.empty()) {
    json.set("cone_list", list_to_json(order.cone_list));
  }
  json.set("services", list_to_json(order.services));
  json.set("providers", list_to_json(order.providers));
  json.set("position", order.position);
  json.set("vantages", order.vantages);
  json.set("begin_at", instant_or_null(order.begin_at));
  json.set("start_offset_us", order.start_offset.count());
  json.set("turn_us", order.turn.count());
  json.set("deadline", instant_or_null(order.deadline));
  json.set("connection", to_string(order.connection));
  json.set_if("deep", order.deep ? Json(true) : Json());
  return json;
}

Result<Order> order_from_json(const Json& json) {
  Order order;
  FieldReader reader(json, "order");
  for (const char* name : {"schema", "fleet", "run_id", "vantage", "services"}) {
    reader.require(name);
  }
  std::string schema;
  reader.text("schema", schema);
  if (schema != kOrderSchema) {
    reader.complain("schema", fmt::format("'{}'", kOrderSchema));
  }
  reader.text("fleet", order.fleet);
  reader.text("round_id", order.round_id);
  reader.text("run_id", order.run_id);
  reader.text("vantage", order.vantage);
  reader.text("instance_id", order.instance_id);
  reader.text("instance_type", order.instance_type);
  reader.text("collector", order.collector);
  reader.text("token", order.token);
  reader.integer("position", order.position, 0, 1'000'000);
  reader.integer("vantages", order.vantages, 1, 1'000'000);
  std::int64_t offset = 0;
  std::int64_t turn = 0;
  reader.integer("start_offset_us", offset, 0, kDayMicros);
  reader.integer("turn_us", turn, 0, kDayMicros);
  order.start_offset = Micros(offset);
  order.turn = Micros(turn);
  reader.instant("begin_at", order.begin_at);
  reader.instant("deadline", order.deadline);
  reader.word("connection", order.connection, parse_connection_series);
  reader.boolean("deep", order.deep);
  if (reader.error()) {
    return *reader.error();
  }
  TRY(ulid_time(order.run_id));
  if (const Json* cones = json.find("cones"); cones != nullptr && !cones->is_null()) {
    order.cones = TRY(cone_parameters_from_json(*cones));
  }
  TRY(read_list(json, "cone_list", cone_from_json, order.cone_list));
  TRY(read_list(json, "services", service_from_json, order.services));
  TRY(read_list(json, "providers", provider_from_json, order.providers));
  return order;
}

}  // namespace parallax
