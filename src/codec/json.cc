#include "codec/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace parallax {

const Json* JsonObject::find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.first == name) {
      return &member.second;
    }
  }
  return nullptr;
}

Json* JsonObject::find(std::string_view name) {
  return const_cast<Json*>(
      std::as_const(*this).find(name));  // NOLINT(cppcoreguidelines-pro-type-const-cast): *this is not const
}

Json& JsonObject::set(std::string name, Json value) {
  if (Json* existing = find(name)) {
    *existing = std::move(value);
    return *existing;
  }
  return members_.emplace_back(std::move(name), std::move(value)).second;
}

void JsonObject::append(std::string name, Json value) {
  members_.emplace_back(std::move(name), std::move(value));
}

bool JsonObject::erase(std::string_view name) {
  return std::erase_if(members_, [&](const Member& member) { return member.first == name; }) > 0;
}

void JsonObject::reserve(std::size_t members) {
  members_.reserve(members);
}

bool JsonObject::empty() const {
  return members_.empty();
}

std::size_t JsonObject::size() const {
  return members_.size();
}

std::vector<JsonObject::Member>::const_iterator JsonObject::begin() const {
  return members_.begin();
}

std::vector<JsonObject::Member>::const_iterator JsonObject::end() const {
  return members_.end();
}

std::vector<JsonObject::Member>::iterator JsonObject::begin() {
  return members_.begin();
}

std::vector<JsonObject::Member>::iterator JsonObject::end() {
  return members_.end();
}

Json::Json(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    value_ = static_cast<std::int64_t>(value);
  } else {
    value_ = static_cast<double>(value);
  }
}

Json Json::object(std::initializer_list<std::pair<std::string, Json>> members) {
  JsonObject object;
  for (const auto& [name, value] : members) {
    object.set(name, value);
  }
  return Json(std::move(object));
}

Json Json::array(std::initializer_list<Json> items) {
  return Json(JsonArray(items));
}

std::string_view Json::type_name() const {
  constexpr std::string_view kNames[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
  return kNames[value_.index()];
}

std::optional<bool> Json::boolean() const {
  const bool* value = std::get_if<bool>(&value_);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::int64_t> Json::integer() const {
  if (const std::int64_t* value = std::get_if<std::int64_t>(&value_)) {
    return *value;
  }
  if (const double* value = std::get_if<double>(&value_)) {
    constexpr double kExact = 9007199254740992.0;  // 2^53: above it a double skips integers
    if (std::trunc(*value) == *value && std::abs(*value) <= kExact) {
      return static_cast<std::int64_t>(*value);
    }
  }
  return std::nullopt;
}

std::optional<double> Json::number() const {
  if (const std::int64_t* value = std::get_if<std::int64_t>(&value_)) {
    return static_cast<double>(*value);
  }
  const double* value = std::get_if<double>(&value_);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

const Json* Json::find(std::string_view name) const {
  const JsonObject* object = members();
  return object == nullptr ? nullptr : object->find(name);
}

std::string Json::text(std::string_view name, std::string_view fallback) const {
  const Json* member = find(name);
  const std::string* value = member == nullptr ? nullptr : member->string();
  return value == nullptr ? std::string(fallback) : *value;
}

std::int64_t Json::integer(std::string_view name, std::int64_t fallback) const {
  const Json* member = find(name);
  return member == nullptr ? fallback : member->integer().value_or(fallback);
}

double Json::number(std::string_view name, double fallback) const {
  const Json* member = find(name);
  return member == nullptr ? fallback : member->number().value_or(fallback);
}

bool Json::boolean(std::string_view name, bool fallback) const {
  const Json* member = find(name);
  return member == nullptr ? fallback : member->boolean().value_or(fallback);
}

const JsonArray& Json::list(std::string_view name) const {
  static const JsonArray kEmpty;
  const Json* member = find(name);
  const JsonArray* array = member == nullptr ? nullptr : member->items();
  return array == nullptr ? kEmpty : *array;
}

Json& Json::set(std::string name, Json value) {
  if (is_null()) {
    value_ = JsonObject();
  }
  JsonObject* object = members();
  CHECK(object != nullptr, name);
  return object->set(std::move(name), std::move(value));
}

Json& Json::set_if(std::string name, Json value) {
  if (is_null()) {
    value_ = JsonObject();
  }
  if (!value.is_null()) {
    set(std::move(name), std::move(value));
  }
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) {
    value_ = JsonArray();
  }
  JsonArray* array = items();
  CHECK(array != nullptr, "push() on a value that is no array");
  return array->emplace_back(std::move(value));
}

bool operator==(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    return a.is_integer() && b.is_integer() ? a.integer() == b.integer() : a.number() == b.number();
  }
  if (a.value_.index() != b.value_.index()) {
    return false;
  }
  if (const JsonObject* left = a.members()) {
    const JsonObject* right = b.members();
    return left->size() == right->size() && std::all_of(left->begin(), left->end(), [&](const auto& member) {
             const Json* other = right->find(member.first);
             return other != nullptr && member.second == *other;
           });
  }
  if (const JsonArray* left = a.items()) {
    return *left == *b.items();
  }
  if (const std::string* left = a.string()) {
    return *left == *b.string();
  }
  return a.boolean() == b.boolean();
}

namespace {

enum class Style { compact, pretty, canonical };

void write_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20 || byte == 0x7F) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void write_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";  // JSON has no NaN
    return;
  }
  char buffer[32];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  CHECK(status == std::errc());
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  // "1" would read back as an integer; that is equal, but keep what it was.
  if (text.find_first_of(".e") == std::string_view::npos) {
    out += ".0";
  }
}

class Writer {
 public:
  explicit Writer(Style style) : style_(style) {}

  std::string take() { return std::move(out_); }

  void write(const Json& value, std::size_t indent) {
    if (const std::string* text = value.string()) {
      write_string(out_, is_ascii(*text) ? std::string_view(*text) : std::string_view(to_utf8(*text)));
    } else if (value.is_integer()) {
      fmt::format_to(std::back_inserter(out_), "{}", *value.integer());
    } else if (value.is_number()) {
      write_double(out_, *value.number());
    } else if (value.is_bool()) {
      out_ += *value.boolean() ? "true" : "false";
    } else if (const JsonArray* items = value.items()) {
      write_array(*items, indent);
    } else if (const JsonObject* members = value.members()) {
      write_object(*members, indent);
    } else {
      out_ += "null";
    }
  }

 private:
  void new_line(std::size_t indent) {
    if (style_ == Style::pretty) {
      out_ += '\n';
      out_.append(indent * 2, ' ');
    }
  }

  void write_array(const JsonArray& items, std::size_t indent) {
    out_ += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      out_ += i == 0 ? "" : ",";
      new_line(indent + 1);
      write(items[i], indent + 1);
    }
    if (!items.empty()) {
      new_line(indent);
    }
    out_ += ']';
  }

  void write_object(const JsonObject& object, std::size_t indent) {
    std::vector<const JsonObject::Member*> members;
    for (const JsonObject::Member& member : object) {
      members.push_back(&member);
    }
    if (style_ == Style::canonical) {
      std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    out_ += '{';
    bool first = true;
    for (const JsonObject::Member* member : members) {
      out_ += first ? "" : ",";
      first = false;
      new_line(indent + 1);
      write_string(out_, to_utf8(member->first));
      out_ += style_ == Style::pretty ? ": " : ":";
      write(member->second, indent + 1);
    }
    if (!members.empty()) {
      new_line(indent);
    }
    out_ += '}';
  }

  Style style_;
  std::string out_;
};

std::string write(const Json& value, Style style) {
  Writer writer(style);
  writer.write(value, 0);
  return writer.take();
}

// Builds our values from nlohmann's events, so that depth and count are limited while reading.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return add(Json()); }

  bool boolean(bool value) override { return add(Json(value)); }

  bool number_integer(number_integer_t value) override { return add(Json(static_cast<std::int64_t>(value))); }

  bool number_unsigned(number_unsigned_t value) override { return add(Json(static_cast<std::uint64_t>(value))); }

  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(Json(value)); }

  bool string(string_t& value) override { return add(Json(std::move(value))); }

  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*size*/) override { return open(Json(JsonObject())); }

  bool end_object() override { return close(); }

  bool start_array(std::size_t /*size*/) override { return open(Json(JsonArray())); }

  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Frame& frame = stack_.back();
    // A linear look is enough for small objects; a hostile one with many names gets a set.
    const JsonObject& object = *frame.value.members();
    constexpr std::size_t kFew = 32;
    bool repeated = false;
    if (object.size() < kFew) {
      repeated = object.find(name) != nullptr;
    } else {
      if (frame.names.empty()) {
        for (const auto& member : object) {
          frame.names.insert(member.first);
        }
      }
      repeated = !frame.names.insert(name).second;
    }
    if (repeated) {
      return fail(make_error(ErrorKind::invalid,
                             fmt::format("the name '{}' appears twice in one object", terminal_safe(name, 80))));
    }
    frame.name = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& problem) override {
    position_ = position;
    std::string_view what = problem.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ...": keep the last part.
    const std::size_t at = what.find(": ");
    what = at == std::string_view::npos ? what : what.substr(at + 2);
    return fail(make_error(ErrorKind::invalid, terminal_safe(what, 300)));
  }

  std::optional<Error> error;
  Json root;

  std::size_t position() const { return position_; }

 private:
  struct Frame {
    Json value;
    std::string name;
    std::unordered_set<std::string> names;
  };

  bool fail(Error problem) {
    if (!error) {
      error = std::move(problem);
    }
    return false;
  }

  bool count() {
    if (++values_ > limits_.values_max) {
      return fail(make_error(ErrorKind::refused, fmt::format("more than {} JSON values", limits_.values_max)));
    }
    return true;
  }

  bool add(Json value) {
    if (!count()) {
      return false;
    }
    place(std::move(value));
    return true;
  }

  void place(Json value) {
    if (stack_.empty()) {
      root = std::move(value);
      return;
    }
    Frame& frame = stack_.back();
    if (JsonObject* object = frame.value.members()) {
      object->append(std::move(frame.name), std::move(value));
    } else {
      frame.value.items()->push_back(std::move(value));
    }
  }

  bool open(Json value) {
    if (!count()) {
      return false;
    }
    if (stack_.size() >= limits_.depth_max) {
      return fail(make_error(ErrorKind::refused, fmt::format("JSON nested deeper than {}", limits_.depth_max)));
    }
    stack_.push_back(Frame{std::move(value), {}, {}});
    return true;
  }

  bool close() {
    Json value = std::move(stack_.back().value);
    stack_.pop_back();
    place(std::move(value));
    return true;
  }

  const JsonLimits& limits_;
  std::vector<Frame> stack_;
  std::size_t values_ = 0;
  std::size_t position_ = 0;
};

std::string place_of(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, std::min(position == 0 ? 0 : position - 1, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t last = before.rfind('\n');
  const std::size_t column = before.size() - (last == std::string_view::npos ? 0 : last + 1) + 1;
  return fmt::format("line {}, column {}", line, column);
}

}  // namespace

std::string Json::dump() const {
  return write(*this, Style::compact);
}

std::string Json::pretty() const {
  return write(*this, Style::pretty);
}

std::string Json::canonical() const {
  return write(*this, Style::canonical);
}

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return make_error(ErrorKind::refused,
                      fmt::format("JSON of {} bytes; the limit is {}", text.size(), limits.bytes_max));
  }
  Builder builder(limits);
  const bool good = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  if (!good || builder.error) {
    Error error = builder.error.value_or(make_error(ErrorKind::invalid, "not JSON"));
    if (error.kind == ErrorKind::invalid && builder.position() > 0) {
      error.message = place_of(text, builder.position()) + ": " + error.message;
    }
    return error;
  }
  return std::move(builder.root);
}

std::string json_quote(std::string_view text) {
  std::string plain;
  write_string(plain, to_utf8(text));
  std::string safe;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] == '<') {
      safe += "\\u003c";
    } else if (plain.compare(i, 3, "\xE2\x80\xA8") == 0 || plain.compare(i, 3, "\xE2\x80\xA9") == 0) {
      safe += plain[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      safe += plain[i];
    }
  }
  return safe;
}

}  // namespace parallax
