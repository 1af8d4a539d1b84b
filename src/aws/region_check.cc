#include "aws/region_check.h"

#include <fmt/format.h>

#include "aws/endpoint.h"

namespace parallax::aws {

namespace {

constexpr Micros kKnownFor = std::chrono::minutes(5);
// Temporary credentials bring a new key id each time.
constexpr std::size_t kAccountsMax = 16;
// How often those who wait for another's question look again.
constexpr Micros kLookAgain = Millis(50);

Error disabled(const Error& error, const Credentials& used, const std::string& region, const std::string& main_region,
               bool is_certain) {
  Error better = error;
  better.kind = ErrorKind::denied;
  better.code = "region-disabled";
  better.message = fmt::format(
      "region {} is {} for this account (the same credentials work in {}): enable it with `aws account enable-region "
      "--region-name {}`, which takes minutes to hours, or remove it from the list of regions",
      region, is_certain ? "not enabled" : "most likely not enabled", main_region, region);
  if (!is_certain && !used.session_token.empty()) {
    better.message +=
        "; or the session token comes from the global STS endpoint, whose tokens such regions refuse: use a regional "
        "one (AWS_STS_REGIONAL_ENDPOINTS=regional)";
  }
  better.message += fmt::format(". The service said: {}", error.message);
  return better;
}

}  // namespace

bool RegionCheck::may_be_disabled(const Error& error) {
  // EC2 uses AuthFailure for other refusals too, with other words.
  return (error.code == "AuthFailure" && error.message.find("not able to validate") != std::string::npos) ||
         error.code == "InvalidClientTokenId" || error.code == "UnrecognizedClientException";
}

RegionCheck::Account& RegionCheck::account_of(const std::string& access_key_id) {
  const Monotonic now = clock_.monotonic();
  std::erase_if(accounts_, [&](const auto& entry) {
    return entry.second.keys != Keys::asking && entry.second.until <= now && entry.first != access_key_id;
  });
  if (accounts_.size() >= kAccountsMax && !accounts_.contains(access_key_id)) {
    // Whoever waits for one of these finds it unknown, and asks.
    accounts_.erase(accounts_.begin());
  }
  Account& account = accounts_[access_key_id];
  if (account.keys != Keys::asking && account.until <= now) {
    account = Account();
    account.until = now + kKnownFor;
  }
  return account;
}

void RegionCheck::worked(const std::string& access_key_id, const std::string& region) {
  const MutexLock lock(mutex_);
  Account& account = account_of(access_key_id);
  account.worked.insert(region);
  if (account.keys == Keys::unknown) {
    account.keys = Keys::good;
  }
}

RegionCheck::Account RegionCheck::find_out(const std::string& access_key_id, const std::string& main_region,
                                           const Ask& ask, Monotonic deadline, const std::stop_token& stop) {
  Account found;
  for (;;) {
    {
      const MutexLock lock(mutex_);
      Account& account = account_of(access_key_id);
      if (account.keys == Keys::bad || (account.keys == Keys::good && account.regions_asked)) {
        return account;
      }
      if (account.keys != Keys::asking) {
        found = account;
        account.keys = Keys::asking;
        break;
      }
    }
    if (clock_.monotonic() + kLookAgain >= deadline || !clock_.sleep_for(kLookAgain, stop)) {
      return {};
    }
  }
  if (found.keys == Keys::unknown) {
    const Result<Json> who = ask({"sts", main_region}, "GetCallerIdentity", Json());
    found.keys = who ? Keys::good : who.error().kind == ErrorKind::denied ? Keys::bad : Keys::unknown;
  }
  if (found.keys == Keys::good) {
    const Result<Json> regions = ask({"ec2", main_region}, "DescribeRegions", Json::object({{"AllRegions", true}}));
    found.regions_asked = true;
    const Json none;
    for (const Json& region : (regions ? *regions : none).list("Regions")) {
      found.regions[region.text("RegionName")] = region.text("OptInStatus");
    }
  }
  const MutexLock lock(mutex_);
  Account& account = account_of(access_key_id);
  found.worked.insert(account.worked.begin(), account.worked.end());
  found.until = clock_.monotonic() + kKnownFor;
  account = found;
  return found;
}

Error RegionCheck::judge(Error error, const Credentials& used, const std::string& region, const Ask& ask,
                         Monotonic deadline, const std::stop_token& stop) {
  const std::string main_region(partition_of(region).main_region);
  if (region == main_region) {
    return error;
  }
  {
    const MutexLock lock(mutex_);
    if (account_of(used.access_key_id).worked.contains(region)) {
      return error;
    }
  }
  const Account account = find_out(used.access_key_id, main_region, ask, deadline, stop);
  if (account.keys != Keys::good || account.worked.contains(region)) {
    return error;
  }
  const auto status = account.regions.find(region);
  if (status == account.regions.end()) {
    return disabled(error, used, region, main_region, false);
  }
  if (status->second == "not-opted-in") {
    return disabled(error, used, region, main_region, true);
  }
  error.message += fmt::format(
      " (the account has region {} enabled and the same credentials work in {}{})", region, main_region,
      used.session_token.empty()
          ? ": a region that was enabled a short while ago may need some hours"
          : ": a session token of the global STS endpoint is refused in opt-in regions, one of a regional endpoint is "
            "not (AWS_STS_REGIONAL_ENDPOINTS=regional)");
  return error;
}

}  // namespace parallax::aws
