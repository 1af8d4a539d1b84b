#include "cli/progress.h"

#include <algorithm>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"

namespace parallax::cli {

namespace {

constexpr Micros kRedraw{Millis(200)};
constexpr std::size_t kNoteMax = 160;
// A line longer than the terminal is wide is cut, not wrapped: the next drawing counts lines to find the first one.
constexpr std::string_view kWrapOff = "\x1b[?7l";
constexpr std::string_view kWrapOn = "\x1b[?7h";

void write_stderr(std::string_view text) {
  // Progress is for a person who looks: if stderr is gone there is nobody to tell.
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void redraw_lines(const std::vector<std::string>& lines, std::size_t drawn) {
  std::string text(kWrapOff);
  if (drawn > 0) {
    text += fmt::format("\x1b[{}A", drawn);
  }
  for (const std::string& line : lines) {
    text += "\r\x1b[K" + line + "\n";
  }
  text += kWrapOn;
  write_stderr(text);
}

Progress::Progress(World& world, QueryCount queries, std::string interrupting)
    : world_(world),
      queries_(std::move(queries)),
      begin_(world.clock.monotonic()),
      ticker_(world.terminal && log::level() != log::Level::quiet
                  ? world.executor.spawn("progress",
                                         [this](const std::stop_token& stop) {
                                           while (world_.clock.sleep_for(kRedraw, stop)) {
                                             draw();
                                           }
                                         })
                  : nullptr),
      interrupted_(world.stop, [this, text = std::move(interrupting)] { tell(text); }) {}

Progress::~Progress() {
  if (ticker_ != nullptr) {
    ticker_->request_stop();
    ticker_->join();
    draw();
  }
}

void Progress::update(const Run& run) {
  const Monotonic now = world_.clock.monotonic();
  const std::string note = run.timeline.empty() ? "" : run.timeline.back().note;
  {
    const MutexLock lock(mutex_);
    auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& l) { return l.vantage == run.vantage; });
    if (line == lines_.end()) {
      line = lines_.insert(lines_.end(), Line{run.vantage, run.run_id, "", RunState::issued, now, now});
    }
    line->state = run.state;
    line->note = note;
    line->end = now;
  }
  if (ticker_ == nullptr && (run.state != RunState::issued || !note.empty())) {
    const std::optional<std::int64_t> done = queries_ ? queries_(run.run_id) : std::nullopt;
    log::note(fmt::format("{:>6.1f} s  {:<16} {:<18}{}{}", static_cast<double>((now - begin_).count()) / 1e6,
                          run.vantage, to_string(run.state), done ? fmt::format("{:>4} queries  ", *done) : "",
                          terminal_safe(note, 300)));
  }
}

// On a terminal the lines are drawn anew below it.
void Progress::tell(const std::string& line) {
  {
    const MutexLock lock(mutex_);
    drawn_ = 0;
  }
  log::note(line);
}

std::string Progress::text_of(const Line& line, Monotonic now) const {
  const Micros elapsed = (is_ended(line.state) ? line.end : now) - line.begin;
  const std::optional<std::int64_t> done = queries_ ? queries_(line.run_id) : std::nullopt;
  return fmt::format("  {:<16} {:<18} {:>6.1f} s {}  {}", line.vantage, to_string(line.state),
                     static_cast<double>(elapsed.count()) / 1e6, done ? fmt::format("{:>4} queries", *done) : "",
                     terminal_safe(line.note, kNoteMax));
}

void Progress::draw() {
  const Monotonic now = world_.clock.monotonic();
  std::vector<std::string> texts;
  std::size_t drawn = 0;
  {
    const MutexLock lock(mutex_);
    for (const Line& line : lines_) {
      texts.push_back(text_of(line, now));
    }
    drawn = std::exchange(drawn_, texts.size());
  }
  redraw_lines(texts, drawn);
}

}  // namespace parallax::cli
