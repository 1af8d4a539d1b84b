// The calls that look at a region's resources, whole listings with types instead of JSON. They change nothing.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/call_budget.h"
#include "fleet/observed.h"
#include "fleet/trouble.h"

namespace parallax::fleet {

// "tag:Name" and its values, for the Filters member of EC2's Describe calls.
struct Filter {
  std::string name;
  std::vector<std::string> values;
};

// One tag of one resource.
struct TagSeen {
  std::string resource, type;  // "i-0123", "instance"
  std::string key, value;
};

struct SubnetSeen {
  std::string id, vpc, zone;
  bool public_addresses = true;  // given to machines at launch
};

// Each call is asked again while the service throttles us, with growing gaps, until the deadline; so is each page of a
// listing apart. Listings are read to their end (aws::kPagesMax pages at most). Errors are those of aws::Client: only
// not_found means that something does not exist.
//
// Thread safety: one task's own.
class ResourceApi {
 public:
  ResourceApi(const FleetDeps& deps, std::string region, Monotonic deadline, std::stop_token stop,
              TroubleObserver observe = {});

  const std::string& region() const { return region_; }

  // How many requests were sent, an answer's pages counted one by one, repeats not.
  int calls() const { return calls_; }

  // Of any kind of resource of EC2.
  Result<std::vector<TagSeen>> tags(const std::vector<Filter>& filters);
  // In living states alone: terminated machines stay visible for an hour.
  Result<std::vector<MachineSeen>> machines(std::vector<Filter> filters);
  // The account's own.
  Result<std::vector<ImageSeen>> images(const std::vector<Filter>& filters);
  // Anybody's; absent where EC2 does not know the id.
  Result<std::optional<ImageSeen>> image(const std::string& id);
  Result<std::vector<GroupSeen>> groups(const std::vector<Filter>& filters);
  // With their public keys.
  Result<std::vector<KeySeen>> keys(const std::vector<Filter>& filters);
  Result<std::vector<SnapshotSeen>> snapshots(const std::vector<Filter>& filters);
  Result<std::vector<VolumeSeen>> volumes(const std::vector<Filter>& filters);
  Result<std::vector<AddressSeen>> addresses(const std::vector<Filter>& filters);
  Result<std::vector<SubnetSeen>> subnets(const std::vector<Filter>& filters);
  // Instance type: the zones that offer it.
  Result<std::map<std::string, std::set<std::string>>> zones_of(const std::vector<std::string>& types);
  // Of names that begin so, in the default group.
  Result<std::vector<ScheduleSeen>> schedules(const std::string& name_prefix);
  // The last ping of each agent that is Online.
  Result<std::map<std::string, Instant>> pings(const std::vector<std::string>& instance_ids);
  // A machine's attribute, "userData"; empty where it has none. At most 16 a second after the first 80, below EC2's 20
  // after 100: a region's other callers need some too. Error: not_found where the machine is gone.
  Result<std::string> machine_attribute(const std::string& id, std::string_view attribute);
  // Error: not_found where there is no such parameter.
  Result<std::string> parameter(const std::string& name);

  // Any other call.
  Result<Json> call(std::string_view service, std::string_view operation, const Json& params);
  // All its pages.
  Result<> pages(std::string_view service, std::string_view operation, Json params,
                 const std::function<void(const Json& page)>& on_page);

 private:
  template <typename T>
  Result<std::vector<T>> list(std::string_view operation, const Json& params, std::string_view member,
                              const std::function<T(const Json&)>& read);

  const FleetDeps& deps_;
  const std::string region_;
  const Monotonic deadline_;
  const std::stop_token stop_;
  const TroubleObserver observe_;
  std::map<std::string, Trouble, std::less<>> troubles_;  // by service
  CallBudget attribute_calls_{80, 16};
  int calls_ = 0;
};

// Ids in batches that a filter takes, 200 values at most. (EC2 API reference, FilterLimitExceeded)
std::vector<std::vector<std::string>> in_batches(const std::vector<std::string>& ids);

}  // namespace parallax::fleet
