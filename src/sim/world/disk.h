// Files in memory, one disk a host: they outlive the processes that write them, and they fail as disks do.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/files.h"
#include "sim/world/world.h"

namespace parallax::sim {

// Probabilities per call.
struct DiskFaults {
  double append_fails = 0;  // nothing is written: the disk is full
  double append_torn = 0;   // a prefix is written, then the error
  double sync_fails = 0;
  double write_fails = 0;  // of Files::write: the old content stays
};

// The disks of a world. Not thread safe, as everything in a world.
class Disks {
 public:
  explicit Disks(VirtualWorld& world) : world_(world) {}

  // Files of the process's host as that process sees them. Its locks are let go when it is killed; a power cut loses
  // what was not synced, but for a prefix drawn by the seed.
  std::unique_ptr<Files> files(Process& process);

  void set_faults(const std::string& host, const DiskFaults& faults);

  // Without faults, limits or steps, for tests: the content, or nothing.
  std::string content(const std::string& host, const std::string& path) const;
  // Removes every file below `directory`.
  void wipe(const std::string& host, const std::string& directory);

 private:
  friend class SimulatedFiles;
  friend class SimulatedAppendFile;
  friend class SimulatedLock;

  struct Node {
    std::string data;
    std::size_t synced = 0;  // bytes that survive a power cut
  };

  struct Disk {
    std::map<std::string, std::shared_ptr<Node>> files;
    std::set<std::string> directories;
    std::map<std::string, const Process*> locks;
    DiskFaults faults;
  };

  void crash(Process& process, KillKind kind);

  VirtualWorld& world_;
  std::map<std::string, Disk> disks_;
};

}  // namespace parallax::sim
