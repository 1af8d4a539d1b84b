// The collector: takes measurements and runs in, and serves the API and the page. It has no threads of its own and
// takes all time from its Clock, so it works behind http::start_server as well as in simulation.
//
//   POST /api/v1/measurements   NDJSON, gzip or plain; a vantage, controller or admin token
//   POST /api/v1/runs           one JSON object or NDJSON; a controller or admin token
//   GET  /api/v1/runs, /api/v1/measurements, /api/v1/summary, /api/v1/counters
//   GET  /api/v1/pauses         which providers asked this fleet for peace; any token
//   GET  /api/v1/bundles        which builds of the program machines can fetch here
//   GET  /api/v1/bundle/BUILD   the archive; a vantage, controller or admin token, wherever this listens
//   GET  /healthz, /, /assets/style.css, /assets/icon.svg
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "collector/bundles.h"
#include "collector/gate.h"
#include "collector/lines.h"
#include "collector/pauses.h"
#include "collector/query.h"
#include "http/shared_body.h"
#include "store/store.h"

namespace parallax::collector {

struct CollectorOptions {
  // Reading needs no token and the Host header must name loopback or one of `allowed_hosts`: for servers that listen on
  // loopback. Otherwise reading needs a read, controller or admin token.
  bool reading_open = false;
  std::vector<std::string> allowed_hosts;  // names without port; where set, other hosts are refused in any case
  std::string build;                       // for /healthz and the page's foot
  BodyLimits body;
  RateOptions rate;
};

// Thread safety: any task.
class Collector final : public http::SharedBodyService {
 public:
  // `bundles`: none where nullptr.
  Collector(store::Store& store, Clock& clock, CollectorOptions options = {}, const BundleShelf* bundles = nullptr);
  ~Collector() override;  // writes what was counted

  Admission admit(const http::Request& head) override;
  http::Response handle(const http::Request& request) override;
  std::optional<Shared> share(const http::Request& request) override;

  // Writes what was counted and is not in the store yet.
  Result<> flush_counts() { return counts_.flush(); }

 private:
  enum class Route { measurements, runs, summary, counters, bundles, bundle, pauses, health, page, style, icon, none };

  static Route route_of(std::string_view path);
  static std::string_view methods_of(Route route);

  // An answer where the request must not go on; else the token, empty where none was needed.
  Admitted check(const http::Request& head, Route route, Counting counting);
  std::optional<http::Response> check_host(const http::Request& head) const;
  http::Response answer(const http::Request& request);
  http::Response get(Route route, const Target& target, std::string_view bound_fleet);
  http::Response post(Route route, const http::Request& request, const TokenPayload& token);
  http::Response health();
  http::Response list_pauses(std::string_view query, std::string_view bound_fleet);
  http::Response list_bundles() const;
  // The head of the answer and the archive, or no archive and an answer that says why.
  Shared get_bundle(std::string_view path) const;

  store::Store& store_;
  Clock& clock_;
  const CollectorOptions options_;
  const BundleShelf* const bundles_;
  Counts counts_;
  RateLimiter rate_;
  Gate gate_;
  PauseBoard pauses_;
};

// What `parallax keys` does with a collector's database.
// `public_text` is the file that stands beside a private key (record/token.h). Gives the key's id.
Result<std::string> add_public_key(store::Store& store, std::string_view public_text, Instant now);

}  // namespace parallax::collector
