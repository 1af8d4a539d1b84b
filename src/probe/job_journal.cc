#include "probe/job_journal.h"

#include <utility>

#include "codec/json.h"
#include "probe/journal.h"

namespace parallax::probe {

namespace {

constexpr std::size_t kFileBytesMax = 64U << 20U;
constexpr std::size_t kCompactAbove = 1U << 20U;
constexpr std::size_t kTextBytesMax = 16U << 10U;
constexpr unsigned kMode = 0600;

std::string asking_line(const OpenJob& job) {
  return journal_line(Json::object({{"event", "asking"},
                                    {"number", job.number},
                                    {"service", job.service},
                                    {"run_id", job.run_id},
                                    {"at", to_iso8601(job.asked_at)}})
                          .dump());
}

std::string made_line(std::int64_t number, const std::string& url) {
  return journal_line(Json::object({{"event", "made"}, {"number", number}, {"url", url}}).dump());
}

std::string gone_line(std::int64_t number) {
  return journal_line(Json::object({{"event", "gone"}, {"number", number}}).dump());
}

void take(const Json& line, std::map<std::int64_t, OpenJob>& open) {
  const std::string event = line.text("event");
  const std::int64_t number = line.integer("number", 0);
  const Result<Instant> at = parse_iso8601(line.text("at"));
  if (event == "asking" && number > 0 && at) {
    open[number] = {number, line.text("service"), line.text("run_id"), "", *at};
  } else if (event == "made" && open.contains(number)) {
    open[number].url = line.text("url");
  } else if (event == "gone") {
    open.erase(number);
  }
}

}  // namespace

Result<std::unique_ptr<JobJournal>> JobJournal::open(Files& files, Clock& clock, const std::string& directory) {
  std::unique_ptr<JobJournal> journal(new JobJournal(&files, clock, directory + "/jobs"));
  TRY(journal->load().with_context("reading the list of asynchronous jobs"));
  return journal;
}

std::unique_ptr<JobJournal> JobJournal::in_memory(Clock& clock) {
  return std::unique_ptr<JobJournal>(new JobJournal(nullptr, clock, ""));
}

Result<> JobJournal::load() {
  const Result<std::string> text = files_->read(path_, kFileBytesMax);
  if (!text) {
    return text.error().kind == ErrorKind::not_found ? Result<>() : Result<>(text.error());
  }
  const MutexLock lock(mutex_);
  for (const std::string_view line : read_journal(*text).lines) {
    if (const Result<Json> json = parse_json(line); json && json->is_object()) {
      take(*json, open_);
    }
  }
  std::erase_if(open_, [&](const auto& job) { return clock_.now() - job.second.asked_at > kAgeMax; });
  last_number_ = open_.empty() ? 0 : open_.rbegin()->first;
  return compact();
}

Result<std::int64_t> JobJournal::asking(const std::string& service, const std::string& run_id) {
  const MutexLock lock(mutex_);
  OpenJob job{last_number_ + 1, service, run_id, "", clock_.now()};
  TRY(append(asking_line(job), true));
  last_number_ = job.number;
  open_[job.number] = job;
  return job.number;
}

Result<> JobJournal::made(std::int64_t number, const std::string& url) {
  if (url.size() > kTextBytesMax) {
    return make_error(ErrorKind::refused, "a job's address is longer than our limit");
  }
  const MutexLock lock(mutex_);
  open_[number].url = url;
  return append(made_line(number, url), true);
}

Result<> JobJournal::gone(std::int64_t number) {
  const MutexLock lock(mutex_);
  open_.erase(number);
  TRY(append(gone_line(number), false));
  return file_ != nullptr && file_->size() > kCompactAbove ? compact() : Result<>();
}

Result<> JobJournal::settle() {
  const MutexLock lock(mutex_);
  return file_ == nullptr ? Result<>() : compact();
}

std::vector<OpenJob> JobJournal::open_jobs() const {
  const MutexLock lock(mutex_);
  std::vector<OpenJob> jobs;
  for (const auto& [number, job] : open_) {
    jobs.push_back(job);
  }
  return jobs;
}

Result<> JobJournal::append(const std::string& line, bool durable) {
  if (files_ == nullptr) {
    return {};
  }
  if (file_ == nullptr) {
    // Written first: that makes the file's name durable too.
    TRY(files_->write(path_, text_of_open(), kMode));
    file_ = TRY(files_->open_append(path_, kMode));
  }
  TRY(file_->append(line));
  return durable ? file_->sync() : Result<>();
}

Result<> JobJournal::compact() {
  if (files_ == nullptr) {
    return {};
  }
  file_.reset();
  if (open_.empty()) {
    return files_->remove(path_);
  }
  return files_->write(path_, text_of_open(), kMode);
}

std::string JobJournal::text_of_open() const {
  std::string text;
  for (const auto& [number, job] : open_) {
    text += asking_line(job);
    if (!job.url.empty()) {
      text += made_line(number, job.url);
    }
  }
  return text;
}

}  // namespace parallax::probe
