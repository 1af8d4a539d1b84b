// One boot of one instance as processes: its namespaces, the commands that run in it, the power requests that come out.
// Everything here happens on the supervisor's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "sim/cloud/execute.h"
#include "sim/cloud/guest.h"
#include "sim/cloud/spawn.h"

namespace parallax::sim {

struct CommandOrder {
  GuestCommand command;
  std::function<void(GuestResult)> done;
};

class Machine {
 public:
  // `options`, `control`, `clock` and `files` must outlive it.
  Machine(InstanceRef ref, const ExecuteOptions& options, Containment containment, Clock& clock, Files& files,
          GuestControl& control);

  // Starts the namespaces; commands wait until they stand. An error ends up in the commands' results.
  void boot();
  void run(CommandOrder order);
  void kill_command(const std::string& command_id);
  // Ends every process. No result is reported afterwards.
  void power_off();

  // Looks at everything that may have happened; never blocks. Commands that ended are appended to `finished`.
  void service(std::vector<std::function<void()>>& finished);

  // The file descriptors whose readiness is worth a service(), and when to look without any.
  void watch(std::vector<int>& descriptors, Monotonic& deadline) const;

  // Powered off; no command can be run on it any more.
  bool is_off() const { return off_; }

  // Powered off and every process reaped.
  bool gone() const;

 private:
  struct Running {
    std::string id;
    std::string script;
    std::function<void(GuestResult)> done;
    ChildProcess process;
    GuestResult result;
    std::optional<int> exit_code;
    Monotonic drain_until{};
    bool reported = false;
  };

  Result<> prepare();
  void start(CommandOrder order);
  Result<ChildProcess> spawn_command(const GuestCommand& command, const std::string& script);
  std::vector<std::string> environment() const;
  void service_boot(std::vector<std::function<void()>>& finished);
  void service_command(Running& running, std::vector<std::function<void()>>& finished);
  void read_power_requests();
  void fail(CommandOrder order, const std::string& reason, std::vector<std::function<void()>>& finished) const;
  // Without a PID namespace: kills what carries this boot's mark in its environment.
  void kill_marked() const;
  std::string mark() const;

  const InstanceRef ref_;
  const ExecuteOptions& options_;
  const Containment containment_;
  Clock& clock_;
  Files& files_;
  GuestControl& control_;
  const std::string directory_;

  ChildProcess init_;
  bool ready_ = false;
  bool off_ = false;
  std::string failure_;  // why the machine could not be set up
  Monotonic boot_deadline_{};
  std::string init_out_;
  std::string init_err_;
  Descriptor fifo_;
  std::string power_text_;
  std::deque<CommandOrder> waiting_;
  std::vector<Running> commands_;
};

}  // namespace parallax::sim
