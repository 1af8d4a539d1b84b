// Takes the body of an answer as it arrives and hands it to the VOTable reader without slowing the transfer. A body is
// kept and parsed after its last byte, since a parser beside the transfer would take processor time from it; one that
// is too large to be kept is parsed by a task of its own behind a bounded queue.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/queue.h"
#include "vo/votable.h"

namespace parallax::probe {

inline constexpr std::size_t kChunkBytes = 256U << 10U;
inline constexpr std::size_t kInFlightBytes = 32U << 20U;  // between transfer and parser
inline constexpr Micros kParserWaitMax{Seconds(60)};       // for room in the queue, and for the parser's end

struct ParsedBody {
  vo::VotableSummary summary;
  Micros parse_time{0};
  bool parser_was_slower = false;
};

// Thread safety: expect(), push() and finish() from one task.
class BodyPipe {
 public:
  // Up to `kept_bytes_max` is kept.
  BodyPipe(Clock& clock, Executor& executor, std::size_t kept_bytes_max, std::stop_token stop);
  ~BodyPipe();
  BodyPipe(const BodyPipe&) = delete;
  BodyPipe& operator=(const BodyPipe&) = delete;

  // How the body is to be read, as the header says. Call it before the first push().
  void expect(vo::VotableOptions options) { options_ = std::move(options); }

  // False: the reader wants no more (one of our limits), or there was no room for kParserWaitMax.
  bool push(std::string_view piece);
  // Call once.
  ParsedBody finish();

 private:
  bool start_parser();
  bool hand_over(std::string chunk);
  void parse(const std::stop_token& stop);

  Clock& clock_;
  Executor& executor_;
  const std::size_t kept_bytes_max_;
  const std::stop_token stop_;
  vo::VotableOptions options_;
  std::vector<std::string> kept_;  // full chunks, until there is a parser
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
