// What must hold of a service before the first query is sent, whatever file it came from.
#pragma once

#include <string_view>
#include <vector>

#include "probe/source_text.h"
#include "record/service.h"

namespace parallax::probe {

// A service and where its parts stood; a part that was not written has the place of the service.
struct ServiceDraft {
  Service service;
  Place place, name, type, mode, url, adql;
};

// Error: invalid, pointing at the part.
Result<> check_service(const SourceText& source, const ServiceDraft& draft);

// Error: invalid, where two have the same provider, name, type and mode; or there are none or too many.
Result<> check_list(const SourceText& source, const std::vector<ServiceDraft>& drafts);

}  // namespace parallax::probe
