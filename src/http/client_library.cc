#include <curl/curl.h>

#include "http/client.h"

namespace parallax::http {

std::string client_library() {
  return std::string("libcurl/") + curl_version_info(CURLVERSION_NOW)->version;
}

}  // namespace parallax::http
