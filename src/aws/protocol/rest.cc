#include "aws/protocol/rest.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "aws/protocol/json.h"
#include "aws/protocol/values.h"
#include "base/check.h"
#include "base/text.h"
#include "codec/base64.h"
#include "http/url.h"

namespace parallax::aws {

namespace {

Error bad_member(std::string_view name, std::string_view problem) {
  return make_error(ErrorKind::invalid, fmt::format("{}: {}", name, problem));
}

// A scalar as text; timestamps as the member says, else as its place in the request has them.
std::string text_of(const Member& member, const Json& value, TimestampFormat place) {
  if (member.shape->type != ShapeType::timestamp) {
    return scalar_text(value);
  }
  const Result<Instant> instant = instant_of(value);
  CHECK(instant.has_value(), member.name);  // validate() has looked at it
  return timestamp_text(*instant, format_of(member, place));
}

bool is_raw(const Shape& shape) {
  return shape.type == ShapeType::blob || shape.type == ShapeType::string;
}

const Json* given(const Json& params, const Member& member) {
  const Json* value = params.find(member.name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

class RestWriter {
 public:
  RestWriter(const Shape& input, const Json& params) : input_(input), params_(params) {}

  Result<> add_members() {
    for (const Member& member : input_.members) {
      const Json* value = given(params_, member);
      if (value == nullptr) {
        continue;
      }
      if (member.location == "querystring") {
        add_query(member, *value);
      } else if (member.location == "header") {
        TRY(add_header(member, *value));
      } else if (member.location == "headers") {
        TRY(add_header_map(member, *value));
      }
    }
    return {};
  }

  // "/schedules/{Name}" and "/objects/{Key+}", whose value keeps its slashes.
  Result<std::string> render_path(std::string_view pattern) const {
    std::string path;
    while (!pattern.empty()) {
      const std::size_t open = pattern.find('{');
      path += pattern.substr(0, open);
      const std::size_t close = open == std::string_view::npos ? open : pattern.find('}', open);
      if (close == std::string_view::npos) {
        break;
      }
      path += TRY(label(pattern.substr(open + 1, close - open - 1)));
      pattern.remove_prefix(close + 1);
    }
    const std::string query = http::form_encode(query_);
    return query.empty() ? path : path + (path.find('?') == std::string::npos ? "?" : "&") + query;
  }

  Result<> write_body(WireRequest& request) {
    request.headers = std::move(headers_);
    if (!input_.payload.empty()) {
      return write_payload(request);
    }
    const bool in_body = std::any_of(input_.members.begin(), input_.members.end(),
                                     [](const Member& member) { return member.location.empty(); });
    if (in_body) {
      request.body = write_json_structure(input_, params_).dump();
      set_content_type(request, "application/json");
    }
    return {};
  }

 private:
  Result<std::string> label(std::string_view name) const {
    const bool greedy = name.ends_with('+');
    name.remove_suffix(greedy ? 1 : 0);
    for (const Member& member : input_.members) {
      if (member.location != "uri" || location_of(member, member.name) != name) {
        continue;
      }
      const Json* value = given(params_, member);
      const std::string text = value == nullptr ? "" : text_of(member, *value, TimestampFormat::iso8601);
      if (text.empty()) {
        return bad_member(member.name, "must not be empty: it is a part of the request's path");
      }
      if (has_dot_part(text, greedy)) {
        return bad_member(member.name, "must not be '.' or '..': such parts of a path would lead elsewhere");
      }
      return greedy ? encode_parts(text) : http::percent_encode(text);
    }
    return make_error(ErrorKind::corrupt, fmt::format("the model has no member for '{}' of the path", name));
  }

  static bool has_dot_part(std::string_view text, bool greedy) {
    const std::vector<std::string_view> parts = greedy ? split(text, '/') : std::vector<std::string_view>{text};
    return std::any_of(parts.begin(), parts.end(), [](std::string_view part) { return part == "." || part == ".."; });
  }

  static std::string encode_parts(std::string_view text) {
    std::string out;
    for (const std::string_view part : split(text, '/')) {
      out += (out.empty() && part.data() == text.data() ? "" : "/") + http::percent_encode(part);
    }
    return out;
  }

  void add_query(const Member& member, const Json& value) {
    const std::string name(location_of(member, member.name));
    if (const JsonObject* map = value.members()) {
      for (const auto& [key, inner] : *map) {
        add_query_values(member.shape->value, key, inner);
      }
    } else {
      add_query_values(member, name, value);
    }
  }

  // A list repeats the name.
  void add_query_values(const Member& member, const std::string& name, const Json& value) {
    const JsonArray* items = value.items();
    if (items == nullptr) {
      query_.emplace_back(name, text_of(member, value, TimestampFormat::iso8601));
      return;
    }
    for (const Json& item : *items) {
      query_.emplace_back(name, text_of(member.shape->item, item, TimestampFormat::iso8601));
    }
  }

  Result<> add_header(const Member& member, const Json& value) {
    std::string text;
    if (member.json_value) {
      text = base64_encode(value.dump());
    } else if (const JsonArray* items = value.items()) {
      for (const Json& item : *items) {
        text += (text.empty() ? "" : ",") + header_item(member.shape->item, item);
      }
      if (items->empty()) {
        return {};
      }
    } else {
      text = text_of(member, value, TimestampFormat::rfc822);
    }
    return add_header_text(member, std::string(location_of(member, member.name)), std::move(text));
  }

  // A text that a reader of the list would cut goes between quotes.
  static std::string header_item(const Member& member, const Json& value) {
    std::string text = text_of(member, value, TimestampFormat::rfc822);
    if (member.shape->type != ShapeType::string || text.find_first_of(",\"") == std::string::npos) {
      return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
      quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    }
    return quoted + "\"";
  }

  Result<> add_header_map(const Member& member, const Json& value) {
    const std::string prefix(location_of(member, ""));
    for (const auto& [key, inner] : *value.members()) {
      TRY(add_header_text(member, prefix + key, scalar_text(inner)));
    }
    return {};
  }

  Result<> add_header_text(const Member& member, std::string name, std::string text) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    const auto is_no_token = [&](char c) {
      return is_control(c) || static_cast<unsigned char>(c) > 0x7F ||
             std::string_view(" ()<>@,;:\\\"/[]?={}").find(c) != std::string_view::npos;
    };
    if (name.empty() || std::any_of(name.begin(), name.end(), is_no_token)) {
      return bad_member(member.name, fmt::format("'{}' is no name of a header", terminal_safe(name, 80)));
    }
    if (std::any_of(text.begin(), text.end(), is_control)) {
      return bad_member(member.name, "must not have control characters: it is sent as a header");
    }
    headers_.emplace_back(std::move(name), std::move(text));
    return {};
  }

  Result<> write_payload(WireRequest& request) {
    const Member* member = input_.find_member(input_.payload);
    CHECK(member != nullptr, input_.payload);
    const Json* value = given(params_, *member);
    const Shape& shape = *member->shape;
    if (!is_raw(shape)) {
      request.body = value == nullptr ? "{}" : write_json_member(*member, *value).dump();
      set_content_type(request, "application/json");
    } else if (value != nullptr) {
      const bool text = shape.type == ShapeType::string;
      request.body = text ? *value->string() : TRY(base64_decode(*value->string()));
      set_content_type(request, text ? "text/plain" : "application/octet-stream");
    }
    return {};
  }

  // A member that is this header wins.
  static void set_content_type(WireRequest& request, std::string type) {
    const bool present = std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
      return equals_ignore_case(header.first, "content-type");
    });
    if (!present) {
      request.headers.emplace_back("Content-Type", std::move(type));
    }
  }

  const Shape& input_;
  const Json& params_;
  std::vector<std::pair<std::string, std::string>> query_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

template <typename T>
Result<Json> read_number(std::string_view text) {
  T value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) {
    return bad_answer(fmt::format("a header says '{}' where a number belongs", terminal_safe(text, 40)));
  }
  return Json(value);
}

Result<Json> read_header_timestamp(const Member& member, std::string_view text) {
  if (format_of(member, TimestampFormat::rfc822) == TimestampFormat::unix_seconds) {
    const Json seconds = TRY(read_number<double>(text));
    return Json(to_iso8601(TRY(instant_from_seconds(*seconds.number()))));
  }
  return read_timestamp_text(std::string(text));
}

Result<Json> read_header_scalar(const Member& member, std::string_view text) {
  switch (member.shape->type) {
    case ShapeType::integer:
      return read_number<std::int64_t>(text);
    case ShapeType::floating:
      return read_number<double>(text);
    case ShapeType::boolean:
      return Json(equals_ignore_case(text, "true"));
    case ShapeType::timestamp:
      return read_header_timestamp(member, text);
    default:
      return Json(text);
  }
}

// "a, b" and "\"a, b\", c"; a date has a comma of its own.
std::vector<std::string> split_header_list(std::string_view text, bool dates) {
  std::vector<std::string> items(1);
  bool quoted = false;
  int commas = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 1 < text.size()) {
      items.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted && (!dates || ++commas % 2 == 0)) {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  for (std::string& item : items) {
    item = trim(item);
  }
  return items;
}

Result<Json> read_header_json(std::string_view text) {
  const Result<std::string> json = base64_decode(text);
  Result<Json> value = json ? parse_json(*json) : Result<Json>(Error(json.error()));
  return value ? std::move(value) : bad_answer("a header that should be JSON in base64 is not");
}

Result<Json> read_header(const Member& member, std::string_view text) {
  if (member.json_value) {
    return read_header_json(trim(text));
  }
  if (member.shape->type != ShapeType::list) {
    return read_header_scalar(member, trim(text));
  }
  const Member& item = member.shape->item;
  const bool dates =
      item.shape->type == ShapeType::timestamp && format_of(item, TimestampFormat::rfc822) == TimestampFormat::rfc822;
  JsonArray items;
  for (const std::string& part : split_header_list(text, dates)) {
    items.push_back(TRY(read_header_scalar(item, part)));
  }
  return Json(std::move(items));
}

Json read_header_map(const Member& member, const http::Headers& headers) {
  const std::string_view prefix = location_of(member, "");
  Json map = Json::object();
  for (const auto& [name, value] : headers) {
    if (equals_ignore_case(std::string_view(name).substr(0, prefix.size()), prefix)) {
      map.set(name.substr(prefix.size()), value);
    }
  }
  return map;
}

Result<> read_located(const Member& member, const http::Response& response, Json& out) {
  if (member.location == "statusCode") {
    out.set(member.name, response.status);
  } else if (member.location == "headers") {
    out.set(member.name, read_header_map(member, response.headers));
  } else if (member.location == "header") {
    if (const std::string* text = response.headers.find(location_of(member, member.name))) {
      out.set(member.name, TRY(read_header(member, *text)));
    }
  }
  return {};
}

Result<Json> body_json(const std::string& body) {
  if (trim(body).empty()) {
    return Json::object();
  }
  Result<Json> value = parse_json(body);
  if (!value) {
    return bad_answer(fmt::format("the answer is not JSON: {}", value.error().message));
  }
  return value;
}

Result<> read_payload(const Member& member, const http::Response& response, Json& out) {
  if (member.shape->type == ShapeType::blob) {
    out.set(member.name, base64_encode(response.body));
  } else if (member.shape->type == ShapeType::string) {
    out.set(member.name, response.body);
  } else if (const Json value = TRY(body_json(response.body)); !value.is_null()) {
    out.set(member.name, TRY(read_json_member(member, value)));
  }
  return {};
}

}  // namespace

Result<WireRequest> serialize_rest(const ServiceModel& /*model*/, const Operation& operation, const Json& params) {
  WireRequest request;
  request.method = operation.method;
  request.path = operation.uri;
  if (const Shape* input = operation.input.get()) {
    RestWriter writer(*input, params);
    TRY(writer.add_members());
    request.path = TRY(writer.render_path(operation.uri));
    TRY(writer.write_body(request));
  }
  return request;
}

Result<Json> parse_rest_result(const Operation& operation, const http::Response& response) {
  const Shape* output = operation.output.get();
  if (output == nullptr) {
    return Json::object();
  }
  Json out = Json::object();
  if (output->payload.empty()) {
    const Json body = TRY(body_json(response.body));
    out = TRY(read_json_structure(*output, body));
  } else if (const Member* payload = output->find_member(output->payload)) {
    TRY(read_payload(*payload, response, out));
  }
  for (const Member& member : output->members) {
    TRY(read_located(member, response, out));
  }
  return out;
}

}  // namespace parallax::aws
