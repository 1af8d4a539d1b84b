#include "aws/expression.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "aws/expression_node.h"

namespace parallax::aws {

namespace {

using detail::ExpressionNode;
using detail::NodeKind;

// A value of the document, or a list of such: nothing is copied before the end, so that ten thousand machines are
// looked at without being doubled.
struct View {
  const Json* json = nullptr;  // nullptr: `items`
  std::vector<View> items = {};
};

const Json kNull{};

View null_view() {
  return View{&kNull};
}

bool is_null(const View& view) {
  return view.json != nullptr && view.json->is_null();
}

// False for what JMESPath calls false: null, false, "", [], {}. Zero is true.
bool is_true(const View& view) {
  if (view.json == nullptr) {
    return !view.items.empty();
  }
  const Json& json = *view.json;
  if (json.items() != nullptr) {
    return !json.items()->empty();
  }
  if (json.members() != nullptr) {
    return !json.members()->empty();
  }
  if (json.string() != nullptr) {
    return !json.string()->empty();
  }
  return json.boolean().value_or(!json.is_null());
}

Json to_json(const View& view) {
  if (view.json != nullptr) {
    return *view.json;
  }
  JsonArray items;
  for (const View& item : view.items) {
    items.push_back(to_json(item));
  }
  return Json(std::move(items));
}

std::optional<std::vector<View>> to_list(View view) {
  if (view.json == nullptr) {
    return std::move(view.items);
  }
  const JsonArray* items = view.json->items();
  if (items == nullptr) {
    return std::nullopt;
  }
  std::vector<View> views;
  views.reserve(items->size());
  for (const Json& item : *items) {
    views.push_back(View{&item});
  }
  return views;
}

bool is_equal(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    return a.is_integer() && b.is_integer() ? a == b : a.number() == b.number();
  }
  if (a.items() != nullptr && b.items() != nullptr) {
    return std::equal(a.items()->begin(), a.items()->end(), b.items()->begin(), b.items()->end(), is_equal);
  }
  if (a.members() != nullptr && b.members() != nullptr) {
    return a.members()->size() == b.members()->size() &&
           std::all_of(a.members()->begin(), a.members()->end(), [&](const JsonObject::Member& member) {
             const Json* other = b.find(member.first);
             return other != nullptr && is_equal(member.second, *other);
           });
  }
  return a == b;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

template <typename T>
bool in_order(NodeKind kind, const T& a, const T& b) {
  switch (kind) {
    case NodeKind::less:
      return a < b;
    case NodeKind::less_equal:
      return a <= b;
    case NodeKind::greater:
      return a > b;
    default:
      return a >= b;
  }
}

Error wrong_type(std::string_view function, const View& argument) {
  Error error = make_error(ErrorKind::invalid, fmt::format("{}() of {}", function,
                                                           argument.json == nullptr ? std::string_view("array")
                                                                                    : argument.json->type_name()));
  error.code = "expression-type";
  return error;
}

class Evaluator {
 public:
  Result<View> visit(const ExpressionNode& node, const View& value) {
    switch (node.kind) {
      case NodeKind::identity:
        return value;
      case NodeKind::field: {
        const Json* found = value.json == nullptr ? nullptr : value.json->find(node.text);
        return found == nullptr ? null_view() : View{found};
      }
      case NodeKind::literal:
        return View{&node.value};
      case NodeKind::index:
        return index(node, value);
      case NodeKind::sub:
        return visit(node.children[1], TRY(visit(node.children[0], value)));
      case NodeKind::flatten:
        return flatten(node, value);
      case NodeKind::projection:
      case NodeKind::filter:
      case NodeKind::value_projection:
        return project(node, value);
      case NodeKind::either:
      case NodeKind::both: {
        View left = TRY(visit(node.children[0], value));
        if (is_true(left) == (node.kind == NodeKind::either)) {
          return left;
        }
        return visit(node.children[1], value);
      }
      case NodeKind::negation:
        return keep(!is_true(TRY(visit(node.children[0], value))));
      case NodeKind::length:
      case NodeKind::contains:
        return call(node, value);
      default:
        return compare(node, value);
    }
  }

 private:
  View keep(Json json) { return View{&kept_.emplace_back(std::move(json))}; }

  static View index(const ExpressionNode& node, const View& value) {
    const std::optional<std::vector<View>> list = to_list(value);
    if (!list) {
      return null_view();
    }
    const auto size = static_cast<std::int64_t>(list->size());
    const std::int64_t at = node.number < 0 ? node.number + size : node.number;
    return at < 0 || at >= size ? null_view() : (*list)[static_cast<std::size_t>(at)];
  }

  Result<View> flatten(const ExpressionNode& node, const View& value) {
    std::optional<std::vector<View>> list = to_list(TRY(visit(node.children[0], value)));
    if (!list) {
      return null_view();
    }
    View flat;
    for (View& item : *list) {
      if (std::optional<std::vector<View>> inner = to_list(item)) {
        std::move(inner->begin(), inner->end(), std::back_inserter(flat.items));
      } else {
        flat.items.push_back(std::move(item));
      }
    }
    return flat;
  }

  Result<View> project(const ExpressionNode& node, const View& value) {
    View base = TRY(visit(node.children[0], value));
    std::optional<std::vector<View>> list =
        node.kind == NodeKind::value_projection ? values_of(base) : to_list(std::move(base));
    if (!list) {
      return null_view();
    }
    View result;
    for (const View& item : *list) {
      if (node.kind == NodeKind::filter && !is_true(TRY(visit(node.children[2], item)))) {
        continue;
      }
      View right = TRY(visit(node.children[1], item));
      if (!is_null(right)) {
        result.items.push_back(std::move(right));
      }
    }
    return result;
  }

  static std::optional<std::vector<View>> values_of(const View& view) {
    if (view.json == nullptr || view.json->members() == nullptr) {
      return std::nullopt;
    }
    std::vector<View> values;
    for (const auto& [name, value] : *view.json->members()) {
      values.push_back(View{&value});
    }
    return values;
  }

  Result<View> compare(const ExpressionNode& node, const View& value) {
    const Json left = to_json(TRY(visit(node.children[0], value)));
    const Json right = to_json(TRY(visit(node.children[1], value)));
    if (node.kind == NodeKind::equal || node.kind == NodeKind::unequal) {
      return keep(is_equal(left, right) == (node.kind == NodeKind::equal));
    }
    if (left.is_number() && right.is_number()) {
      return keep(in_order(node.kind, left.number().value_or(0), right.number().value_or(0)));
    }
    if (left.string() != nullptr && right.string() != nullptr) {
      return keep(in_order(node.kind, *left.string(), *right.string()));
    }
    return null_view();
  }

  Result<View> call(const ExpressionNode& node, const View& value) {
    const View first = TRY(visit(node.children[0], value));
    if (node.kind == NodeKind::length) {
      return length(first);
    }
    const Json what = to_json(TRY(visit(node.children[1], value)));
    if (first.json != nullptr && first.json->string() != nullptr) {
      return keep(what.string() != nullptr && first.json->string()->find(*what.string()) != std::string::npos);
    }
    const std::optional<std::vector<View>> list = to_list(first);
    if (!list) {
      return wrong_type("contains", first);
    }
    return keep(
        std::any_of(list->begin(), list->end(), [&](const View& item) { return is_equal(to_json(item), what); }));
  }

  Result<View> length(const View& argument) {
    const auto count = [&](std::size_t size) { return keep(static_cast<std::int64_t>(size)); };
    if (argument.json == nullptr) {
      return count(argument.items.size());
    }
    if (const JsonArray* items = argument.json->items()) {
      return count(items->size());
    }
    if (const JsonObject* members = argument.json->members()) {
      return count(members->size());
    }
    if (const std::string* text = argument.json->string()) {
      return count(count_characters(*text));
    }
    return wrong_type("length", argument);
  }

  std::deque<Json> kept_;  // what the expression computed; a deque keeps addresses
};

}  // namespace

Result<Expression> Expression::parse(std::string_view text) {
  ExpressionNode root = TRY(detail::parse_expression(text));
  return Expression(std::string(text), std::make_shared<const ExpressionNode>(std::move(root)));
}

bool Expression::equal(const Json& a, const Json& b) {
  return is_equal(a, b);
}

Result<Json> Expression::search(const Json& document) const {
  Evaluator evaluator;
  Result<View> found = evaluator.visit(*root_, View{&document});
  if (!found) {
    Error error = std::move(found).error();
    error.message += fmt::format(" in '{}'", text_);
    return error;
  }
  return to_json(*found);
}

}  // namespace parallax::aws
