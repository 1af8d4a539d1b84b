#include "aws/paginate.h"

#include <algorithm>

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

// The same to write to; what is missing on the way is made.
Json& make_path(Json& value, std::string_view path) {
  Json* at = &value;
  for (const std::string_view part : split(path, '.')) {
    if (at->members() == nullptr) {
      *at = Json::object();
    }
    Json* inner = at->members()->find(part);
    at = inner == nullptr ? &at->set(std::string(part), Json()) : inner;
  }
  return *at;
}

void erase_path(Json& value, std::string_view path) {
  const std::size_t dot = path.rfind('.');
  Json* holder = dot == std::string_view::npos ? &value : &make_path(value, path.substr(0, dot));
  if (holder->members() != nullptr) {
    holder->members()->erase(dot == std::string_view::npos ? path : path.substr(dot + 1));
  }
}

bool is_path(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

// What Python calls true, as the paginators were written for it.
bool is_truth(const Json& value) {
  if (const std::string* text = value.string()) {
    return !text->empty();
  }
  if (value.is_number()) {
    return value.number() != 0.0;
  }
  const bool empty =
      (value.items() != nullptr && value.items()->empty()) || (value.members() != nullptr && value.members()->empty());
  return !empty && value.boolean().value_or(!value.is_null());
}

Result<Expression> parse(const std::string& text, const std::string& operation) {
  Result<Expression> expression = Expression::parse(text);
  if (!expression) {
    Error error = make_error(ErrorKind::invalid, fmt::format("the pages of {} cannot be followed: {}", operation,
                                                             expression.error().message));
    error.code = "bad-paginator";
    return error;
  }
  return expression;
}

Error endless(std::string_view operation) {
  Error error = make_error(ErrorKind::corrupt,
                           fmt::format("{} gave the same page token twice; its pages would never end", operation));
  error.code = "bad-answer";
  return error;
}

Result<Paging> paging_of(const CallTarget& target, std::string_view operation) {
  const ServiceModel* model = find_service(target.service);
  const Operation* known = model == nullptr ? nullptr : model->find_operation(operation);
  // That a name is unknown the first call will say.
  return known == nullptr ? Paging() : Paging::make(*model, *known);
}

Result<> follow(Paging& paging, Client& client, const CallTarget& target, std::string_view operation,
                const Json& params, const CallOptions& options,
                const std::function<Result<Pages>(const Json& page)>& on_page) {
  Json asked = params.is_null() ? Json::object() : params;
  for (int page_number = 1; page_number <= kPagesMax; ++page_number) {
    const Json page = TRY(client.call(target, operation, asked, options));
    if (TRY(on_page(page)) == Pages::enough) {
      return {};
    }
    std::optional<Json> next = TRY(paging.next(page, asked));
    if (!next) {
      return {};
    }
    asked = std::move(*next);
  }
  Error error = make_error(ErrorKind::refused, fmt::format("{} has more than {} pages", operation, kPagesMax));
  error.code = "too-many-pages";
  return error;
}

}  // namespace

Result<Paging> Paging::make(const ServiceModel& model, const Operation& operation) {
  const Paginator paginator = paginator_of(model, operation);
  Paging paging;
  paging.operation_ = operation.name;
  paging.input_tokens_ = paginator.input_tokens;
  for (const std::string& token : paginator.output_tokens) {
    paging.output_tokens_.push_back(TRY(parse(token, operation.name)));
  }
  if (!paginator.more_results.empty()) {
    paging.more_results_ = TRY(parse(paginator.more_results, operation.name));
  }
  for (const std::string& key : paginator.result_keys) {
    if (!is_path(key)) {
      Error error = make_error(ErrorKind::invalid, fmt::format("the pages of {} cannot be joined by '{}'",
                                                               operation.name, terminal_safe(key, 80)));
      error.code = "bad-paginator";
      return error;
    }
    paging.result_keys_.push_back(key);
  }
  return paging;
}

Result<std::optional<Json>> Paging::next(const Json& page, const Json& params) {
  if (more_results_ && !is_truth(TRY(more_results_->search(page)))) {
    return std::optional<Json>();
  }
  Json asked = params;
  Json tokens;
  bool any = false;
  for (std::size_t i = 0; i < input_tokens_.size() && i < output_tokens_.size(); ++i) {
    Json token = TRY(output_tokens_[i].search(page));
    if (is_truth(token)) {
      any = true;
      tokens.set(input_tokens_[i], token);
      asked.set(input_tokens_[i], std::move(token));
    } else if (asked.members() != nullptr) {
      asked.members()->erase(input_tokens_[i]);
    }
  }
  if (!any) {
    return std::optional<Json>();
  }
  if (!seen_.insert(tokens.canonical()).second) {
    return endless(operation_);
  }
  return std::optional<Json>(std::move(asked));
}

void Paging::merge(Json& merged, const Json& page) const {
  if (merged.is_null()) {
    merged = page;
    return;
  }
  for (const std::string& key : result_keys_) {
    const Json* more = find_path(page, key);
    if (more == nullptr || more->is_null()) {
      continue;
    }
    Json& have = make_path(merged, key);
    if (have.is_null()) {
      have = *more;
    } else if (have.items() != nullptr && more->items() != nullptr) {
      have.items()->insert(have.items()->end(), more->items()->begin(), more->items()->end());
    } else if (have.is_integer() && more->is_integer()) {
      have = *have.integer() + *more->integer();
    } else if (have.is_number() && more->is_number()) {
      have = *have.number() + *more->number();
    } else if (have.string() != nullptr && more->string() != nullptr) {
      have = *have.string() + *more->string();
    }
  }
}

void Paging::finish(Json& merged) const {
  if (merged.members() == nullptr) {
    return;
  }
  for (const Expression& token : output_tokens_) {
    // "NextMarker || Contents[-1].Key": where the last item's name serves as a token, the item stays.
    for (const std::string_view alternative : split(token.text(), '|')) {
      const std::string_view path = trim(alternative);
      if (is_path(path) && find_path(merged, path) != nullptr) {
        erase_path(merged, path);
      }
    }
  }
  if (more_results_ && is_path(more_results_->text())) {
    make_path(merged, more_results_->text()) = false;
  }
}

Result<> for_each_page(Client& client, const CallTarget& target, std::string_view operation, const Json& params,
                       const CallOptions& options, const std::function<Result<Pages>(const Json& page)>& on_page) {
  Paging paging = TRY(paging_of(target, operation));
  return follow(paging, client, target, operation, params, options, on_page);
}

Result<Json> collect_pages(Client& client, const CallTarget& target, std::string_view operation, const Json& params,
                           const CallOptions& options) {
  Paging paging = TRY(paging_of(target, operation));
  Json merged;
  TRY(follow(paging, client, target, operation, params, options, [&](const Json& page) -> Result<Pages> {
    paging.merge(merged, page);
    return Pages::go_on;
  }));
  paging.finish(merged);
  return merged;
}

}  // namespace parallax::aws
