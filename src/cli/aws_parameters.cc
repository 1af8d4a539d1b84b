#include "cli/aws_parameters.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace parallax::cli {

namespace {

constexpr int kDepthMax = 10;
constexpr std::size_t kEnumShown = 8;
constexpr std::size_t kTypeColumn = 44;

bool is_scalar(const aws::Shape& shape) {
  return shape.type != aws::ShapeType::structure && shape.type != aws::ShapeType::list &&
         shape.type != aws::ShapeType::map;
}

std::string bound(const std::optional<double>& value) {
  return value ? fmt::format("{:.0f}", *value) : "";
}

std::string range_of(const aws::Shape& shape) {
  if (!shape.min && !shape.max) {
    return {};
  }
  const bool counts = !is_scalar(shape);
  const bool measures = shape.type == aws::ShapeType::string || shape.type == aws::ShapeType::blob;
  return fmt::format(", {}..{}{}", bound(shape.min), bound(shape.max),
                     counts     ? " items"
                     : measures ? " characters"
                                : "");
}

std::string words_of(const aws::Shape& shape) {
  if (shape.enum_values.empty()) {
    return {};
  }
  std::string text = ": ";
  const std::size_t shown = std::min(kEnumShown, shape.enum_values.size());
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : " | ", shape.enum_values[i]);
  }
  return shown == shape.enum_values.size() ? text : text + fmt::format(" | ... ({} words)", shape.enum_values.size());
}

std::string type_of(const aws::Shape& shape) {
  switch (shape.type) {
    case aws::ShapeType::list:
      return fmt::format("list of {}{}", type_of(*shape.item.shape), range_of(shape));
    case aws::ShapeType::map:
      return fmt::format("map of {}{}", type_of(*shape.value.shape), range_of(shape));
    case aws::ShapeType::blob:
      return fmt::format("blob (base64){}", range_of(shape));
    case aws::ShapeType::timestamp:
      return "timestamp (ISO 8601 or seconds since 1970)";
    default:
      return fmt::format("{}{}{}{}", to_string(shape.type), range_of(shape), words_of(shape),
                         shape.sensitive ? ", sensitive" : "");
  }
}

// The structure that a shape leads to through lists and maps, or nullptr.
const aws::Shape* structure_in(const aws::Shape* shape) {
  while (shape->type == aws::ShapeType::list || shape->type == aws::ShapeType::map) {
    shape = shape->type == aws::ShapeType::list ? shape->item.shape.get() : shape->value.shape.get();
  }
  return shape->type == aws::ShapeType::structure ? shape : nullptr;
}

void add_members(std::string& text, const aws::Shape& shape, std::vector<const aws::Shape*>& path) {
  for (const aws::Member& member : shape.members) {
    const std::string indent(path.size() * 2, ' ');
    const std::string name = fmt::format("{}{}{}", indent, member.required ? "* " : "  ", member.name);
    const aws::Shape* inner = structure_in(member.shape.get());
    const bool ends = inner != nullptr && (std::find(path.begin(), path.end(), inner) != path.end() ||
                                           static_cast<int>(path.size()) >= kDepthMax);
    text += fmt::format("{:<{}} {}{}{}{}\n", name, kTypeColumn, type_of(*member.shape),
                        member.idempotency_token ? " (made where absent)" : "", member.deprecated ? ", deprecated" : "",
                        ends ? " ..." : "");
    if (inner != nullptr && !ends) {
      path.push_back(inner);
      add_members(text, *inner, path);
      path.pop_back();
    }
  }
}

}  // namespace

std::string parameter_tree(const aws::ServiceModel& model, const aws::Operation& operation) {
  const aws::Shape* input = operation.input.get();
  const std::string title = fmt::format("{} {}", model.metadata().service, operation.name);
  if (input == nullptr || input->members.empty()) {
    return title + " takes no parameters\n";
  }
  std::string text = title + ": parameters, '*' where one must be given\n";
  std::vector<const aws::Shape*> path{input};
  add_members(text, *input, path);
  return text;
}

}  // namespace parallax::cli
