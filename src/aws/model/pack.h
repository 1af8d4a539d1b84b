// Botocore's files of one service -> the packed text that load_service() takes: what tools/models does at build time,
// done at run time for models that are not embedded. So there is one reader of models, and what may be wrong with a
// file from outside is found here, once, before anything uses it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/json.h"

namespace parallax::aws {

// The parsed files; null where a service has none.
struct ServiceFiles {
  Json service;     // service-2.json
  Json paginators;  // paginators-1.json
  Json waiters;     // waiters-2.json
};

// Adds what `overlay` (one service's entry of tools/models-overlay.json, or nullptr) has and the model lacks; drops the
// documentation. Error: corrupt, naming the first thing that is no model: "shape 'Foo': ...".
Result<std::string> pack_service(std::string_view name, ServiceFiles files, const Json* overlay);

}  // namespace parallax::aws
