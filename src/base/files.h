// Files: the part of a file system that the spool and the journal need, so that simulation can tear and fail writes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace parallax {

// A file open for appending. Not thread safe.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // Appends all of `data` or fails; after a failure a part of it may be at the end of the file (a torn write).
  virtual Result<> append(std::string_view data) = 0;
  // What was appended survives a power cut once this returns.
  virtual Result<> sync() = 0;
  virtual std::uint64_t size() const = 0;
};

// Holds an exclusive lock until destroyed; the operating system lets go of it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Thread safety: every method may be called from any thread. Paths are plain strings with '/'.
// Errors: not_found, denied, conflict (lock is held), unavailable (disk full, I/O).
class Files {
 public:
  virtual ~Files() = default;
  // Error refused when the file is larger than `bytes_max`.
  virtual Result<std::string> read(const std::string& path, std::size_t bytes_max) = 0;
  // Replaces the file in one step: temporary name, sync, rename, sync of the directory.
  virtual Result<> write(const std::string& path, std::string_view data, unsigned mode) = 0;
  // Creates the file with `mode` if it is missing.
  virtual Result<std::unique_ptr<AppendFile>> open_append(const std::string& path, unsigned mode) = 0;
  virtual Result<> truncate(const std::string& path, std::uint64_t size) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  // Removing what is not there succeeds.
  virtual Result<> remove(const std::string& path) = 0;
  virtual Result<> make_directories(const std::string& path, unsigned mode) = 0;
  // Names (without the path) of the entries, sorted. An absent directory: not_found.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

std::unique_ptr<Files> make_system_files();

}  // namespace parallax
