#include "cli/aws_names.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

namespace {

// What both forms of a name have in common.
std::string bare(std::string_view name) {
  std::string text = to_lower(name);
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '-' || c == '_'; }), text.end());
  return text;
}

std::string_view find_bare(std::string_view name, const std::vector<std::string_view>& names) {
  const std::string wanted = bare(name);
  const auto at = std::find_if(names.begin(), names.end(), [&](std::string_view item) { return bare(item) == wanted; });
  return at == names.end() ? std::string_view() : *at;
}

// The nearest of `names`, in the form in which `name` was typed; empty where none is near.
std::string near_name(std::string_view name, const std::vector<std::string_view>& names) {
  std::vector<std::string> bares;
  bares.reserve(names.size());
  for (const std::string_view item : names) {
    bares.push_back(bare(item));
  }
  const std::string_view best = suggest(bare(name), std::vector<std::string_view>(bares.begin(), bares.end()));
  if (best.empty()) {
    return {};
  }
  const std::string_view found = find_bare(best, names);
  return name.find('-') == std::string_view::npos ? std::string(found) : dashed(found);
}

Error unknown(std::string message, const std::string& near, const std::string& way_out) {
  message += near.empty() ? way_out : fmt::format("; did you mean '{}'?", near);
  return make_error(ErrorKind::invalid, std::move(message));
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

}  // namespace

Result<const aws::ServiceModel*> service_named(std::string_view name) {
  if (const aws::ServiceModel* model = aws::find_service(name)) {
    return model;
  }
  const std::vector<std::string_view> names = aws::service_names();
  std::string all;
  for (const std::string_view item : names) {
    all += fmt::format("{}{}", all.empty() ? "" : ", ", item);
  }
  return unknown(fmt::format("unknown service '{}'", terminal_safe(name, 80)),
                 std::string(suggest(to_lower(name), names)), fmt::format("; known are {}", all));
}

Result<const aws::Operation*> operation_named(const aws::ServiceModel& model, std::string_view name) {
  const std::vector<std::string_view> names = model.operation_names();
  if (const aws::Operation* operation = model.find_operation(find_bare(name, names))) {
    return operation;
  }
  const std::string& service = model.metadata().service;
  return unknown(fmt::format("{} has no operation '{}'", service, terminal_safe(name, 80)), near_name(name, names),
                 fmt::format("; 'parallax aws {}' lists them", service));
}

Result<const aws::Waiter*> waiter_named(const aws::ServiceModel& model, std::string_view name) {
  const std::vector<std::string_view> names = model.waiter_names();
  if (const aws::Waiter* waiter = model.find_waiter(find_bare(name, names))) {
    return waiter;
  }
  const std::string& service = model.metadata().service;
  return unknown(fmt::format("{} has no waiter '{}'", service, terminal_safe(name, 80)), near_name(name, names),
                 names.empty() ? "" : fmt::format("; 'parallax aws {} wait' lists them", service));
}

std::string dashed(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    // A capital begins a word, unless it goes on with an abbreviation: "DescribeVpcs", "ListMFADevices".
    const bool begins = is_upper(name[i]) && i > 0 &&
                        (!is_upper(name[i - 1]) || (i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z'));
    text += begins ? "-" : "";
    text += to_lower(name.substr(i, 1));
  }
  return text;
}

}  // namespace parallax::cli
