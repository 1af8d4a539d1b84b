#include "vo/tap.h"

#include <fmt/format.h>

#include "vo/cone_search.h"

namespace parallax::vo {

std::string tap_sync_url(std::string_view base) {
  while (base.ends_with('/')) {
    base.remove_suffix(1);
  }
  return std::string(base) + "/sync";
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
