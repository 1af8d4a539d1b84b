#include "sim/cloud/sim_aws.h"

#include <fmt/format.h>

#include "aws/model/model.h"
#include "base/rng.h"
#include "http/server.h"
#include "sim/cloud/endpoint.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/plain_guest.h"

namespace parallax::sim {

namespace {

bool is_loopback(const std::string& address) {
  return address == "127.0.0.1" || address == "::1" || address == "localhost";
}

class RunningAws final : public SimulatedAws {
 public:
  RunningAws(const SimulatedAwsOptions& options, Clock& clock)
      : rng_(options.seed),
        cloud_(options.cloud, clock, rng_),
        endpoint_(cloud_, clock, EndpointOptions{options.execute.has_value(), options.log}),
        plain_guest_(clock, cloud_, job(options.job_takes)) {
    cloud_.set_guest(&plain_guest_);
  }

  ~RunningAws() override {
    server_.reset();
    ticker_.reset();
    // Nothing asks for guests any more; their processes end here, while the cloud still takes their reports.
    cloud_.set_guest(nullptr);
    process_guest_.reset();
  }

  Result<> run(const SimulatedAwsOptions& options, Clock& clock, Executor& executor) {
    if (options.execute) {
      process_guest_ = TRY(ProcessGuest::start(*options.execute, clock, executor, cloud_));
      cloud_.set_guest(process_guest_.get());
      if (options.log) {
        options.log(
            fmt::format("simulated cloud: commands are executed ({})", to_string(process_guest_->containment())));
      }
    }
    http::ServerOptions server;
    server.address = options.address;
    server.port = options.port;
    server.server_name = "AmazonEC2";
    server_ = TRY(http::start_server(server, endpoint_));
    ticker_ = executor.spawn("sim-aws-ticker",
                             [this, &executor](const std::stop_token& stop) { run_ticker(cloud_, executor, stop); });
    return {};
  }

  Cloud& cloud() override { return cloud_; }

  std::string url() const override { return server_->base_url(); }

 private:
  PlainGuest::Job job(const std::optional<Micros>& takes) {
    if (!takes) {
      return {};
    }
    return [this, takes = *takes](std::function<void()> done) { cloud_.call_later(takes, std::move(done)); };
  }

  Xoshiro rng_;
  Cloud cloud_;
  CloudEndpoint endpoint_;
  PlainGuest plain_guest_;
  std::unique_ptr<ProcessGuest> process_guest_;
  std::unique_ptr<Task> ticker_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace

Result<std::unique_ptr<SimulatedAws>> SimulatedAws::start(SimulatedAwsOptions options, Clock& clock,
                                                          Executor& executor) {
  if (options.execute && !is_loopback(options.address)) {
    return make_error(
        ErrorKind::invalid,
        fmt::format("a simulated cloud that executes commands listens on loopback only, not on {}", options.address));
  }
  auto running = std::make_unique<RunningAws>(options, clock);
  TRY(running->run(options, clock, executor));
  return std::unique_ptr<SimulatedAws>(std::move(running));
}

std::vector<std::pair<std::string, std::string>> simulated_operations() {
  std::vector<std::pair<std::string, std::string>> operations;
  for (const std::string_view service : aws::service_names()) {
    for (const std::string_view name : aws::find_service(service)->operation_names()) {
      if (find_operation(service, name) != nullptr) {
        operations.emplace_back(service, name);
      }
    }
  }
  return operations;
}

std::string client_instructions(const std::string& url, const std::string& region) {
  return fmt::format(
      "export AWS_ACCESS_KEY_ID={0}\n"
      "export AWS_SECRET_ACCESS_KEY={1}\n"
      "export AWS_DEFAULT_REGION={2}\n"
      "export AWS_ENDPOINT_URL={3}\n"
      "alias aws-sim='aws --endpoint-url {3}'\n"
      "# boto3: boto3.client('ec2', region_name='{2}', endpoint_url='{3}')\n"
      "# Debian 12's packaged awscli and boto3 are older than AWS_ENDPOINT_URL and ignore it: without the alias or\n"
      "# endpoint_url they would call the real AWS (which refuses these keys).\n",
      kSimulatedAccessKey, kSimulatedSecret, region, url);
}

}  // namespace parallax::sim
