#include "fleet/change_calls.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/errors.h"

namespace parallax::fleet {

namespace {

constexpr Micros kAttemptMax{Seconds(60)};
constexpr Micros kGapMax{Seconds(15)};
constexpr Micros kToldAfter{Seconds(5)};
// A service that fails for so long is left to a next apply: who waits at a terminal has something better to do.
constexpr Micros kOutageMax{Seconds(180)};

bool passes_by_itself(const Error& error, const Patience& patience, Micros waited) {
  if (aws::is_capacity(error.code)) {
    return false;
  }
  if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout) {
    return waited < kOutageMax;
  }
  if (error.kind == ErrorKind::throttled) {
    return true;
  }
  const bool listed = std::find(patience.codes.begin(), patience.codes.end(), error.code) != patience.codes.end();
  return listed || (patience.passes && patience.passes(error, waited));
}

}  // namespace

bool is_unclear(const Error& error) {
  if (aws::is_capacity(error.code)) {
    return false;
  }
  switch (error.kind) {
    case ErrorKind::timeout:
    case ErrorKind::unavailable:
    case ErrorKind::corrupt:
    case ErrorKind::cancelled:
      return true;
    default:
      return false;
  }
}

Error interrupted() {
  return make_error(ErrorKind::cancelled, "interrupted");
}

Micros GrowingGap::next() {
  const Micros gap = gap_;
  gap_ = std::min(gap_ * 2, kGapMax);
  return gap;
}

Result<Json> ChangeCalls::attempt(std::string_view service, std::string_view operation, const Json& params,
                                  Monotonic deadline) {
  aws::CallOptions options;
  options.deadline = std::min(deadline, now() + kAttemptMax);
  options.stop = hard_stop_;
  return deps_.client.call({std::string(service), region_}, operation, params, options);
}

Result<Json> ChangeCalls::once(std::string_view service, std::string_view operation, const Json& params) {
  if (stopped()) {
    return interrupted();
  }
  return attempt(service, operation, params, now() + kAttemptMax);
}

Result<Json> ChangeCalls::call(std::string_view service, std::string_view operation, const Json& params,
                               const Patience& patience) {
  const Monotonic begin = now();
  const Monotonic deadline = begin + patience.timeout;
  GrowingGap gap;
  unclear_ = false;
  for (;;) {
    if (stopped()) {
      return interrupted();
    }
    Result<Json> answer = attempt(service, operation, params, deadline);
    if (answer) {
      unclear_ = false;
      return answer;
    }
    const Error& error = answer.error();
    unclear_ = unclear_ || is_unclear(error);
    const bool listed = std::find(patience.codes.begin(), patience.codes.end(), error.code) != patience.codes.end();
    const Micros wait = listed && patience.code_gap > Micros(0) ? patience.code_gap : gap.next();
    if (!passes_by_itself(error, patience, now() - begin) || now() + wait >= deadline) {
      return answer;
    }
    if (now() - begin >= kToldAfter) {
      tell(fmt::format("asking again: {}", error.text()));
    }
    pause(wait);
  }
}

Json text_list(const std::vector<std::string>& texts) {
  JsonArray array;
  array.reserve(texts.size());
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return Json(std::move(array));
}

Json tag_list(const Tags& tags) {
  JsonArray array;
  for (const auto& [key, value] : tags) {
    array.push_back(Json::object({{"Key", key}, {"Value", value}}));
  }
  return Json(std::move(array));
}

Json tag_specification(std::string_view resource, const Tags& tags) {
  return Json::object({{"ResourceType", resource}, {"Tags", tag_list(tags)}});
}

Json filter_list(std::initializer_list<std::pair<std::string, std::vector<std::string>>> filters) {
  JsonArray array;
  for (const auto& [name, values] : filters) {
    array.push_back(Json::object({{"Name", name}, {"Values", text_list(values)}}));
  }
  return Json(std::move(array));
}

Tags read_tags(const Json& resource) {
  Tags tags;
  for (const Json& tag : resource.list("Tags")) {
    tags[tag.text("Key")] = tag.text("Value");
  }
  return tags;
}

std::vector<std::vector<std::string>> batches(const std::vector<std::string>& texts, std::size_t size) {
  std::vector<std::vector<std::string>> all;
  for (std::size_t begin = 0; begin < texts.size(); begin += std::max<std::size_t>(1, size)) {
    const std::size_t end = std::min(texts.size(), begin + std::max<std::size_t>(1, size));
    all.emplace_back(texts.begin() + static_cast<std::ptrdiff_t>(begin),
                     texts.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return all;
}

}  // namespace parallax::fleet
