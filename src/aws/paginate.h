// All pages of a listing operation, as the models' paginators describe them (paginators-1.json).
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/client.h"
#include "aws/expression.h"

namespace parallax::aws {

// A listing longer than this is an error of kind refused, code "too-many-pages".
inline constexpr int kPagesMax = 1000;

enum class Pages { go_on, enough };

// Calls `operation` page by page and hands each result to `on_page`. An operation that is known to have no pages is
// called once. `options.deadline` holds for all pages together. An empty page that carries a token is not the end. A
// service that gives a token a second time would page for ever: that is an error of kind corrupt, code "bad-answer".
Result<> for_each_page(Client& client, const CallTarget& target, std::string_view operation, const Json& params,
                       const CallOptions& options, const std::function<Result<Pages>(const Json& page)>& on_page);

// All pages as one result: the listed items of all of them, everything else from the first, no token. Listed members
// that are numbers are added up, texts are joined.
Result<Json> collect_pages(Client& client, const CallTarget& target, std::string_view operation, const Json& params,
                           const CallOptions& options);

// The paging itself, without calls: what a paginator makes of page after page. For one listing.
class Paging {
 public:
  // Of an operation without pages.
  Paging() = default;

  // The paginator of the model, or for an operation that has none there but NextToken on both sides, what that implies.
  // Error: invalid, code "bad-paginator", for one with an expression that we cannot evaluate.
  static Result<Paging> make(const ServiceModel& model, const Operation& operation);

  // The parameters of the page after `page`, which `params` asked for; nullopt after the last. Error: corrupt, see
  // above.
  Result<std::optional<Json>> next(const Json& page, const Json& params);

  // Adds `page` to `merged`, which is null before the first.
  void merge(Json& merged, const Json& page) const;
  // Takes the tokens out of what was merged.
  void finish(Json& merged) const;

 private:
  std::string operation_;
  std::vector<std::string> input_tokens_;
  std::vector<Expression> output_tokens_;
  std::optional<Expression> more_results_;
  std::vector<std::string> result_keys_;  // paths
  std::set<std::string> seen_;            // tokens
};

}  // namespace parallax::aws
