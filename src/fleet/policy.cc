#include "fleet/policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "fleet/policy_writer.h"

namespace parallax::fleet {

namespace {

using policy::Condition;
using policy::Statement;
using policy::Statements;
using policy::Texts;
using policy::Writer;

constexpr std::array<std::pair<PolicyFor, std::string_view>, 7> kWords = {{{PolicyFor::setup, "setup"},
                                                                           {PolicyFor::run, "run"},
                                                                           {PolicyFor::check, "check"},
                                                                           {PolicyFor::clear, "clear"},
                                                                           {PolicyFor::adopt, "adopt"},
                                                                           {PolicyFor::machine, "machine"},
                                                                           {PolicyFor::scheduler, "scheduler"}}};

Json one_or_list(const Texts& texts) {
  if (texts.size() == 1) {
    return Json(texts.front());
  }
  JsonArray list;
  for (const std::string& text : texts) {
    list.emplace_back(text);
  }
  return Json(std::move(list));
}

// One value is written as itself, several as a list: as IAM shows them.
Json to_json(const Statement& statement) {
  Json json = Json::object({{"Sid", statement.sid},
                            {"Effect", "Allow"},
                            {"Action", one_or_list(statement.actions)},
                            {"Resource", one_or_list(statement.resources)}});
  if (statement.conditions.empty()) {
    return json;
  }
  JsonObject block;
  for (const Condition& condition : statement.conditions) {
    Json* keys = block.find(condition.comparison);
    if (keys == nullptr) {
      keys = &block.set(condition.comparison, Json::object());
    }
    keys->set(condition.key, one_or_list(condition.values));
  }
  json.set("Condition", Json(std::move(block)));
  return json;
}

Json policy_of(const Statements& statements) {
  JsonArray list;
  for (const Statement& statement : statements) {
    list.push_back(to_json(statement));
  }
  return Json::object({{"Version", "2012-10-17"}, {"Statement", std::move(list)}});
}

Statements statements_of(const Writer& writer, PolicyFor whom) {
  switch (whom) {
    case PolicyFor::setup:
      return writer.setup();
    case PolicyFor::run:
      return writer.run();
    case PolicyFor::check:
      return writer.check();
    case PolicyFor::clear:
      return writer.clear();
    case PolicyFor::adopt:
      return writer.adopt();
    case PolicyFor::machine:
      return writer.machine();
    case PolicyFor::scheduler:
      return writer.scheduler();
  }
  return {};
}

}  // namespace

Result<PolicyFor> parse_policy_for(std::string_view word) {
  std::string words;
  for (const auto& [whom, name] : kWords) {
    if (name == word) {
      return whom;
    }
    words += fmt::format("{}{}", words.empty() ? "" : ", ", name);
  }
  return make_error(ErrorKind::invalid, fmt::format("'{}' is none of {}", word, words));
}

std::string_view to_string(PolicyFor whom) {
  const auto* const found =
      std::find_if(kWords.begin(), kWords.end(), [&](const auto& word) { return word.first == whom; });
  return found == kWords.end() ? "" : found->second;
}

Json policy_document(const Spec& spec, PolicyFor whom, const std::string& account, const std::string& partition) {
  return policy_of(statements_of(Writer(spec, account, partition), whom));
}

std::vector<Json> policy_parts(const Spec& spec, PolicyFor whom, const std::string& account,
                               const std::string& partition) {
  std::vector<Json> parts;
  Statements part;
  for (const Statement& statement : statements_of(Writer(spec, account, partition), whom)) {
    part.push_back(statement);
    if (part.size() > 1 && policy_of(part).dump().size() > kManagedPolicyMax) {
      part.pop_back();
      parts.push_back(policy_of(part));
      part = {statement};
    }
  }
  parts.push_back(policy_of(part));
  return parts;
}

// A confused deputy is kept out of the scheduler's role by the account; EC2 gives a machine's role to nobody else.
Json trust_document(PolicyFor whom, const std::string& account, const std::string& partition) {
  const bool scheduler = whom == PolicyFor::scheduler;
  const std::string suffix = partition == "aws-cn" && !scheduler ? ".cn" : "";
  const std::string service = fmt::format("{}.amazonaws.com{}", scheduler ? "scheduler" : "ec2", suffix);
  Json statement = Json::object({{"Sid", scheduler ? "Scheduler" : "Machines"},
                                 {"Effect", "Allow"},
                                 {"Principal", Json::object({{"Service", service}})},
                                 {"Action", "sts:AssumeRole"}});
  if (scheduler) {
    statement.set("Condition", Json::object({{"StringEquals", Json::object({{"aws:SourceAccount", account}})}}));
  }
  return Json::object({{"Version", "2012-10-17"}, {"Statement", Json::array({std::move(statement)})}});
}

}  // namespace parallax::fleet
