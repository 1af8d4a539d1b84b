// The one page: services by vantage, what failed last, and the latest runs. Rendered here, without JavaScript.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "store/store.h"

namespace parallax::collector {

// GET /; query parameters fleet, round_id and since narrow what is shown.
http::Response get_page(store::Store& store, std::string_view query, std::string_view bound_fleet,
                        std::string_view build);
http::Response get_style();
http::Response get_icon();

}  // namespace parallax::collector
