// Rng: randomness as an injected interface; Xoshiro is our generator, equal on every machine and compiler.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace parallax {

class Rng {
 public:
  virtual ~Rng() = default;
  // 64 uniform bits.
  virtual std::uint64_t next() = 0;

  // Uniform in [0, 1), 53 bits.
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

  // Uniform in [0, bound), unbiased (Lemire's multiplication with rejection). bound > 0.
  std::uint64_t below(std::uint64_t bound);

  // True with probability p.
  bool chance(double p) { return unit() < p; }
};

// xoshiro256** by Blackman and Vigna, seeded through SplitMix64. Not for secrets. Not thread safe: one per task.
class Xoshiro final : public Rng {
 public:
  explicit Xoshiro(std::uint64_t seed);
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 4> state_;
};

// The operating system's randomness (getrandom), good for ids and tokens. Thread safe.
std::unique_ptr<Rng> make_system_rng();

}  // namespace parallax
