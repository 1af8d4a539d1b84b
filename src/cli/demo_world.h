// What the demo brings up on this machine: sample services, a relay per region and service, a collector, a simulated
// cloud whose machines are processes here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cli/world.h"
#include "collector/collector.h"
#include "http/relay.h"
#include "http/server.h"
#include "record/service.h"
#include "record/token.h"
#include "sim/cloud/sim_aws.h"
#include "sim/vo/sample_service.h"
#include "store/store.h"

namespace parallax::cli {

struct DemoOptions {
  std::string directory;          // database, spools; made if missing
  std::vector<Service> services;  // empty: the sample services
  double time_scale = 15;
  std::uint64_t seed = 0;
};

// A region of the reference and how far it is from the services.
struct DemoRegion {
  std::string id;
  Micros round_trip{0};
};

// The six regions of the reference; the services are thought to stand in Strasbourg, and a path to be 1.7 times as slow
// as light in fibre along the great circle.
std::vector<DemoRegion> demo_regions();

// Counts what arrives in the collector, by run: for the progress display.
class CountingService final : public http::Service {
 public:
  explicit CountingService(http::Service& inner) : inner_(inner) {}

  Admission admit(const http::Request& head) override { return inner_.admit(head); }

  http::Response handle(const http::Request& request) override EXCLUDES(mutex_);
  std::int64_t count(const std::string& run_id) const EXCLUDES(mutex_);

 private:
  http::Service& inner_;
  mutable Mutex mutex_;
  std::map<std::string, std::int64_t> counts_ GUARDED_BY(mutex_);
};

class DemoWorld {
 public:
  static Result<std::unique_ptr<DemoWorld>> start(World& world, const DemoOptions& options);
  ~DemoWorld();
  DemoWorld(const DemoWorld&) = delete;
  DemoWorld& operator=(const DemoWorld&) = delete;

  const std::vector<Service>& services() const { return services_; }

  const std::vector<DemoRegion>& regions() const { return regions_; }

  const SigningKey& key() const { return key_; }

  store::Store& store() { return *store_; }

  std::int64_t count(const std::string& run_id) const { return counting_->count(run_id); }

  std::string cloud_url() const { return aws_->url(); }

  std::string collector_url() const { return collector_server_->base_url(); }

  const std::string& database_path() const { return database_path_; }

 private:
  explicit DemoWorld(World& world) : world_(world) {}

  Result<> start_services(const DemoOptions& options);
  Result<> start_collector(const DemoOptions& options);
  Result<std::map<std::string, std::string>> start_relays();
  Result<> start_cloud(const DemoOptions& options);

  World& world_;
  std::vector<DemoRegion> regions_ = demo_regions();
  std::vector<Service> services_;
  std::string ca_path_;
  std::string database_path_;
  std::string machines_directory_;
  SigningKey key_;
  std::vector<std::unique_ptr<sim::SampleService>> samples_;
  std::vector<std::unique_ptr<http::Server>> sample_servers_;
  std::vector<std::unique_ptr<http::Relay>> relays_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<collector::Collector> collector_;
  std::unique_ptr<CountingService> counting_;
  std::unique_ptr<http::Server> collector_server_;
  std::unique_ptr<sim::SimulatedAws> aws_;  // last: its machines use all of the above
};

}  // namespace parallax::cli
