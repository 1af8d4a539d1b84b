#include "vo/tap.h"

#include <fmt/format.h>

#include "vo/cone_search.h"

namespace parallax::vo {

namespace {

std::string with_endpoint(std::string_view base, std::string_view endpoint) {
  base = base.substr(0, base.find('#'));  // a fragment is never sent
  const std::size_t mark = base.find('?');
  std::string_view path = base.substr(0, mark);
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  std::string url = std::string(path) + std::string(endpoint);
  if (mark != std::string_view::npos && mark + 1 < base.size()) {
    url += base.substr(mark);
  }
  return url;
}

}  // namespace

std::string tap_sync_url(std::string_view base) {
  return with_endpoint(base, "/sync");
}

std::string tap_async_url(std::string_view base) {
  return with_endpoint(base, "/async");
}

std::string tap_form(const TapQuery& query) {
  std::string form = "REQUEST=doQuery&LANG=ADQL";
  if (query.maxrec) {
    form += fmt::format("&MAXREC={}", *query.maxrec);
  }
  if (!query.format.empty()) {
    form += fmt::format("&{}={}", query.format_parameter.empty() ? "FORMAT" : query.format_parameter,
                        percent_encode(query.format));
  }
  return form + "&QUERY=" + percent_encode(query.adql);
}

}  // namespace parallax::vo
