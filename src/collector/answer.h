// The answers that every part of the collector gives.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "codec/json.h"
#include "http/message.h"

namespace parallax::collector {

http::Response json_answer(int status, const Json& json);
http::Response json_text_answer(std::string json);  // 200, JSON that is text already
// {"error": {"code": ..., "message": ...}}; the message is made safe for a terminal.
http::Response error_answer(int status, std::string_view code, std::string_view message);
// What an error of the store means to a caller: 503 with Retry-After, or 500. Details stay inside.
http::Response store_answer(const Error& error);
// The same for reading, where the error may also be the caller's: 400 for invalid, 403 for denied.
http::Response read_error_answer(const Error& error);
// Adds Retry-After, in whole seconds, at least 1.
http::Response retry_after(http::Response response, Micros wait);

// What every answer carries: nothing is loaded from elsewhere, guessed, framed or told to other sites.
void add_security_headers(http::Response& response);

}  // namespace parallax::collector
