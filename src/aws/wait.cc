#include "aws/wait.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "aws/expression.h"
#include "aws/protocol/errors.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

// The first pause; doubled up to the model's own delay, which is kept within bounds.
constexpr Micros kPauseFirst = Seconds(2);
constexpr Micros kPauseLeast = Seconds(1);
constexpr Micros kPauseMost = Seconds(30);
// The last poll comes this long before the deadline, or a tenth of the whole wait, so that its answer has time to
// arrive.
constexpr Micros kLastPoll = Seconds(2);
constexpr int kLastPollShare = 10;
constexpr std::size_t kSeenBytesMax = 300;

Error coded(ErrorKind kind, std::string code, std::string message) {
  Error error = make_error(kind, std::move(message));
  error.code = std::move(code);
  return error;
}

// "instance-running", "instance_running" and "InstanceRunning" are one name.
std::string plain_name(std::string_view name) {
  std::string plain = to_lower(name);
  std::erase_if(plain, [](char c) { return c == '-' || c == '_'; });
  return plain;
}

Result<const Waiter*> find(const CallTarget& target, std::string_view name) {
  const ServiceModel* model = TRY(require_service(target.service));
  if (const Waiter* waiter = model->find_waiter(name)) {
    return waiter;
  }
  const std::vector<std::string_view> names = model->waiter_names();
  for (const std::string_view known : names) {
    if (plain_name(known) == plain_name(name)) {
      return model->find_waiter(known);
    }
  }
  std::string message =
      fmt::format("service '{}' has no waiter '{}'", model->metadata().service, terminal_safe(name, 80));
  if (const std::string_view near = suggest(name, names); !near.empty()) {
    message += fmt::format("; did you mean '{}'?", near);
  } else if (names.empty()) {
    message += ": it has none at all";
  } else {
    message += "; it has: ";
    for (const std::string_view known : names) {
      message += fmt::format("{}{}", known == names.front() ? "" : ", ", known);
    }
  }
  return coded(ErrorKind::invalid, "unknown-waiter", std::move(message));
}

// One acceptor, ready to look at answers.
struct Acceptor {
  const WaiterAcceptor* model = nullptr;
  std::optional<Expression> expression;

  std::string text() const {
    const std::string expected = model->expected.dump();
    if (model->matcher == "pathAll") {
      return fmt::format("{} are all {}", model->argument, expected);
    }
    if (model->matcher == "pathAny") {
      return fmt::format("{} has {}", model->argument, expected);
    }
    if (model->matcher == "path") {
      return fmt::format("{} is {}", model->argument, expected);
    }
    return fmt::format("{} {}", model->matcher == "status" ? "the HTTP status is" : "the error is", expected);
  }
};

Result<std::vector<Acceptor>> compile(const Waiter& waiter) {
  const auto bad = [&](std::string_view what) {
    return coded(ErrorKind::invalid, "bad-waiter", fmt::format("waiter '{}' cannot be used: {}", waiter.name, what));
  };
  std::vector<Acceptor> acceptors;
  for (const WaiterAcceptor& model : waiter.acceptors) {
    Acceptor acceptor;
    acceptor.model = &model;
    if (model.state != "success" && model.state != "failure" && model.state != "retry") {
      return bad(fmt::format("unknown state '{}'", terminal_safe(model.state, 40)));
    }
    if (model.matcher == "path" || model.matcher == "pathAll" || model.matcher == "pathAny") {
      const Result<Expression> expression = Expression::parse(model.argument);
      if (!expression) {
        return bad(expression.error().message);
      }
      acceptor.expression = *expression;
    } else if (model.matcher != "status" && model.matcher != "error") {
      return bad(fmt::format("unknown matcher '{}'", terminal_safe(model.matcher, 40)));
    }
    acceptors.push_back(std::move(acceptor));
  }
  return acceptors;
}

bool matches_path(const Acceptor& acceptor, const Json& output) {
  const Result<Json> found = acceptor.expression->search(output);
  if (!found) {
    return false;  // length() of a member that this answer lacks
  }
  const Json& expected = acceptor.model->expected;
  const auto equal = [&](const Json& value) { return Expression::equal(value, expected); };
  if (acceptor.model->matcher == "path") {
    return equal(*found);
  }
  const JsonArray* items = found->items();
  if (items == nullptr || items->empty()) {
    return false;  // nothing there is never "all"
  }
  return acceptor.model->matcher == "pathAll" ? std::all_of(items->begin(), items->end(), equal)
                                              : std::any_of(items->begin(), items->end(), equal);
}

// Whether a service said this, and not a network or ourselves.
bool is_from_service(const Error& error) {
  return error.status != 0;
}

bool matches(const Acceptor& acceptor, const Result<Answer>& result) {
  const WaiterAcceptor& model = *acceptor.model;
  if (acceptor.expression) {
    return result.has_value() && matches_path(acceptor, result->output);
  }
  if (!result && !is_from_service(result.error())) {
    return false;
  }
  if (model.matcher == "status") {
    return model.expected.integer() == (result ? result->status : result.error().status);
  }
  if (const std::optional<bool> any = model.expected.boolean()) {
    return *any != result.has_value();
  }
  return !result && model.expected.string() != nullptr && result.error().code == *model.expected.string();
}

// May pass while we wait: the service will say something else, or the network will.
bool is_passing(const Error& error) {
  return error.kind == ErrorKind::throttled || error.kind == ErrorKind::timeout ||
         (error.kind == ErrorKind::unavailable && !is_capacity(error.code));
}

// What the acceptors looked at, with its values.
std::string describe(const std::vector<Acceptor>& acceptors, const Result<Answer>& last) {
  if (!last) {
    return last.error().message;
  }
  std::string text;
  std::set<std::string> told;
  for (const Acceptor& acceptor : acceptors) {
    if (!acceptor.expression || !told.insert(acceptor.model->argument).second) {
      continue;
    }
    const Result<Json> found = acceptor.expression->search(last->output);
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", acceptor.model->argument,
                        found ? terminal_safe(found->dump(), kSeenBytesMax) : found.error().message);
  }
  return text.empty() ? fmt::format("HTTP status {}", last->status) : text;
}

class Waiting {
 public:
  Waiting(Client& client, const CallTarget& target, const Waiter& waiter, std::vector<Acceptor> acceptors,
          const CallOptions& options)
      : client_(client),
        target_(target),
        waiter_(waiter),
        acceptors_(std::move(acceptors)),
        options_(options),
        began_(client.clock().monotonic()),
        pause_longest_(std::clamp<Micros>(Seconds(waiter.delay_seconds), kPauseLeast, kPauseMost)),
        pause_(std::min(kPauseFirst, pause_longest_)) {}

  Result<Json> run(const Json& params) {
    for (;;) {
      Result<Answer> result = client_.answer(target_, waiter_.operation, params, options_);
      ++polls_;
      const auto acceptor = std::find_if(acceptors_.begin(), acceptors_.end(),
                                         [&](const Acceptor& known) { return matches(known, result); });
      const bool is_known = acceptor != acceptors_.end();
      if (is_known && acceptor->model->state == "success") {
        return result ? Result<Json>(std::move(result->output)) : Result<Json>(Json());
      }
      if (is_known && acceptor->model->state == "failure") {
        return failed(*acceptor, result);
      }
      if (!is_known && !result && !is_passing(result.error())) {
        return std::move(result).error();
      }
      // Our own deadline cut this poll short: what was seen before says more.
      if (result || is_from_service(result.error()) || !last_) {
        last_ = std::move(result);
        last_is_known_ = is_known;
      }
      if (Result<> paused = pause(); !paused) {
        return std::move(paused).error();
      }
    }
  }

 private:
  Result<> pause() {
    Clock& clock = client_.clock();
    const Micros left = options_.deadline - clock.monotonic();
    const Micros last_poll = std::min(kLastPoll, (options_.deadline - began_) / kLastPollShare);
    if (left <= last_poll) {
      return late();
    }
    const double jitter = 0.9 + 0.2 * client_.rng().unit();
    const Micros wish(static_cast<std::int64_t>(static_cast<double>(pause_.count()) * jitter));
    pause_ = std::min(pause_ * 2, pause_longest_);
    if (!clock.sleep_for(std::min(wish, left - last_poll), options_.stop)) {
      return coded(ErrorKind::cancelled, "cancelled", "cancelled");
    }
    return {};
  }

  Error failed(const Acceptor& acceptor, const Result<Answer>& result) const {
    Error error = result ? make_error(ErrorKind::conflict, "") : result.error();
    error.code = "waiter-failed";
    error.message = fmt::format("{} will not be reached: {}", waiter_.name, acceptor.text());
    error.message += fmt::format(" ({})", describe(acceptors_, result));
    error.context.clear();
    return error;
  }

  Error late() const {
    std::string message = fmt::format("{} was not reached within {} ({} {}); last seen: {}", waiter_.name,
                                      to_human(options_.deadline - began_), polls_, polls_ == 1 ? "poll" : "polls",
                                      last_ ? describe(acceptors_, *last_) : "nothing");
    if (last_ && last_->has_value() && !last_is_known_) {
      message += ", for which the waiter names no outcome: it goes on for ever if that does not change";
    }
    return coded(ErrorKind::timeout, "waiter-deadline", std::move(message));
  }

  Client& client_;
  const CallTarget& target_;
  const Waiter& waiter_;
  const std::vector<Acceptor> acceptors_;
  const CallOptions& options_;
  const Monotonic began_;
  const Micros pause_longest_;
  Micros pause_;
  int polls_ = 0;
  std::optional<Result<Answer>> last_;
  bool last_is_known_ = false;
};

Result<Json> wait_for(Client& client, const CallTarget& target, const Waiter& waiter, const Json& params,
                      const CallOptions& options) {
  std::vector<Acceptor> acceptors = TRY(compile(waiter));
  return Waiting(client, target, waiter, std::move(acceptors), options).run(params);
}

}  // namespace

Result<Json> wait(Client& client, const CallTarget& target, std::string_view waiter, const Json& params,
                  const CallOptions& options) {
  const Result<const Waiter*> found = find(target, waiter);
  if (!found) {
    return found.error();
  }
  return wait_for(client, target, **found, params, options)
      .with_context(fmt::format("waiting for {}:{} in {}", target.service, (*found)->name, target.region));
}

}  // namespace parallax::aws
