// The answers: XML and JSON, results and errors.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/wire.h"

namespace parallax::sim {

namespace {

using aws::Member;
using aws::Protocol;
using aws::Shape;
using aws::ShapeType;
using aws::TimestampFormat;

Instant instant_of(const Json& value) {
  return Instant(Micros(std::llround(value.number().value_or(0) * 1e6)));
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default:
        // XML 1.0 has no way to write the other control characters.
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
}

class XmlWriter {
 public:
  explicit XmlWriter(std::string& out) : out_(out) {}

  void members(const Shape& shape, const Json& value) {
    for (const Member& member : shape.members) {
      if (const Json* inner = value.find(member.name); inner != nullptr && !inner->is_null()) {
        this->member(member, *inner);
      }
    }
  }

 private:
  void member(const Member& member, const Json& value) {
    const Shape& shape = *member.shape;
    const bool flat = member.flattened || shape.flattened;
    if (const JsonArray* items = value.items(); flat && items != nullptr && shape.type == ShapeType::list) {
      // A flattened list goes by the name of its items, if they have one.
      const std::string& name = shape.item.location_name.empty() ? member.wire_name() : shape.item.location_name;
      for (const Json& item : *items) {
        element(name, *shape.item.shape, item);
      }
    } else if (const JsonObject* entries = value.members();
               flat && entries != nullptr && shape.type == ShapeType::map) {
      for (const auto& [key, inner] : *entries) {
        entry(member.wire_name(), shape, key, inner);
      }
    } else {
      element(member.wire_name(), shape, value);
    }
  }

  void element(const std::string& name, const Shape& shape, const Json& value) {
    if (value.is_null()) {
      return;
    }
    out_.append(1, '<').append(name).append(1, '>');
    content(shape, value);
    out_.append("</").append(name).append(1, '>');
  }

  void entry(const std::string& name, const Shape& shape, const std::string& key, const Json& value) {
    static const std::string kKey = "key";
    static const std::string kValue = "value";
    out_.append(1, '<').append(name).append(1, '>');
    element(shape.key.location_name.empty() ? kKey : shape.key.location_name, *shape.key.shape, key);
    element(shape.value.location_name.empty() ? kValue : shape.value.location_name, *shape.value.shape, value);
    out_.append("</").append(name).append(1, '>');
  }

  void content(const Shape& shape, const Json& value) {
    static const std::string kMember = "member";
    static const std::string kEntry = "entry";
    if (shape.type == ShapeType::structure) {
      members(shape, value);
    } else if (shape.type == ShapeType::list) {
      const std::string& name = shape.item.location_name.empty() ? kMember : shape.item.location_name;
      if (const JsonArray* items = value.items()) {
        for (const Json& item : *items) {
          element(name, *shape.item.shape, item);
        }
      }
    } else if (shape.type == ShapeType::map) {
      if (const JsonObject* entries = value.members()) {
        for (const auto& [key, inner] : *entries) {
          entry(kEntry, shape, key, inner);
        }
      }
    } else {
      scalar(shape, value);
    }
  }

  void scalar(const Shape& shape, const Json& value) {
    if (shape.type == ShapeType::timestamp) {
      out_ += iso_millis(instant_of(value));
    } else if (const std::string* text = value.string()) {
      append_escaped(out_, to_utf8(*text));
    } else {
      out_ += value.dump();
    }
  }

  std::string& out_;
};

Json json_value(const Member& at, const Json& value) {
  const Shape& shape = *at.shape;
  if (const JsonObject* members = value.members(); members != nullptr && shape.type == ShapeType::structure) {
    Json out = Json::object();
    for (const Member& member : shape.members) {
      if (const Json* inner = value.find(member.name); inner != nullptr && !inner->is_null()) {
        out.members()->append(member.wire_name(), json_value(member, *inner));
      }
    }
    return out;
  }
  if (const JsonObject* members = value.members(); members != nullptr && shape.type == ShapeType::map) {
    Json out = Json::object();
    for (const auto& [key, inner] : *members) {
      out.set(key, json_value(shape.value, inner));
    }
    return out;
  }
  if (const JsonArray* items = value.items(); items != nullptr && shape.type == ShapeType::list) {
    JsonArray out;
    for (const Json& item : *items) {
      out.push_back(json_value(shape.item, item));
    }
    return out;
  }
  if (shape.type == ShapeType::timestamp && value.is_number()) {
    const TimestampFormat format =
        at.timestamp_format == TimestampFormat::unset ? shape.timestamp_format : at.timestamp_format;
    if (format == TimestampFormat::iso8601) {
      return iso_millis(instant_of(value));
    }
    return format == TimestampFormat::rfc822 ? Json(to_http_date(instant_of(value))) : value;
  }
  return value;
}

std::string namespace_of(const aws::ServiceModel& model) {
  std::string xmlns = model.metadata().xml_namespace;
  if (!xmlns.ends_with('/')) {
    xmlns += '/';
  }
  return xmlns;
}

http::Response make_response(int status, std::string content_type, std::string body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", std::move(content_type));
  response.body = std::move(body);
  return response;
}

std::string json_type(const aws::ServiceModel& model) {
  const std::string& version = model.metadata().json_version;
  return "application/x-amz-json-" + (version.empty() ? std::string("1.1") : version);
}

// The shape of the exception with that code, by the names it may have: NoSuchEntity, NoSuchEntityException.
const Shape* exception_of(const aws::ServiceModel& model, const std::string& code) {
  for (const std::string& name : {code, code + "Exception", code + "Fault"}) {
    const Shape* shape = model.find_shape(name);
    if (shape != nullptr && shape->exception && (name == code || shape->error_code == code)) {
      return shape;
    }
  }
  return nullptr;
}

Json error_document(const Shape* shape, const std::string& message, Json document) {
  if (!message.empty()) {
    const bool capital = shape != nullptr && shape->find_member("Message") != nullptr;
    document.set(capital ? "Message" : "message", message);
  }
  return document;
}

}  // namespace

http::Response encode_answer(const aws::ServiceModel& model, const aws::Operation& operation, const Json& output,
                             const std::string& request_id) {
  http::Response response;
  switch (model.metadata().protocol) {
    case Protocol::ec2:
    case Protocol::query:
      response = make_response(200, "text/xml;charset=UTF-8", encode_xml(model, operation, output, request_id));
      break;
    case Protocol::rest_json:
      response = encode_rest_json(operation, output);
      break;
    case Protocol::json:
    case Protocol::other:
      response = make_response(200, json_type(model), encode_json(operation, output));
      break;
  }
  response.headers.set("x-amzn-RequestId", request_id);
  return response;
}

std::string encode_xml(const aws::ServiceModel& model, const aws::Operation& operation, const Json& output,
                       std::string_view request_id) {
  std::string out = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{}Response xmlns=\"{}\">", operation.name,
                                namespace_of(model));
  XmlWriter writer(out);
  if (model.metadata().protocol == Protocol::ec2) {
    out += fmt::format("<requestId>{}</requestId>", request_id);
    if (operation.output && !operation.output->members.empty()) {
      writer.members(*operation.output, output);
    } else {
      out += "<return>true</return>";
    }
  } else {
    out += fmt::format("<{}Result>", operation.name);
    if (operation.output) {
      writer.members(*operation.output, output);
    }
    out += fmt::format("</{}Result><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>", operation.name,
                       request_id);
  }
  return out + fmt::format("</{}Response>", operation.name);
}

std::string encode_json(const aws::Operation& operation, const Json& output) {
  Member whole;
  whole.shape = operation.output;
  return operation.output ? json_value(whole, output).dump() : "{}";
}

http::Response encode_error(const aws::ServiceModel& model, const Error& error, const std::string& request_id) {
  const Shape* shape = exception_of(model, error.code);
  const std::string code = shape != nullptr && !shape->error_code.empty() ? shape->error_code : error.code;
  int status = error.status == 0 ? 400 : error.status;
  if (shape != nullptr && shape->error_status != 0) {
    status = shape->error_status;
  }
  http::Response response;
  switch (model.metadata().protocol) {
    case Protocol::ec2:
      response = make_response(
          status, "text/xml;charset=UTF-8",
          fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code>"
                      "<Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>",
                      xml_escape(code), xml_escape(error.message), request_id));
      break;
    case Protocol::query:
      response = make_response(
          status, "text/xml",
          fmt::format("<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error>"
                      "<RequestId>{}</RequestId></ErrorResponse>",
                      namespace_of(model), status >= 500 ? "Receiver" : "Sender", xml_escape(code),
                      xml_escape(error.message), request_id));
      break;
    case Protocol::rest_json:
      response =
          make_response(status, "application/json", error_document(shape, error.message, Json::object({})).dump());
      response.headers.set("x-amzn-errortype", code);
      break;
    case Protocol::json:
    case Protocol::other:
      response = make_response(status, json_type(model),
                               error_document(shape, error.message, Json::object({{"__type", code}})).dump());
      break;
  }
  response.headers.set("x-amzn-RequestId", request_id);
  return response;
}

std::string xml_escape(std::string_view text) {
  std::string out;
  append_escaped(out, to_utf8(text));
  return out;
}

}  // namespace parallax::sim
