#include "aws/auth/cache.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "codec/hash.h"

namespace parallax::aws {

namespace {

constexpr std::size_t kFileBytesMax = 1U << 20U;
constexpr Micros kLeftMin = std::chrono::minutes(15);
constexpr unsigned kFileMode = 0600;
constexpr unsigned kDirectoryMode = 0700;

// The code point that begins at `at`; moves past it. Bytes that are not UTF-8 count by themselves.
unsigned next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const unsigned first = byte(at);
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (at + length > text.size()) {
    return byte(at++);
  }
  unsigned point = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    point = (point << 6U) | (byte(at + i) & 0x3FU);
  }
  at += length;
  return point;
}

std::string python_string(std::string_view text) {
  constexpr std::string_view kPlain = "\"\\\n\r\t\f\b";
  constexpr std::string_view kEscaped = "\"\\nrtfb";
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const unsigned point = next_code_point(text, at);
    const std::size_t known = point < 0x80 ? kPlain.find(static_cast<char>(point)) : std::string_view::npos;
    if (known != std::string_view::npos) {
      out += '\\';
      out += kEscaped[known];
    } else if (point >= 0x20 && point < 0x7F) {
      out += static_cast<char>(point);
    } else if (point < 0x10000) {
      out += fmt::format("\\u{:04x}", point);
    } else {
      const unsigned rest = point - 0x10000;
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800U + (rest >> 10U), 0xDC00U + (rest & 0x3FFU));
    }
  }
  return out + "\"";
}

std::string cache_directory(const ChainContext& context) {
  return expand_path("~/.aws/cli/cache", context.deps.environment);
}

}  // namespace

std::string python_json(const Json& object, PythonJson form) {
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : *object.members()) {
    sorted[name] = value.string() != nullptr ? python_string(*value.string()) : fmt::format("{}", *value.integer());
  }
  const bool spaced = form == PythonJson::spaced;
  std::string out = "{";
  for (const auto& [name, value] : sorted) {
    out += out.size() == 1 ? "" : spaced ? ", " : ",";
    out += python_string(name) + (spaced ? ": " : ":") + value;
  }
  return out + "}";
}

std::string cache_key(const Json& arguments, PythonJson form) {
  return sha1_hex(python_json(arguments, form));
}

std::optional<Credentials> read_cached(const ChainContext& context, const std::string& key, const Ask& ask) {
  const std::string directory = cache_directory(context);
  if (directory.empty() || ask.skip_cache) {
    return std::nullopt;
  }
  const Result<std::string> text = context.deps.files.read(fmt::format("{}/{}.json", directory, key), kFileBytesMax);
  const Result<Json> document = text ? parse_json(*text) : Result<Json>(text.error());
  const Json* keys = document ? document->find("Credentials") : nullptr;
  if (keys == nullptr) {
    return std::nullopt;
  }
  const Result<Credentials> credentials = credentials_from(*keys, {}, "the cache");
  if (!credentials || !credentials->expires || *credentials->expires - context.deps.clock.now() < kLeftMin) {
    return std::nullopt;
  }
  return *credentials;
}

void write_cached(const ChainContext& context, const std::string& key, const Json& document) {
  const std::string directory = cache_directory(context);
  if (directory.empty()) {
    return;
  }
  ignore(context.deps.files.make_directories(directory, kDirectoryMode), "writing the file says the same");
  ignore(context.deps.files.write(fmt::format("{}/{}.json", directory, key), document.dump(), kFileMode),
         "what is not cached is fetched again");
}

std::string cache_time(Instant instant) {
  std::string text = to_iso8601_seconds(instant);
  text.pop_back();
  return text + "UTC";
}

}  // namespace parallax::aws
