// Takes the body of an answer as it arrives and hands it to the VOTable reader without slowing the transfer: a small
// body is parsed after its last byte, a large one by a task of its own behind a bounded queue.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "base/queue.h"
#include "vo/votable.h"

namespace parallax::probe {

inline constexpr std::size_t kChunkBytes = 256U << 10U;    // up to here: parsed in the same task
inline constexpr std::size_t kInFlightBytes = 32U << 20U;  // between transfer and parser
inline constexpr Micros kParserWaitMax{Seconds(60)};       // for room in the queue, and for the parser's end

struct ParsedBody {
  vo::VotableSummary summary;
  Micros parse_time{0};
  bool parser_was_slower = false;
  bool parsed_early = false;  // by `early_options`: the header was not known yet
};

// Thread safety: push() and finish() from one task.
class BodyPipe {
 public:
  // A transport tells the header fields only with the end of the body, so a large one is read by `early_options`.
  BodyPipe(Clock& clock, Executor& executor, vo::VotableOptions early_options, std::stop_token stop);
  ~BodyPipe();
  BodyPipe(const BodyPipe&) = delete;
  BodyPipe& operator=(const BodyPipe&) = delete;

  // False: the reader wants no more (one of our limits), or there was no room for kParserWaitMax.
  bool push(std::string_view piece);
  // Call once. `options` count for a small body.
  ParsedBody finish(const vo::VotableOptions& options);

 private:
  void start_parser();
  bool hand_over();
  void parse(const std::stop_token& stop);

  Clock& clock_;
  Executor& executor_;
  const vo::VotableOptions early_options_;
  const std::stop_token stop_;
  std::string buffer_;
  bool parser_was_slower_ = false;
  bool lost_ = false;  // a chunk could not be handed over

  // Of the parser task; read by the owner after joining it.
  std::unique_ptr<vo::VotableReader> reader_;
  std::unique_ptr<BoundedQueue<std::string>> queue_;
  Micros parse_time_{0};
  std::atomic<bool> wants_no_more_ = false;
  std::unique_ptr<Task> task_;
};

}  // namespace parallax::probe
