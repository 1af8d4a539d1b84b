// The roots by which servers are checked, parsed once and shared by all connections of a client. Inside src/http only;
// no libcurl or OpenSSL types here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "base/time.h"

namespace parallax::http {

// Thread safety: every method may be called from any task.
class TrustStore {
 public:
  // `system_roots`: a file of PEM roots taken for the system's; empty: libcurl's default file.
  explicit TrustStore(std::string system_roots);
  ~TrustStore();

  // Reads `file` (empty: the system's roots) unless that was done less than a day ago. To be called before the
  // exchange's clock starts: a bundle takes tens of milliseconds.
  void prepare(const std::string& file, Monotonic now);

  // Gives the roots of `file` to `context`, an SSL_CTX. False where the file cannot be read or holds no root.
  bool give_to(const std::string& file, void* context);

 private:
  struct Roots;

  const std::string system_roots_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<Roots>> roots_ GUARDED_BY(mutex_);
};

// When the certificate of the server of `tls`, an SSL, ends. Absent where it has none, or its date cannot be read.
std::optional<Instant> certificate_end(const void* tls);

}  // namespace parallax::http
