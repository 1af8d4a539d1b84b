// Command lines as data: each command lists its options; CLI11 behind args.cc reads them and prints the help.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace parallax::cli {

enum class OptionKind { flag, value, list };

struct Option {
  std::string name;  // "--seed", or "file" for a positional
  OptionKind kind = OptionKind::value;
  std::string value_name;  // "N", "FILE"; shown in the help
  std::string help;
  bool required = false;
  bool positional = false;
};

// What was given. Names as in the Option.
class Arguments {
 public:
  bool has(std::string_view name) const;
  std::optional<std::string> value(std::string_view name) const;
  std::string value_or(std::string_view name, std::string_view fallback) const;
  std::vector<std::string> list(std::string_view name) const;

  // The value as a number within [low, high], or the fallback where absent. Error: invalid, naming option and value.
  Result<std::int64_t> integer(std::string_view name, std::int64_t fallback, std::int64_t low, std::int64_t high) const;
  Result<std::uint64_t> seed(std::string_view name, std::uint64_t fallback) const;
  Result<double> number(std::string_view name, double fallback, double low, double high) const;

  std::map<std::string, std::vector<std::string>, std::less<>> values;
};

struct World;

struct Command {
  std::string name;
  std::string summary;
  std::vector<Option> options;
  // The exit code; an Error is printed and ends with exit code 2 for kind invalid, else 1.
  std::function<Result<int>(const Arguments&, World&)> run;
  std::vector<Command> subcommands;  // `run` is for the command without any of them; absent: one must be named
  std::string examples = {};         // printed below the options by --help
};

// A command with arguments, or what to print and the exit code (help, wrong usage).
struct Parsed {
  const Command* command = nullptr;
  Arguments arguments;
  std::string output;   // for stdout (help)
  std::string problem;  // for stderr
  int exit_code = 0;
};

// Reads argv against the tree under `root`. Every command gets --config, --quiet, --verbose and --help.
Parsed parse_arguments(const Command& root, int argc, const char* const* argv);

}  // namespace parallax::cli
