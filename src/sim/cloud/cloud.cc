#include "sim/cloud/cloud.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/identity.h"
#include "sim/cloud/lifecycle.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/regions.h"
#include "sim/cloud/ssm.h"
#include "sim/cloud/state.h"

namespace parallax::sim {

Result<WorldKind> parse_world(std::string_view name) {
  if (name == "adopted") {
    return WorldKind::adopted;
  }
  if (name == "reference") {
    return WorldKind::reference;
  }
  if (name == "empty") {
    return WorldKind::empty;
  }
  return make_error(ErrorKind::invalid, fmt::format("unknown world '{}'; known are adopted, reference, empty", name));
}

Cloud::Cloud(CloudOptions options, Clock& clock, Rng& rng) : clock_(clock), world_(std::make_unique<World>()) {
  CHECK(options.time_scale > 0, options.time_scale);
  world_->options = std::move(options);
  world_->clock = &clock;
  world_->rng = &rng;
  world_->now = clock.now();
  world_->mono = clock.monotonic();
  world_->began = world_->mono;
  world_->dice = FaultDice(world_->options.fault_rules, world_->options.fault_seed);
  world_->finish = [this](const InstanceRef& ref, const std::string& command_id, const GuestResult& result) {
    with_world([&](World& world) { command_finished(world, ref, command_id, result); });
  };
  build_world(*world_);
}

Cloud::~Cloud() = default;

void Cloud::set_guest(Guest* guest) {
  with_world([&](World& world) { world.guest = guest; });
}

void Cloud::set_wake(std::function<void()> wake) {
  const MutexLock lock(mutex_);
  wake_ = std::move(wake);
}

void Cloud::set_fault_hook(FaultHook hook) {
  const MutexLock lock(mutex_);
  fault_hook_ = std::move(hook);
}

void Cloud::set_faults(const std::string& region, const RegionFaults& faults) {
  with_world([&](World& world) { world.region(region).faults = faults; });
}

void Cloud::with_world(const std::function<void(World&)>& body) {
  std::vector<std::function<void()>> outbox;
  std::function<void()> wake;
  {
    const MutexLock lock(mutex_);
    run_due_events();
    const Monotonic before = world_->events.empty() ? Monotonic::max() : world_->events.begin()->first;
    body(*world_);
    const Monotonic after = world_->events.empty() ? Monotonic::max() : world_->events.begin()->first;
    if (after < before) {
      wake = wake_;
    }
    outbox.swap(world_->outbox);
  }
  // A guest may call back from here; that nested call empties its own outbox.
  for (const auto& action : outbox) {
    action();
  }
  if (wake) {
    wake();
  }
}

void Cloud::run_due_events() {
  const Monotonic mono = clock_.monotonic();
  const Instant now = clock_.now();
  World& world = *world_;
  while (!world.events.empty() && world.events.begin()->first <= mono) {
    auto node = world.events.extract(world.events.begin());
    // Stamps and bills say when it was due, also when we look late.
    world.mono = node.key();
    world.now = now - (mono - node.key());
    node.mapped()(world);
  }
  world.mono = mono;
  world.now = now;
}

Result<Json> Cloud::call(const Call& call, const Json& input, const Principal* caller) {
  Result<Json> answer = client_error("InvalidAction", "");
  const OperationFunction function = find_operation(call.service, call.operation);
  if (function == nullptr) {
    return call.service == "ssm"
               ? client_error("UnknownOperationException", "")
               : client_error("InvalidAction",
                              fmt::format("The action {} is not valid for this web service.", call.operation));
  }
  with_world([&](World& world) {
    const auto region = world.regions.find(call.region);
    if (region == world.regions.end()) {
      answer = service_error(401, "AuthFailure", "AWS was not able to validate the provided access credentials");
      return;
    }
    const bool dry_run = input.boolean("DryRun", false);
    Context context{world, region->second, caller, dry_run};
    if (caller != nullptr) {
      Result<> allowed = check_service_region(call);
      allowed = allowed ? authorize(context, *caller, call, input) : std::move(allowed);
      if (!allowed) {
        answer = allowed.error();
        return;
      }
    }
    answer = dry_run && !checks_dry_run(call.service, call.operation)
                 ? service_error(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
                 : function(context, input);
  });
  return answer;
}

void Cloud::set_vcpu_limit(int vcpus) {
  const MutexLock lock(mutex_);
  world_->options.vcpu_limit = vcpus;
}

std::optional<AccessKey> Cloud::access_key(const std::string& id) const {
  const MutexLock lock(mutex_);
  const AccessKey* key = find_access_key(*world_, id);
  return key == nullptr ? std::nullopt : std::optional<AccessKey>(*key);
}

bool Cloud::region_enabled(const std::string& region) const {
  const MutexLock lock(mutex_);
  const auto found = world_->regions.find(region);
  return found != world_->regions.end() && found->second.enabled;
}

Fault Cloud::draw_fault(const Call& call) {
  FaultHook hook;
  {
    const MutexLock lock(mutex_);
    hook = fault_hook_;
  }
  if (hook) {
    const Fault fault = hook(call.region, call.service, call.operation);
    if (fault.kind != FaultKind::none || fault.delay > Micros(0)) {
      return fault;
    }
  }
  const MutexLock lock(mutex_);
  const auto region = world_->regions.find(call.region);
  if (region == world_->regions.end()) {
    return {};
  }
  Fault fault;
  FaultDice::Occasion occasion{FaultKind::none, call.region, call.service, call.operation,
                               clock_.monotonic() - world_->began};
  if (const FaultRule* rule = world_->dice.draw(occasion)) {
    fault.kind = rule->kind;
  }
  occasion.kind = FaultKind::slow;
  const RegionFaults& faults = region->second.faults;
  if (const FaultRule* rule = world_->dice.draw(occasion)) {
    fault.delay = rule->duration.value_or(faults.slow_max);
  }
  if (fault.kind != FaultKind::none || fault.delay > Micros(0)) {
    return fault;
  }
  Rng& rng = *world_->rng;
  const std::pair<double, FaultKind> table[] = {{faults.throttle, FaultKind::throttle},
                                                {faults.server_error, FaultKind::server_error},
                                                {faults.bare_server_error, FaultKind::bare_server_error},
                                                {faults.answer_lost, FaultKind::answer_lost},
                                                {faults.request_lost, FaultKind::request_lost}};
  for (const auto& [chance, kind] : table) {
    if (chance > 0 && rng.chance(chance)) {
      fault.kind = kind;
      break;
    }
  }
  if (faults.slow > 0 && rng.chance(faults.slow)) {
    fault.delay = Micros(static_cast<std::int64_t>(rng.unit() * static_cast<double>(faults.slow_max.count())));
  }
  return fault;
}

bool Cloud::take_token(const Call& call, const Json& input) {
  const MutexLock lock(mutex_);
  // IAM is one service for the whole account, whatever region a request is signed for.
  const auto found = world_->regions.find(call.service == "iam" ? "us-east-1" : call.region);
  if (!world_->options.throttling || found == world_->regions.end()) {
    return true;
  }
  Monotonic mono = clock_.monotonic();
  if (world_->options.scale_all) {
    const auto passed = static_cast<double>((mono - world_->began).count());
    mono = world_->began + Micros(static_cast<std::int64_t>(passed * world_->options.time_scale));
  }
  const std::vector<Charge> charges = charges_of(call.service, call.operation, input);
  return std::ranges::all_of(charges, [&](const Charge& charge) {
    return found->second.buckets.try_emplace(charge.bucket, charge.size).first->second.take(charge.count, mono);
  });
}

std::optional<SigningKey> Cloud::find_signing_key(std::string_view key_id) const {
  const MutexLock lock(mutex_);
  const AccessKey* key = find_access_key(*world_, key_id);
  return key == nullptr || !key->active
             ? std::nullopt
             : std::optional<SigningKey>(SigningKey{key->secret, key->session_token, key->expires});
}

Micros Cloud::round_trip(const std::string& region) const {
  const MutexLock lock(mutex_);
  const auto found = world_->options.round_trips.find(region);
  if (found == world_->options.round_trips.end()) {
    return Micros(0);
  }
  return world_->options.scale_all ? world_->scaled(found->second) : found->second;
}

void Cloud::tell(const Call& call, int status, const std::string& code) {
  std::function<void(Json)> observe;
  {
    const MutexLock lock(mutex_);
    observe = world_->options.observe;
  }
  if (observe) {
    observe(Json::object({{"at", to_iso8601(clock_.now())},
                          {"what", "call"},
                          {"region", call.region},
                          {"service", call.service},
                          {"operation", call.operation},
                          {"status", status},
                          {"code", code}}));
  }
}

void Cloud::call_later(Micros after, std::function<void()> action) {
  with_world([&](World& world) {
    world.at(world.mono + world.scaled(after), [action = std::move(action)](World& w) { w.outbox.push_back(action); });
  });
}

std::string Cloud::make_request_id() {
  const MutexLock lock(mutex_);
  return world_->uuid();
}

Monotonic Cloud::next_event() const {
  const MutexLock lock(mutex_);
  return world_->events.empty() ? Monotonic::max() : world_->events.begin()->first;
}

void Cloud::advance() {
  with_world([](World&) {});
}

std::vector<InstanceView> Cloud::instances() const {
  const MutexLock lock(mutex_);
  std::vector<InstanceView> views;
  for (const auto& [region_name, region] : world_->regions) {
    for (const auto& [id, instance] : region.instances) {
      const auto name = instance.tags.find("Name");
      views.push_back(InstanceView{region_name, id, name == instance.tags.end() ? "" : name->second,
                                   std::string(to_string(instance.status.state)), instance.boot, instance.agent_online,
                                   instance.guest_timer, instance.status.reason_code, instance.tags,
                                   !instance.user_data.empty()});
    }
  }
  return views;
}

std::vector<RunningInterval> Cloud::running_intervals() const {
  const MutexLock lock(mutex_);
  std::vector<RunningInterval> all;
  for (const auto& [region_name, region] : world_->regions) {
    all.insert(all.end(), region.past_intervals.begin(), region.past_intervals.end());
    for (const auto& [id, instance] : region.instances) {
      all.insert(all.end(), instance.intervals.begin(), instance.intervals.end());
    }
  }
  return all;
}

void Cloud::cut_power(const std::string& region, const std::string& instance_id) {
  with_world([&](World& world) {
    RegionState& state = world.region(region);
    const auto found = state.instances.find(instance_id);
    if (found != state.instances.end() && found->second.status.state == InstanceState::running) {
      begin_stop(world, state, found->second, StopCause::power_lost);
    }
  });
}

void Cloud::schedule_shutdown(const InstanceRef& ref, Micros after) {
  with_world([&](World& world) {
    Instance* instance = find_running(world, ref);
    if (instance == nullptr) {
      return;
    }
    const std::uint64_t timer_id = ++instance->guest_timer_id;
    instance->guest_timer = world.mono + after;
    world.at(*instance->guest_timer, [ref, timer_id](World& w) {
      Instance* running = find_running(w, ref);
      if (running != nullptr && running->guest_timer_id == timer_id) {
        guest_shutdown(w, w.region(ref.region), *running);
      }
    });
  });
}

void Cloud::cancel_shutdown(const InstanceRef& ref) {
  with_world([&](World& world) {
    if (Instance* instance = find_running(world, ref)) {
      ++instance->guest_timer_id;
      instance->guest_timer.reset();
    }
  });
}

void Cloud::power_off_now(const InstanceRef& ref) {
  with_world([&](World& world) {
    if (Instance* instance = find_running(world, ref)) {
      guest_shutdown(world, world.region(ref.region), *instance);
    }
  });
}

void Cloud::end_system(const InstanceRef& ref, SystemEnd how, Micros after) {
  with_world([&](World& world) {
    Instance* instance = find_running(world, ref);
    if (instance == nullptr) {
      return;
    }
    const std::uint64_t timer_id = ++instance->guest_timer_id;
    instance->guest_timer.reset();
    if (after <= Micros(0)) {
      system_ends(world, world.region(ref.region), *instance, how);
      return;
    }
    world.at(world.mono + after, [ref, timer_id, how](World& w) {
      Instance* running = find_running(w, ref);
      if (running != nullptr && running->guest_timer_id == timer_id) {
        system_ends(w, w.region(ref.region), *running, how);
      }
    });
  });
}

void run_ticker(Cloud& cloud, Executor& executor, const std::stop_token& stop) {
  // Shared, because a wake that is under way may outlast this function.
  const std::shared_ptr<Event> changed = executor.make_event();
  cloud.set_wake([changed] { changed->notify(); });
  while (!stop.stop_requested()) {
    const std::uint64_t seen = changed->ticket();
    cloud.advance();
    changed->wait_until(seen, cloud.next_event(), stop);  // woken, due or stopped: look again
  }
  cloud.set_wake(nullptr);
}

}  // namespace parallax::sim
