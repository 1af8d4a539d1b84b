#include "cli/world.h"

#include <cerrno>
#include <unistd.h>

#include <fmt/format.h>

namespace parallax::cli {

Result<std::string> read_input(World& world, const std::string& path) {
  constexpr std::size_t kInputBytesMax = 16U << 20U;
  Result<std::string> text = world.files.read(path, kInputBytesMax);
  if (!text) {
    Error error = text.error();
    error.kind = ErrorKind::invalid;
    return error;
  }
  return text;
}

Result<std::string> read_stdin(std::size_t bytes_max) {
  std::string data;
  for (;;) {
    constexpr std::size_t kChunk = 65536;
    const std::size_t old_size = data.size();
    data.resize(old_size + kChunk);
    const ssize_t got = ::read(STDIN_FILENO, data.data() + old_size, kChunk);
    if (got < 0 && errno != EINTR) {
      return make_error(ErrorKind::unavailable, "standard input cannot be read");
    }
    data.resize(old_size + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got == 0) {
      return data;
    }
    if (data.size() > bytes_max) {
      return make_error(ErrorKind::refused,
                        fmt::format("standard input is larger than the limit of {} bytes", bytes_max));
    }
  }
}

bool print(std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, data.data(), data.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return false;
    }
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace parallax::cli
