// rest-json: an operation is a method and a path; members lie in the path, the query string, headers and the body.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/wire.h"
#include "sim/cloud/wire_check.h"

namespace parallax::sim {

namespace {

using aws::Member;
using aws::Shape;
using aws::ShapeType;

constexpr std::size_t kQueryFieldsMax = 500;
constexpr JsonLimits kBodyLimits{32, 100'000, 1U << 20U};

struct Target {
  std::vector<std::string_view> segments;  // still escaped, without the empty one before the first slash
  std::string_view query;
};

Target split_target(std::string_view target) {
  if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos && scheme < target.find('/')) {
    const std::size_t path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  Target out;
  const std::size_t question = target.find('?');
  if (question != std::string_view::npos) {
    out.query = target.substr(question + 1);
  }
  std::string_view path = target.substr(0, question);
  if (path.starts_with('/')) {
    path.remove_prefix(1);
  }
  out.segments = split(path, '/');
  return out;
}

bool is_label(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool is_greedy(std::string_view segment) {
  return is_label(segment) && segment[segment.size() - 2] == '+';
}

struct Match {
  bool fits = false;
  int fixed = 0;                                           // segments that are no label
  std::map<std::string, std::string, std::less<>> labels;  // still escaped
};

// A greedy label ({Key+}) takes what is left between the segments before and behind it.
Match match_path(const Target& pattern, const Target& given) {
  Match match;
  const std::size_t behind_max = given.segments.size();
  std::size_t at = 0;
  for (std::size_t i = 0; i < pattern.segments.size(); ++i) {
    const std::string_view segment = pattern.segments[i];
    const std::size_t behind = pattern.segments.size() - i - 1;
    if (at >= behind_max) {
      return {};
    }
    if (is_greedy(segment)) {
      if (behind_max - at < behind + 1) {
        return {};
      }
      std::string rest(given.segments[at++]);
      while (at < behind_max - behind) {
        rest += '/';
        rest += given.segments[at++];
      }
      match.labels.emplace(segment.substr(1, segment.size() - 3), std::move(rest));
    } else if (is_label(segment)) {
      if (given.segments[at].empty()) {
        return {};
      }
      match.labels.emplace(segment.substr(1, segment.size() - 2), given.segments[at++]);
    } else if (segment == given.segments[at]) {
      ++match.fixed;
      ++at;
    } else {
      return {};
    }
  }
  match.fits = at == behind_max;
  return match;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

Result<Fields> parse_query(std::string_view query) {
  Fields fields;
  for (const std::string_view field : split(query, '&')) {
    if (field.empty()) {
      continue;
    }
    if (fields.size() >= kQueryFieldsMax) {
      return client_error("ValidationException", "The query string has too many fields.");
    }
    const std::size_t equals = field.find('=');
    const Result<std::string> name = percent_decode(field.substr(0, equals), PlusSign::itself);
    const Result<std::string> value = percent_decode(
        equals == std::string_view::npos ? std::string_view{} : field.substr(equals + 1), PlusSign::itself);
    if (!name || !value) {
      return client_error("ValidationException", "The query string contains a syntax error.");
    }
    fields.emplace_back(*name, *value);
  }
  return fields;
}

// Whether a template's own fields ("/x?list-type=2") are all among the given ones.
bool query_fits(std::string_view pattern, const Fields& given) {
  const Result<Fields> wanted = parse_query(pattern);
  return wanted && std::ranges::all_of(
                       *wanted, [&](const auto& field) { return std::ranges::find(given, field) != given.end(); });
}

Result<Json> typed(const Shape& shape, const std::string& text, const std::string& name) {
  const Result<Json> value = scalar_from_text(shape, text);
  return value ? value
               : Result<Json>(client_error(
                     "SerializationException",
                     fmt::format("'{}' cannot be converted to {} at '{}'", text, aws::to_string(shape.type), name)));
}

class RestReader {
 public:
  RestReader(const Shape& shape, const http::Request& request, Match match, Fields query, const Fields& own)
      : shape_(shape), request_(request), match_(std::move(match)), query_(std::move(query)) {
    std::erase_if(query_, [&](const auto& field) { return std::ranges::find(own, field) != own.end(); });
  }

  Result<Json> read() {
    TRY(read_body());
    for (const Member& member : shape_.members) {
      if (member.location == "uri") {
        TRY(read_label(member));
      } else if (member.location == "querystring") {
        TRY(read_query(member));
      } else if (member.location == "header") {
        TRY(read_header(member));
      } else if (member.location == "headers") {
        TRY(read_headers(member));
      }
    }
    if (!query_.empty()) {
      return client_error("ValidationException", fmt::format("Unknown query parameter '{}'", query_.front().first));
    }
    if (!missing_.empty()) {
      return client_error("ValidationException", validation_message(missing_));
    }
    const std::vector<std::string> broken = broken_constraints(shape_, input_);
    if (!broken.empty()) {
      return client_error("ValidationException", validation_message(broken));
    }
    return std::move(input_);
  }

 private:
  Result<> read_body() {
    const bool in_body = std::ranges::any_of(shape_.members, [](const Member& m) { return m.location.empty(); });
    if (request_.body.empty() && !in_body) {
      return {};
    }
    const Result<Json> parsed = parse_json(request_.body.empty() ? "{}" : request_.body, kBodyLimits);
    if (!parsed || !parsed->is_object()) {
      return client_error("SerializationException", "The body is not a JSON object.");
    }
    const Json given = without_nulls(*parsed);
    TRY(check_json(shape_, given, ""));
    input_ = normalised(shape_, given);
    return {};
  }

  Result<> read_label(const Member& member) {
    const auto label = match_.labels.find(member.wire_name());
    if (label == match_.labels.end()) {
      return {};
    }
    const Result<std::string> text = percent_decode(label->second, PlusSign::itself);
    if (!text || to_utf8(*text) != *text) {
      return client_error("ValidationException", fmt::format("The path's {} is not readable.", member.wire_name()));
    }
    input_.set(member.name, TRY(typed(*member.shape, *text, member.name)));
    return {};
  }

  Result<> read_query(const Member& member) {
    const Shape& shape = *member.shape;
    if (shape.type == ShapeType::map) {
      return read_query_map(member);  // whatever the other members leave; models have it last
    }
    std::vector<std::string> values;
    std::erase_if(query_, [&](const auto& field) {
      if (field.first == member.wire_name()) {
        values.push_back(field.second);
        return true;
      }
      return false;
    });
    if (shape.type == ShapeType::list && !values.empty()) {
      JsonArray list;
      for (const std::string& value : values) {
        list.push_back(TRY(typed(*shape.item.shape, value, member.name)));
      }
      input_.set(member.name, std::move(list));
    } else if (values.size() > 1) {
      return client_error("ValidationException", fmt::format("'{}' is given twice", member.wire_name()));
    } else if (!values.empty()) {
      input_.set(member.name, TRY(typed(shape, values.front(), member.name)));
    }
    require(member, !values.empty());
    return {};
  }

  Result<> read_query_map(const Member& member) {
    Json map = Json::object();
    for (const auto& [name, value] : query_) {
      map.set(name, TRY(typed(*member.shape->value.shape, value, member.name)));
    }
    query_.clear();
    if (!map.members()->empty()) {
      input_.set(member.name, std::move(map));
    }
    return {};
  }

  Result<> read_header(const Member& member) {
    const std::string* value = request_.headers.find(member.wire_name());
    require(member, value != nullptr);
    if (value == nullptr) {
      return {};
    }
    if (member.json_value) {
      const Result<std::string> text = base64_decode(*value);
      input_.set(member.name, text ? *text : *value);
      return {};
    }
    input_.set(member.name, TRY(typed(*member.shape, *value, member.name)));
    return {};
  }

  Result<> read_headers(const Member& member) {
    Json map = Json::object();
    for (const auto& [name, value] : request_.headers) {
      if (to_lower(name).starts_with(to_lower(member.location_name))) {
        map.set(name.substr(member.location_name.size()), value);
      }
    }
    if (!map.members()->empty()) {
      input_.set(member.name, std::move(map));
    }
    return {};
  }

  void require(const Member& member, bool given) {
    if (member.required && !given) {
      missing_.push_back(must_not_be_null(message_name(member.name)));
    }
  }

  const Shape& shape_;
  const http::Request& request_;
  Match match_;
  Fields query_;
  Json input_ = Json::object();
  std::vector<std::string> missing_;
};

std::string header_text(const Shape& shape, const Json& value) {
  if (shape.type == ShapeType::timestamp) {
    return to_http_date(Instant(Micros(std::llround(value.number().value_or(0) * 1e6))));
  }
  const std::string* text = value.string();
  return text != nullptr ? *text : value.dump();
}

}  // namespace

const aws::Operation* match_route(const aws::ServiceModel& model, std::string_view method, std::string_view target) {
  const Target given = split_target(target);
  const Result<Fields> query = parse_query(given.query);
  if (!query) {
    return nullptr;
  }
  const aws::Operation* best = nullptr;
  int best_fixed = -1;
  for (const std::string_view name : model.operation_names()) {
    const aws::Operation* operation = model.find_operation(name);
    if (operation->method != method) {
      continue;
    }
    const Target pattern = split_target(operation->uri);
    const Match match = match_path(pattern, given);
    if (match.fits && match.fixed > best_fixed && query_fits(pattern.query, *query)) {
      best = operation;
      best_fixed = match.fixed;
    }
  }
  return best;
}

Result<Json> decode_rest(const aws::ServiceModel& /*model*/, const aws::Operation& operation,
                         const http::Request& request) {
  const Target given = split_target(request.url);
  const Target pattern = split_target(operation.uri);
  Match match = match_path(pattern, given);
  if (!match.fits) {
    return service_error(404, "UnknownOperationException", "");
  }
  static const Shape kNothing;
  const Fields own = TRY(parse_query(pattern.query));
  RestReader reader(operation.input ? *operation.input : kNothing, request, std::move(match),
                    TRY(parse_query(given.query)), own);
  return reader.read();
}

http::Response encode_rest_json(const aws::Operation& operation, const Json& output) {
  http::Response response;
  response.status = operation.response_code;
  response.headers.set("Content-Type", "application/json");
  Json body = output;
  if (operation.output) {
    for (const Member& member : operation.output->members) {
      const Json* value = output.find(member.name);
      if (member.location.empty() || value == nullptr || value->is_null()) {
        continue;
      }
      body.members()->erase(member.name);
      if (member.location == "statusCode") {
        response.status = static_cast<int>(value->integer().value_or(200));
      } else if (member.location == "header") {
        response.headers.set(member.wire_name(), header_text(*member.shape, *value));
      } else if (member.location == "headers" && value->is_object()) {
        for (const auto& [name, text] : *value->members()) {
          response.headers.set(member.location_name + name, header_text(*member.shape->value.shape, text));
        }
      }
    }
  }
  response.body = encode_json(operation, body);
  return response;
}

}  // namespace parallax::sim
