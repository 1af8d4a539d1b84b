#include "sim/cloud/execute.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <deque>
#include <iterator>
#include <linux/capability.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <variant>

#include <fmt/format.h>

#include "base/files.h"
#include "base/mutex.h"
#include "sim/cloud/containment.h"
#include "sim/cloud/machine.h"
#include "sim/cloud/power.h"

namespace parallax::sim {

namespace {

constexpr Micros kTrialMax = Seconds(10);
constexpr Micros kLookEvery = Seconds(1);     // where nothing tells
constexpr Micros kReapEvery = Millis(20);     // while processes are ending
constexpr Micros kShutdownMax = Seconds(10);  // how long the destructor waits for them

struct KillOrder {
  InstanceRef instance;
  std::string command_id;  // empty: the whole machine
};

using Order = std::variant<CommandOrder, KillOrder>;

bool is_executable(const char* path) {
  return ::access(path, X_OK) == 0;
}

// Whether this machine lets us make namespaces of that kind and mount in them.
bool works(Containment containment, Clock& clock) {
  for (const char* tool : {"/usr/bin/unshare", "/usr/bin/nsenter", "/usr/bin/setpriv"}) {
    if (!is_executable(tool)) {
      return false;
    }
  }
  std::vector<std::string> line = boot_line(containment, "-c");
  line.emplace_back("mount -t tmpfs tmpfs /dev/shm && setpriv --bounding-set=-sys_boot true");
  Result<ChildProcess> trial = spawn_process(line, {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, "/");
  if (!trial) {
    return false;
  }
  const Monotonic deadline = clock.monotonic() + kTrialMax;
  while (clock.monotonic() < deadline) {
    if (const auto code = reap(trial->pid)) {
      return *code == 0;
    }
    clock.sleep_for(Millis(5), {});
  }
  ::kill(-trial->pid, SIGKILL);
  return false;
}

// What a root without namespaces could use to reach the real machine.
std::string reachable_power_switch() {
  if (::geteuid() != 0) {
    return "";
  }
  for (const char* path : {"/run/systemd/private", "/run/dbus/system_bus_socket", "/run/initctl", "/dev/initctl"}) {
    if (::access(path, F_OK) == 0) {
      return path;
    }
  }
  return ::prctl(PR_CAPBSET_READ, CAP_SYS_BOOT, 0, 0, 0) == 1 ? "the right to reboot" : "";
}

Result<Containment> find_containment(Clock& clock) {
  const Containment wanted = ::geteuid() == 0 ? Containment::namespaces : Containment::user_namespaces;
  if (works(wanted, clock)) {
    return wanted;
  }
  const std::string way = reachable_power_switch();
  if (!way.empty()) {
    return make_error(ErrorKind::denied,
                      fmt::format("commands are not executed here: no mount namespace can be made, and a command could "
                                  "reach this machine's own power switch ({}). Run as an ordinary user, or allow "
                                  "unshare(2).",
                                  way));
  }
  return Containment::shims;
}

bool is_plain_path(const std::string& path) {
  const bool plain = std::ranges::all_of(
      path, [](unsigned char c) { return std::isalnum(c) != 0 || c == '/' || c == '.' || c == '_' || c == '-'; });
  return plain && path.starts_with('/') && !path.starts_with("/run/") && !path.starts_with("/dev/");
}

class RunningGuest final : public ProcessGuest {
 public:
  RunningGuest(const ExecuteOptions& options, Containment containment, Clock& clock, GuestControl& control)
      : options_(options),
        containment_(containment),
        clock_(clock),
        control_(control),
        files_(make_system_files()),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  ~RunningGuest() override {
    if (task_) {
      task_->request_stop();
      wake();
      task_->join();
    }
  }

  Result<> begin(Executor& executor) {
    TRY(files_->make_directories(options_.directory, 0700));
    // One thread does everything: a child dies with the thread that forked it, so this one lives as long as they do.
    task_ = executor.spawn("sim-aws-guests", [this](const std::stop_token& stop) { loop(stop); });
    return {};
  }

  // Without namespaces a boot hook would find this machine's own init: only its plain power commands count then.
  void boot(const InstanceRef& instance, const std::string& user_data) override {
    if (containment_ == Containment::shims) {
      arm_by_user_data(user_data, instance, clock_.now(), options_.minute, control_);
    } else if (const std::string_view script = boothook_of(user_data); !script.empty()) {
      put(CommandOrder{GuestCommand{instance, "boothook", std::string(script), ""}, [](const GuestResult&) {}});
    }
  }

  void run(const GuestCommand& command, std::function<void(GuestResult)> done) override {
    put(CommandOrder{command, std::move(done)});
  }

  void kill(const InstanceRef& instance, const std::string& command_id) override {
    put(KillOrder{instance, command_id});
  }

  void kill_all(const InstanceRef& instance) override { put(KillOrder{instance, ""}); }

  Containment containment() const override { return containment_; }

 private:
  void put(Order order) {
    {
      const MutexLock lock(mutex_);
      orders_.push_back(std::move(order));
    }
    wake();
  }

  void wake() const {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }

  void take_orders() {
    std::deque<Order> orders;
    orders.swap(put_off_);
    {
      const MutexLock lock(mutex_);
      std::ranges::move(orders_, std::back_inserter(orders));
      orders_.clear();
    }
    for (Order& order : orders) {
      if (auto* command = std::get_if<CommandOrder>(&order)) {
        const InstanceRef ref = command->command.instance;
        if (const auto known = machines_.find(ref); known != machines_.end() && known->second.is_off()) {
          // Rebooted: the next system comes up when the last process of the one before is gone.
          put_off_.push_back(std::move(order));
          ending_ = true;
          continue;
        }
        const auto [machine, is_new] =
            machines_.try_emplace(ref, ref, options_, containment_, clock_, *files_, control_);
        if (is_new) {
          machine->second.boot();
        }
        machine->second.run(std::move(*command));
        continue;
      }
      const auto& kill_order = std::get<KillOrder>(order);
      const auto machine = machines_.find(kill_order.instance);
      if (machine == machines_.end()) {
        continue;
      }
      if (kill_order.command_id.empty()) {
        std::erase_if(put_off_, [&](const Order& waiting) {
          const auto* command = std::get_if<CommandOrder>(&waiting);
          return command != nullptr && command->command.instance == kill_order.instance;
        });
        machine->second.power_off();
        ending_ = true;
      } else {
        machine->second.kill_command(kill_order.command_id);
      }
    }
  }

  void service_all() {
    std::vector<std::function<void()>> finished;
    for (auto& [ref, machine] : machines_) {
      machine.service(finished);
    }
    ending_ = std::erase_if(machines_, [](const auto& entry) { return entry.second.gone(); }) > 0 || ending_;
    for (const auto& report : finished) {
      report();
    }
  }

  // Waits until something may have happened.
  void wait() {
    std::vector<int> descriptors = {wake_.get()};
    Monotonic deadline = clock_.monotonic() + (ending_ ? kReapEvery : kLookEvery);
    for (const auto& [ref, machine] : machines_) {
      machine.watch(descriptors, deadline);
    }
    std::vector<pollfd> polled;
    polled.reserve(descriptors.size());
    for (const int descriptor : descriptors) {
      polled.push_back(pollfd{descriptor, POLLIN, 0});
    }
    const Micros left = std::max(Micros(0), deadline - clock_.monotonic());
    ::poll(polled.data(), polled.size(), static_cast<int>(left.count() / 1000) + 1);
    std::array<char, 8> count{};
    (void)!::read(wake_.get(), count.data(), count.size());
    ending_ = false;
  }

  void loop(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      take_orders();
      service_all();
      wait();
    }
    // A process may fork while it is being killed: again until all are gone.
    const Monotonic deadline = clock_.monotonic() + kShutdownMax;
    while (clock_.monotonic() < deadline) {
      for (auto& [ref, machine] : machines_) {
        machine.power_off();
      }
      service_all();
      if (machines_.empty()) {
        return;
      }
      clock_.sleep_for(Millis(2), {});
    }
  }

  const ExecuteOptions options_;
  const Containment containment_;
  Clock& clock_;
  GuestControl& control_;
  const std::unique_ptr<Files> files_;
  const Descriptor wake_;

  Mutex mutex_;
  std::deque<Order> orders_ GUARDED_BY(mutex_);

  // The loop's own.
  std::deque<Order> put_off_;
  std::map<InstanceRef, Machine> machines_;
  bool ending_ = false;  // look again soon

  std::unique_ptr<Task> task_;
};

}  // namespace

std::string_view to_string(Containment containment) {
  switch (containment) {
    case Containment::namespaces:
      return "in mount and PID namespaces";
    case Containment::user_namespaces:
      return "in user, mount and PID namespaces";
    case Containment::shims:
      return "without namespaces: power commands are covered on PATH only";
  }
  return "";
}

Result<std::unique_ptr<ProcessGuest>> ProcessGuest::start(const ExecuteOptions& options, Clock& clock,
                                                          Executor& executor, GuestControl& control) {
  if (!is_plain_path(options.directory)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("the directory for simulated instances must be absolute, of letters, digits and "
                                  "/._- alone, and not below /run or /dev: '{}'",
                                  options.directory));
  }
  const Containment containment = TRY(find_containment(clock));
  auto guest = std::make_unique<RunningGuest>(options, containment, clock, control);
  TRY(guest->begin(executor));
  return std::unique_ptr<ProcessGuest>(std::move(guest));
}

}  // namespace parallax::sim
