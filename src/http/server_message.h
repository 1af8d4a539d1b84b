// How an answer of ours looks on the wire. Inside src/http only.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace parallax::http {

struct HeadOptions {
  bool keep_alive = true;
  std::string_view date;         // the Date header
  std::string_view server_name;  // empty: no Server header
};

// Status line and header fields with the empty line that ends them. Framing (Content-Length, Connection) is ours:
// fields of that name in `response` are left out, as are fields with a line break in them. Date and Server are added
// where they are missing.
std::string response_head(const Response& response, std::size_t body_bytes, const HeadOptions& options);

// Whether an answer with this status may carry a body.
bool has_body(int status);

// A plain answer for a person to read.
Response plain_response(int status, std::string text);

}  // namespace parallax::http
