// All pages of a listing operation.
#pragma once

#include <functional>

#include "aws/client.h"

namespace parallax::aws {

// A listing longer than this is an error of kind refused, code "too-many-pages".
inline constexpr int kPagesMax = 1000;

enum class Pages { go_on, enough };

// Calls `operation` page by page and hands each result to `on_page`. An operation that is known to have no pages is
// called once. `options.deadline` holds for all pages together. A service that gives the same token twice would page
// for ever: that is an error of kind corrupt.
Result<> for_each_page(Client& client, const CallTarget& target, std::string_view operation, const Json& params,
                       const CallOptions& options, const std::function<Result<Pages>(const Json& page)>& on_page);

// All pages as one result: the listed items of all of them, everything else from the first, no token.
Result<Json> collect_pages(Client& client, const CallTarget& target, std::string_view operation, const Json& params,
                           const CallOptions& options);

}  // namespace parallax::aws
