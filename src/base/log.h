// What goes to stderr beside data: one line per message, safe for a terminal, levels set once by main().
#pragma once

#include <string>
#include <string_view>

namespace parallax::log {

enum class Level { quiet, normal, verbose };

void set_level(Level level);
Level level();

// Something the user must know: always printed.
void error(std::string_view message);
// Printed unless --quiet.
void note(std::string_view message);
// Printed with --verbose only.
void detail(std::string_view message);

}  // namespace parallax::log
