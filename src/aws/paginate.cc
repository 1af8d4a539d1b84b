#include "aws/paginate.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::aws {

namespace {

// The model's paginator, or what NextToken on both sides implies: some operations that page are missing there.
Paginator paginator_of(const ServiceModel& model, const Operation& operation) {
  if (const Paginator* paginator = model.find_paginator(operation.name)) {
    return *paginator;
  }
  Paginator paginator;
  paginator.operation = operation.name;
  const Shape* input = operation.input.get();
  const Shape* output = operation.output.get();
  constexpr std::string_view kToken = "NextToken";
  if (input == nullptr || output == nullptr || input->find_member(kToken) == nullptr ||
      output->find_member(kToken) == nullptr) {
    return paginator;
  }
  paginator.input_tokens = {std::string(kToken)};
  paginator.output_tokens = {std::string(kToken)};
  for (const Member& member : output->members) {
    if (member.shape->type == ShapeType::list) {
      paginator.result_keys.push_back(member.name);
    }
  }
  return paginator;
}

// "Summary.Items": a path of member names.
const Json* find_path(const Json& value, std::string_view path) {
  const Json* at = &value;
  for (const std::string_view part : split(path, '.')) {
    at = at == nullptr ? nullptr : at->find(part);
  }
  return at;
}

Json* find_path(Json& value, std::string_view path) {
  Json* at = &value;
  for (const std::string_view part : split(path, '.')) {
    JsonObject* members = at == nullptr ? nullptr : at->members();
    at = members == nullptr ? nullptr : members->find(part);
  }
  return at;
}

bool is_token(const Json* value) {
  return value != nullptr && !value->is_null() && (value->string() == nullptr || !value->string()->empty());
}

// Sets the tokens of the next page; false after the last one.
bool next_page(const Paginator& paginator, const Json& page, Json& params) {
  if (!paginator.more_results.empty()) {
    const Json* more = find_path(page, paginator.more_results);
    if (more == nullptr || !more->boolean().value_or(false)) {
      return false;
    }
  }
  bool any = false;
  for (std::size_t i = 0; i < paginator.input_tokens.size() && i < paginator.output_tokens.size(); ++i) {
    const Json* token = find_path(page, paginator.output_tokens[i]);
    const bool given = is_token(token);
    any = any || given;
    params.set(paginator.input_tokens[i], given ? *token : Json());
  }
  return any;
}

Error endless(std::string_view operation) {
  Error error = make_error(ErrorKind::corrupt,
                           fmt::format("{} gave the same page token twice; its pages would never end", operation));
  error.code = "bad-answer";
  return error;
}

// Appends the items that `page` lists to those of `merged`.
void merge_page(const Paginator& paginator, Json& merged, const Json& page) {
  for (const std::string& key : paginator.result_keys) {
    const Json* more = find_path(page, key);
    if (more == nullptr || more->items() == nullptr) {
      continue;
    }
    Json* have = find_path(merged, key);
    if (have != nullptr && have->items() != nullptr) {
      have->items()->insert(have->items()->end(), more->items()->begin(), more->items()->end());
    } else if (key.find('.') == std::string::npos) {
      merged.set(key, *more);
    }
  }
}

}  // namespace

Result<> for_each_page(Client& client, const CallTarget& target, std::string_view operation, const Json& params,
                       const CallOptions& options, const std::function<Result<Pages>(const Json& page)>& on_page) {
  const ServiceModel* model = find_service(target.service);
  const Operation* known = model == nullptr ? nullptr : model->find_operation(operation);
  const Paginator paginator = known == nullptr ? Paginator() : paginator_of(*model, *known);
  Json next = params.is_null() ? Json::object() : params;
  for (int page_number = 1; page_number <= kPagesMax; ++page_number) {
    const Json page = TRY(client.call(target, operation, next, options));
    if (TRY(on_page(page)) == Pages::enough) {
      return {};
    }
    const Json before = next;
    if (!next_page(paginator, page, next)) {
      return {};
    }
    if (next == before) {
      return endless(operation);
    }
  }
  Error error = make_error(ErrorKind::refused, fmt::format("{} has more than {} pages", operation, kPagesMax));
  error.code = "too-many-pages";
  return error;
}

Result<Json> collect_pages(Client& client, const CallTarget& target, std::string_view operation, const Json& params,
                           const CallOptions& options) {
  const ServiceModel* model = find_service(target.service);
  const Operation* known = model == nullptr ? nullptr : model->find_operation(operation);
  const Paginator paginator = known == nullptr ? Paginator() : paginator_of(*model, *known);
  Json merged;
  TRY(for_each_page(client, target, operation, params, options, [&](const Json& page) -> Result<Pages> {
    if (merged.is_null()) {
      merged = page;
    } else {
      merge_page(paginator, merged, page);
    }
    return Pages::go_on;
  }));
  for (const std::string& token : paginator.output_tokens) {
    if (merged.members() != nullptr) {
      merged.members()->erase(token);
    }
  }
  if (!paginator.more_results.empty() && merged.members() != nullptr) {
    merged.set(paginator.more_results, false);
  }
  return merged;
}

}  // namespace parallax::aws
