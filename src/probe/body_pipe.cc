#include "probe/body_pipe.h"

#include <optional>
#include <utility>

namespace parallax::probe {

BodyPipe::BodyPipe(Clock& clock, Executor& executor, vo::VotableOptions early_options, std::stop_token stop)
    : clock_(clock), executor_(executor), early_options_(std::move(early_options)), stop_(std::move(stop)) {}

BodyPipe::~BodyPipe() {
  if (queue_) {
    queue_->close();
  }
}

bool BodyPipe::push(std::string_view piece) {
  if (wants_no_more_ || lost_) {
    return false;
  }
  buffer_ += piece;
  if (buffer_.size() <= kChunkBytes) {
    return true;
  }
  if (!task_) {
    start_parser();
  }
  return hand_over();
}

void BodyPipe::start_parser() {
  reader_ = std::make_unique<vo::VotableReader>(early_options_);
  queue_ = std::make_unique<BoundedQueue<std::string>>(executor_, kInFlightBytes / kChunkBytes);
  task_ = executor_.spawn("parser", [this](const std::stop_token& stop) { parse(stop); });
}

bool BodyPipe::hand_over() {
  parser_was_slower_ = parser_was_slower_ || queue_->size() >= kInFlightBytes / kChunkBytes;
  std::string chunk = std::exchange(buffer_, {});
  buffer_.reserve(kChunkBytes + (64U << 10U));
  lost_ = !queue_->push(std::move(chunk), clock_.monotonic() + kParserWaitMax, stop_);
  return !lost_;
}

void BodyPipe::parse(const std::stop_token& stop) {
  for (;;) {
    // Only the end of the transfer or the owner's stop ends the wait.
    const std::optional<std::string> chunk = queue_->pop(clock_.monotonic() + Seconds(3600), stop);
    if (!chunk) {
      return;
    }
    const Monotonic begin = clock_.monotonic();
    const Result<> read = wants_no_more_ ? Result<>() : reader_->push(*chunk);
    parse_time_ += clock_.monotonic() - begin;
    if (!read) {
      wants_no_more_ = true;  // why stands in the summary
    }
  }
}

ParsedBody BodyPipe::finish(const vo::VotableOptions& options) {
  ParsedBody body;
  if (task_) {
    if (!buffer_.empty() && !lost_ && !wants_no_more_) {
      hand_over();
    }
    queue_->close();
    task_->join();
  } else {
    reader_ = std::make_unique<vo::VotableReader>(options);
  }
  const Monotonic begin = clock_.monotonic();
  if (!task_) {
    ignore(reader_->push(buffer_), "the summary says which limit was reached");
  }
  body.summary = reader_->finish();
  body.parse_time = parse_time_ + (clock_.monotonic() - begin);
  body.parser_was_slower = parser_was_slower_;
  body.parsed_early = task_ != nullptr;
  return body;
}

}  // namespace parallax::probe
