// parallax fleet exec

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/text.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_round.h"
#include "fleet/exec.h"
#include "fleet/tasks.h"

namespace parallax::cli {

namespace {

constexpr Micros kShortest{Seconds(10)};
constexpr Micros kLongest{Seconds(24 * 3600)};

// What came of one machine, whether it ran before or was started for it.
struct Answer {
  std::string vantage, instance_id;
  bool was_running = false;
  std::optional<int> exit_code;
  std::string output, problem;
};

// Thread safety: add() from any task.
class Answers {
 public:
  explicit Answers(bool print_now) : print_now_(print_now) {}

  void add(Answer answer) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (print_now_) {
      print(as_lines(answer));
    }
    answers_.push_back(std::move(answer));
  }

  Json to_json() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    JsonArray list;
    for (const Answer& answer : answers_) {
      list.push_back(Json::object({{"vantage", answer.vantage},
                                   {"instance_id", answer.instance_id},
                                   {"was_running", answer.was_running},
                                   {"exit_code", answer.exit_code ? Json(*answer.exit_code) : Json()},
                                   {"output", answer.output},
                                   {"problem", answer.problem.empty() ? Json() : Json(answer.problem)}}));
    }
    return Json(std::move(list));
  }

  // Regions that could not be looked at count as one failure each.
  int exit_code(std::size_t unseen) const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    std::size_t failed = unseen;
    for (const Answer& answer : answers_) {
      failed += answer.exit_code == 0 && answer.problem.empty() ? 0U : 1U;
    }
    return failed == 0 ? 0 : failed == answers_.size() + unseen ? 1 : 3;
  }

 private:
  // Each line with its vantage in front; what a machine says must not steer the terminal.
  static std::string as_lines(const Answer& answer) {
    std::string text;
    std::string_view rest = answer.output;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      text += fmt::format("{}| {}\n", answer.vantage, terminal_safe(rest.substr(0, end)));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    if (!answer.problem.empty()) {
      log::error(fmt::format("{}: {}", answer.vantage, answer.problem));
    } else if (answer.exit_code != 0) {
      log::error(fmt::format("{}: exit code {}", answer.vantage, answer.exit_code.value_or(-1)));
    }
    return text;
  }

  const bool print_now_;
  mutable Mutex mutex_;
  std::vector<Answer> answers_ GUARDED_BY(mutex_);
};

struct Parts {
  std::vector<fleet::RegionVantages> running, stopped;
};

Parts split_by_state(const std::vector<fleet::RegionVantages>& found) {
  Parts parts;
  for (const fleet::RegionVantages& region : found) {
    fleet::RegionVantages running{region.region, "", {}, false};
    fleet::RegionVantages stopped{region.region, "", {}, false};
    for (const fleet::Vantage& vantage : region.vantages) {
      const bool runs = vantage.instance.state == fleet::InstanceState::running;
      (runs ? running : stopped).vantages.push_back(vantage);
    }
    if (!running.vantages.empty()) {
      parts.running.push_back(std::move(running));
    }
    if (!stopped.vantages.empty()) {
      parts.stopped.push_back(std::move(stopped));
    }
  }
  return parts;
}

// The words as one line for the shell, as ssh does: what needs quotes there needs them twice here.
Result<std::string> command_of(const Arguments& arguments) {
  std::string command;
  for (const std::string& word : arguments.list("command")) {
    command += (command.empty() ? "" : " ") + word;
  }
  if (trim(command).empty()) {
    return make_error(ErrorKind::invalid, "there is no command: parallax fleet exec -- uptime");
  }
  return command;
}

Result<fleet::RoundSpec> round_of(const Arguments& arguments, World& world, const FleetSession& session) {
  fleet::RoundSpec round;
  round.fleet = session.config.fleet.name;
  round.round_id = make_ulid(world.clock.now(), world.rng);
  round.command = TRY(command_of(arguments));
  round.without_order = true;
  round.job_timeout = TRY(parse_duration(arguments.value_or("--timeout", "10m")).with_context("reading --timeout"));
  if (round.job_timeout < kShortest || round.job_timeout > kLongest) {
    return make_error(ErrorKind::invalid, "--timeout: from 10s to 24h");
  }
  return round;
}

// Of what the machine's script said at its end; the cause of a failed run that has an exit code is that code.
Answer answer_of(const Run& run) {
  Answer answer{run.vantage, run.instance_id, false, run.exit_code, run.log_tail, ""};
  if (run.state != RunState::done && (!run.exit_code || *run.exit_code == 0)) {
    answer.problem = run.cause;
  }
  return answer;
}

Result<int> exec(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  const fleet::RoundSpec round = TRY(round_of(arguments, world, session));
  fleet::ExecOptions options;
  options.id = round.round_id;
  options.poll = TRY(run_options(arguments)).poll;
  options.timeout = round.job_timeout;
  const std::vector<fleet::RegionVantages> found = TRY(find_selected(arguments, world, session));
  tell_problems(found);
  Parts parts = split_by_state(found);
  if (arguments.has("--running-only")) {
    parts.stopped.clear();
  }
  Answers answers(!json);
  std::optional<Result<fleet::RoundOutcome>> outcome;
  const std::string script = fmt::format("#!/bin/sh\n{}\n", round.command);
  fleet::for_each_task(world.executor, "exec", 2, [&](std::size_t part) {
    if (part == 0 && !parts.running.empty()) {
      fleet::exec_running(
          session.deps(world), parts.running, script, options,
          [&](const fleet::ExecOutcome& one) {
            answers.add({one.vantage, one.instance_id, true, one.exit_code, one.output, one.problem});
          },
          world.stop);
    } else if (part == 1 && !parts.stopped.empty()) {
      outcome = carry_out_round(arguments, world, session, round, parts.stopped, [&](const Run& run) {
        if (is_ended(run.state)) {
          answers.add(answer_of(run));
        }
      });
    }
  });
  if (outcome) {
    const fleet::RoundOutcome& started = TRY(*outcome);
    for (const fleet::RegionOutcome& region : started.regions) {
      for (const fleet::VantageOutcome& vantage : region.vantages) {
        if (vantage.left_running) {
          log::error(fleet::describe_outcome(vantage));
        }
      }
    }
  }
  if (json) {
    print(answers.to_json().pretty() + "\n");
  }
  return world.stop.stop_requested() ? 130 : answers.exit_code(count_problems(found));
}

}  // namespace

Command fleet_exec_command() {
  return Command{
      "exec",
      "a command on all machines at once; stopped ones are started for it and stopped again",
      fleet_options() + selection_options() +
          std::vector{Option{"--running-only", OptionKind::flag, "", "leave stopped machines alone"},
                      Option{"--timeout", OptionKind::value, "TIME", "of the command (default 10m)"}, poll_option(),
                      state_option(),
                      Option{"command", OptionKind::list, "COMMAND", "after --: run by a shell as root", true, true}},
      exec,
      {},
      "Example: parallax fleet exec --all -- uptime"};
}

}  // namespace parallax::cli
