// Measurements and scratch directories for the tests of store and collector.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/ids.h"
#include "codec/hash.h"
#include "store/store.h"

namespace parallax::store::test {

// 2026-11-22T10:00:00Z and some seconds.
inline Instant at(std::int64_t second) {
  return Instant(Seconds(1'795'341'600 + second));
}

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "parallax-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }

  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// The n-th run id of a test; its time is at(n).
inline std::string run_id(int n) {
  Xoshiro rng(static_cast<std::uint64_t>(n) + 1);
  return make_ulid(at(n), rng);
}

inline Measurement measurement(int run, std::int64_t sequence) {
  Measurement m;
  m.run_id = run_id(run);
  m.sequence = sequence;
  m.id = measurement_id(m.run_id, sequence);
  m.round_id = run_id(0);
  m.fleet = "NAVO";
  m.vantage = "us-west-2";
  m.provider = "IRSA";
  m.service = "IPAC_2MASS";
  m.type = "cone";
  m.connection = "cold";
  m.definition = "0123456789abcdef";
  m.url = "https://irsa.ipac.caltech.edu/SCS?table=fp_psc&RA=1&DEC=2&SR=0.1";
  m.started_at = at(sequence);
  m.total_us = 1000 * (sequence + 1);
  m.times.first_byte_us = 100 * (sequence + 1);
  m.rows = 10 + sequence;
  return m;
}

inline NewMeasurement accepted(const Measurement& m) {
  std::string json = to_json(m).canonical();
  const Sha256 digest = sha256(json);
  return {m, std::move(json), std::string(bytes_of(digest))};
}

inline Run run(int n, RunState state = RunState::running) {
  Run r;
  r.run_id = run_id(n);
  r.round_id = run_id(0);
  r.fleet = "NAVO";
  r.vantage = "us-west-2";
  r.region = "us-west-2";
  r.state = state;
  return r;
}

}  // namespace parallax::store::test
