#include "tests/scenario/guest.h"

#include <fmt/format.h>

#include "base/text.h"
#include "codec/json.h"
#include "probe/probe.h"
#include "record/order.h"
#include "sim/cloud/power.h"

namespace parallax::scenario {

namespace {

constexpr const char* kSpool = "/var/lib/parallax/spool";

// The text between the line that ends in <<'MARKER' and the line MARKER; empty where there is none.
std::string here_document(const std::string& script) {
  const std::size_t mark = script.find("<<'");
  if (mark == std::string::npos) {
    return "";
  }
  const std::size_t end_of_marker = script.find('\'', mark + 3);
  const std::string marker = script.substr(mark + 3, end_of_marker - mark - 3);
  const std::size_t begin = script.find('\n', end_of_marker) + 1;
  return script.substr(begin, script.find("\n" + marker + "\n", begin) - begin);
}

}  // namespace

void ScenarioGuest::boot(const sim::InstanceRef& instance, const std::string& user_data) {
  sim::arm_by_user_data(user_data, instance, world_.utc(), std::chrono::minutes(1), cloud_);
}

void ScenarioGuest::run(const sim::GuestCommand& command, std::function<void(sim::GuestResult)> done) {
  for (const std::string_view line : split(command.script, '\n')) {
    if (const auto request = sim::parse_power_command(sim::words_of_line(line), world_.utc())) {
      sim::apply_power_request(*request, command.instance, std::chrono::minutes(1), cloud_);
    }
  }
  ++jobs_started_;
  const std::string order_text = here_document(command.script);
  sim::Process& process = world_.start_process(fmt::format("job-{}-{}", command.instance.region, jobs_started_),
                                               command.instance.instance_id);
  const std::size_t record = records_.size();
  records_.push_back(JobRecord{command.instance.instance_id, world_.now(), std::nullopt});
  auto finish = [this, record, done = std::move(done)](sim::GuestResult result) {
    records_[record].end = world_.now();
    done(std::move(result));
  };
  jobs_[command.command_id] = Job{command.instance, &process, finish};
  if (world_.rng("job hangs").chance(job_hangs_)) {
    process.start("hang", [&process](const std::stop_token& stop) { process.clock().sleep_for(Seconds(86400), stop); });
    return;
  }
  if (other_job_) {
    process.start("job", [&process, job = *other_job_, finish = std::move(finish)](const std::stop_token& stop) {
      if (process.clock().sleep_for(job.takes, stop)) {
        finish(job.result);
      }
    });
    return;
  }
  start_probe(process, order_text, std::move(finish));
}

void ScenarioGuest::start_probe(sim::Process& process, const std::string& order_text,
                                std::function<void(sim::GuestResult)> done) {
  process.start("probe", [this, &process, order_text, done = std::move(done)](const std::stop_token& stop) {
    sim::GuestResult result;
    const Result<Json> json = parse_json(order_text);
    const Result<Order> order = json ? order_from_json(*json) : Result<Order>(json.error());
    if (!order) {
      result.exit_code = 2;
      result.err = order.error().text();
      done(result);
      return;
    }
    const auto files = disks_.files(process);
    const auto client = network_.client(process);
    ProbeOptions options;
    options.spool_directory = kSpool;
    options.query.limits.phases.total = Seconds(60);
    const ProbeDeps deps{process.clock(), process.rng(), process.executor(), *files, *client};
    const ProbeOutcome outcome = run_probe(*order, options, deps, nullptr, stop);
    result.exit_code = static_cast<int>(outcome.exit_code);
    result.out = fmt::format("{} of {} queries succeeded, {} records wait. {} {}", outcome.successes(), outcome.planned,
                             outcome.spool.pending, outcome.problem, outcome.submit.last_problem);
    for (const std::string& refusal : outcome.submit.refusals) {
      result.out += "\n" + refusal;
    }
    world_.note("job", fmt::format("{} ends with {}: {}", process.name(), result.exit_code, result.out));
    done(result);
  });
}

void ScenarioGuest::kill(const sim::InstanceRef& /*instance*/, const std::string& command_id) {
  const auto found = jobs_.find(command_id);
  if (found != jobs_.end()) {
    const Job job = std::move(found->second);
    jobs_.erase(found);
    if (job.process->alive()) {
      job.process->kill(sim::KillKind::signal);
      job.done(sim::GuestResult{137, "", ""});  // the agent sees its shell die
    }
  }
}

void ScenarioGuest::kill_all(const sim::InstanceRef& instance) {
  bool power_cut = false;
  for (const sim::InstanceView& view : cloud_.instances()) {
    power_cut = power_cut || (view.instance_id == instance.instance_id && view.state_reason == "Server.InternalError");
  }
  if (power_cut) {
    power_cuts_.push_back(PowerCut{instance.instance_id, world_.utc()});
  }
  std::erase_if(jobs_, [&](const auto& job) {
    if (job.second.instance != instance) {
      return false;
    }
    job.second.process->kill(power_cut ? sim::KillKind::power_cut : sim::KillKind::signal);
    return true;
  });
}

}  // namespace parallax::scenario
