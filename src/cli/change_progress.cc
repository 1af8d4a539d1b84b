#include "cli/change_progress.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/change_report.h"
#include "cli/progress.h"

namespace parallax::cli {

namespace {

constexpr Micros kRedraw{Millis(200)};
constexpr std::size_t kTextMax = 200;

std::string shown_name(const std::string& region) {
  return region.empty() ? "the account" : region;
}

double seconds(Micros time) {
  return static_cast<double>(time.count()) / 1e6;
}

}  // namespace

ChangeLines::ChangeLines(const fleet::Plan& plan) {
  if (!plan.steps.empty()) {
    line_of("").steps = plan.steps.size();
  }
  for (const fleet::RegionPlan& region : plan.regions) {
    if (!region.steps.empty()) {
      line_of(region.region).steps = region.steps.size();
    }
  }
}

ChangeLines::Line& ChangeLines::line_of(const std::string& region) {
  auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& l) { return l.region == region; });
  if (line == lines_.end()) {
    line = lines_.insert(lines_.end(), Line{});
    line->region = region;
  }
  return *line;
}

std::string ChangeLines::update(const std::string& region, const fleet::StepOutcome& step, Monotonic now) {
  Line& line = line_of(region);
  line.begin = line.begin.value_or(now);
  line.done += step.state == fleet::StepState::done ? 1U : 0U;
  line.failed = line.failed || step.state == fleet::StepState::failed;
  line.end = line.failed || line.done >= line.steps ? std::optional(now) : std::nullopt;
  const bool makes = !step.id.empty() && step.id != step.step.id;
  line.text = terminal_safe(fmt::format("{}{}{}{}{}", step.step.text(), makes ? " -> " : "", makes ? step.id : "",
                                        step.note.empty() ? "" : ": ", step.note),
                            kTextMax);
  if (step.error) {
    line.text += ": " + terminal_safe(step.error->text(), kTextMax);
  }
  std::string told = fmt::format("{:<16} {:<7} {}", shown_name(region), to_string(step.state), line.text);
  if (step.state == fleet::StepState::waiting || step.state == fleet::StepState::left || told == line.told) {
    return {};
  }
  line.told = told;
  return told;
}

std::vector<std::string> ChangeLines::lines(Monotonic now) const {
  std::vector<std::string> lines;
  for (const Line& line : lines_) {
    const Micros elapsed = line.begin ? line.end.value_or(now) - *line.begin : Micros(0);
    const std::string text = line.failed               ? "failed: " + line.text
                             : line.done >= line.steps ? std::string("done")
                             : line.begin              ? line.text
                                                       : std::string("waiting");
    lines.push_back(fmt::format("  {:<16} {:>3} of {:<3} {:>6.1f} s  {}", shown_name(line.region), line.done,
                                line.steps, seconds(elapsed), text));
  }
  return lines;
}

ChangeProgress::ChangeProgress(World& world, const fleet::Plan& plan)
    : world_(world), begin_(world.clock.monotonic()), lines_(plan) {
  if (world_.terminal && log::level() != log::Level::quiet) {
    ticker_ = world_.executor.spawn("progress", [this](const std::stop_token& stop) {
      while (world_.clock.sleep_for(kRedraw, stop)) {
        draw();
      }
    });
  }
}

ChangeProgress::~ChangeProgress() {
  if (ticker_ != nullptr) {
    ticker_->request_stop();
    ticker_->join();
    draw();
  }
}

void ChangeProgress::update(const std::string& region, const fleet::StepOutcome& step) {
  const Monotonic now = world_.clock.monotonic();
  std::string told;
  {
    const MutexLock lock(mutex_);
    told = lines_.update(region, step, now);
  }
  if (ticker_ == nullptr && !told.empty()) {
    log::note(fmt::format("{:>6.1f} s  {}", seconds(now - begin_), told));
  }
}

void ChangeProgress::tell(const std::string& line) {
  {
    const MutexLock lock(mutex_);
    drawn_ = 0;
  }
  log::note(line);
}

void ChangeProgress::draw() {
  std::vector<std::string> lines;
  std::size_t drawn = 0;
  {
    const MutexLock lock(mutex_);
    lines = lines_.lines(world_.clock.monotonic());
    drawn = std::exchange(drawn_, lines.size());
  }
  redraw_lines(lines, drawn);
}

}  // namespace parallax::cli
