// The answers: XML and JSON.
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

std::string scalar_to_text(const Shape& shape, const Json& value) {
  if (shape.type == ShapeType::timestamp) {
    return iso_millis(Instant(Micros(std::llround(value.number().value_or(0) * 1e6))));
  }
  if (const std::string* text = value.string()) {
    return *text;
  }
  return value.dump();
}

void write_xml(std::string& out, const Shape& shape, const Json& value);

void write_element(std::string& out, const std::string& name, const Shape& shape, const Json& value) {
  if (value.is_null()) {
    return;
  }
  out += '<' + name + '>';
  write_xml(out, shape, value);
  out += "</" + name + '>';
}

void write_members(std::string& out, const Shape& shape, const Json& value) {
  for (const Member& member : shape.members) {
    if (const Json* inner = value.find(member.name)) {
      write_element(out, member.wire_name(), *member.shape, *inner);
    }
  }
}

void write_xml(std::string& out, const Shape& shape, const Json& value) {
  if (shape.type == ShapeType::structure) {
    write_members(out, shape, value);
  } else if (shape.type == ShapeType::list) {
    const std::string name = shape.item.location_name.empty() ? "member" : shape.item.location_name;
    if (const JsonArray* items = value.items()) {
      for (const Json& item : *items) {
        write_element(out, name, *shape.item.shape, item);
      }
    }
  } else {
    out += xml_escape(scalar_to_text(shape, value));
  }
}

Json known_only(const Shape& shape, const Json& value) {
  if (shape.type == ShapeType::structure && value.is_object()) {
    Json out = Json::object();
    for (const Member& member : shape.members) {
      if (const Json* inner = value.find(member.name); inner != nullptr && !inner->is_null()) {
        out.set(member.name, known_only(*member.shape, *inner));
      }
    }
    return out;
  }
  if (shape.type == ShapeType::list && value.is_array()) {
    JsonArray out;
    for (const Json& item : *value.items()) {
      out.push_back(known_only(*shape.item.shape, item));
    }
    return out;
  }
  return value;
}

}  // namespace

std::string encode_xml(const aws::ServiceModel& model, const aws::Operation& operation, const Json& output,
                       std::string_view request_id) {
  const aws::Metadata& metadata = model.metadata();
  std::string xmlns = metadata.xml_namespace;
  if (!xmlns.ends_with('/')) {
    xmlns += '/';
  }
  std::string out =
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{}Response xmlns=\"{}\">", operation.name, xmlns);
  if (metadata.protocol == Protocol::ec2) {
    out += fmt::format("<requestId>{}</requestId>", request_id);
    if (operation.output && !operation.output->members.empty()) {
      write_members(out, *operation.output, output);
    } else {
      out += "<return>true</return>";
    }
  } else {
    out += fmt::format("<{}Result>", operation.name);
    if (operation.output) {
      write_members(out, *operation.output, output);
    }
    out += fmt::format("</{}Result><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>", operation.name,
                       request_id);
  }
  return out + fmt::format("</{}Response>", operation.name);
}

std::string encode_json(const aws::Operation& operation, const Json& output) {
  return operation.output ? known_only(*operation.output, output).dump() : "{}";
}

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : to_utf8(text)) {
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
  return out;
}

}  // namespace parallax::sim
