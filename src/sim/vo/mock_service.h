// The mock VO service: well-behaved services over the bright stars, and the cases.
//
//   /scs, /tap/sync, /tap/async, /tap/capabilities, /tap/availability, /tap/tables
//   /case/NAME/scs, /case/NAME/tap/sync, /case/NAME/tap/async..., and what lies below by the case
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/pace.h"
#include "sim/vo/cases.h"
#include "sim/vo/sample_service.h"
#include "sim/vo/uws_service.h"

namespace parallax::sim {

// One request, whatever was answered.
struct MockRequest {
  Instant at;
  std::string peer, method, target, user_agent;
  std::string form;       // the body of a POST, its first 4 KiB
  std::string case_name;  // empty: a well-behaved service, or nothing of ours
  int status = 0;         // 0: the bytes are no HTTP answer
};

struct MockOptions {
  std::vector<VoCase> cases;
  std::function<void(const MockRequest&)> log;
  std::int64_t rows_max = 1000;  // of the well-behaved services, without MAXREC
};

// Thread safety: calls run side by side.
class MockService final : public http::PacedService {
 public:
  MockService(Clock& clock, MockOptions options);

  Admission admit(const http::Request& head) override;
  http::Pace begin(const http::Request& request) override;
  // Of the well-behaved services only.
  http::Response handle(const http::Request& request) override;

 private:
  struct Served {
    VoCase what;
    std::unique_ptr<UwsService> uws;
    std::size_t asked = 0;
  };

  http::Pace serve_case(const http::Request& request, std::string_view path, MockRequest& seen);
  const CaseAnswer* next_answer(Served& served, std::string_view below);
  std::string index() const;

  Clock& clock_;
  const MockOptions options_;
  SampleService sample_;
  UwsService jobs_;
  Mutex mutex_;
  std::map<std::string, Served, std::less<>> cases_;  // their number of calls under the mutex, the rest constant
};

}  // namespace parallax::sim
