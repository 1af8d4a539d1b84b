#include "base/log.h"

#include <atomic>
#include <unistd.h>

#include "base/text.h"

namespace parallax::log {

namespace {

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): set once by main
std::atomic<Level> g_level{Level::normal};

// One write per message, so that lines of several threads do not mix.
void write_line(std::string_view message) {
  std::string line;
  for (const std::string_view part : split(message, '\n')) {
    line += terminal_safe(part, 4000);
    line += '\n';
  }
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written <= 0) {
      return;  // nobody listens on stderr; there is no better place to say so
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void set_level(Level level) {
  g_level = level;
}

Level level() {
  return g_level;
}

void error(std::string_view message) {
  write_line(message);
}

void note(std::string_view message) {
  if (level() != Level::quiet) {
    write_line(message);
  }
}

void detail(std::string_view message) {
  if (level() == Level::verbose) {
    write_line(message);
  }
}

}  // namespace parallax::log
