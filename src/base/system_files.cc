#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/files.h"

namespace parallax {

namespace {

Error os_error(std::string_view what, const std::string& path, int number) {
  const ErrorKind kind = number == ENOENT                                                  ? ErrorKind::not_found
                         : number == EACCES || number == EPERM                             ? ErrorKind::denied
                         : number == EWOULDBLOCK                                           ? ErrorKind::conflict
                         : number == EISDIR || number == ENOTDIR || number == ENAMETOOLONG ? ErrorKind::invalid
                                                                                           : ErrorKind::unavailable;
  Error error = make_error(kind, fmt::format("{}: cannot {}: {}", path, what, std::generic_category().message(number)));
  error.code = number == ENOSPC ? "disk-full" : "";
  return error;
}

// Closes on scope exit.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}

  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Result<> write_all(int fd, const std::string& path, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return os_error("write", path, errno);
    }
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

Result<> sync_directory(const std::string& directory) {
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || ::fsync(fd.get()) != 0) {
    return os_error("sync", directory, errno);
  }
  return {};
}

class SystemAppendFile final : public AppendFile {
 public:
  SystemAppendFile(int fd, std::string path, std::uint64_t size) : fd_(fd), path_(std::move(path)), size_(size) {}

  Result<> append(std::string_view data) override {
    TRY(write_all(fd_.get(), path_, data));
    size_ += data.size();
    return {};
  }

  Result<> sync() override {
    if (::fdatasync(fd_.get()) != 0) {
      return os_error("sync", path_, errno);
    }
    return {};
  }

  std::uint64_t size() const override { return size_; }

 private:
  Descriptor fd_;
  std::string path_;
  std::uint64_t size_;
};

class SystemFileLock final : public FileLock {
 public:
  explicit SystemFileLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;
};

class SystemFiles final : public Files {
 public:
  Result<std::string> read(const std::string& path, std::size_t bytes_max) override {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.ok()) {
      return os_error("open", path, errno);
    }
    std::string data;
    for (;;) {
      constexpr std::size_t kChunk = 65536;
      const std::size_t old_size = data.size();
      data.resize(old_size + kChunk);
      const ssize_t got = ::read(fd.get(), data.data() + old_size, kChunk);
      if (got < 0 && errno == EINTR) {
        data.resize(old_size);
        continue;
      }
      if (got < 0) {
        return os_error("read", path, errno);
      }
      data.resize(old_size + static_cast<std::size_t>(got));
      if (data.size() > bytes_max) {
        return make_error(ErrorKind::refused, fmt::format("{}: larger than the limit of {} bytes", path, bytes_max));
      }
      if (got == 0) {
        return data;
      }
    }
  }

  Result<> write(const std::string& path, std::string_view data, unsigned mode) override {
    const std::string temporary = fmt::format("{}.new{}", path, ::getpid());
    {
      const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
      if (!fd.ok()) {
        return os_error("create", temporary, errno);
      }
      Result<> written = write_all(fd.get(), temporary, data);
      if (written && ::fsync(fd.get()) != 0) {
        written = os_error("sync", temporary, errno);
      }
      if (!written) {
        ::unlink(temporary.c_str());
        return written;
      }
    }
    return rename(temporary, path);
  }

  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path, unsigned mode) override {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode);
    if (fd < 0) {
      return os_error("open", path, errno);
    }

    struct stat status {};

    const bool known = ::fstat(fd, &status) == 0;
    return std::unique_ptr<AppendFile>(
        std::make_unique<SystemAppendFile>(fd, path, known ? static_cast<std::uint64_t>(status.st_size) : 0));
  }

  Result<> truncate(const std::string& path, std::uint64_t size) override {
    if (::truncate(path.c_str(), static_cast<off_t>(size)) != 0) {
      return os_error("truncate", path, errno);
    }
    return {};
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return os_error("rename", from, errno);
    }
    return sync_directory(parent_of(to));
  }

  Result<> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return os_error("remove", path, errno);
    }
    return {};
  }

  Result<> make_directories(const std::string& path, unsigned mode) override {
    for (std::size_t at = 1; at != std::string::npos && at <= path.size();) {
      at = path.find('/', at);
      const std::string part = path.substr(0, at);
      if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
        return os_error("make the directory", part, errno);
      }
      at = at == std::string::npos ? at : at + 1;
    }
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* dir = ::opendir(directory.c_str());
    if (dir == nullptr) {
      return os_error("list", directory, errno);
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(dir)) {  // NOLINT(concurrency-mt-unsafe): each thread has its own DIR
      const std::string name = entry->d_name;
      if (name != "." && name != "..") {
        names.push_back(name);
      }
    }
    ::closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
      return os_error("open", path, errno);
    }
    auto lock = std::make_unique<SystemFileLock>(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      return os_error("lock", path, errno);
    }
    return std::unique_ptr<FileLock>(std::move(lock));
  }
};

}  // namespace

std::unique_ptr<Files> make_system_files() {
  return std::make_unique<SystemFiles>();
}

}  // namespace parallax
