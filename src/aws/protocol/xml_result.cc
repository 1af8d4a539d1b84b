#include "aws/protocol/xml_result.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/protocol/values.h"
#include "base/text.h"
#include "codec/xml_scan.h"

namespace parallax::aws {

namespace {

constexpr std::uint64_t kAnswerBytesMax = 64U << 20U;
constexpr std::size_t kParserMemoryMax = 32U << 20U;
constexpr std::size_t kElementsMax = 4'000'000;

struct Plan;

// A member of a structure by the name of its element.
struct Field {
  std::string_view name;
  Plan* plan = nullptr;     // of the member; of one item where `repeated`
  std::uint32_t slot = 0;   // the member's place in the model
  bool repeated = false;    // a flattened list or map: each element is one item
  std::uint32_t after = 0;  // the field that came after this one last time: services write members in one order
};

// How an element of one shape is read, made when the first such element comes.
struct Plan {
  enum class Kind { structure, list, map, entry, scalar };

  Kind kind = Kind::scalar;
  const Shape* shape = nullptr;  // entry: the map's
  bool ready = false;
  std::vector<Field> fields;  // structure: by name; entry: key and value
  std::uint32_t first = 0;    // structure: the field that came first last time
  bool has_repeated = false;  // structure
  Plan* item = nullptr;       // list: of an item; map: of an entry
};

// Plans by shape: shapes may contain themselves.
class Plans {
 public:
  Plan* of(const Shape& shape) {
    switch (shape.type) {
      case ShapeType::structure:
        return make(Plan::Kind::structure, shape);
      case ShapeType::list:
        return make(Plan::Kind::list, shape);
      case ShapeType::map:
        return make(Plan::Kind::map, shape);
      default:
        return make(Plan::Kind::scalar, shape);
    }
  }

  void prepare(Plan& plan) {
    plan.ready = true;
    const Shape& shape = *plan.shape;
    switch (plan.kind) {
      case Plan::Kind::structure:
        prepare_structure(plan);
        break;
      case Plan::Kind::list:
        plan.item = of(*shape.item.shape);
        break;
      case Plan::Kind::map:
        plan.item = make(Plan::Kind::entry, shape);
        break;
      case Plan::Kind::entry:
        plan.fields.push_back({location_of(shape.key, "key"), of(*shape.key.shape), 0, false, 1});
        plan.fields.push_back({location_of(shape.value, "value"), of(*shape.value.shape), 1, false, 0});
        break;
      case Plan::Kind::scalar:
        break;
    }
  }

 private:
  Plan* make(Plan::Kind kind, const Shape& shape) {
    std::unique_ptr<Plan>& plan = (kind == Plan::Kind::entry ? entries_ : plans_)[&shape];
    if (plan == nullptr) {
      plan = std::make_unique<Plan>();
      plan->kind = kind;
      plan->shape = &shape;
    }
    return plan.get();
  }

  void prepare_structure(Plan& plan) {
    for (const Member& member : plan.shape->members) {
      const Shape& inner = *member.shape;
      const bool flat = member.flattened || inner.flattened;
      const bool list = flat && inner.type == ShapeType::list;
      const bool map = flat && inner.type == ShapeType::map;
      const std::string_view own = location_of(member, member.name);
      Field field;
      field.name = list ? location_of(inner.item, own) : own;
      field.plan = list ? of(*inner.item.shape) : map ? make(Plan::Kind::entry, inner) : of(inner);
      field.slot = static_cast<std::uint32_t>(plan.fields.size());
      field.repeated = list || map;
      plan.has_repeated = plan.has_repeated || field.repeated;
      plan.fields.push_back(field);
    }
    std::stable_sort(plan.fields.begin(), plan.fields.end(),
                     [](const Field& a, const Field& b) { return a.name < b.name; });
  }

  std::unordered_map<const Shape*, std::unique_ptr<Plan>> plans_, entries_;
};

template <typename T>
Result<Json> read_number(std::string_view text) {
  T value{};
  const std::string_view digits = trim(text);
  if (digits.empty()) {
    return Json();
  }
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (status != std::errc() || end != digits.data() + digits.size()) {
    return bad_answer(fmt::format("'{}' where a number belongs", terminal_safe(text, 40)));
  }
  return Json(value);
}

Result<Json> read_scalar(const Shape& shape, const std::string& text) {
  switch (shape.type) {
    case ShapeType::integer:
      return read_number<std::int64_t>(text);
    case ShapeType::floating:
      return read_number<double>(text);
    case ShapeType::boolean:
      return Json(trim(text) == "true");
    default:
      return Json(text);
  }
}

// An open element that the model knows.
struct Frame {
  Plan* plan;
  std::uint32_t slot;   // in the parent
  std::uint32_t* next;  // where the field that is likely to come next is kept
  std::size_t base;     // where its values begin
};

// A value whose parent is still open.
struct Value {
  std::uint32_t slot;
  Json json;
};

class Reader final : public XmlHandler {
 public:
  explicit Reader(const Operation& operation) : operation_(operation) {}

  void start_element(XmlName name, const XmlAttributes& /*attributes*/) override {
    if (++elements_ > kElementsMax) {
      Error error = make_error(ErrorKind::refused, fmt::format("the answer has more than {} elements", kElementsMax));
      error.code = "xml-size";
      stop(std::move(error));
    } else if (skipped_ > 0 || !open_child(name.local)) {
      ++skipped_;
    }
  }

  void text(std::string_view piece) override {
    if (in_scalar_ && skipped_ == 0) {
      text_ += piece;
    }
  }

  void end_element(XmlName /*name*/) override {
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    if (frames_.empty()) {  // the root around a result's wrapper
      return;
    }
    const Frame frame = frames_.back();
    frames_.pop_back();
    in_scalar_ = false;
    if (frame.plan->kind == Plan::Kind::scalar) {
      close_scalar(frame);
      return;
    }
    Json json = close(frame);
    values_.erase(values_.begin() + static_cast<std::ptrdiff_t>(frame.base), values_.end());
    values_.push_back({frame.slot, std::move(json)});
  }

  // Set by the first error: nothing more need be read.
  const bool& stopped() const { return stopped_; }

  // After the last element, or when stopped.
  Result<Json> take() {
    if (error_) {
      return std::move(*error_);
    }
    if (values_.empty()) {
      return bad_answer(
          fmt::format("the answer has no <{}> but is a <{}>", operation_.result_wrapper, terminal_safe(root_, 80)));
    }
    return std::move(values_.front().json);
  }

 private:
  void stop(Error error) {
    if (!stopped_) {
      stopped_ = true;
      error_ = std::move(error);
    }
  }

  // False for an element that the model does not know.
  bool open_child(std::string_view name) {
    if (frames_.empty()) {
      return open_root(name);
    }
    Frame& parent = frames_.back();
    switch (parent.plan->kind) {
      case Plan::Kind::structure:
      case Plan::Kind::entry:
        return open_field(parent, name);
      case Plan::Kind::list:
      case Plan::Kind::map:
        push(*parent.plan->item, 0);
        return true;
      case Plan::Kind::scalar:
        return false;
    }
    return false;
  }

  // The root element, or its child that wraps the result, of which the first counts.
  bool open_root(std::string_view name) {
    const bool wrapped = !operation_.result_wrapper.empty();
    if (wrapped && !root_seen_) {
      root_seen_ = true;
      root_ = name;
      return true;
    }
    if (!values_.empty() || (wrapped && name != operation_.result_wrapper)) {
      return false;
    }
    push(*plans_.of(*operation_.output), 0);
    return true;
  }

  bool open_field(Frame& parent, std::string_view name) {
    std::vector<Field>& fields = parent.plan->fields;
    std::size_t index = *parent.next;
    if (index >= fields.size() || fields[index].name != name) {
      index = find(*parent.plan, name);
      if (index == fields.size()) {
        return false;
      }
      *parent.next = static_cast<std::uint32_t>(index);
    }
    Field& field = fields[index];
    parent.next = &field.after;
    push(*field.plan, field.slot);
    return true;
  }

  static std::size_t find(const Plan& plan, std::string_view name) {
    const std::vector<Field>& fields = plan.fields;
    if (plan.kind == Plan::Kind::entry) {  // two, in no order
      return fields[0].name == name ? 0 : fields[1].name == name ? 1 : 2;
    }
    const auto at = std::lower_bound(fields.begin(), fields.end(), name,
                                     [](const Field& field, std::string_view wanted) { return field.name < wanted; });
    return at != fields.end() && at->name == name ? static_cast<std::size_t>(at - fields.begin()) : fields.size();
  }

  void push(Plan& plan, std::uint32_t slot) {
    if (!plan.ready) {
      plans_.prepare(plan);
    }
    in_scalar_ = plan.kind == Plan::Kind::scalar;
    if (in_scalar_) {
      text_.clear();
    }
    frames_.push_back({&plan, slot, &plan.first, values_.size()});
  }

  void close_scalar(const Frame& frame) {
    Result<Json> json = read_scalar(*frame.plan->shape, text_);
    if (json) {
      values_.push_back({frame.slot, std::move(json).value()});
    } else {
      stop(std::move(json).error());
    }
  }

  Json close(const Frame& frame) {
    switch (frame.plan->kind) {
      case Plan::Kind::structure:
        return frame.plan->has_repeated ? close_repeating(frame) : close_structure(frame);
      case Plan::Kind::map:
        return close_map(frame.base, values_.size());
      case Plan::Kind::entry:
        return close_entry(frame);
      default:
        return close_list(frame.base, values_.size());
    }
  }

  // Members in the model's order; of several with one name the first counts.
  Json close_structure(const Frame& frame) {
    constexpr std::uint32_t kNone = UINT32_MAX;
    const std::vector<Member>& members = frame.plan->shape->members;
    places_.assign(members.size(), kNone);
    std::size_t count = 0;
    for (std::size_t i = frame.base; i < values_.size(); ++i) {
      std::uint32_t& place = places_[values_[i].slot];
      if (place == kNone && !values_[i].json.is_null()) {
        place = static_cast<std::uint32_t>(i - frame.base);
        ++count;
      }
    }
    JsonObject object;
    object.reserve(count);
    for (std::size_t slot = 0; slot < members.size(); ++slot) {
      if (places_[slot] != kNone) {
        object.append(members[slot].name, std::move(values_[frame.base + places_[slot]].json));
      }
    }
    return Json(std::move(object));
  }

  // The same where some members are spread over several elements.
  Json close_repeating(const Frame& frame) {
    std::stable_sort(values_.begin() + static_cast<std::ptrdiff_t>(frame.base), values_.end(),
                     [](const Value& a, const Value& b) { return a.slot < b.slot; });
    JsonObject object;
    for (std::size_t i = frame.base; i < values_.size();) {
      const std::uint32_t slot = values_[i].slot;
      std::size_t end = i + 1;
      while (end < values_.size() && values_[end].slot == slot) {
        ++end;
      }
      const Member& member = frame.plan->shape->members[slot];
      Json value = close_member(member, i, end);
      if (!value.is_null()) {
        object.append(member.name, std::move(value));
      }
      i = end;
    }
    return Json(std::move(object));
  }

  Json close_member(const Member& member, std::size_t begin, std::size_t end) {
    const ShapeType type = member.shape->type;
    if (!member.flattened && !member.shape->flattened) {
      return std::move(values_[begin].json);
    }
    return type == ShapeType::list  ? close_list(begin, end)
           : type == ShapeType::map ? close_map(begin, end)
                                    : std::move(values_[begin].json);
  }

  Json close_list(std::size_t begin, std::size_t end) {
    JsonArray items;
    items.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      items.push_back(std::move(values_[i].json));
    }
    return Json(std::move(items));
  }

  // Entries are arrays of key and value, or null where one of them lacked. The last of equal keys counts.
  Json close_map(std::size_t begin, std::size_t end) {
    std::unordered_map<std::string_view, std::size_t> last;
    for (std::size_t i = begin; i < end; ++i) {
      if (const JsonArray* entry = values_[i].json.items()) {
        last[*entry->at(0).string()] = i;
      }
    }
    JsonObject map;
    map.reserve(last.size());
    for (std::size_t i = begin; i < end; ++i) {
      JsonArray* entry = values_[i].json.items();
      if (entry != nullptr && last.at(*entry->at(0).string()) == i) {
        map.append(*entry->at(0).string(), std::move(entry->at(1)));
      }
    }
    return Json(std::move(map));
  }

  Json close_entry(const Frame& frame) {
    Json* key = nullptr;
    Json* value = nullptr;
    for (std::size_t i = values_.size(); i > frame.base; --i) {
      (values_[i - 1].slot == 0 ? key : value) = &values_[i - 1].json;
    }
    if (key == nullptr || value == nullptr || !key->is_string()) {
      return {};
    }
    JsonArray entry;
    entry.reserve(2);
    entry.push_back(std::move(*key));
    entry.push_back(std::move(*value));
    return Json(std::move(entry));
  }

  const Operation& operation_;
  Plans plans_;
  std::vector<Frame> frames_;
  std::vector<Value> values_;          // of all open frames, the innermost last
  std::vector<std::uint32_t> places_;  // of close_structure
  std::size_t skipped_ = 0;            // open elements that are passed over
  std::size_t elements_ = 0;
  bool in_scalar_ = false;
  std::string text_;  // of the open scalar
  bool root_seen_ = false;
  std::string root_;
  bool stopped_ = false;
  std::optional<Error> error_;
};

// Hands errors of the reader on to expat's parser.
class StoppingReader final : public XmlHandler {
 public:
  explicit StoppingReader(Reader& reader) : reader_(reader) {}

  void attach(XmlParser& parser) { parser_ = &parser; }

  void start_element(XmlName name, const XmlAttributes& attributes) override {
    reader_.start_element(name, attributes);
    stop_if_needed();
  }

  void end_element(XmlName name) override {
    reader_.end_element(name);
    stop_if_needed();
  }

  void text(std::string_view piece) override { reader_.text(piece); }

 private:
  void stop_if_needed() {
    if (reader_.stopped()) {
      parser_->stop(bad_answer("stopped"));  // the reader keeps its own error
    }
  }

  Reader& reader_;
  XmlParser* parser_ = nullptr;
};

// With the general parser: for documents that the fast one gives up on, and for the messages of bad ones.
Result<Json> read_with_parser(const Operation& operation, std::string_view body) {
  Reader reader(operation);
  StoppingReader handler(reader);
  XmlParser parser(handler, xml_answer_limits());
  handler.attach(parser);
  Result<> parsed = parser.push(body);
  if (parsed) {
    parsed = parser.finish();
  }
  if (parsed || reader.stopped()) {
    return reader.take();
  }
  const Error& error = parsed.error();
  return error.kind == ErrorKind::refused ? error : bad_answer(fmt::format("the answer is not XML: {}", error.message));
}

}  // namespace

XmlLimits xml_answer_limits() {
  XmlLimits limits;
  limits.bytes_max = kAnswerBytesMax;
  limits.memory_bytes_max = kParserMemoryMax;
  limits.token_bytes_max = kParserMemoryMax / 4;
  return limits;
}

Result<Json> read_xml_result(const Operation& operation, std::string_view body) {
  if (!operation.output) {
    return Json::object();
  }
  Reader reader(operation);
  const XmlScan scanned = scan_xml(body, reader, xml_answer_limits(), reader.stopped());
  return scanned == XmlScan::gave_up ? read_with_parser(operation, body) : reader.take();
}

}  // namespace parallax::aws
