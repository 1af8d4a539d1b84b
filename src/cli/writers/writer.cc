#include "cli/writers/writer.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

const std::vector<WriterKind>& writer_kinds() {
  static const std::vector<WriterKind> kinds = {
      {"table", "a line a query, for people", make_table_writer},
      {"ndjson", "a line of JSON a query, every member", make_ndjson_writer},
      {"csv", "every member as a column", make_csv_writer},
      {"servicemon-csv", "the columns of servicemon's csv_writer", make_servicemon_csv_writer},
      {"none", "nothing", make_none_writer},
  };
  return kinds;
}

Result<const WriterKind*> writer_kind(std::string_view name) {
  std::vector<std::string_view> names;
  for (const WriterKind& kind : writer_kinds()) {
    if (kind.name == name) {
      return &kind;
    }
    names.push_back(kind.name);
  }
  const std::string_view near = suggest(name, names);
  return make_error(ErrorKind::invalid,
                    fmt::format("--output: '{}' is not one of {}, submit=URL{}", terminal_safe(name, 80),
                                fmt::join(names, ", "), near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace parallax::cli
