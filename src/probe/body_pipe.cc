#include "probe/body_pipe.h"

#include <optional>
#include <utility>

namespace parallax::probe {

BodyPipe::BodyPipe(Clock& clock, Executor& executor, std::size_t kept_bytes_max, std::stop_token stop)
    : clock_(clock), executor_(executor), kept_bytes_max_(kept_bytes_max), stop_(std::move(stop)) {}

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
  std::string chunk = std::exchange(buffer_, {});
  buffer_.reserve(kChunkBytes + (64U << 10U));
  if (task_) {
    return hand_over(std::move(chunk));
  }
  kept_.push_back(std::move(chunk));
  return kept_.size() * kChunkBytes <= kept_bytes_max_ || start_parser();
}

bool BodyPipe::start_parser() {
  reader_ = std::make_unique<vo::VotableReader>(options_);
  queue_ = std::make_unique<BoundedQueue<std::string>>(executor_, kInFlightBytes / kChunkBytes);
  task_ = executor_.spawn("parser", [this](const std::stop_token& stop) { parse(stop); });
  for (std::string& chunk : std::exchange(kept_, {})) {
    if (!hand_over(std::move(chunk))) {
      return false;
    }
  }
  return true;
}

bool BodyPipe::hand_over(std::string chunk) {
  parser_was_slower_ = parser_was_slower_ || queue_->size() >= kInFlightBytes / kChunkBytes;
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

ParsedBody BodyPipe::finish() {
  ParsedBody body;
  if (task_) {
    if (!buffer_.empty() && !lost_ && !wants_no_more_) {
      hand_over(std::move(buffer_));
    }
    queue_->close();
    task_->join();
  } else {
    reader_ = std::make_unique<vo::VotableReader>(options_);
    kept_.push_back(std::move(buffer_));
  }
  const Monotonic begin = clock_.monotonic();
  for (std::string& chunk : kept_) {
    if (!reader_->push(chunk)) {
      break;  // the summary says which limit was reached
    }
    chunk = {};
  }
  body.summary = reader_->finish();
  body.parse_time = parse_time_ + (clock_.monotonic() - begin);
  body.parser_was_slower = parser_was_slower_;
  return body;
}

}  // namespace parallax::probe
