#include "tests/scenario/fleet_world.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/ids.h"
#include "daemon/run_reporter.h"
#include "fleet/journal.h"
#include "fleet/lease.h"
#include "sim/cloud/regions.h"

namespace parallax::scenario {

namespace {

constexpr const char* kFleet = "NAVO";
constexpr const char* kCloudAuthority = "cloud.test:80";
constexpr const char* kCollectorAuthority = "collector.test:443";
constexpr const char* kCollectorUrl = "https://collector.test";
constexpr const char* kJournal = "/var/lib/parallax/controller";
constexpr const char* kAllRights =
    R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})";
// Any 32 bytes are an Ed25519 key; this one is for the simulation alone.
constexpr std::string_view kSigningKey = "parallax-private-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const std::vector<std::string> kRegions = {"us-west-2", "us-east-1",      "sa-east-1",
                                           "eu-west-3", "ap-northeast-1", "ap-southeast-2"};

// The reference's six first, then all others that AWS has.
std::vector<std::string> regions_of(const ScenarioOptions& options) {
  if (!options.region_names.empty()) {
    return options.region_names;
  }
  std::vector<std::string> regions = kRegions;
  for (const sim::RegionInfo& info : sim::all_regions()) {
    if (info.partition == "aws" && std::find(kRegions.begin(), kRegions.end(), info.name) == kRegions.end()) {
      regions.push_back(info.name);
    }
  }
  regions.resize(std::min(regions.size(), static_cast<std::size_t>(options.regions)));
  return regions;
}

Service make_service(const std::string& name, ServiceType type, const std::string& url) {
  Service service;
  service.name = name;
  service.provider = name + "-provider";
  service.type = type;
  service.url = url;
  if (type == ServiceType::tap) {
    service.adql = "SELECT * FROM stars WHERE 1=CONTAINS(POINT(ra, dec), CIRCLE({ra}, {dec}, {radius}))";
  }
  return service;
}

// "StartInstances i-0123" of a signed request, for the trace.
std::string operation_of(const http::Request& request) {
  const std::string target = request.headers.get("X-Amz-Target");
  std::string text = target.substr(target.rfind('.') + 1);
  if (const std::size_t action = request.body.find("Action="); text.empty() && action != std::string::npos) {
    text = request.body.substr(action + 7, request.body.find('&', action) - action - 7);
  }
  if (text.empty()) {
    text = request.method + " " + request.url.substr(0, request.url.find('?'));  // EventBridge Scheduler
  }
  const std::size_t instance = request.body.find("i-0");
  return instance == std::string::npos ? text : text + " " + request.body.substr(instance, 19);
}

bool is_reading(std::string_view operation) {
  return operation.starts_with("Describe") || operation.starts_with("Get") || operation.starts_with("List") ||
         operation.starts_with("Simulate") || operation.starts_with("GET ");
}

}  // namespace

// Every request may change the cloud: the invariants are looked at after each.
class FleetWorld::CheckedEndpoint final : public http::Service {
 public:
  explicit CheckedEndpoint(FleetWorld& fleet) : fleet_(fleet) {}

  Admission admit(const http::Request& head) override { return fleet_.endpoint_->admit(head); }

  http::Response handle(const http::Request& request) override {
    http::Response response = fleet_.endpoint_->handle(request);
    const std::string operation = operation_of(request);
    const std::string host = request.peer.substr(0, request.peer.find(':'));
    ++fleet_.calls_[host];
    fleet_.changes_[host] += is_reading(operation) ? 0 : 1;
    fleet_.world_.note("cloud", fmt::format("{} from {}: {}", operation, request.peer, response.status));
    fleet_.invariants_->check_cloud(fleet_.controller_alive());
    if (!is_reading(operation)) {
      fleet_.resources_->check();
    }
    return response;
  }

 private:
  FleetWorld& fleet_;
};

struct FleetWorld::ServiceHost {
  Service definition;
  std::string authority;
  std::unique_ptr<sim::SampleService> service;
};

// What a controller's process has in hand. Its tasks share it, because a failed world is unwound in any order.
struct FleetWorld::Controller {
  sim::Process* process = nullptr;
  std::unique_ptr<http::Client> http;
  std::unique_ptr<Files> files;
  std::stop_source stop;
  std::string id;
  std::function<void(const Controls&)> body;
  VisitEnd result;
  bool alive = true;
  std::unique_ptr<Event> ended;
};

FleetWorld::FleetWorld(const ScenarioOptions& options, sim::StrandKind strands, bool verbose)
    : options_(options),
      regions_(regions_of(options)),
      world_({.seed = options.seed, .strands = strands, .echo = verbose}),
      network_(world_, {}),
      disks_(world_) {
  key_ = signing_key_from_text(kSigningKey).value();
  build_cloud();
  build_services();
  auto store = store::open_store("sqlite::memory:");
  store_ = std::make_unique<FaultyStore>(std::move(store).value(), world_.rng("store"));
  ignore(store_->add_key(KeyRecord{key_.key_id, key_.public_key, std::nullopt}, world_.utc()), "a new store takes it");
  start_collector();
}

FleetWorld::~FleetWorld() = default;

void FleetWorld::build_cloud() {
  cloud_process_ = &world_.start_process("cloud", "cloud");
  sim::CloudOptions cloud;
  // Set-up finds home alone settled: with its original image and group, a key pair and a machine.
  cloud.regions = options_.set_up ? std::vector<std::string>{regions_[0]} : regions_;
  cloud.opted_in = regions_;
  // The last one of each becomes somebody else's.
  cloud.instances_per_region = options_.set_up ? options_.machines : options_.machines + 1;
  cloud.policy = options_.withdrawn ? kAllRights : "";
  cloud.without_default_vpc = options_.without_default_vpc;
  cloud.capacity = options_.capacity;
  if (options_.image_copy > Micros(0)) {
    cloud.timings.image_copy = {options_.image_copy, options_.image_copy};
  }
  if (options_.usual_times) {
    cloud.timings.pending = {Seconds(12), Seconds(12)};
    cloud.timings.agent = {Seconds(8), Seconds(8)};
    cloud.timings.stopping = {Seconds(12), Seconds(12)};
  }
  cloud.fleet = kFleet;
  cloud_ = std::make_unique<sim::Cloud>(cloud, world_.clock(), world_.rng("cloud"));
  endpoint_ = std::make_unique<sim::CloudEndpoint>(*cloud_, cloud_process_->clock());
  const std::int64_t minutes = std::chrono::ceil<std::chrono::minutes>(options_.job_timeout + options_.margin).count();
  const fleet::RunOptions run;
  // The timer is armed when the order arrives: at the latest when the agent's time-out has passed, and with the time of
  // one call more. A controller that lives stops what has no timer as soon as it gives up on the agent.
  InstanceBounds bounds;
  bounds.with_timer = run.start_timeout + run.agent_timeout + std::chrono::minutes(minutes + 2);
  bounds.with_controller = run.start_timeout + run.agent_timeout + run.stop_timeout + std::chrono::minutes(2);
  invariants_ = std::make_unique<Invariants>(world_, *cloud_, kFleet, bounds);
  guest_ = std::make_unique<ScenarioGuest>(world_, *cloud_, network_, disks_);
  cloud_->set_guest(guest_.get());
  if (options_.set_up) {
    invariants_->wait_for_set_up();
  } else {
    make_foreign_machines();
    invariants_->remember_foreign();
  }
  resources_ = std::make_unique<ResourceWatch>(world_, *cloud_, kFleet, regions_);
  // The second well-known user's rights can be withdrawn.
  credentials_ = std::make_unique<ScenarioCredentials>(
      *cloud_, cloud_process_->clock(), options_.withdrawn ? sim::kLimitedAccessKey : sim::kSimulatedAccessKey);
  checked_endpoint_ = std::make_unique<CheckedEndpoint>(*this);
  network_.serve(kCloudAuthority, *checked_endpoint_, *cloud_process_);
}

// Machines of the same name with another fleet's tag, or with none: never to be touched.
void FleetWorld::make_foreign_machines() {
  std::map<std::string, int> seen;
  for (const sim::InstanceView& view : cloud_->instances()) {
    if (++seen[view.region] <= options_.machines) {
      continue;
    }
    const Json ids = JsonArray{view.instance_id};
    const Json tag = Json::object({{"Key", fleet::kFleetTag}, {"Value", "OTHER"}});
    const bool drop = world_.rng("foreign").chance(0.5);
    const Json input = Json::object({{"Resources", ids}, {"Tags", JsonArray{tag}}});
    const Json removal =
        Json::object({{"Resources", ids}, {"Tags", JsonArray{Json::object({{"Key", fleet::kFleetTag}})}}});
    const auto done = cloud_->call({view.region, "ec2", drop ? "DeleteTags" : "CreateTags"}, drop ? removal : input);
    CHECK(done.has_value(), done ? "" : done.error().text());
  }
}

void FleetWorld::build_services() {
  const auto add = [&](const std::string& name, ServiceType type, const std::string& path, sim::Serialization form) {
    auto host = std::make_unique<ServiceHost>();
    sim::Process& process = world_.start_process(name, name);
    host->definition = make_service(name, type, "http://" + name + ".test" + path);
    host->authority = name + ".test:80";
    sim::SampleOptions sample;
    sample.name = name;
    sample.serialization = form;
    host->service = std::make_unique<sim::SampleService>(
        process.clock(), sample, [this](const sim::AnsweredQuery& query) { answered_.push_back(query); });
    network_.serve(host->authority, *host->service, process);
    services_.push_back(std::move(host));
  };
  add("cones", ServiceType::cone, "/scs", sim::Serialization::binary);
  add("templates", ServiceType::xcone, "/xcone?ra={ra}&dec={dec}&radius={radius}", sim::Serialization::tabledata);
  add("tables", ServiceType::tap, "/tap", sim::Serialization::binary2);
}

void FleetWorld::start_collector() {
  collector_process_ = &world_.start_process("collector", "collector");
  collector::CollectorOptions options;
  options.build = "simulation";
  collectors_.push_back(std::make_unique<collector::Collector>(*store_, collector_process_->clock(), options));
  network_.serve(kCollectorAuthority, *collectors_.back(), *collector_process_);
}

void FleetWorld::kill_collector() {
  collector_process_->kill(sim::KillKind::signal);
}

void FleetWorld::kill_collector_at(std::uint64_t point, Micros back_after) {
  collector_process_->kill_at(point, sim::KillKind::signal);
  collector_process_->on_kill([this, back_after](sim::KillKind /*kind*/) {
    world_.process().start("collector comes back", [this, back_after](const std::stop_token& /*stop*/) {
      sleep(back_after);
      if (!collector_process_->alive()) {
        start_collector();
      }
    });
  });
}

void FleetWorld::set_faults(bool on) {
  const sim::RegionFaults none;
  if (on) {
    credentials_->expire(options_.credentials_last, options_.credentials_renewable);
  } else {
    credentials_->expire(Micros(0), true);
  }
  for (const std::string& region : regions_) {
    cloud_->set_faults(region, on ? options_.cloud : none);
  }
  for (const auto& service : services_) {
    network_.set_faults(service->authority, on ? options_.services : sim::NetworkFaults{});
  }
  network_.set_faults(kCollectorAuthority, on ? options_.collector : sim::NetworkFaults{});
  for (const sim::InstanceView& view : cloud_->instances()) {
    disks_.set_faults(view.instance_id, on ? options_.vantage_disk : sim::DiskFaults{});
  }
  disks_.set_faults("controller", on ? options_.controller_disk : sim::DiskFaults{});
  world_.set_clock_error("controller", options_.controller_clock_error);
  store_->set_failures(on ? options_.store_fails : 0);
  guest_->set_job_hangs(on ? options_.job_hangs : 0);
}

void FleetWorld::start_ticker() {
  ticker_ = world_.executor().spawn("ticker", [this](const std::stop_token& stop) {
    const std::shared_ptr<Event> changed = world_.make_event();
    cloud_->set_wake([changed] { changed->notify(); });
    while (!stop.stop_requested()) {
      const std::uint64_t seen = changed->ticket();
      cloud_->advance();
      invariants_->check_cloud(controller_alive());
      changed->wait_until(seen, cloud_->next_event(), stop);
    }
    cloud_->set_wake(nullptr);
  });
}

Result<> FleetWorld::run(const std::function<void(FleetWorld&)>& script) {
  return world_
      .run([&] {
        start_ticker();
        if (options_.set_up) {
          prepare_set_up();
        }
        set_faults(true);
        script(*this);
        ticker_.reset();
      })
      .with_context("drawn options:\n" + describe(options_));
}

fleet::RoundSpec FleetWorld::round_spec(const RoundPlan& plan, const std::string& round_id) const {
  fleet::RoundSpec round;
  round.fleet = kFleet;
  round.round_id = round_id;
  round.collector = kCollectorUrl;
  round.signing_key = key_;
  round.cones.seed = options_.seed * 1000 + static_cast<std::uint64_t>(plan.number);
  round.cones.count = options_.cones;
  round.cones.radius_max = 20;  // so that a cone holds some stars now and then
  round.job_timeout = options_.job_timeout;
  round.margin = options_.margin;
  for (const auto& service : services_) {
    round.services.push_back(service->definition);
    Provider provider;
    provider.name = service->definition.provider;
    provider.simultaneous = service->definition.type != ServiceType::tap;
    round.providers.push_back(provider);
  }
  if (plan.change) {
    plan.change(round);
  }
  return round;
}

void FleetWorld::control(Controller& controller) {
  sim::Process& process = *controller.process;
  aws::ClientOptions client_options;
  client_options.endpoint.url = "http://cloud.test";
  aws::Client client({*controller.http, process.clock(), process.rng(), *credentials_}, client_options);
  const auto journal = fleet::Journal::open(*controller.files, kJournal, controller.id);
  fleet::Journal* const kept = journal ? journal->get() : nullptr;
  const fleet::FleetDeps deps{client, process.clock(), process.rng(), process.executor(), kept};
  controller.body({deps, process, *controller.http, controller.id, kept, controller.stop.get_token()});
  if (kept != nullptr) {
    kept->close();
  }
}

VisitEnd FleetWorld::visit(const Visit& visit, std::function<void(const Controls& controls)> body) {
  const auto controller = std::make_shared<Controller>();
  controller->body = std::move(body);
  controller->process = &world_.start_process(visit.controller, visit.controller);
  controller->http = network_.client(*controller->process);
  controller->files = disks_.files(*controller->process);
  controller->id = fmt::format("{}-{}", visit.controller, ++controllers_made_);
  controller->ended = world_.make_event();
  controller->process->kill_at(visit.kill_at, sim::KillKind::signal);
  const int calls_before = calls_[visit.controller];
  const int changes_before = changes_[visit.controller];
  ++controllers_alive_;
  const auto end = [this](Controller& ending, bool died) {
    if (ending.alive) {
      ending.alive = false;
      ending.result.died = died;
      --controllers_alive_;
      // Whoever runs now without a timer is in the gap from here on.
      invariants_->check_cloud(controller_alive());
      ending.ended->notify();
    }
  };
  controller->process->on_kill([controller, end](sim::KillKind /*kind*/) { end(*controller, true); });
  const std::uint64_t seen = controller->ended->ticket();
  controller->process->start("main", [this, controller, end](const std::stop_token& /*stop*/) {
    control(*controller);
    end(*controller, false);
  });
  if (visit.interrupt_after && !controller->ended->wait_until(seen, world_.now() + *visit.interrupt_after, {})) {
    world_.note("interrupt", controller->id);
    controller->stop.request_stop();
  }
  controller->ended->wait_until(seen, Monotonic::max(), {});
  sleep(Micros(1));  // its tasks have ended or are unwound then
  controller->result.points = controller->process->points();
  controller->result.calls = calls_[visit.controller] - calls_before;
  controller->result.changes = changes_[visit.controller] - changes_before;
  controller->process->kill(sim::KillKind::signal);  // it has exited
  return controller->result;
}

// What `parallax fleet run --all` does.
fleet::RoundOutcome FleetWorld::control_round(const Controls& controls, const RoundPlan& plan) {
  sim::Process& process = controls.process;
  const fleet::RoundSpec round = round_spec(plan, make_ulid(process.clock().now(), process.rng()));
  TokenPayload payload;
  payload.role = Role::controller;
  payload.fleet = kFleet;
  payload.not_before = process.clock().now();
  payload.expiry = process.clock().now() + std::chrono::hours(6);
  daemon::RunReporter reporter(controls.http, process.clock(), process.executor(),
                               {kCollectorUrl, sign_token(payload, key_).value(), "parallax", ""});
  fleet::RunOptions run_options;
  run_options.owner = controls.id;
  run_options.poll = options_.poll;
  const auto vantages = fleet::find_vantages(controls.deps, kFleet, active_, Seconds(60), controls.stop);
  fleet::RoundOutcome outcome = fleet::run_round(controls.deps, round, run_options, vantages,
                                                 [&](const Run& run) { reporter.report(run); }, controls.stop, {});
  ignore(reporter.flush(process.clock().monotonic() + Seconds(30), {}), "the collector may be away");
  if (controls.journal != nullptr) {
    controls.journal->forget_dead();
  }
  return outcome;
}

RoundResult FleetWorld::round(const RoundPlan& plan) {
  const auto result = std::make_shared<RoundResult>();
  const VisitEnd end =
      visit({plan.controller, plan.kill_at, plan.interrupt_after},
            [this, result, plan](const Controls& controls) { result->outcome = control_round(controls, plan); });
  result->died = end.died;
  result->points = end.points;
  if (!result->died) {
    invariants_->check_outcome(result->outcome);
  }
  return *result;
}

std::vector<fleet::StopOutcome> FleetWorld::stop_all(VisitEnd* end) {
  const auto outcomes = std::make_shared<std::vector<fleet::StopOutcome>>();
  const VisitEnd ended = visit({}, [this, outcomes](const Controls& controls) {
    const auto vantages = fleet::find_vantages(controls.deps, kFleet, active_, Seconds(60), controls.stop);
    *outcomes = fleet::stop_vantages(controls.deps, vantages, options_.poll, Seconds(600), controls.stop);
  });
  if (end != nullptr) {
    *end = ended;
  }
  return *outcomes;
}

Result<Json> FleetWorld::try_by_hand(const std::string& region, const std::string& operation, const Json& input,
                                     const std::string& service) {
  world_.note("by hand", operation + " " + region);
  return cloud_->call({region, service, operation}, input);
}

Json FleetWorld::by_hand(const std::string& region, const std::string& operation, const Json& input,
                         const std::string& service) {
  const Result<Json> answer = try_by_hand(region, operation, input, service);
  CHECK(answer.has_value(), operation + ": " + (answer ? std::string() : answer.error().text()));
  return *answer;
}

std::vector<sim::InstanceView> FleetWorld::fleet_instances() const {
  std::vector<sim::InstanceView> ours = cloud_->instances();
  std::erase_if(ours, [](const sim::InstanceView& view) {
    const auto tag = view.tags.find(fleet::kFleetTag);
    return tag == view.tags.end() || tag->second != kFleet;
  });
  return ours;
}

void FleetWorld::wait_for_timers() {
  const fleet::RunOptions run;
  // The order may have been on its way when its controller died; leases count from the round's start.
  sleep(run.start_timeout + run.agent_timeout + options_.job_timeout + options_.margin + std::chrono::minutes(10));
}

void FleetWorld::good_end() {
  set_faults(false);
  if (!collector_process_->alive()) {
    start_collector();
  }
  collector_process_->kill_at(0, sim::KillKind::signal);
  wait_for_timers();
  if (options_.set_up) {
    good_set_up();
  }
  RoundPlan plan;
  plan.number = 999;
  const RoundResult good = round(plan);
  invariants_->check_good_round(good.outcome);
  invariants_->check_measurements(stored(), answered_, guest_->power_cuts());
  if (options_.set_up) {
    good_clear();
  }
}

std::vector<Measurement> FleetWorld::stored() {
  std::vector<Measurement> all;
  store::MeasurementFilter filter;
  filter.limit = store::kQueryLimitMax;
  const Result<store::MeasurementPage> page = store_->query_measurements(filter);
  CHECK(page.has_value() && page->json.size() < filter.limit);
  for (const std::string& text : page->json) {
    all.push_back(measurement_from_json(parse_json(text).value()).value());
  }
  return all;
}

}  // namespace parallax::scenario
