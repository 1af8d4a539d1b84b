#include "fleet/journal.h"

#include <fmt/format.h>

#include "base/text.h"
#include "codec/json.h"

namespace parallax::fleet {

namespace {

constexpr std::size_t kJournalBytesMax = 16U << 20U;
constexpr std::string_view kSuffix = ".journal";

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(Files& files, const std::string& directory, const std::string& id) {
  TRY(files.make_directories(directory, 0700));
  const std::string path = fmt::format("{}/controller-{}{}", directory, id, kSuffix);
  std::unique_ptr<Journal> journal(new Journal(files, directory, path));
  journal->lock_ = TRY(files.lock(path + ".lock"));
  {
    const MutexLock lock(journal->mutex_);
    journal->file_ = TRY(files.open_append(path, 0600));
  }
  journal->read_dead();
  return journal;
}

void Journal::read_dead() {
  const Result<std::vector<std::string>> names = files_.list(directory_);
  if (!names) {
    return;
  }
  for (const std::string& name : *names) {
    const std::string path = directory_ + "/" + name;
    if (!name.starts_with("controller-") || !name.ends_with(kSuffix) || path == path_) {
      continue;
    }
    // The lock of a living process cannot be taken: its runs are its own business.
    const Result<std::unique_ptr<FileLock>> lock = files_.lock(path + ".lock");
    const Result<std::string> text = lock ? files_.read(path, kJournalBytesMax) : Result<std::string>(lock.error());
    if (!text) {
      continue;
    }
    std::set<std::string> open_runs;
    for (const std::string_view line : split(*text, '\n')) {
      const Result<Json> event = parse_json(line);  // a torn last line is no event
      if (event && event->text("event") == "claimed") {
        open_runs.insert(event->text("run_id"));
      } else if (event && event->text("event") == "ended") {
        open_runs.erase(event->text("run_id"));
      }
    }
    dead_runs_.insert(open_runs.begin(), open_runs.end());
    dead_files_.insert(path);
  }
}

Result<> Journal::write(const std::string& line) {
  const MutexLock lock(mutex_);
  if (file_ == nullptr) {
    return {};
  }
  TRY(file_->append(line + "\n"));
  return file_->sync();
}

Result<> Journal::claimed(const std::string& run_id, const std::string& region, const std::string& instance_id) {
  return write(
      Json::object({{"event", "claimed"}, {"run_id", run_id}, {"region", region}, {"instance_id", instance_id}})
          .dump());
}

Result<> Journal::ended(const std::string& run_id) {
  return write(Json::object({{"event", "ended"}, {"run_id", run_id}}).dump());
}

void Journal::forget_dead() {
  for (const std::string& path : dead_files_) {
    ignore(files_.remove(path), "it is read again at the next start");
    ignore(files_.remove(path + ".lock"), "an empty file without meaning");
  }
  dead_files_.clear();
}

void Journal::close() {
  {
    const MutexLock lock(mutex_);
    file_.reset();
  }
  ignore(files_.remove(path_), "it holds ended runs only");
  ignore(files_.remove(path_ + ".lock"), "an empty file without meaning");
}

}  // namespace parallax::fleet
