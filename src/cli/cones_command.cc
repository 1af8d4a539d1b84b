// parallax cones

#include <fmt/format.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/cone_options.h"
#include "probe/cones.h"

namespace parallax::cli {

namespace {

// A file is read back by its name's ending, so it is written so.
std::string_view cone_format(std::string_view file) {
  return file.ends_with(".py") ? "py" : file.ends_with(".json") ? "json" : "csv";
}

Result<int> cones(const Arguments& arguments, World& world) {
  const ConeParameters parameters = TRY(cone_parameters(arguments, world));
  const std::optional<std::string> file = arguments.value("file");
  const std::string output = arguments.value_or("--output", cone_format(file.value_or("")));
  const std::vector<Cone> list = make_cones(parameters);
  std::string text;
  if (output == "csv") {
    text = cones_to_csv(list);
  } else if (output == "json") {
    text = cones_to_json(list);
  } else if (output == "py") {
    text = cones_to_python(list);
  } else {
    return make_error(ErrorKind::invalid, fmt::format("--output: '{}' is not csv, json or py", output));
  }
  if (!arguments.has("--seed")) {
    log::note(fmt::format("seed {}", parameters.seed));
  }
  if (file && *file != "-") {
    TRY(world.files.write(*file, text, 0644));
    return 0;
  }
  print(text);
  return 0;
}

}  // namespace

Command cones_command() {
  std::vector<Option> options = cone_options();
  options.push_back(Option{"--output", OptionKind::value, "FORMAT",
                           "csv (default), json or py (as servicemon reads them); else as FILE ends"});
  options.push_back(
      Option{"file", OptionKind::value, "FILE", "where to write (default: standard output)", false, true});
  return Command{"cones", "write cones that are equal everywhere for equal seeds", options, cones, {}};
}

}  // namespace parallax::cli
