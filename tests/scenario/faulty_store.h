// A store that refuses batches now and then, as a full disk or a locked database does: nothing is stored then.
#pragma once

#include <memory>
#include <utility>

#include "base/rng.h"
#include "store/store.h"

namespace parallax::scenario {

class FaultyStore final : public store::Store {
 public:
  FaultyStore(std::unique_ptr<store::Store> store, Rng& rng) : store_(std::move(store)), rng_(rng) {}

  void set_failures(double probability) { failures_ = probability; }

  Result<std::vector<store::Outcome>> ingest(const std::vector<store::NewMeasurement>& batch,
                                             Instant received_at) override {
    if (rng_.chance(failures_)) {
      return make_error(ErrorKind::unavailable, "database is locked (simulated)");
    }
    return store_->ingest(batch, received_at);
  }

  Result<> upsert_run(const Run& run, Instant received_at) override { return store_->upsert_run(run, received_at); }

  Result<std::optional<Run>> find_run(std::string_view run_id) override { return store_->find_run(run_id); }

  Result<std::optional<store::RunOwner>> find_owner(std::string_view run_id) override {
    return store_->find_owner(run_id);
  }

  Result<std::vector<Run>> list_runs(const store::RunFilter& filter) override { return store_->list_runs(filter); }

  Result<store::MeasurementPage> query_measurements(const store::MeasurementFilter& filter) override {
    return store_->query_measurements(filter);
  }

  Result<store::Summary> summary(const store::SummaryFilter& filter) override { return store_->summary(filter); }

  Result<store::Latest> latest(std::string_view fleet) override { return store_->latest(fleet); }

  Result<std::vector<std::string>> conflicts(std::size_t limit) override { return store_->conflicts(limit); }

  Result<> add_key(const KeyRecord& key, Instant added_at) override { return store_->add_key(key, added_at); }

  Result<> retire_key(std::string_view key_id, Instant at) override { return store_->retire_key(key_id, at); }

  Result<std::vector<KeyRecord>> list_keys() override { return store_->list_keys(); }

  Result<std::optional<KeyRecord>> find_key(std::string_view key_id) override { return store_->find_key(key_id); }

  Result<> add_counts(const std::map<std::string, std::int64_t>& counts) override { return store_->add_counts(counts); }

  Result<std::map<std::string, std::int64_t>> counters() override { return store_->counters(); }

  Result<> check_health() override { return store_->check_health(); }

 private:
  const std::unique_ptr<store::Store> store_;
  Rng& rng_;
  double failures_ = 0;
};

}  // namespace parallax::scenario
