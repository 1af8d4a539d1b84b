// The part of JMESPath (jmespath.org) that the service models' waiters and paginators use, no more:
//
//   members         Name, "any name"         sub-expressions  a.b
//   indexes         a[0], a[-1]              projections      a[], a[*], a.*, a[?condition]
//   comparisons     == != < <= > >=          logic            a || b, a && b, !a, (a)
//   literals        'text', `json`           functions        length(a), contains(a, b)
//
// Slices, multi-selects, pipes, @, expression references and other functions are refused by name and position: a waiter
// that we cannot evaluate must be an error, not a wait for something else. Precedence and values are those of the
// Python library that botocore uses, with which tests/aws compares it, but for one case: "text" < 1 is null here, as
// the specification has it.
//
// Thread safety: const methods may be called from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "codec/json.h"

namespace parallax::aws {

namespace detail {
struct ExpressionNode;
}

class Expression {
 public:
  static constexpr std::size_t kBytesMax = 4096;
  static constexpr int kDepthMax = 64;

  // Error: invalid, code "bad-expression": "column 7: slices are not supported in 'a[1:2]'".
  static Result<Expression> parse(std::string_view text);

  // What the expression selects; null where there is nothing.
  // Error: invalid, code "expression-type": a function was given what it does not take, such as length() of null.
  Result<Json> search(const Json& document) const;

  // As == compares: numbers by value, whether they are written with a fraction or not.
  static bool equal(const Json& a, const Json& b);

  const std::string& text() const { return text_; }

 private:
  Expression(std::string text, std::shared_ptr<const detail::ExpressionNode> root)
      : text_(std::move(text)), root_(std::move(root)) {}

  std::string text_;
  std::shared_ptr<const detail::ExpressionNode> root_;  // shared: copies of an expression are read only
};

}  // namespace parallax::aws
