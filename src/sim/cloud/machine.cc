#include "sim/cloud/machine.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/containment.h"
#include "sim/cloud/power.h"

namespace parallax::sim {

namespace {

constexpr Micros kBootMax = Seconds(20);
// After a command's end its pipes may be held open by what it left running; the agent does not wait for those.
constexpr Micros kDrainMax = Millis(100);
constexpr std::size_t kBootTextMax = 4096;
constexpr std::size_t kPowerTextMax = 64U << 10U;
constexpr std::size_t kEnvironmentBytesMax = 1U << 20U;
constexpr int kCannotRun = 126;

void kill_group(int pid) {
  if (pid > 0) {
    ::kill(-pid, SIGKILL);
  }
}

void close_at_end(Descriptor& from, std::string& kept, std::size_t keep_max) {
  if (from && !drain(from, kept, keep_max)) {
    from.reset();
  }
}

}  // namespace

Machine::Machine(InstanceRef ref, const ExecuteOptions& options, Containment containment, Clock& clock, Files& files,
                 GuestControl& control)
    : ref_(std::move(ref)),
      options_(options),
      containment_(containment),
      clock_(clock),
      files_(files),
      control_(control),
      directory_(options.directory + "/" + ref_.instance_id) {}

std::string Machine::mark() const {
  return fmt::format("PARALLAX_SIM_INSTANCE={}/{}/{}", options_.directory, ref_.instance_id, ref_.boot);
}

Result<> Machine::prepare() {
  const std::string shims = directory_ + "/shims";
  const std::string fifo = directory_ + "/power";
  for (const std::string& made : {directory_ + "/home", directory_ + "/commands", shims}) {
    TRY(files_.make_directories(made, 0700));
  }
  ::unlink(fifo.c_str());
  if (::mkfifo(fifo.c_str(), 0600) != 0) {
    return make_error(ErrorKind::unavailable, fmt::format("cannot make {}", fifo));
  }
  // Open for both, so that there is always a reader and never an end of file.
  fifo_ = Descriptor(::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  const std::string text = power_command_script(ref_.instance_id, fifo, containment_ != Containment::shims);
  TRY(files_.write(shims + "/" + kPowerCommands[0], text, 0755));
  for (std::size_t i = 1; i < kPowerCommands.size(); ++i) {
    const std::string name = shims + "/" + kPowerCommands[i];
    ::unlink(name.c_str());
    if (::symlink(kPowerCommands[0].c_str(), name.c_str()) != 0) {
      return make_error(ErrorKind::unavailable, fmt::format("cannot make {}", name));
    }
  }
  return files_.write(directory_ + "/boot.sh", boot_script(shims), 0700);
}

void Machine::boot() {
  const Result<> prepared = prepare();
  if (!prepared) {
    failure_ = prepared.error().text();
    return;
  }
  if (containment_ == Containment::shims) {
    ready_ = true;
    return;
  }
  Result<ChildProcess> init =
      spawn_process(boot_line(containment_, directory_ + "/boot.sh"), environment(), directory_);
  if (!init) {
    failure_ = init.error().text();
    return;
  }
  init_ = std::move(init).value();
  boot_deadline_ = clock_.monotonic() + kBootMax;
}

void Machine::run(CommandOrder order) {
  waiting_.push_back(std::move(order));
}

std::vector<std::string> Machine::environment() const {
  std::string path = directory_ + "/shims";
  for (const std::string& directory : options_.path_first) {
    path += ":" + directory;
  }
  path += ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::map<std::string, std::string> variables = {{"HOME", directory_ + "/home"},
                                                  {"USER", "root"},
                                                  {"LOGNAME", "root"},
                                                  {"SHELL", "/bin/sh"},
                                                  {"LANG", "C.UTF-8"},
                                                  {"AWS_SSM_INSTANCE_ID", ref_.instance_id},
                                                  {"AWS_SSM_REGION_NAME", ref_.region},
                                                  // The way to logind where no namespace covers its socket.
                                                  {"DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent"}};
  for (const std::string& region : {std::string(), ref_.region}) {
    if (const auto more = options_.environment.find(region); more != options_.environment.end()) {
      for (const auto& [name, value] : more->second) {
        variables[name] = value;
      }
    }
  }
  variables["PATH"] = path;
  std::vector<std::string> out = {mark()};
  for (const auto& [name, value] : variables) {
    out.push_back(name + "=" + value);
  }
  return out;
}

Result<ChildProcess> Machine::spawn_command(const GuestCommand& command, const std::string& script) {
  // Scripts hold tokens: readable by their owner alone, and removed when they have run.
  TRY(files_.write(script, command.script, 0700));
  const std::string directory = command.working_directory.empty() ? directory_ + "/home" : command.working_directory;
  return spawn_process(command_line(containment_, init_.pid, directory, script), environment(), directory_);
}

void Machine::start(CommandOrder order) {
  Running running;
  running.id = order.command.command_id;
  running.script = fmt::format("{}/commands/{}.sh", directory_, running.id);
  running.done = std::move(order.done);
  Result<ChildProcess> process = spawn_command(order.command, running.script);
  if (process) {
    running.process = std::move(process).value();
  } else {
    running.exit_code = kCannotRun;
    running.result.err = process.error().text();
  }
  commands_.push_back(std::move(running));
}

void Machine::kill_command(const std::string& command_id) {
  std::erase_if(waiting_, [&](const CommandOrder& order) { return order.command.command_id == command_id; });
  for (const Running& running : commands_) {
    if (running.id == command_id && !running.exit_code) {
      kill_group(running.process.pid);
    }
  }
}

void Machine::power_off() {
  if (!off_) {
    off_ = true;
    waiting_.clear();
  }
  if (init_.exited) {
    kill_group(init_.pid);
  }
  for (const Running& running : commands_) {
    if (!running.exit_code) {
      kill_group(running.process.pid);
    }
  }
  if (containment_ == Containment::shims) {
    kill_marked();
  }
}

void Machine::kill_marked() const {
  const std::string wanted = mark();
  const Result<std::vector<std::string>> processes = files_.list("/proc");
  if (!processes) {
    return;
  }
  for (const std::string& name : *processes) {
    int pid = 0;  // stays 0 for what is no number
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid <= 1) {
      continue;
    }
    const Result<std::string> variables = files_.read("/proc/" + name + "/environ", kEnvironmentBytesMax);
    if (!variables) {
      continue;
    }
    for (const std::string_view variable : split(*variables, '\0')) {
      if (variable == wanted) {
        ::kill(pid, SIGKILL);
        break;
      }
    }
  }
}

void Machine::read_power_requests() {
  if (!fifo_) {
    return;
  }
  (void)drain(fifo_, power_text_, kPowerTextMax);
  for (std::size_t end = power_text_.find('\n'); end != std::string::npos; end = power_text_.find('\n')) {
    const std::string line = power_text_.substr(0, end);
    power_text_.erase(0, end + 1);
    if (off_) {
      continue;
    }
    if (const auto request = parse_power_command(words_of_line(line), clock_.now())) {
      apply_power_request(*request, ref_, options_.minute, control_);
    }
  }
  if (power_text_.size() >= kPowerTextMax) {
    power_text_.clear();  // a line without an end
  }
}

void Machine::fail(CommandOrder order, const std::string& reason, std::vector<std::function<void()>>& finished) const {
  GuestResult result;
  result.exit_code = kCannotRun;
  result.err = fmt::format("simulated instance {}: {}\n", ref_.instance_id, reason);
  finished.emplace_back([done = std::move(order.done), result = std::move(result)] { done(result); });
}

void Machine::service_boot(std::vector<std::function<void()>>& finished) {
  if (init_.pid > 0) {
    close_at_end(init_.out, init_out_, kBootTextMax);
    close_at_end(init_.err, init_err_, kBootTextMax);
    ready_ = ready_ || init_out_.find("ready") != std::string::npos;
    if (init_.exited && reap(init_.pid)) {
      init_.exited.reset();
      failure_ = init_err_.empty() ? "the instance's first process has ended" : std::string(trim(init_err_));
    } else if (!ready_ && failure_.empty() && clock_.monotonic() > boot_deadline_) {
      failure_ = "the instance did not come up in time";
      kill_group(init_.pid);
    }
  }
  if (off_) {
    return;
  }
  while (!waiting_.empty() && (ready_ || !failure_.empty())) {
    CommandOrder order = std::move(waiting_.front());
    waiting_.pop_front();
    if (failure_.empty()) {
      start(std::move(order));
    } else {
      fail(std::move(order), failure_, finished);
    }
  }
}

void Machine::service_command(Running& running, std::vector<std::function<void()>>& finished) {
  close_at_end(running.process.out, running.result.out, kGuestOutputBytesMax);
  close_at_end(running.process.err, running.result.err, kGuestOutputBytesMax);
  if (!running.exit_code) {
    if (const auto code = reap(running.process.pid)) {
      running.exit_code = *code;
      running.process.exited.reset();
      running.drain_until = clock_.monotonic() + kDrainMax;
      ::unlink(running.script.c_str());
    }
  }
  const bool drained = (!running.process.out && !running.process.err) || clock_.monotonic() >= running.drain_until;
  if (running.exit_code && drained && !running.reported) {
    running.reported = true;
    // What it asked of its machine's power comes before the news of its end.
    read_power_requests();
    if (!off_) {
      running.result.exit_code = *running.exit_code;
      finished.emplace_back([done = running.done, result = running.result] { done(result); });
    }
    running.result = {};
  }
}

void Machine::service(std::vector<std::function<void()>>& finished) {
  read_power_requests();
  service_boot(finished);
  for (Running& running : commands_) {
    service_command(running, finished);
  }
  // A background process may hold the pipes of a command that has been reported: they are read on until it closes them.
  std::erase_if(commands_, [&](const Running& running) {
    return running.reported && (off_ || (!running.process.out && !running.process.err));
  });
}

void Machine::watch(std::vector<int>& descriptors, Monotonic& deadline) const {
  const auto add = [&](const Descriptor& descriptor) {
    if (descriptor) {
      descriptors.push_back(descriptor.get());
    }
  };
  add(fifo_);
  add(init_.out);
  add(init_.err);
  add(init_.exited);
  if (init_.pid > 0 && !ready_ && failure_.empty()) {
    deadline = std::min(deadline, boot_deadline_);
  }
  for (const Running& running : commands_) {
    add(running.process.out);
    add(running.process.err);
    add(running.process.exited);
    if (running.exit_code && !running.reported) {
      deadline = std::min(deadline, running.drain_until);
    }
  }
}

bool Machine::gone() const {
  return off_ && commands_.empty() && !init_.exited;
}

}  // namespace parallax::sim
