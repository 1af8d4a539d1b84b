// One piece of work in many places (regions) at once, and what they say as one document.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "codec/json.h"

namespace parallax::cli {

// More regions than this wait for a free task; there are 34 today.
inline constexpr std::size_t kPlacesAtOnce = 64;

// Something that a place has said: a result, one page of it, or why there is none (the last thing it says).
struct Answer {
  std::size_t place = 0;  // index into the list of places
  Json body;              // {"result": ...} or {"error": ...}, and what else belongs beside it
  bool last = true;
  std::optional<Error> error;
};

// Calls `work` with 0 to `count` - 1, at most kPlacesAtOnce at a time, and returns when all have ended.
void for_each_at_once(Executor& executor, std::size_t count, const std::function<void(std::size_t)>& work);

// {"kind", "code", "message", "status", "request_id"}: what is not known is null.
Json error_to_json(const Error& error);

using Emit = std::function<void(Json body, bool last)>;
// Does the work for one place: emits pages and at the end a last one, or returns an error, which becomes the last one.
using PlaceWork = std::function<Result<>(std::size_t place, const std::stop_token& stop, const Emit& emit)>;

struct Tally {
  std::size_t places = 0, failed = 0;
  bool is_read = true;  // our output was taken to its end
  bool is_stopped = false;

  // 0 all answered, 3 some, 1 none or nobody reads; 130 where somebody asked us to stop.
  int exit_code() const;
};

// How answers become text. Not thread safe.
class AnswerWriter {
 public:
  // False: nobody reads any more.
  using Sink = std::function<bool(std::string_view text)>;

  virtual ~AnswerWriter() = default;
  virtual bool add(const Answer& answer, const std::string& text) = 0;
  virtual bool finish() = 0;
  // Called on the task of the place: the costly part, side by side.
  virtual std::string render(const std::string& place, const Json& body) const = 0;
};

// One document {"PLACE": BODY, ...}, written in the order of `places` as soon as all before are there.
std::unique_ptr<AnswerWriter> make_document_writer(std::vector<std::string> places, AnswerWriter::Sink sink);
// One line {"region": "PLACE", ...BODY} as it comes.
std::unique_ptr<AnswerWriter> make_lines_writer(AnswerWriter::Sink sink);

// Does `work` for every place, at most kPlacesAtOnce at a time, and writes what they say. `on_answer` sees each answer
// on the calling task. `stop` ends the work; the places that had not ended are entries with code "cancelled".
Tally call_places(Executor& executor, const std::vector<std::string>& places, const PlaceWork& work,
                  AnswerWriter& writer, const std::function<void(const Answer&)>& on_answer,
                  const std::stop_token& stop);

}  // namespace parallax::cli
