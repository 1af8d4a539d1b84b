#include "cli/prompt.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

Result<bool> ask_yes(World& world, std::string_view question) {
  if (!world.ask) {
    return false;
  }
  const std::string answer = TRY(world.ask(fmt::format("{} Only 'yes' is taken for yes: ", question)));
  return equals_ignore_case(trim(answer), "yes");
}

Result<bool> confirm(const Arguments& arguments, World& world, std::string_view question, std::string_view way_out) {
  if (arguments.has("--yes")) {
    return true;
  }
  if (!world.ask) {
    return make_error(ErrorKind::invalid, fmt::format("nothing was done: there is no terminal to ask on; {}", way_out));
  }
  return ask_yes(world, question);
}

Option yes_option() {
  return {"--yes", OptionKind::flag, "", "do it without asking"};
}

}  // namespace parallax::cli
