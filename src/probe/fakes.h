// For this module's tests: a scripted client, files in memory that tear and fail writes, a clock whose sleeps take no
// time.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/mutex.h"
#include "http/client.h"

namespace parallax::probe {

// The system's clock, but sleeping jumps.
class JumpClock final : public Clock {
 public:
  Instant now() const override { return real_->now() + skipped(); }

  Monotonic monotonic() const override { return real_->monotonic() + skipped(); }

  bool sleep_until(Monotonic deadline, std::stop_token stop) override {
    if (stop.stop_requested()) {
      return false;
    }
    const MutexLock lock(mutex_);
    const Micros left = deadline - (real_->monotonic() + skipped_);
    skipped_ += std::max(left, Micros(0));
    return true;
  }

 private:
  Micros skipped() const {
    const MutexLock lock(mutex_);
    return skipped_;
  }

  std::unique_ptr<Clock> real_ = make_system_clock();
  mutable Mutex mutex_;
  Micros skipped_{0};
};

inline http::Exchange answer(int status, std::string body = "",
                             std::vector<std::pair<std::string, std::string>> headers = {}) {
  http::Exchange exchange;
  exchange.response.status = status;
  exchange.response.body = std::move(body);
  for (auto& [name, value] : headers) {
    exchange.response.headers.add(name, value);
  }
  exchange.transport.timings = {Micros(1), Micros(2), Micros(0), Micros(3), Micros(10), Micros(20), Micros(36)};
  exchange.transport.peer = "192.0.2.1:80";
  exchange.transport.http_version = "1.1";
  return exchange;
}

inline http::Exchange failure(ErrorKind kind, std::string code, http::Phase phase) {
  http::Exchange exchange;
  exchange.error = make_error(kind, "scripted: " + code);
  exchange.error->code = std::move(code);
  exchange.failed_phase = phase;
  return exchange;
}

// Answers by a function; remembers requests and options. Bodies go through on_body in pieces.
class ScriptedClient final : public http::Client {
 public:
  using Script = std::function<http::Exchange(const http::Request&, const http::SendOptions&, std::stop_token)>;

  explicit ScriptedClient(Script script) : script_(std::move(script)) {}

  http::Exchange send(const http::Request& request, const http::SendOptions& options, std::stop_token stop) override {
    {
      const MutexLock lock(mutex_);
      requests_.push_back(request);
      options_.push_back(options);
    }
    http::Exchange exchange = script_(request, options, std::move(stop));
    exchange.transport.bytes_wire = exchange.response.body.size();
    if (options.on_body) {
      const std::string body = std::exchange(exchange.response.body, "");
      if (!body.empty() && options.on_head) {
        options.on_head(exchange.response);
      }
      constexpr std::size_t kPiece = 16384;
      for (std::size_t at = 0; at < body.size(); at += kPiece) {
        if (!options.on_body(std::string_view(body).substr(at, kPiece)) && exchange.ok()) {
          exchange.error = make_error(ErrorKind::refused, "the reader of the body wanted no more of it");
          exchange.error->code = "body-refused";
          exchange.failed_phase = http::Phase::transfer;
          break;
        }
      }
    }
    return exchange;
  }

  std::vector<http::Request> requests() const {
    const MutexLock lock(mutex_);
    return requests_;
  }

  std::vector<http::SendOptions> options() const {
    const MutexLock lock(mutex_);
    return options_;
  }

 private:
  const Script script_;
  mutable Mutex mutex_;
  std::vector<http::Request> requests_ GUARDED_BY(mutex_);
  std::vector<http::SendOptions> options_ GUARDED_BY(mutex_);
};

// Files in memory. After `writes_left` appends every further one fails, half of it written.
class MemoryFiles final : public Files {
 public:
  std::map<std::string, std::string> content;
  std::set<std::string> locked;
  int writes_left = 1'000'000;
  int freed_by_removal = 0;  // writes
  int syncs = 0;

  Result<std::string> read(const std::string& path, std::size_t bytes_max) override {
    const MutexLock lock(mutex_);
    const auto found = content.find(path);
    if (found == content.end()) {
      return make_error(ErrorKind::not_found, path);
    }
    return found->second.size() > bytes_max ? Result<std::string>(make_error(ErrorKind::refused, path)) : found->second;
  }

  Result<> write(const std::string& path, std::string_view data, unsigned /*mode*/) override {
    const MutexLock lock(mutex_);
    content[path] = data;
    return {};
  }

  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path, unsigned /*mode*/) override {
    const MutexLock lock(mutex_);
    content.try_emplace(path);
    return std::unique_ptr<AppendFile>(std::make_unique<Appender>(*this, path));
  }

  Result<> truncate(const std::string& path, std::uint64_t size) override {
    const MutexLock lock(mutex_);
    content[path].resize(size);
    return {};
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    const MutexLock lock(mutex_);
    content[to] = content[from];
    content.erase(from);
    return {};
  }

  Result<> remove(const std::string& path) override {
    const MutexLock lock(mutex_);
    writes_left += content.erase(path) == 0 ? 0 : freed_by_removal;
    return {};
  }

  Result<> make_directories(const std::string& /*path*/, unsigned /*mode*/) override { return {}; }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    const MutexLock lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [path, data] : content) {
      const std::string rest = path.starts_with(directory + "/") ? path.substr(directory.size() + 1) : "";
      if (!rest.empty() && rest.find('/') == std::string::npos) {
        names.push_back(rest);
      }
    }
    return names;
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const MutexLock lock(mutex_);
    if (!locked.insert(path).second) {
      return make_error(ErrorKind::conflict, path);
    }
    return std::unique_ptr<FileLock>(std::make_unique<Lock>(*this, path));
  }

 private:
  class Appender final : public AppendFile {
   public:
    Appender(MemoryFiles& files, std::string path) : files_(files), path_(std::move(path)) {}

    Result<> append(std::string_view data) override {
      const MutexLock lock(files_.mutex_);
      if (files_.writes_left-- <= 0) {
        files_.content[path_] += data.substr(0, data.size() / 2);
        return make_error(ErrorKind::unavailable, path_ + ": no space left on device");
      }
      files_.content[path_] += data;
      return {};
    }

    Result<> sync() override {
      const MutexLock lock(files_.mutex_);
      ++files_.syncs;
      return {};
    }

    std::uint64_t size() const override {
      const MutexLock lock(files_.mutex_);
      return files_.content[path_].size();
    }

   private:
    MemoryFiles& files_;
    const std::string path_;
  };

  class Lock final : public FileLock {
   public:
    Lock(MemoryFiles& files, std::string path) : files_(files), path_(std::move(path)) {}

    ~Lock() override {
      const MutexLock lock(files_.mutex_);
      files_.locked.erase(path_);
    }

   private:
    MemoryFiles& files_;
    const std::string path_;
  };

  mutable Mutex mutex_;
};

inline std::string votable(int rows, std::string_view status = "OK") {
  std::string text =
      "<?xml version=\"1.0\"?><VOTABLE version=\"1.3\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">"
      "<RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"" +
      std::string(status) + "\">what happened</INFO><TABLE><FIELD name=\"a\" datatype=\"int\"/><DATA><TABLEDATA>";
  for (int i = 0; i < rows; ++i) {
    text += "<TR><TD>" + std::to_string(i) + "</TD></TR>";
  }
  return text + "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>";
}

}  // namespace parallax::probe
