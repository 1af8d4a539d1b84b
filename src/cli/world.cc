#include "cli/world.h"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"

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

Result<std::string> ask_terminal(const std::string& question, const std::stop_token& stop) {
  constexpr int kLookMs = 100;  // between two looks at the stop token
  constexpr int kLooksMax = 30 * 60 * 1000 / kLookMs;
  constexpr std::size_t kAnswerMax = 1000;
  if (::write(STDERR_FILENO, question.data(), question.size()) < 0) {
    return make_error(ErrorKind::unavailable, "the question cannot be shown; nothing was done");
  }
  std::string line;
  for (int look = 0; look < kLooksMax && line.size() < kAnswerMax; ++look) {
    if (stop.stop_requested()) {
      log::error("");  // ends the question's line
      return make_error(ErrorKind::cancelled, "interrupted before an answer; nothing was done");
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, kLookMs) <= 0) {
      continue;
    }
    char c = 0;
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got == 0 || (got == 1 && c == '\n')) {
      return line;
    }
    if (got < 0 && errno != EINTR) {
      return make_error(ErrorKind::unavailable, "the answer cannot be read; nothing was done");
    }
    if (got == 1) {
      line += c;
    }
  }
  return make_error(ErrorKind::timeout, "no answer within 30 minutes; nothing was done");
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
