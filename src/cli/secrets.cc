#include "cli/secrets.h"

#include <sys/stat.h>

#include <fmt/format.h>

namespace parallax::cli {

namespace {

constexpr std::size_t kSecretBytesMax = 65536;

}  // namespace

Result<std::string> read_secret_file(World& world, const std::string& path) {
  struct stat status {};

  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077U) != 0) {
    return make_error(ErrorKind::invalid, fmt::format("{}: mode {:04o} lets others read a secret; run: chmod 600 {}",
                                                      path, status.st_mode & 07777U, path));
  }
  Result<std::string> text = world.files.read(path, kSecretBytesMax);
  if (!text) {
    Error error = text.error();
    error.kind = ErrorKind::invalid;
    return error;
  }
  return text;
}

Result<SigningKey> read_signing_key(World& world, const std::string& path) {
  const std::string text = TRY(read_secret_file(world, path));
  return signing_key_from_text(text).with_context("reading " + path);
}

}  // namespace parallax::cli
