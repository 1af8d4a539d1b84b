#include "sim/world/disk.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace parallax::sim {

namespace {

Error dead() {
  return make_error(ErrorKind::unavailable, "the process is dead");
}

Error disk_error(const std::string& path, std::string_view what) {
  Error error = make_error(ErrorKind::unavailable, fmt::format("{}: {} (simulated)", path, what));
  error.code = "disk-full";
  return error;
}

Error missing(const std::string& path) {
  return make_error(ErrorKind::not_found, fmt::format("{}: no such file or directory (simulated)", path));
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

class SimulatedAppendFile final : public AppendFile {
 public:
  SimulatedAppendFile(Disks& disks, Process& process, std::string path, std::shared_ptr<Disks::Node> node)
      : disks_(disks), process_(process), path_(std::move(path)), node_(std::move(node)) {}

  Result<> append(std::string_view data) override {
    if (!process_.enter()) {
      return dead();
    }
    const DiskFaults& faults = disks_.disks_[process_.host()].faults;
    Rng& rng = disks_.world_.rng("disk " + process_.host());
    Result<> result;
    if (rng.chance(faults.append_fails)) {
      result = disk_error(path_, "no space left");
    } else if (rng.chance(faults.append_torn)) {
      node_->data += data.substr(0, static_cast<std::size_t>(rng.below(data.size() + 1)));
      result = disk_error(path_, "no space left for all of it");
    } else {
      node_->data += data;
    }
    disks_.world_.note(result ? "append" : "torn", path_);
    process_.leave();
    return result;
  }

  Result<> sync() override {
    if (!process_.enter()) {
      return dead();
    }
    const bool fails =
        disks_.world_.rng("disk " + process_.host()).chance(disks_.disks_[process_.host()].faults.sync_fails);
    if (!fails) {
      node_->synced = node_->data.size();
    }
    process_.leave();
    return fails ? Result<>(disk_error(path_, "cannot sync")) : Result<>();
  }

  std::uint64_t size() const override { return node_->data.size(); }

 private:
  Disks& disks_;
  Process& process_;
  const std::string path_;
  const std::shared_ptr<Disks::Node> node_;
};

class SimulatedLock final : public FileLock {
 public:
  SimulatedLock(Disks::Disk& disk, const Process& process, std::string path)
      : disk_(disk), process_(process), path_(std::move(path)) {}

  ~SimulatedLock() override {
    const auto held = disk_.locks.find(path_);
    if (held != disk_.locks.end() && held->second == &process_) {
      disk_.locks.erase(held);
    }
  }

  SimulatedLock(const SimulatedLock&) = delete;
  SimulatedLock& operator=(const SimulatedLock&) = delete;

 private:
  Disks::Disk& disk_;
  const Process& process_;
  const std::string path_;
};

class SimulatedFiles final : public Files {
 public:
  SimulatedFiles(Disks& disks, Process& process)
      : disks_(disks), process_(process), disk_(disks.disks_[process.host()]) {}

  Result<std::string> read(const std::string& path, std::size_t bytes_max) override {
    if (!process_.enter()) {
      return dead();
    }
    const auto found = disk_.files.find(path);
    if (found == disk_.files.end()) {
      return missing(path);
    }
    if (found->second->data.size() > bytes_max) {
      return make_error(ErrorKind::refused, fmt::format("{}: larger than the limit of {} bytes", path, bytes_max));
    }
    return found->second->data;
  }

  Result<> write(const std::string& path, std::string_view data, unsigned /*mode*/) override {
    if (!process_.enter()) {
      return dead();
    }
    if (!has_directory(parent_of(path))) {
      return missing(parent_of(path));
    }
    if (disks_.world_.rng("disk " + process_.host()).chance(disk_.faults.write_fails)) {
      return disk_error(path, "cannot write");
    }
    auto node = std::make_shared<Disks::Node>();
    node->data = data;
    node->synced = data.size();
    disk_.files[path] = std::move(node);
    disks_.world_.note("write", path);
    process_.leave();
    return {};
  }

  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path, unsigned /*mode*/) override {
    if (!process_.enter()) {
      return dead();
    }
    if (!has_directory(parent_of(path))) {
      return missing(parent_of(path));
    }
    std::shared_ptr<Disks::Node>& node = disk_.files[path];
    if (node == nullptr) {
      node = std::make_shared<Disks::Node>();
    }
    return std::unique_ptr<AppendFile>(std::make_unique<SimulatedAppendFile>(disks_, process_, path, node));
  }

  Result<> truncate(const std::string& path, std::uint64_t size) override {
    if (!process_.enter()) {
      return dead();
    }
    const auto found = disk_.files.find(path);
    if (found == disk_.files.end()) {
      return missing(path);
    }
    Disks::Node& node = *found->second;
    node.data.resize(static_cast<std::size_t>(size));
    node.synced = std::min(node.synced, node.data.size());
    process_.leave();
    return {};
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (!process_.enter()) {
      return dead();
    }
    const auto found = disk_.files.find(from);
    if (found == disk_.files.end()) {
      return missing(from);
    }
    auto node = found->second;
    disk_.files.erase(found);
    disk_.files[to] = std::move(node);
    disks_.world_.note("rename", to);
    process_.leave();
    return {};
  }

  Result<> remove(const std::string& path) override {
    if (!process_.enter()) {
      return dead();
    }
    disk_.files.erase(path);
    disks_.world_.note("remove", path);
    process_.leave();
    return {};
  }

  Result<> make_directories(const std::string& path, unsigned /*mode*/) override {
    if (!process_.enter()) {
      return dead();
    }
    for (std::string part = path; part != "." && part != "/" && !part.empty(); part = parent_of(part)) {
      disk_.directories.insert(part);
    }
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    if (!process_.enter()) {
      return dead();
    }
    if (!has_directory(directory)) {
      return missing(directory);
    }
    std::set<std::string> names;
    const std::string prefix = directory.ends_with('/') ? directory : directory + "/";
    const auto add = [&](const std::string& path) {
      if (path.starts_with(prefix) && path.size() > prefix.size()) {
        names.insert(path.substr(prefix.size(), path.find('/', prefix.size()) - prefix.size()));
      }
    };
    for (const auto& [path, node] : disk_.files) {
      add(path);
    }
    for (const std::string& path : disk_.directories) {
      add(path);
    }
    return std::vector<std::string>(names.begin(), names.end());
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    if (!process_.enter()) {
      return dead();
    }
    if (!has_directory(parent_of(path))) {
      return missing(parent_of(path));
    }
    if (disk_.locks.contains(path)) {
      return make_error(ErrorKind::conflict, fmt::format("{}: cannot lock: somebody holds it (simulated)", path));
    }
    disk_.locks[path] = &process_;
    disk_.files.try_emplace(path, std::make_shared<Disks::Node>());
    return std::unique_ptr<FileLock>(std::make_unique<SimulatedLock>(disk_, process_, path));
  }

 private:
  bool has_directory(const std::string& path) const {
    return path == "." || path == "/" || disk_.directories.contains(path);
  }

  Disks& disks_;
  Process& process_;
  Disks::Disk& disk_;
};

std::unique_ptr<Files> Disks::files(Process& process) {
  process.on_kill([this, &process](KillKind kind) { crash(process, kind); });
  return std::make_unique<SimulatedFiles>(*this, process);
}

void Disks::set_faults(const std::string& host, const DiskFaults& faults) {
  disks_[host].faults = faults;
}

std::string Disks::content(const std::string& host, const std::string& path) const {
  const auto disk = disks_.find(host);
  if (disk == disks_.end()) {
    return "";
  }
  const auto file = disk->second.files.find(path);
  return file == disk->second.files.end() ? "" : file->second->data;
}

void Disks::wipe(const std::string& host, const std::string& directory) {
  std::erase_if(disks_[host].files, [&](const auto& file) { return file.first.starts_with(directory + "/"); });
}

void Disks::crash(Process& process, KillKind kind) {
  Disk& disk = disks_[process.host()];
  std::erase_if(disk.locks, [&](const auto& lock) { return lock.second == &process; });
  if (kind != KillKind::power_cut) {
    return;
  }
  Rng& rng = world_.rng("power cut " + process.host());
  for (auto& [path, node] : disk.files) {
    if (node->synced < node->data.size()) {
      const std::size_t kept = static_cast<std::size_t>(rng.below(node->data.size() - node->synced + 1));
      node->data.resize(node->synced + kept);
    }
    node->synced = node->data.size();
  }
}

}  // namespace parallax::sim
