#include "sim/world/world.h"

#include <utility>

#include <fmt/format.h>

namespace parallax::sim {

namespace {

constexpr Monotonic kBoot{Seconds(1000)};
constexpr std::string_view kScheduleStream = "schedule";

}  // namespace

VirtualWorld::VirtualWorld(const WorldOptions& options)
    : options_(options),
      trace_(options.events_kept, options.echo),
      scheduler_(options.strands, rng(kScheduleStream), trace_, kBoot) {
  start_process("world", "world");
}

VirtualWorld::~VirtualWorld() = default;

Result<> VirtualWorld::run(std::function<void()> main) {
  CHECK(!ran_, "a world runs once");
  ran_ = true;
  process().start("main", [main = std::move(main)](const std::stop_token& /*stop*/) { main(); });
  run_tasks();
  if (failed()) {
    unwind_everything();
    return make_error(ErrorKind::internal,
                      fmt::format("seed {} failed: {}\nThe last events:\n{}", options_.seed, failure_, trace_.last()));
  }
  return {};
}

void VirtualWorld::run_tasks() {
  while (!failed()) {
    if (scheduler_.step()) {
      count_step();
      if (check_ != nullptr && !failed()) {
        check_();
      }
    } else if (scheduler_.tasks().empty()) {
      return;
    } else if (!scheduler_.advance(kBoot + options_.time_max)) {
      std::string waiting;
      for (const auto& task : scheduler_.tasks()) {
        waiting += (waiting.empty() ? "" : ", ") + task->name;
      }
      fail(fmt::format("deadlock, or {} s of virtual time have passed; these tasks still wait: {}",
                       count_seconds(options_.time_max), waiting));
    }
  }
}

void VirtualWorld::unwind_everything() {
  while (scheduler_.step() || scheduler_.advance(Monotonic::max())) {
  }
  CHECK(scheduler_.tasks().empty(), scheduler_.tasks().empty() ? "" : scheduler_.tasks().front()->name);
}

void VirtualWorld::fail(const std::string& why) {
  if (failed()) {
    return;
  }
  failure_ = why;
  note("fail", why);
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    processes_[i]->kill(KillKind::signal);
  }
}

Process& VirtualWorld::start_process(const std::string& name, const std::string& host) {
  processes_.push_back(std::make_unique<Process>(*this, name, host));
  if (failed()) {
    processes_.back()->kill(KillKind::signal);
  }
  return *processes_.back();
}

Rng& VirtualWorld::rng(std::string_view name) {
  const auto found = streams_.find(name);
  if (found != streams_.end()) {
    return *found->second;
  }
  auto stream = std::make_unique<Xoshiro>(options_.seed * 0x9E3779B97F4A7C15U ^ hash_text(name));
  return *streams_.emplace(std::string(name), std::move(stream)).first->second;
}

void VirtualWorld::set_clock_error(const std::string& host, Micros ahead) {
  clock_errors_[host] = ahead;
}

Micros VirtualWorld::clock_error(std::string_view host) const {
  const auto found = clock_errors_.find(host);
  return found == clock_errors_.end() ? Micros(0) : found->second;
}

Instant VirtualWorld::utc() const {
  return options_.start + (scheduler_.now() - kBoot);
}

void VirtualWorld::note(std::string_view kind, std::string_view detail) {
  const TaskRecord* task = scheduler_.current();
  trace_.add(scheduler_.now(), task == nullptr ? 0 : task->id, kind, detail);
}

std::pair<std::uint64_t, std::uint64_t> VirtualWorld::fingerprint() {
  return {trace_.hash(), rng(kScheduleStream).next()};
}

Wake VirtualWorld::wait(Monotonic deadline, const std::stop_token& stop) {
  Process& process = current_process();
  if (!process.enter()) {
    return Wake::killed;
  }
  const Wake wake = scheduler_.block(deadline, stop);
  process.leave();
  return process.alive() ? wake : Wake::killed;
}

Process& VirtualWorld::current_process() {
  const TaskRecord* task = scheduler_.current();
  return task == nullptr ? process() : *task->process;
}

void VirtualWorld::count_step() {
  if (++steps_ == options_.steps_max) {
    fail(fmt::format("{} steps: some task never waits", options_.steps_max));
  }
}

}  // namespace parallax::sim
