// Requests of the ec2 and query protocols: forms.
#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/wire.h"
#include "sim/cloud/wire_check.h"

namespace parallax::sim {

namespace {

using aws::Member;
using aws::Protocol;
using aws::Shape;
using aws::ShapeType;

constexpr std::size_t kFieldsMax = 5000;
constexpr std::size_t kDepthMax = 24;

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Error malformed(std::string message) {
  return client_error("MalformedQueryString", std::move(message));
}

// Dotted keys as a tree.
struct Node {
  std::optional<std::string> value;
  std::map<std::string, Node, std::less<>> children;
};

Result<> add_field(Node& root, const std::string& key, std::string value) {
  Node* node = &root;
  std::size_t depth = 0;
  for (const std::string_view part : split(key, '.')) {
    if (++depth > kDepthMax) {
      return malformed("A parameter is nested too deeply.");
    }
    if (part.empty()) {
      return malformed("The query string contains a parameter without a name.");
    }
    node = &node->children.try_emplace(std::string(part)).first->second;
  }
  if (node->value) {
    return client_error("InvalidParameterCombination", fmt::format("The parameter {} is given twice", key));
  }
  node->value = std::move(value);
  return {};
}

Result<Node> parse_form(std::string_view body) {
  Node root;
  std::size_t fields = 0;
  for (const std::string_view field : split(body, '&')) {
    if (field.empty()) {
      continue;
    }
    if (++fields > kFieldsMax) {
      return malformed("The query string has too many fields.");
    }
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos) {
      return malformed("The query string contains a syntax error.");
    }
    const std::string key = TRY(percent_decode(field.substr(0, equals), PlusSign::blank));
    std::string value = TRY(percent_decode(field.substr(equals + 1), PlusSign::blank));
    if (to_utf8(value) != value || to_utf8(key) != key) {
      return malformed("The query string is not UTF-8.");
    }
    TRY(add_field(root, key, std::move(value)));
  }
  return root;
}

std::string form_name(const Member& member, Protocol protocol) {
  if (protocol != Protocol::ec2) {
    // A flattened list goes by the name of its items.
    if (member.shape->type == ShapeType::list && (member.flattened || member.shape->flattened) &&
        !member.shape->item.location_name.empty()) {
      return member.shape->item.location_name;
    }
    return member.wire_name();
  }
  if (!member.query_name.empty()) {
    return member.query_name;
  }
  std::string name = member.wire_name();
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') {
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
  }
  return name;
}

const std::string& or_default(const std::string& name, const std::string& fallback) {
  return name.empty() ? fallback : name;
}

class FormReader {
 public:
  explicit FormReader(Protocol protocol) : protocol_(protocol) {}

  Result<Json> read_structure(const Shape& shape, const Node& node, const std::string& path) const {
    if (node.value) {
      return bad_value(*node.value, path);
    }
    Json json = Json::object();
    std::size_t used = 0;
    for (const Member& member : shape.members) {
      const std::string name = form_name(member, protocol_);
      const auto child = node.children.find(name);
      const std::string inner = path.empty() ? name : path + "." + name;
      if (child != node.children.end()) {
        ++used;
        json.set(member.name, TRY(read(member, child->second, inner)));
      } else if (member.required) {
        return missing(inner);
      }
    }
    if (used != node.children.size()) {
      for (const auto& [name, child] : node.children) {
        if (std::ranges::none_of(shape.members,
                                 [&, &n = name](const Member& m) { return form_name(m, protocol_) == n; })) {
          return unknown(path.empty() ? name : path + "." + name);
        }
      }
    }
    return json;
  }

 private:
  Result<Json> read(const Member& member, const Node& node, const std::string& path) const {
    const Shape& shape = *member.shape;
    const bool flattened = member.flattened || shape.flattened;
    if (shape.type == ShapeType::structure) {
      return read_structure(shape, node, path);
    }
    if (shape.type == ShapeType::list) {
      return read_list(shape, flattened, node, path);
    }
    if (shape.type == ShapeType::map) {
      return read_map(shape, flattened, node, path);
    }
    if (!node.children.empty() || !node.value) {
      return unknown(path + (node.children.empty() ? "" : "." + node.children.begin()->first));
    }
    const Result<Json> value = scalar_from_text(shape, *node.value);
    return value ? value : Result<Json>(bad_value(*node.value, path));
  }

  // Calls `take` with each of the numbered children, 1 first.
  template <typename Take>
  Result<> each_numbered(const Node& node, const std::string& path, Take take) const {
    if (node.value) {
      return unknown(path);
    }
    for (std::size_t i = 1; i <= node.children.size(); ++i) {
      const std::string number = std::to_string(i);
      const auto child = node.children.find(number);
      if (child == node.children.end()) {
        return unknown(path + "." + out_of_order(node));
      }
      TRY(take(child->second, path + "." + number));
    }
    return {};
  }

  // The first child that is not one of 1, 2, ... without a gap.
  static std::string out_of_order(const Node& node) {
    for (const auto& [name, child] : node.children) {
      std::size_t number = 0;
      while (number <= node.children.size() && std::to_string(number) != name) {
        ++number;
      }
      if (number == 0 || number > node.children.size()) {
        return name;
      }
    }
    return "1";
  }

  Result<Json> read_list(const Shape& shape, bool flattened, const Node& node, const std::string& path) const {
    static const std::string kMember = "member";
    const Node* items = &node;
    std::string inner = path;
    if (protocol_ == Protocol::query) {
      if (node.value && node.value->empty() && node.children.empty()) {
        return Json(JsonArray{});
      }
      if (!flattened) {
        const std::string& name = or_default(shape.item.location_name, kMember);
        const auto member = node.children.find(name);
        if (node.value || member == node.children.end() || node.children.size() != 1) {
          return unknown(path + (node.children.empty() ? "" : "." + stranger(node, name)));
        }
        items = &member->second;
        inner += "." + name;
      }
    }
    JsonArray list;
    const auto add = [&](const Node& child, const std::string& where) -> Result<> {
      list.push_back(TRY(read(shape.item, child, where)));
      return {};
    };
    TRY(each_numbered(*items, inner, add));
    return Json(std::move(list));
  }

  static std::string stranger(const Node& node, const std::string& expected) {
    const auto found = std::ranges::find_if(node.children, [&](const auto& child) { return child.first != expected; });
    return found == node.children.end() ? expected : found->first;
  }

  Result<Json> read_map(const Shape& shape, bool flattened, const Node& node, const std::string& path) const {
    static const std::string kKey = "key";
    static const std::string kValue = "value";
    const Node* entries = &node;
    std::string inner = path;
    if (!flattened) {
      const auto entry = node.children.find("entry");
      if (node.value || entry == node.children.end() || node.children.size() != 1) {
        return unknown(path + (node.children.empty() ? "" : "." + stranger(node, "entry")));
      }
      entries = &entry->second;
      inner += ".entry";
    }
    const std::string& key_name = or_default(shape.key.location_name, kKey);
    const std::string& value_name = or_default(shape.value.location_name, kValue);
    Json map = Json::object();
    const auto add = [&](const Node& child, const std::string& where) -> Result<> {
      const auto key = child.children.find(key_name);
      const auto value = child.children.find(value_name);
      if (key == child.children.end() || !key->second.value || value == child.children.end() ||
          child.children.size() != 2) {
        return unknown(where);
      }
      if (map.find(*key->second.value) != nullptr) {
        return bad_value(*key->second.value, where + "." + key_name);
      }
      map.set(*key->second.value, TRY(read(shape.value, value->second, where + "." + value_name)));
      return {};
    };
    TRY(each_numbered(*entries, inner, add));
    return map;
  }

  Error unknown(const std::string& path) const {
    return client_error(protocol_ == Protocol::ec2 ? "UnknownParameter" : "ValidationError",
                        fmt::format("The parameter {} is not recognized", path));
  }

  Error missing(const std::string& path) const {
    return protocol_ == Protocol::ec2
               ? client_error("MissingParameter", fmt::format("The request must contain the parameter {}", path))
               : client_error("ValidationError", validation_message({must_not_be_null(message_name(path))}));
  }

  Error bad_value(const std::string& value, const std::string& path) const {
    return client_error(protocol_ == Protocol::ec2 ? "InvalidParameterValue" : "MalformedInput",
                        fmt::format("Invalid value '{}' for {}.", value, path));
  }

  Protocol protocol_;
};

}  // namespace

Result<std::string> percent_decode(std::string_view text, PlusSign plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == PlusSign::blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return malformed("The query string contains a syntax error.");
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string form_field(std::string_view body, std::string_view name) {
  for (const std::string_view field : split(body, '&')) {
    const std::size_t equals = field.find('=');
    if (equals != std::string_view::npos && field.substr(0, equals) == name) {
      return percent_decode(field.substr(equals + 1), PlusSign::blank).value_or("");
    }
  }
  return "";
}

Result<Json> decode_form(const aws::ServiceModel& model, const aws::Operation& operation, std::string_view body) {
  Node root = TRY(parse_form(body));
  root.children.erase("Action");
  root.children.erase("Version");
  const Protocol protocol = model.metadata().protocol;
  static const Shape kNothing;
  const Shape& shape = operation.input ? *operation.input : kNothing;
  Json input = TRY(FormReader(protocol).read_structure(shape, root, ""));
  const std::vector<std::string> broken = broken_constraints(shape, input);
  if (!broken.empty()) {
    return client_error(protocol == Protocol::ec2 ? "InvalidParameterValue" : "ValidationError",
                        validation_message(broken));
  }
  return input;
}

}  // namespace parallax::sim
