#include "probe/spool.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "probe/journal.h"
#include "record/token.h"

namespace parallax {

namespace {

constexpr std::array<std::string_view, 4> kDeliveries = {"stored", "duplicate", "conflict", "refused"};
constexpr std::string_view kJournal = ".journal";
constexpr std::string_view kAcked = ".acked";
constexpr std::string_view kSettled = ".settled";
constexpr std::string_view kBallast = "/ballast";
constexpr std::size_t kBallastBytes = 256U << 10U;  // answers that may be under way at once, and what is noted of them

// Journal texts: a word and, for intents and records, the measurement.
constexpr std::string_view kIntent = "intent ";
constexpr std::string_view kRecord = "record ";
constexpr std::string_view kToken = "token ";
constexpr std::string_view kEnd = "end-of-run";

struct Entry {
  std::int64_t sequence = 0;
  Verdict verdict = Verdict::ok;
};

std::optional<Entry> entry_of(std::string_view json) {
  const Result<Json> parsed = parse_json(json);
  if (!parsed) {
    return std::nullopt;
  }
  const std::optional<Verdict> verdict = parse_verdict(parsed->text("verdict"));
  const std::int64_t sequence = parsed->integer("sequence", -1);
  return verdict && sequence >= 0 ? std::optional(Entry{sequence, *verdict}) : std::nullopt;
}

// A run's journal as it was read.
struct JournalContent {
  std::map<std::int64_t, std::string_view> intents;  // without a record
  std::map<std::int64_t, std::pair<Verdict, std::string_view>> records;
  std::string_view token;
  bool ended = false;
  std::size_t torn = 0;
};

JournalContent interpret(const probe::JournalText& text) {
  JournalContent content;
  content.torn = text.torn;
  for (const std::string_view line : text.lines) {
    if (line == kEnd) {
      content.ended = true;
      continue;
    }
    if (line.starts_with(kToken)) {
      content.token = line.substr(kToken.size());
      continue;
    }
    const bool is_record = line.starts_with(kRecord);
    if (!is_record && !line.starts_with(kIntent)) {
      ++content.torn;
      continue;
    }
    const std::string_view json = line.substr(is_record ? kRecord.size() : kIntent.size());
    const std::optional<Entry> entry = entry_of(json);
    if (!entry) {
      ++content.torn;
    } else if (is_record) {
      content.records.try_emplace(entry->sequence, entry->verdict, json);
      content.intents.erase(entry->sequence);
    } else if (!content.records.contains(entry->sequence)) {
      content.intents.try_emplace(entry->sequence, json);
    }
  }
  return content;
}

// "17 stored"
std::set<std::int64_t> acked_sequences(const probe::JournalText& text) {
  std::set<std::int64_t> acked;
  for (const std::string_view line : text.lines) {
    std::int64_t sequence = 0;
    const auto [end, status] = std::from_chars(line.data(), line.data() + line.size(), sequence);
    if (status == std::errc() && end != line.data()) {
      acked.insert(sequence);
    }
  }
  return acked;
}

// "17 ok"
std::map<std::int64_t, Verdict> settled_verdicts(const probe::JournalText& text) {
  std::map<std::int64_t, Verdict> settled;
  for (const std::string_view line : text.lines) {
    std::int64_t sequence = 0;
    const auto [end, status] = std::from_chars(line.data(), line.data() + line.size(), sequence);
    const std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
    const std::optional<Verdict> verdict = parse_verdict(rest.substr(std::min<std::size_t>(1, rest.size())));
    if (status == std::errc() && verdict) {
      settled.emplace(sequence, *verdict);
    }
  }
  return settled;
}

Result<std::string> read_or_empty(Files& files, const std::string& path, std::size_t bytes_max) {
  Result<std::string> text = files.read(path, bytes_max);
  if (!text && text.error().kind == ErrorKind::not_found) {
    return std::string();
  }
  return text;
}

// The run ids of the journals in a directory, oldest first. An .acked file without a journal is left from a removal
// that was cut short.
Result<std::vector<std::string>> run_ids(Files& files, const std::string& directory, std::string_view suffix) {
  Result<std::vector<std::string>> names = files.list(directory);
  if (!names && names.error().kind == ErrorKind::not_found) {
    return std::vector<std::string>();
  }
  std::vector<std::string> ids;
  for (const std::string& name : TRY(std::move(names))) {
    if (name.ends_with(suffix)) {
      std::string id = name.substr(0, name.size() - suffix.size());
      if (ulid_time(id)) {
        ids.push_back(std::move(id));
      }
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

std::string_view to_string(Delivery delivery) {
  return kDeliveries[static_cast<std::size_t>(delivery)];
}

std::optional<Delivery> parse_delivery(std::string_view text) {
  const auto found = std::find(kDeliveries.begin(), kDeliveries.end(), text);
  return found == kDeliveries.end() ? std::nullopt : std::optional(static_cast<Delivery>(found - kDeliveries.begin()));
}

struct Spool::Run {
  std::string run_id, token;
  std::map<std::int64_t, Verdict> done;
  std::map<std::int64_t, std::string> pending;  // sequence to JSON
  std::set<std::int64_t> open_intents;
  bool ended = false;
  bool broken = false;  // the journal took no more: nothing may follow what could be a torn line
  bool torn = false;    // and that line could not be cut off
  bool unsynced = false;
  std::unique_ptr<AppendFile> journal, acked;
};

Spool::Spool(Files* files, Clock& clock, std::string directory, SpoolLimits limits)
    : files_(files), clock_(clock), directory_(std::move(directory)), limits_(limits), synced_at_(clock.monotonic()) {}

// Writes nothing: a run that ended has dropped its ballast, and one that was cut short leaves it to the next start.
Spool::~Spool() = default;

bool Spool::drop_ballast() {
  if (!has_ballast_) {
    return false;
  }
  has_ballast_ = false;
  ignore(files_->remove(directory_ + std::string(kBallast)), "there is only less room then");
  return true;
}

Result<std::unique_ptr<Spool>> Spool::open(Files& files, Clock& clock, std::string directory,
                                           const std::string& resumed_run, SpoolLimits limits) {
  std::unique_ptr<Spool> spool(new Spool(&files, clock, std::move(directory), limits));
  TRY(files.make_directories(spool->directory_, 0700));
  Result<std::unique_ptr<FileLock>> lock = files.lock(spool->directory_ + "/lock");
  if (!lock && lock.error().kind == ErrorKind::conflict) {
    return make_error(
        ErrorKind::conflict,
        fmt::format("{}: another process works in this spool; nothing was changed. Wait for it to end, or "
                    "give each probe a spool of its own",
                    spool->directory_));
  }
  spool->lock_ = TRY(std::move(lock));
  TRY(spool->load(resumed_run));
  return spool;
}

std::unique_ptr<Spool> Spool::in_memory(Clock& clock, SpoolLimits limits) {
  return std::unique_ptr<Spool>(new Spool(nullptr, clock, "", limits));
}

std::string Spool::path(std::string_view run_id, std::string_view suffix) const {
  return fmt::format("{}/{}{}", directory_, run_id, suffix);
}

Result<> Spool::load(const std::string& resumed_run) {
  const std::vector<std::string> ids = TRY(run_ids(*files_, directory_, kJournal));
  for (const std::string& id : TRY(run_ids(*files_, directory_, kAcked))) {
    if (!std::binary_search(ids.begin(), ids.end(), id)) {
      ignore(files_->remove(path(id, kAcked)), "it will be tried again at the next start");
    }
  }
  for (const std::string& id : TRY(run_ids(*files_, directory_, kSettled))) {
    const Result<Instant> began = ulid_time(id);
    if (id != resumed_run && began && clock_.now() - *began > limits_.age_max) {
      ignore(files_->remove(path(id, kSettled)), "it will be tried again at the next start");
    }
  }
  for (const std::string& id : ids) {
    if (Result<> loaded = load_run(id, id == resumed_run); !loaded) {
      if (loaded.error().kind != ErrorKind::refused && loaded.error().kind != ErrorKind::denied) {
        return loaded;
      }
      const MutexLock lock(mutex_);
      ++counts_.left_out;
    }
  }
  if (!resumed_run.empty() && !std::binary_search(ids.begin(), ids.end(), resumed_run)) {
    std::map<std::int64_t, Verdict> settled = TRY(read_settled(resumed_run));
    if (!settled.empty()) {
      const MutexLock lock(mutex_);
      auto run = std::make_unique<Run>();
      run->run_id = resumed_run;
      run->done = std::move(settled);
      runs_[resumed_run] = std::move(run);
    }
  }
  return {};
}

Result<std::map<std::int64_t, Verdict>> Spool::read_settled(const std::string& run_id) const {
  const std::string text = TRY(read_or_empty(*files_, path(run_id, kSettled), limits_.journal_bytes_max));
  return settled_verdicts(probe::read_journal(text));
}

Result<> Spool::load_run(const std::string& run_id, bool is_resumed) {
  const MutexLock lock(mutex_);
  std::size_t loaded = 0;
  for (const auto& [id, run] : runs_) {
    for (const auto& [sequence, line] : run->pending) {
      loaded += line.size();
    }
  }
  const std::string text = TRY(files_->read(path(run_id, kJournal), limits_.journal_bytes_max));
  const std::string acked_text = TRY(read_or_empty(*files_, path(run_id, kAcked), limits_.journal_bytes_max));
  if (loaded + text.size() > limits_.loaded_bytes_max) {
    return make_error(ErrorKind::refused, "the spool is larger than what may be loaded at once");
  }
  const probe::JournalText lines = probe::read_journal(text);
  const probe::JournalText acked_lines = probe::read_journal(acked_text);
  if (lines.good_size < text.size()) {
    TRY(files_->truncate(path(run_id, kJournal), lines.good_size));
  }
  if (acked_lines.good_size < acked_text.size()) {
    TRY(files_->truncate(path(run_id, kAcked), acked_lines.good_size));
  }
  const JournalContent content = interpret(lines);
  std::set<std::int64_t> acked = acked_sequences(acked_lines);
  auto owned = std::make_unique<Run>();
  Run& run = *owned;
  run.run_id = run_id;
  run.token = content.token;
  run.ended = content.ended;
  run.done = TRY(read_settled(run_id));
  for (const auto& [sequence, verdict] : run.done) {
    acked.insert(sequence);
  }
  runs_[run_id] = std::move(owned);
  counts_.torn += static_cast<std::int64_t>(content.torn + acked_lines.torn);
  for (const auto& [sequence, record] : content.records) {
    run.done[sequence] = record.first;
    if (!acked.contains(sequence)) {
      run.pending[sequence] = record.second;
    }
  }
  // We hold the lock: whoever wrote an intent without a record is dead.
  for (const auto& [sequence, json] : content.intents) {
    const std::optional<Entry> entry = entry_of(json);
    run.done.try_emplace(sequence, entry->verdict);
    if (acked.contains(sequence)) {
      continue;  // its record went out from memory when the disk was full
    }
    run.pending[sequence] = json;
    ignore(append(run, std::string(kRecord) + std::string(json)), "the next start would find the intent again");
    ++counts_.recovered;
  }
  TRY(sync_locked());
  if (!content.intents.empty()) {
    run.journal.reset();  // many old runs must not hold many files open
  }
  return is_resumed ? Result<>() : remove_if_settled(run_id);
}

Result<> Spool::begin_run(const std::string& run_id, const std::string& token) {
  TRY(ulid_time(run_id));
  const MutexLock lock(mutex_);
  std::unique_ptr<Run>& run = runs_[run_id];
  if (!run) {
    run = std::make_unique<Run>();
    run->run_id = run_id;
  }
  run->ended = false;
  current_ = run.get();
  if (files_ != nullptr) {
    // On a disk so full that there is no room for it, the first intent fails.
    has_ballast_ = !!files_->write(directory_ + std::string(kBallast), std::string(kBallastBytes, '.'), 0600);
  }
  if (!token.empty() && token != run->token && token.find('\n') == std::string::npos) {
    run->token = token;
    ignore(append(*run, std::string(kToken) + token),
           "the first intent tells of a full disk; older records still go out");
  }
  return {};
}

std::vector<std::string> Spool::earlier_tokens(const std::vector<SpooledRecord>& batch,
                                               std::string_view current) const {
  const MutexLock lock(mutex_);
  std::set<std::string> tokens;
  for (const SpooledRecord& record : batch) {
    const auto run = runs_.find(record.run_id);
    if (run != runs_.end() && !run->second->token.empty() && run->second->token != current) {
      tokens.insert(run->second->token);
    }
  }
  return {tokens.begin(), tokens.end()};
}

std::optional<Verdict> Spool::done(std::int64_t sequence) const {
  const MutexLock lock(mutex_);
  CHECK(current_ != nullptr);
  const auto found = current_->done.find(sequence);
  return found == current_->done.end() ? std::nullopt : std::optional(found->second);
}

Result<> Spool::append(Run& run, std::string_view text) {
  if (files_ == nullptr) {
    return {};
  }
  if (run.broken) {
    return make_error(ErrorKind::unavailable,
                      fmt::format("{}: the journal takes no more after a failed write", path(run.run_id, kJournal)));
  }
  if (text.size() > limits_.record_bytes_max) {
    return make_error(ErrorKind::refused, fmt::format("a record of {} bytes is larger than the limit of {}",
                                                      text.size(), limits_.record_bytes_max));
  }
  if (!run.journal) {
    run.journal = TRY(files_->open_append(path(run.run_id, kJournal), 0600));
  }
  const std::uint64_t size = run.journal->size();
  if (size + text.size() + 16 > limits_.journal_bytes_max) {
    return make_error(ErrorKind::refused, fmt::format("{}: the journal has reached its limit of {} bytes",
                                                      path(run.run_id, kJournal), limits_.journal_bytes_max));
  }
  const std::string line = (std::exchange(run.torn, false) ? "\n" : "") + probe::journal_line(text);
  if (Result<> appended = run.journal->append(line); !appended) {
    run.broken = true;
    run.torn = !files_->truncate(path(run.run_id, kJournal), size);
    return appended;
  }
  run.unsynced = true;
  if (clock_.monotonic() - synced_at_ >= limits_.sync_interval) {
    return sync_locked();
  }
  return {};
}

Result<> Spool::sync_locked() {
  synced_at_ = clock_.monotonic();
  for (const auto& [id, run] : runs_) {
    if (run->unsynced && run->journal) {
      TRY(run->journal->sync());
    }
    run->unsynced = false;
  }
  return {};
}

void Spool::keep(Run& run, std::int64_t sequence, Verdict verdict, std::string line) {
  run.open_intents.erase(sequence);
  run.done[sequence] = verdict;
  run.pending[sequence] = std::move(line);
}

Result<> Spool::intent(const Measurement& skeleton) {
  const std::string line = to_json(skeleton).dump();
  const MutexLock lock(mutex_);
  CHECK(current_ != nullptr && current_->run_id == skeleton.run_id);
  if (full_) {
    return *full_;
  }
  if (Result<> appended = append(*current_, std::string(kIntent) + line); !appended) {
    full_ = appended.error();
    return appended;
  }
  current_->open_intents.insert(skeleton.sequence);
  return {};
}

Result<> Spool::record(const Measurement& measurement) {
  std::string line = to_json(measurement).dump();
  const MutexLock lock(mutex_);
  CHECK(current_ != nullptr && current_->run_id == measurement.run_id);
  CHECK(!current_->done.contains(measurement.sequence), "a sequence number has two records");
  Result<> appended = append(*current_, std::string(kRecord) + line);
  if (!appended && drop_ballast()) {
    // What was asked is worth the last room there is; nothing more is asked.
    full_ = full_ ? full_ : appended.error();
    current_->journal.reset();
    current_->broken = false;
    appended = append(*current_, std::string(kRecord) + line);
  }
  keep(*current_, measurement.sequence, measurement.verdict, std::move(line));
  return appended;
}

Result<> Spool::sync() {
  const MutexLock lock(mutex_);
  return sync_locked();
}

Result<> Spool::end_run() {
  const MutexLock lock(mutex_);
  drop_ballast();
  CHECK(current_ != nullptr);
  const std::string run_id = current_->run_id;
  current_->ended = true;
  Result<> ended = append(*current_, kEnd);
  if (ended) {
    ended = sync_locked();
  }
  current_ = nullptr;
  TRY(remove_if_settled(run_id));
  return ended;
}

std::vector<SpooledRecord> Spool::batch(std::size_t records_max, std::size_t bytes_max) const {
  const MutexLock lock(mutex_);
  std::vector<SpooledRecord> records;
  std::size_t bytes = 0;
  std::size_t runs = 0;
  for (const auto& [id, run] : runs_) {
    // As many runs as one request can carry the tokens of.
    if (!run->pending.empty() && ++runs > kEarlierTokensMax) {
      return records;
    }
    for (const auto& [sequence, line] : run->pending) {
      if (records.size() == records_max || (!records.empty() && bytes + line.size() + 1 > bytes_max)) {
        return records;
      }
      bytes += line.size() + 1;
      records.push_back({id, sequence, measurement_id(id, sequence), line});
    }
  }
  return records;
}

Result<> Spool::reject(const SpooledRecord& record, std::string_view reason) {
  if (files_ == nullptr) {
    return {};
  }
  TRY(files_->make_directories(directory_ + "/rejected", 0700));
  std::unique_ptr<AppendFile> file =
      TRY(files_->open_append(fmt::format("{}/rejected/{}.ndjson", directory_, record.run_id), 0600));
  TRY(file->append(fmt::format("{{\"reason\":{},\"record\":{}}}\n", json_quote(to_utf8(reason)), record.line)));
  return file->sync();
}

Result<> Spool::note_answer(Run& run, const SpooledRecord& record, Delivery delivery) {
  if (files_ == nullptr) {
    return {};
  }
  if (!run.acked) {
    run.acked = TRY(files_->open_append(path(run.run_id, kAcked), 0600));
  }
  return run.acked->append(probe::journal_line(fmt::format("{} {}", record.sequence, to_string(delivery))));
}

Result<> Spool::settle(const SpooledRecord& record, Delivery delivery, std::string_view reason) {
  const MutexLock lock(mutex_);
  const auto found = runs_.find(record.run_id);
  if (found == runs_.end() || !found->second->pending.contains(record.sequence)) {
    return {};
  }
  Run& run = *found->second;
  if (delivery == Delivery::refused) {
    // Never gone from one place before it is in the other.
    TRY(reject(record, reason));
  }
  run.pending.erase(record.sequence);
  ++counts_.by_delivery[static_cast<std::size_t>(delivery)];
  Result<> noted = note_answer(run, record, delivery);
  TRY(remove_if_settled(record.run_id));
  return noted;
}

Result<> Spool::remove_if_settled(const std::string& run_id) {
  const auto found = runs_.find(run_id);
  Run& run = *found->second;
  // A run of a dead process has ended, whether it could say so or not.
  if (&run == current_ || !run.pending.empty() || !run.open_intents.empty()) {
    return {};
  }
  std::string settled;
  for (const auto& [sequence, verdict] : run.done) {
    settled += probe::journal_line(fmt::format("{} {}", sequence, to_string(verdict)));
  }
  run.journal.reset();
  run.acked.reset();
  runs_.erase(found);
  if (files_ == nullptr) {
    return {};
  }
  // Before the journal goes: who starts this order once more must not ask again under the same ids.
  const bool is_noted = settled.empty() || files_->write(path(run_id, kSettled), settled, 0600);
  // The journal first: an .acked file alone means nothing, a journal alone would be sent once more.
  TRY(files_->remove(path(run_id, kJournal)));
  if (!is_noted) {
    // A full disk has room again without the journal.
    ignore(files_->write(path(run_id, kSettled), settled, 0600), "the run was delivered all the same");
  }
  return files_->remove(path(run_id, kAcked));
}

SpoolCounts Spool::counts() const {
  const MutexLock lock(mutex_);
  SpoolCounts counts = counts_;
  const Instant now = clock_.now();
  for (const auto& [id, run] : runs_) {
    const auto pending = static_cast<std::int64_t>(run->pending.size());
    counts.pending += pending;
    const Result<Instant> began = ulid_time(id);
    if (began && now - *began > limits_.age_max) {
      counts.old += pending;
    }
  }
  return counts;
}

Result<std::vector<SpooledRun>> spool_status(Files& files, const std::string& directory) {
  const SpoolLimits limits;
  std::vector<SpooledRun> runs;
  std::set<std::string> ids;
  for (const std::string& id : TRY(run_ids(files, directory, kJournal))) {
    ids.insert(id);
  }
  for (const std::string& id : TRY(run_ids(files, directory + "/rejected", ".ndjson"))) {
    ids.insert(id);
  }
  for (const std::string& id : ids) {
    const std::string base = directory + "/" + id;
    const std::string text = TRY(read_or_empty(files, base + std::string(kJournal), limits.journal_bytes_max));
    const std::string acked_text = TRY(read_or_empty(files, base + std::string(kAcked), limits.journal_bytes_max));
    const std::string rejected =
        TRY(read_or_empty(files, fmt::format("{}/rejected/{}.ndjson", directory, id), limits.journal_bytes_max));
    const JournalContent content = interpret(probe::read_journal(text));
    const std::set<std::int64_t> acked = acked_sequences(probe::read_journal(acked_text));
    SpooledRun run;
    run.run_id = id;
    run.records = static_cast<std::int64_t>(content.records.size());
    run.intents = static_cast<std::int64_t>(content.intents.size());
    run.pending = std::count_if(content.records.begin(), content.records.end(),
                                [&](const auto& record) { return !acked.contains(record.first); });
    run.rejected = std::count(rejected.begin(), rejected.end(), '\n');
    run.torn = static_cast<std::int64_t>(content.torn);
    run.ended = content.ended;
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace parallax
