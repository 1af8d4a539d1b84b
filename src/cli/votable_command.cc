#include <cstdio>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/commands.h"
#include "vo/describe.h"
#include "vo/votable.h"

namespace parallax::cli {

namespace {

// The file in pieces, so that a table of any size is read in bounded memory.
Result<vo::VotableSummary> read_file(const std::string& path) {
  const bool from_stdin = path == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(
      from_stdin ? nullptr : std::fopen(path.c_str(), "rbe"),
      [](std::FILE* file) { return file == nullptr ? 0 : std::fclose(file); });
  std::FILE* file = from_stdin ? stdin : opened.get();
  if (file == nullptr) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{}: cannot be opened; give the name of a file, or - for standard input", path));
  }
  vo::VotableReader reader;
  std::string piece(1U << 18U, '\0');
  for (;;) {
    const std::size_t got = std::fread(piece.data(), 1, piece.size(), file);
    if (got == 0) {
      if (std::ferror(file) != 0) {
        return make_error(ErrorKind::invalid, fmt::format("{}: cannot be read", path));
      }
      return reader.finish();
    }
    if (const Result<> pushed = reader.push(std::string_view(piece.data(), got)); !pushed) {
      return reader.finish();  // the summary says which limit was reached
    }
  }
}

Result<int> run_votable(const Arguments& arguments, World& /*world*/) {
  const std::string output = arguments.value_or("--output", "table");
  if (output != "table" && output != "json") {
    return make_error(ErrorKind::invalid, fmt::format("--output: '{}' is not table or json", output));
  }
  const vo::VotableSummary summary = TRY(read_file(arguments.value_or("file", "-")));
  if (output == "json") {
    print(vo::describe(summary).dump() + "\n");
  } else {
    print(vo::describe_text(summary));
  }
  return summary.problem == vo::Problem::none ? 0 : 1;
}

}  // namespace

Command votable_command() {
  return Command{"votable",
                 "inspect a table: rows, columns, status, findings",
                 {Option{"file", OptionKind::value, "FILE", "a VOTable, or - for standard input", true, true},
                  Option{"--output", OptionKind::value, "FORMAT", "table (default) or json"}},
                 run_votable,
                 {}};
}

}  // namespace parallax::cli
