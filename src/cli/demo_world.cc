#include "cli/demo_world.h"

#include <cmath>
#include <filesystem>
#include <numbers>
#include <set>

#include <fmt/format.h>

#include "cli/serving.h"
#include "cli/version.h"
#include "fleet/regions.h"
#include "http/url.h"

namespace parallax::cli {

namespace {

constexpr double kServicesLatitude = 48.58;  // Strasbourg
constexpr double kServicesLongitude = 7.75;
constexpr double kPathFactor = 1.7;
constexpr const char* kReferenceRegions[] = {"us-west-2", "us-east-1",      "sa-east-1",
                                             "eu-west-3", "ap-northeast-1", "ap-southeast-2"};

double great_circle_km(double lat1, double lon1, double lat2, double lon2) {
  constexpr double kRadius = 6371;
  constexpr double kDegree = std::numbers::pi / 180;
  const double a =
      std::pow(std::sin((lat2 - lat1) * kDegree / 2), 2) +
      std::cos(lat1 * kDegree) * std::cos(lat2 * kDegree) * std::pow(std::sin((lon2 - lon1) * kDegree / 2), 2);
  return 2 * kRadius * std::asin(std::sqrt(a));
}

Service sample(const std::string& provider, const std::string& name, ServiceType type, const std::string& url) {
  Service service;
  service.provider = provider;
  service.name = name;
  service.type = type;
  service.url = url;
  if (type == ServiceType::tap) {
    service.adql =
        "SELECT * FROM stars WHERE 1=CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {ra}, {dec}, {radius}))";
  }
  return service;
}

}  // namespace

std::vector<DemoRegion> demo_regions() {
  std::vector<DemoRegion> regions;
  for (const char* id : kReferenceRegions) {
    const fleet::RegionInfo* info = fleet::find_region(id);
    CHECK(info != nullptr, id);
    // Light in fibre: about 102 km of great circle per millisecond of round trip.
    const double floor_ms =
        great_circle_km(kServicesLatitude, kServicesLongitude, info->latitude, info->longitude) / 102;
    regions.push_back(DemoRegion{id, Micros(static_cast<std::int64_t>(floor_ms * kPathFactor * 1000))});
  }
  return regions;
}

http::Response CountingService::handle(const http::Request& request) {
  http::Response response = inner_.handle(request);
  if (request.method == "POST" && request.url.starts_with("/api/v1/measurements") && response.status == 200) {
    if (const Result<Json> answer = parse_json(response.body)) {
      const MutexLock lock(mutex_);
      for (const Json& record : answer->list("records")) {
        const std::string id = record.text("id");
        if (record.text("outcome") == "stored") {
          ++counts_[id.substr(0, id.find('-'))];
        }
      }
    }
  }
  return response;
}

std::int64_t CountingService::count(const std::string& run_id) const {
  const MutexLock lock(mutex_);
  const auto found = counts_.find(run_id);
  return found == counts_.end() ? 0 : found->second;
}

Result<std::unique_ptr<DemoWorld>> DemoWorld::start(World& world, const DemoOptions& options) {
  std::unique_ptr<DemoWorld> demo(new DemoWorld(world));
  TRY(world.files.make_directories(options.directory, 0700));
  demo->services_ = options.services;
  if (demo->services_.empty()) {
    TRY(demo->start_services(options));
  }
  TRY(demo->start_collector(options));
  TRY(demo->start_cloud(options));
  return demo;
}

DemoWorld::~DemoWorld() {
  aws_.reset();  // ends every process of every machine
  collector_server_.reset();
  sample_servers_.clear();
  relays_.clear();
  if (!machines_directory_.empty()) {
    std::error_code ignored;  // a directory of temporary files that stays behind harms nobody
    std::filesystem::remove_all(machines_directory_, ignored);
  }
}

Result<> DemoWorld::start_services(const DemoOptions& options) {
  const http::TestCertificates certificates = TRY(http::make_test_certificates({"localhost", "127.0.0.1"}, 30));
  ca_path_ = options.directory + "/sample-ca.pem";
  TRY(world_.files.write(ca_path_, certificates.ca_pem, 0644));
  for (const bool secure : {false, true}) {
    sim::SampleOptions sample_options;
    sample_options.serialization = secure ? sim::Serialization::binary2 : sim::Serialization::tabledata;
    samples_.push_back(std::make_unique<sim::SampleService>(world_.clock, sample_options, nullptr));
    http::ServerOptions server;
    if (secure) {
      server.certificate_pem = certificates.certificate_pem;
      server.private_key_pem = certificates.private_key_pem;
    }
    sample_servers_.push_back(TRY(http::start_server(server, *samples_.back())));
  }
  const std::string plain = sample_servers_[0]->base_url();
  const std::string secure = sample_servers_[1]->base_url();
  services_ = {sample("Plain", "Bright_Stars", ServiceType::cone, plain + "/scs"),
               sample("Plain", "Bright_Stars", ServiceType::tap, plain + "/tap"),
               sample("Plain", "Bright_Stars", ServiceType::xcone, plain + "/xcone?ra={ra}&dec={dec}&radius={radius}"),
               sample("Secure", "Bright_Stars", ServiceType::cone, secure + "/scs"),
               sample("Secure", "Bright_Stars", ServiceType::tap, secure + "/tap")};
  return {};
}

Result<> DemoWorld::start_collector(const DemoOptions& options) {
  database_path_ = options.directory + "/parallax.db";
  store_ = TRY(store::open_store("sqlite:" + database_path_));
  key_ = TRY(make_signing_key());
  TRY(store_->add_key(KeyRecord{key_.key_id, key_.public_key, std::nullopt}, world_.clock.now()));
  collector::CollectorOptions collecting;
  collecting.reading_open = true;
  collecting.build = kBuild;
  collector_ = std::make_unique<collector::Collector>(*store_, world_.clock, std::move(collecting));
  counting_ = std::make_unique<CountingService>(*collector_);
  collector_server_ = TRY(http::start_server(http::ServerOptions(), *counting_));
  return {};
}

// For each region the value of PARALLAX_LINKS: every service's host and port by way of that region's relay.
Result<std::map<std::string, std::string>> DemoWorld::start_relays() {
  std::set<std::pair<std::string, int>> targets;
  for (const Service& service : services_) {
    // A template's placeholders stand in path or query; they are no part of a host.
    std::string url = service.url;
    for (char& c : url) {
      c = c == '{' || c == '}' ? '_' : c;
    }
    const http::Url parsed = TRY(http::parse_url(url));
    targets.emplace(parsed.host, parsed.port);
  }
  std::map<std::string, std::string> links;
  for (const DemoRegion& region : regions_) {
    for (const auto& [host, port] : targets) {
      http::RelayOptions relay;
      relay.target_host = host;
      relay.target_port = port;
      relay.one_way_delay = region.round_trip / 2;
      relays_.push_back(TRY(http::start_relay(relay)));
      std::string& text = links[region.id];
      text += fmt::format("{}{}:{}=127.0.0.1:{}", text.empty() ? "" : ",", host, port, relays_.back()->port());
    }
  }
  return links;
}

Result<> DemoWorld::start_cloud(const DemoOptions& options) {
  const std::map<std::string, std::string> links = TRY(start_relays());
  sim::SimulatedAwsOptions aws;
  aws.cloud.regions.clear();
  aws.cloud.time_scale = options.time_scale;
  aws.seed = options.seed;
  sim::ExecuteOptions execute;
  machines_directory_ = fmt::format("/tmp/parallax-demo-{:016x}", world_.rng.next());
  TRY(world_.files.make_directories(machines_directory_, 0700));
  execute.directory = machines_directory_;
  execute.path_first = {TRY(link_program(world_, machines_directory_))};
  for (const DemoRegion& region : regions_) {
    aws.cloud.regions.push_back(region.id);
    std::map<std::string, std::string>& environment = execute.environment[region.id];
    environment["PARALLAX_LINKS"] = links.at(region.id);
    environment["PARALLAX_SPOOL"] = fmt::format("{}/spool/{}", options.directory, region.id);
    if (!ca_path_.empty()) {
      environment["PARALLAX_CA_FILE"] = ca_path_;
    }
  }
  aws.execute = std::move(execute);
  aws_ = TRY(sim::SimulatedAws::start(std::move(aws), world_.clock, world_.executor));
  return {};
}

}  // namespace parallax::cli
