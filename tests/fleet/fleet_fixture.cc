#include "tests/fleet/fleet_fixture.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/client.h"
#include "sim/cloud/identity.h"

namespace parallax::testing {

namespace {

constexpr const char* kCloudAuthority = "cloud.test:80";
constexpr const char* kCloudUrl = "http://cloud.test";

aws::Credentials credentials_of(Key key) {
  const bool all = key == Key::all_rights;
  return aws::Credentials{std::string(all ? sim::kSimulatedAccessKey : sim::kLimitedAccessKey),
                          std::string(all ? sim::kSimulatedSecret : sim::kLimitedSecret), "", std::nullopt};
}

bool fits(std::string_view wanted, std::string_view text) {
  return wanted.empty() || wanted == text;
}

}  // namespace

// Its tasks share it, because a failed world is unwound in any order.
struct FleetFixture::Controller {
  sim::Process* process = nullptr;
  std::unique_ptr<http::Client> http;
  std::unique_ptr<aws::StaticCredentials> credentials;
  Body body;
  bool ended = false;
  bool died = false;
  std::unique_ptr<Event> change;
};

FleetFixture::FleetFixture(FleetSetup setup)
    : key_(setup.key), world_({.seed = setup.seed, .echo = setup.echo}), network_(world_, {}) {
  sim::Process& process = world_.start_process("cloud", "cloud");
  cloud_ = std::make_unique<sim::Cloud>(std::move(setup.cloud), world_.clock(), world_.rng("cloud"));
  cloud_->set_fault_hook([this](const std::string& region, const std::string& service, const std::string& operation) {
    calls_.push_back(sim::Call{region, service, operation});
    world_.note("cloud", fmt::format("{} {}", operation, region));
    return hook_ ? hook_(calls_.back()) : sim::Fault{};
  });
  guest_ = std::make_unique<sim::PlainGuest>(world_.clock(), *cloud_);
  cloud_->set_guest(guest_.get());
  endpoint_ = std::make_unique<sim::CloudEndpoint>(*cloud_, process.clock());
  network_.serve(kCloudAuthority, *endpoint_, process);
}

FleetFixture::~FleetFixture() = default;

void FleetFixture::start_ticker() {
  ticker_ = world_.executor().spawn("ticker", [this](const std::stop_token& stop) {
    const std::shared_ptr<Event> changed = world_.make_event();
    cloud_->set_wake([changed] { changed->notify(); });
    while (!stop.stop_requested()) {
      const std::uint64_t seen = changed->ticket();
      cloud_->advance();
      changed->wait_until(seen, cloud_->next_event(), stop);
    }
    cloud_->set_wake(nullptr);
  });
}

void FleetFixture::play(const std::function<void()>& script) {
  const Result<> outcome = world_.run([&] {
    start_ticker();
    script();
    ticker_.reset();
  });
  EXPECT_TRUE(outcome.has_value()) << outcome.error().text();
}

void FleetFixture::run(const Body& body) {
  play([&] { control(body); });
}

void FleetFixture::work(Controller& controller) {
  sim::Process& process = *controller.process;
  aws::ClientOptions options;
  options.endpoint.url = kCloudUrl;
  aws::Client client({*controller.http, process.clock(), process.rng(), *controller.credentials}, options);
  controller.body(fleet::FleetDeps{client, process.clock(), process.rng(), process.executor()});
}

FleetFixture::Ended FleetFixture::control(const Body& body, std::uint64_t kill_at) {
  const auto controller = std::make_shared<Controller>();
  const std::string name = fmt::format("controller-{}", ++controllers_);
  controller->process = &world_.start_process(name, name);
  controller->http = network_.client(*controller->process);
  controller->credentials = std::make_unique<aws::StaticCredentials>(credentials_of(key_));
  controller->body = body;
  controller->change = world_.make_event();
  controller->process->kill_at(kill_at, sim::KillKind::signal);
  const std::uint64_t seen = controller->change->ticket();
  const auto end = [](Controller& ending, bool died) {
    if (!ending.ended) {
      ending.ended = true;
      ending.died = died;
      ending.change->notify();
    }
  };
  controller->process->on_kill([controller, end](sim::KillKind /*kind*/) { end(*controller, true); });
  controller->process->start("main", [this, controller, end](const std::stop_token& /*stop*/) {
    work(*controller);
    end(*controller, false);
  });
  controller->change->wait_until(seen, Monotonic::max(), {});
  sleep(Micros(1));  // its tasks have ended or are unwound then
  const Ended result{controller->died, controller->process->points()};
  controller->process->kill(sim::KillKind::signal);  // it has exited
  return result;
}

FleetFixture::Hook FleetFixture::throttle(std::string region, std::string operation) {
  return [region = std::move(region), operation = std::move(operation)](const sim::Call& call) {
    const bool strikes = fits(region, call.region) && fits(operation, call.operation);
    return sim::Fault{strikes ? sim::FaultKind::throttle : sim::FaultKind::none, Micros(0)};
  };
}

int FleetFixture::count(std::string_view operation, std::string_view region) const {
  return static_cast<int>(std::count_if(calls_.begin(), calls_.end(), [&](const sim::Call& call) {
    return fits(operation, call.operation) && fits(region, call.region);
  }));
}

int FleetFixture::count_changes() const {
  return static_cast<int>(std::count_if(calls_.begin(), calls_.end(), [](const sim::Call& call) {
    return !call.operation.starts_with("Describe") && !call.operation.starts_with("Get") &&
           !call.operation.starts_with("List");
  }));
}

std::string FleetFixture::call_list() const {
  std::string text;
  for (const sim::Call& call : calls_) {
    text += fmt::format("{} {}\n", call.operation, call.region);
  }
  return text;
}

Json FleetFixture::by_hand(const std::string& region, const std::string& operation, const Json& input,
                           const std::string& service) {
  const Result<Json> answer = cloud_->call({region, service, operation}, input);
  EXPECT_TRUE(answer.has_value()) << operation << ": " << answer.error().text();
  return answer ? *answer : Json();
}

std::vector<sim::InstanceView> FleetFixture::machines(std::string_view region) const {
  std::vector<sim::InstanceView> views = cloud_->instances();
  std::erase_if(views, [&](const sim::InstanceView& view) { return !fits(region, view.region); });
  return views;
}

}  // namespace parallax::testing
