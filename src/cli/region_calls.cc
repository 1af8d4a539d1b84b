#include "cli/region_calls.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include <fmt/format.h>

#include "base/queue.h"

namespace parallax::cli {

namespace {

// Pages that wait for whoever reads our output; more make the calls wait.
constexpr std::size_t kWaitingMax = 64;
// The queue between the tasks ends when the tasks do, and those have deadlines of their own.
constexpr Monotonic kNever = Monotonic::max();

class DocumentWriter final : public AnswerWriter {
 public:
  DocumentWriter(std::vector<std::string> places, Sink sink)
      : places_(std::move(places)), waiting_(places_.size()), sink_(std::move(sink)) {}

  std::string render(const std::string& /*place*/, const Json& body) const override {
    // One level deeper than a document of its own; line ends within strings are escaped.
    std::string text;
    for (const char c : body.pretty()) {
      text += c;
      if (c == '\n') {
        text += "  ";
      }
    }
    return text;
  }

  bool add(const Answer& answer, const std::string& text) override {
    waiting_[answer.place] = text;
    bool ok = true;
    for (; next_ < waiting_.size() && waiting_[next_]; ++next_) {
      ok = sink_(fmt::format("{}  {}: {}", next_ == 0 ? "{\n" : ",\n", json_quote(places_[next_]), *waiting_[next_])) &&
           ok;
      waiting_[next_]->clear();
      waiting_[next_]->shrink_to_fit();
    }
    return ok;
  }

  bool finish() override { return sink_(next_ == 0 ? "{}\n" : "\n}\n"); }

 private:
  const std::vector<std::string> places_;
  std::vector<std::optional<std::string>> waiting_;
  std::size_t next_ = 0;
  const Sink sink_;
};

class LinesWriter final : public AnswerWriter {
 public:
  explicit LinesWriter(Sink sink) : sink_(std::move(sink)) {}

  std::string render(const std::string& place, const Json& body) const override {
    Json line = Json::object({{"region", place}});
    if (const JsonObject* members = body.members()) {
      for (const auto& [name, value] : *members) {
        line.set(name, value);
      }
    }
    return line.dump() + "\n";
  }

  bool add(const Answer& /*answer*/, const std::string& text) override { return sink_(text); }

  bool finish() override { return true; }

 private:
  const Sink sink_;
};

struct Rendered {
  Answer answer;  // without its body
  std::string text;
};

// As many tasks as may run at once; each takes the next index that nobody has taken.
std::vector<std::unique_ptr<Task>> spawn_workers(Executor& executor, std::size_t count, std::atomic<std::size_t>& next,
                                                 const std::function<void(std::size_t)>& work) {
  std::vector<std::unique_ptr<Task>> tasks;
  for (std::size_t i = 0; i < std::min(count, kPlacesAtOnce); ++i) {
    tasks.push_back(executor.spawn("region", [&next, &work, count](const std::stop_token&) {
      for (std::size_t at = next++; at < count; at = next++) {
        work(at);
      }
    }));
  }
  return tasks;
}

}  // namespace

void for_each_at_once(Executor& executor, std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  for (const std::unique_ptr<Task>& task : spawn_workers(executor, count, next, work)) {
    task->join();
  }
}

Json error_to_json(const Error& error) {
  // Messages for people begin with the code; here it has a member of its own.
  const std::string prefix = error.code + ": ";
  const bool repeats = !error.code.empty() && error.message.starts_with(prefix);
  return Json::object({{"kind", to_string(error.kind)},
                       {"code", error.code.empty() ? Json() : Json(error.code)},
                       {"message", repeats ? error.message.substr(prefix.size()) : error.message},
                       {"status", error.status == 0 ? Json() : Json(error.status)},
                       {"request_id", error.request_id.empty() ? Json() : Json(error.request_id)}});
}

int Tally::exit_code() const {
  return is_stopped ? 130 : !is_read ? 1 : failed == 0 ? 0 : failed == places ? 1 : 3;
}

std::unique_ptr<AnswerWriter> make_document_writer(std::vector<std::string> places, AnswerWriter::Sink sink) {
  return std::make_unique<DocumentWriter>(std::move(places), std::move(sink));
}

std::unique_ptr<AnswerWriter> make_lines_writer(AnswerWriter::Sink sink) {
  return std::make_unique<LinesWriter>(std::move(sink));
}

Tally call_places(Executor& executor, const std::vector<std::string>& places, const PlaceWork& work,
                  AnswerWriter& writer, const std::function<void(const Answer&)>& on_answer,
                  const std::stop_token& stop) {
  // Ends the work also when nobody reads its results any more.
  std::stop_source ended;
  const std::stop_callback forward(stop, [&ended] { ended.request_stop(); });
  BoundedQueue<Rendered> queue(executor, kWaitingMax);
  std::atomic<std::size_t> next{0};

  const std::function<void(std::size_t)> do_place = [&](std::size_t place) {
    const auto push = [&](const Json& body, bool last, std::optional<Error> error) {
      Answer answer{place, Json(), last, std::move(error)};
      const bool pushed = queue.push({std::move(answer), writer.render(places[place], body)}, kNever, {});
      CHECK(pushed, places[place]);
    };
    const Result<> result =
        work(place, ended.get_token(), [&](const Json& body, bool last) { push(body, last, std::nullopt); });
    if (!result) {
      push(Json::object({{"error", error_to_json(result.error())}}), true, result.error());
    }
  };
  const std::vector<std::unique_ptr<Task>> tasks = spawn_workers(executor, places.size(), next, do_place);

  Tally tally;
  tally.places = places.size();
  bool is_read = true;
  for (std::size_t left = places.size(); left > 0;) {
    std::optional<Rendered> item = queue.pop(kNever, {});
    CHECK(item.has_value(), left);
    const Answer& answer = item->answer;
    left -= answer.last ? 1U : 0U;
    tally.failed += answer.error ? 1U : 0U;
    on_answer(answer);
    is_read = is_read && writer.add(answer, item->text);
    if (!is_read) {
      ended.request_stop();
    }
  }
  tally.is_read = is_read && writer.finish();
  tally.is_stopped = stop.stop_requested();
  return tally;
}

}  // namespace parallax::cli
