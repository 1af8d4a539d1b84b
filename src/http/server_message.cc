#include "http/server_message.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::http {

namespace {

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 207:
      return "Multi-Status";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";
  }
}

bool is_framing(std::string_view name) {
  return equals_ignore_case(name, "Content-Length") || equals_ignore_case(name, "Transfer-Encoding") ||
         equals_ignore_case(name, "Connection") || equals_ignore_case(name, "Keep-Alive");
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

}  // namespace

bool has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string response_head(const Response& response, std::size_t body_bytes, const HeadOptions& options) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
  bool has_date = false;
  bool has_server = false;
  for (const auto& [name, value] : response.headers) {
    if (is_framing(name) || has_line_break(name) || has_line_break(value)) {
      continue;
    }
    has_date = has_date || equals_ignore_case(name, "Date");
    has_server = has_server || equals_ignore_case(name, "Server");
    out += fmt::format("{}: {}\r\n", name, value);
  }
  if (!has_date) {
    out += fmt::format("Date: {}\r\n", options.date);
  }
  if (!has_server && !options.server_name.empty()) {
    out += fmt::format("Server: {}\r\n", options.server_name);
  }
  if (has_body(response.status)) {
    out += fmt::format("Content-Length: {}\r\n", body_bytes);
  }
  out += options.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return out;
}

Response plain_response(int status, std::string text) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  return response;
}

}  // namespace parallax::http
