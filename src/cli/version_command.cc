#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/version.h"

namespace parallax::cli {

Command version_command() {
  return Command{"version",
                 "print version and build",
                 {},
                 [](const Arguments&, World&) -> Result<int> {
                   print(fmt::format("parallax {} ({})\n", kVersion, kBuild));
                   return 0;
                 },
                 {}};
}

}  // namespace parallax::cli
