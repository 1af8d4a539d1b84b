// Tells a region that is not enabled for the account from bad credentials. The services say the same in both cases
// (EC2: AuthFailure; STS: InvalidClientTokenId; JSON: UnrecognizedClientException), so the same credentials are tried
// where they must work, in the partition's main region: GetCallerIdentity, which needs no permission, and then
// DescribeRegions, which tells the account's regions where it is allowed. Both once for all regions; the answers are
// kept for some minutes, so that a region that is enabled later is noticed.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>

#include "aws/auth/credentials.h"
#include "aws/call_target.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "codec/json.h"

namespace parallax::aws {

// Thread safety: any task. No lock is held while a question is on its way.
class RegionCheck {
 public:
  // How a question is asked; brings its own time limit and must not come back here.
  using Ask = std::function<Result<Json>(const CallTarget&, std::string_view operation, const Json& params)>;

  explicit RegionCheck(Clock& clock) : clock_(clock) {}

  // Whether `error` is what a region that is not enabled says.
  static bool may_be_disabled(const Error& error);

  // A call with that key has succeeded in that region.
  void worked(const std::string& access_key_id, const std::string& region) EXCLUDES(mutex_);

  // `error`, for which may_be_disabled(), or what it means: kind denied, code "region-disabled", with what to do.
  // Several calls may come here at once: one asks, the others wait for it, within their deadlines.
  Error judge(Error error, const Credentials& used, const std::string& region, const Ask& ask, Monotonic deadline,
              const std::stop_token& stop) EXCLUDES(mutex_);

 private:
  enum class Keys { unknown, asking, good, bad };

  struct Account {
    Keys keys = Keys::unknown;
    bool regions_asked = false;
    Monotonic until{};                           // when all of it is forgotten
    std::map<std::string, std::string> regions;  // opt-in status; empty: not allowed to know
    std::set<std::string> worked;                // regions
  };

  Account& account_of(const std::string& access_key_id) REQUIRES(mutex_);
  Account find_out(const std::string& access_key_id, const std::string& main_region, const Ask& ask, Monotonic deadline,
                   const std::stop_token& stop) EXCLUDES(mutex_);

  Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Account> accounts_ GUARDED_BY(mutex_);  // by access key id; few: kAccountsMax
};

}  // namespace parallax::aws
