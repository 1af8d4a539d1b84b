// A strand: one stack of execution that runs only while somebody resumes it. Two kinds, chosen by an option: fibers
// (fast) and threads that pass a baton (for sanitizers, which take a fiber's switch of stacks for an error).
#pragma once

#include <functional>
#include <memory>

namespace parallax::sim {

enum class StrandKind { fibers, threads };

// What this build can run: threads under a sanitizer, else fibers.
StrandKind default_strand_kind();

// Not thread safe: exactly one of resume()'s caller and the body runs at any time.
class Strand {
 public:
  virtual ~Strand() = default;
  // Runs the body until it suspends or ends. By the scheduler only.
  virtual void resume() = 0;
  // Gives control back to resume()'s caller. By the body only.
  virtual void suspend() = 0;
  virtual bool ended() const = 0;
};

// `body` must not throw, and must have ended before the strand is destroyed.
std::unique_ptr<Strand> make_strand(StrandKind kind, std::function<void()> body);

}  // namespace parallax::sim
