// The bodies that the collector takes: JSON a line, gzip or plain, within limits.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace parallax::collector {

struct BodyLimits {
  std::size_t bytes_max = 8U << 20U;            // as sent
  std::size_t inflated_bytes_max = 64U << 20U;  // NDJSON
  std::size_t inflate_ratio_max = 200;          // once over 1 MiB
  std::size_t line_bytes_max = 1U << 20U;       // a longer line is refused by itself
  std::size_t records_max = 5000;               // lines that are not empty
};

struct Line {
  std::size_t number = 0;  // from 1, empty ones counted too
  std::string_view text;
};

struct Body {
  Body() = default;
  Body(const Body&) = delete;  // lines point into text
  Body& operator=(const Body&) = delete;

  std::optional<http::Response> answer;  // set: the body is refused as a whole (400, 413, 415)
  std::string text;                      // inflated
  std::vector<Line> lines;               // into `text` or the request's body; the empty ones left out
};

// Fills a fresh `body`. Lines point into `request` where its body is not compressed.
void read_lines(const http::Request& request, const BodyLimits& limits, Body& body);

}  // namespace parallax::collector
