#include "cli/args.h"

#include <charconv>
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

namespace {

// Where CLI11 puts what it read, one per command.
struct Slots {
  const Command* command = nullptr;
  std::map<std::string, bool> flags;
  std::map<std::string, std::vector<std::string>> values;
};

void declare_option(CLI::App& app, const Option& option, Slots& slots) {
  if (option.kind == OptionKind::flag) {
    app.add_flag(option.name, slots.flags[option.name], option.help);
    return;
  }
  CLI::Option* declared = app.add_option(option.name, slots.values[option.name], option.help);
  declared->type_name(option.value_name);
  declared->required(option.required);
  // One value each time and never the words that follow, which may be positionals. A positional list takes them.
  declared->allow_extra_args(option.positional && option.kind == OptionKind::list);
  if (option.kind == OptionKind::value) {
    declared->expected(1);
    declared->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  } else {
    // Repeatable: "--region a --region b".
    declared->expected(option.positional ? -1 : 1);
    declared->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

void declare(CLI::App& app, const Command& command, std::vector<std::unique_ptr<Slots>>& all,
             std::map<const CLI::App*, Slots*>& by_app) {
  all.push_back(std::make_unique<Slots>());
  Slots& slots = *all.back();
  slots.command = &command;
  by_app[&app] = &slots;
  app.footer(command.examples);
  for (const Option& option : command.options) {
    declare_option(app, option, slots);
  }
  if (command.subcommands.empty() || command.run) {
    for (const Option& option : {Option{"--quiet", OptionKind::flag, "", "print data and errors only"},
                                 Option{"--verbose", OptionKind::flag, "", "tell what is done"}}) {
      declare_option(app, option, slots);
    }
  }
  for (const Command& inner : command.subcommands) {
    CLI::App* sub = app.add_subcommand(inner.name, inner.summary);
    declare(*sub, inner, all, by_app);
  }
}

Arguments arguments_of(const Slots& slots) {
  Arguments arguments;
  for (const auto& [name, given] : slots.flags) {
    if (given) {
      arguments.values[name] = {};
    }
  }
  for (const auto& [name, values] : slots.values) {
    if (!values.empty()) {
      arguments.values[name] = values;
    }
  }
  return arguments;
}

std::string suggestion(const CLI::App& app, std::string_view message) {
  // CLI11 names the unknown word last: "The following argument was not expected: fleat".
  const std::size_t colon = message.rfind(": ");
  if (colon == std::string_view::npos) {
    return {};
  }
  const std::string_view word = trim(message.substr(colon + 2));
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands(nullptr)) {
    names.push_back(sub->get_name());
  }
  for (const CLI::Option* option : app.get_options()) {
    names.push_back(option->get_name());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view best = suggest(word, views);
  return best.empty() ? std::string() : fmt::format(" (did you mean '{}'?)", best);
}

std::string full_name(const Command& root, const CLI::App* app) {
  std::string name;
  for (; app->get_parent() != nullptr; app = app->get_parent()) {
    name = " " + app->get_name() + name;
  }
  return root.name + name;
}

CLI::App* deepest(CLI::App& app) {
  CLI::App* current = &app;
  while (!current->get_subcommands().empty()) {
    current = current->get_subcommands().front();
  }
  return current;
}

Error bad_number(std::string_view name, std::string_view value, std::string_view expected) {
  return make_error(ErrorKind::invalid, fmt::format("{}: '{}' is not {}", name, value, expected));
}

}  // namespace

bool Arguments::has(std::string_view name) const {
  return values.find(name) != values.end();
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() || found->second.empty() ? std::nullopt : std::optional(found->second.back());
}

std::string Arguments::value_or(std::string_view name, std::string_view fallback) const {
  return value(name).value_or(std::string(fallback));
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::vector<std::string>() : found->second;
}

Result<std::int64_t> Arguments::integer(std::string_view name, std::int64_t fallback, std::int64_t low,
                                        std::int64_t high) const {
  const std::optional<std::string> text = value(name);
  if (!text) {
    return fallback;
  }
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (status != std::errc() || end != text->data() + text->size() || number < low || number > high) {
    return bad_number(name, *text, fmt::format("an integer from {} to {}", low, high));
  }
  return number;
}

Result<std::uint64_t> Arguments::seed(std::string_view name, std::uint64_t fallback) const {
  const std::optional<std::string> text = value(name);
  if (!text) {
    return fallback;
  }
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (status != std::errc() || end != text->data() + text->size()) {
    return bad_number(name, *text, "an integer from 0 to 18446744073709551615");
  }
  return number;
}

Result<double> Arguments::number(std::string_view name, double fallback, double low, double high) const {
  const std::optional<std::string> text = value(name);
  if (!text) {
    return fallback;
  }
  double number = 0;
  const auto [end, status] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (status != std::errc() || end != text->data() + text->size() || !(number >= low && number <= high)) {
    return bad_number(name, *text, fmt::format("a number from {} to {}", low, high));
  }
  return number;
}

Parsed parse_arguments(const Command& root, int argc, const char* const* argv) {
  CLI::App app(root.summary, root.name);
  std::vector<std::unique_ptr<Slots>> all;
  std::map<const CLI::App*, Slots*> by_app;
  declare(app, root, all, by_app);
  Parsed parsed;
  try {
    // Everybody tries this; it is the command of that name.
    const std::vector<const char*> version = {argv[0], "version"};
    const bool asks_version = argc == 2 && std::string_view(argv[1]) == "--version";
    app.parse(asks_version ? 2 : argc, asks_version ? version.data() : argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* where = deepest(app);
    parsed.output = where->help(where == &app ? "" : full_name(root, where->get_parent()));
    return parsed;
  } catch (const CLI::ParseError& error) {
    const CLI::App* where = deepest(app);
    parsed.problem =
        fmt::format("{}{}\nTry '{} --help'.", error.what(), suggestion(*where, error.what()), full_name(root, where));
    parsed.exit_code = 2;
    return parsed;
  }
  const Slots* slots = by_app[deepest(app)];
  if (!slots->command->subcommands.empty() && !slots->command->run) {
    // Checked here and not by CLI11, which would say so before it looks at a mistyped word.
    parsed.problem = fmt::format("{} what? One of:\n", full_name(root, deepest(app)));
    for (const Command& inner : slots->command->subcommands) {
      parsed.problem += fmt::format("  {:<10} {}\n", inner.name, inner.summary);
    }
    parsed.problem += fmt::format("Try '{} --help'.", full_name(root, deepest(app)));
    parsed.exit_code = 2;
    return parsed;
  }
  parsed.command = slots->command;
  parsed.arguments = arguments_of(*slots);
  // Options may also stand before the word of a command that can be left out.
  const CLI::App* above = deepest(app)->get_parent();
  if (above != nullptr && by_app[above]->command->run) {
    for (auto& [name, values] : arguments_of(*by_app[above]).values) {
      parsed.arguments.values.try_emplace(name, values);
    }
  }
  return parsed;
}

}  // namespace parallax::cli
