#include "fleet/resource_api.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "aws/model/model.h"
#include "aws/paginate.h"
#include "fleet/seen_reading.h"

namespace parallax::fleet {

namespace {

constexpr Micros kGapFirst{Seconds(1)};
constexpr Micros kGapMax{Seconds(30)};
constexpr Micros kAttributeGap{Millis(63)};  // of 16 a second
constexpr std::size_t kFilterValuesMax = 200;
constexpr int kPageSize = 1000;
// A description of an instance takes kilobytes, and pages of all regions may be in memory at once.
constexpr int kInstancePageSize = 500;
// DescribeInstanceInformation takes 50 ids at most in one answer page.
constexpr std::size_t kAgentBatch = 50;

Json text_list(const std::vector<std::string>& texts) {
  JsonArray array;
  array.reserve(texts.size());
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return Json(std::move(array));
}

Json with_filters(const std::vector<Filter>& filters) {
  JsonArray array;
  for (const Filter& filter : filters) {
    array.push_back(Json::object({{"Name", filter.name}, {"Values", text_list(filter.values)}}));
  }
  return Json::object({{"Filters", Json(std::move(array))}});
}

Json with_pages(Json params, int size) {
  params.set("MaxResults", size);
  return params;
}

// As a person calls it.
std::string name_of(std::string_view service) {
  std::string name(service);
  if (service == "scheduler") {
    return "EventBridge Scheduler";
  }
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

}  // namespace

ResourceApi::ResourceApi(const FleetDeps& deps, std::string region, Monotonic deadline, std::stop_token stop,
                         TroubleObserver observe)
    : deps_(deps),
      region_(std::move(region)),
      deadline_(deadline),
      stop_(std::move(stop)),
      observe_(std::move(observe)) {}

Result<Json> ResourceApi::call(std::string_view service, std::string_view operation, const Json& params) {
  Trouble& trouble = troubles_.try_emplace(std::string(service), name_of(service)).first->second;
  aws::CallOptions options;
  options.deadline = deadline_;
  options.stop = stop_;
  ++calls_;
  for (Micros gap = kGapFirst;; gap = std::min(2 * gap, kGapMax)) {
    const Monotonic began = deps_.clock.monotonic();
    Result<Json> answer = deps_.client.call(aws::CallTarget{std::string(service), region_}, operation, params, options);
    const Monotonic now = deps_.clock.monotonic();
    const CallTimes times{began, now, deps_.clock.now(), deadline_};
    const std::optional<std::string> text = answer ? trouble.answered(times) : trouble.failed(answer.error(), times);
    if (text && observe_) {
      observe_(region_, *text);
    }
    const bool again = !answer && answer.error().kind == ErrorKind::throttled && now + gap < deadline_;
    if (!again || !deps_.clock.sleep_for(gap, stop_)) {
      return answer;
    }
  }
}

Result<> ResourceApi::pages(std::string_view service, std::string_view operation, Json params,
                            const std::function<void(const Json& page)>& on_page) {
  const aws::ServiceModel* model = aws::find_service(service);
  const aws::Operation* known = model == nullptr ? nullptr : model->find_operation(operation);
  CHECK(known != nullptr, operation);
  aws::Paging paging = TRY(aws::Paging::make(*model, *known));
  for (int page_number = 0; page_number < aws::kPagesMax; ++page_number) {
    const Json page = TRY(call(service, operation, params));
    on_page(page);
    std::optional<Json> next = TRY(paging.next(page, params));
    if (!next) {
      return {};
    }
    params = std::move(*next);
  }
  return make_error(ErrorKind::refused,
                    fmt::format("{} in {} gave more than {} pages", operation, region_, aws::kPagesMax));
}

template <typename T>
Result<std::vector<T>> ResourceApi::list(std::string_view operation, const Json& params, std::string_view member,
                                         const std::function<T(const Json&)>& read) {
  std::vector<T> all;
  TRY(pages("ec2", operation, params, [&](const Json& page) {
    for (const Json& item : page.list(member)) {
      all.push_back(read(item));
    }
  }));
  return all;
}

Result<std::vector<TagSeen>> ResourceApi::tags(const std::vector<Filter>& filters) {
  return list<TagSeen>("DescribeTags", with_pages(with_filters(filters), kPageSize), "Tags", [](const Json& tag) {
    return TagSeen{tag.text("ResourceId"), tag.text("ResourceType"), tag.text("Key"), tag.text("Value")};
  });
}

Result<std::vector<MachineSeen>> ResourceApi::machines(std::vector<Filter> filters) {
  filters.push_back({"instance-state-name", {"pending", "running", "stopping", "stopped"}});
  std::vector<MachineSeen> all;
  TRY(pages("ec2", "DescribeInstances", with_pages(with_filters(filters), kInstancePageSize), [&](const Json& page) {
    for (const Json& reservation : page.list("Reservations")) {
      for (const Json& instance : reservation.list("Instances")) {
        all.push_back(read_machine(instance, region_));
      }
    }
  }));
  return all;
}

Result<std::vector<ImageSeen>> ResourceApi::images(const std::vector<Filter>& filters) {
  Json params = with_filters(filters);
  params.set("Owners", Json::array({"self"}));
  return list<ImageSeen>("DescribeImages", params, "Images", read_image);
}

Result<std::optional<ImageSeen>> ResourceApi::image(const std::string& id) {
  // By filter: an id that EC2 does not know would be an error.
  const std::vector<ImageSeen> found =
      TRY(list<ImageSeen>("DescribeImages", with_filters({{"image-id", {id}}}), "Images", read_image));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

Result<std::vector<GroupSeen>> ResourceApi::groups(const std::vector<Filter>& filters) {
  return list<GroupSeen>("DescribeSecurityGroups", with_pages(with_filters(filters), kPageSize), "SecurityGroups",
                         read_group);
}

Result<std::vector<KeySeen>> ResourceApi::keys(const std::vector<Filter>& filters) {
  Json params = with_filters(filters);
  params.set("IncludePublicKey", true);
  return list<KeySeen>("DescribeKeyPairs", params, "KeyPairs", read_key);
}

Result<std::vector<SnapshotSeen>> ResourceApi::snapshots(const std::vector<Filter>& filters) {
  Json params = with_pages(with_filters(filters), kPageSize);
  params.set("OwnerIds", Json::array({"self"}));
  return list<SnapshotSeen>("DescribeSnapshots", params, "Snapshots", read_snapshot);
}

Result<std::vector<VolumeSeen>> ResourceApi::volumes(const std::vector<Filter>& filters) {
  return list<VolumeSeen>("DescribeVolumes", with_pages(with_filters(filters), kPageSize), "Volumes", read_volume);
}

Result<std::vector<AddressSeen>> ResourceApi::addresses(const std::vector<Filter>& filters) {
  return list<AddressSeen>("DescribeAddresses", with_filters(filters), "Addresses", read_address);
}

Result<std::vector<SubnetSeen>> ResourceApi::subnets(const std::vector<Filter>& filters) {
  return list<SubnetSeen>("DescribeSubnets", with_filters(filters), "Subnets", [](const Json& subnet) {
    return SubnetSeen{subnet.text("SubnetId"), subnet.text("VpcId"), subnet.text("AvailabilityZone"),
                      subnet.boolean("MapPublicIpOnLaunch", true)};
  });
}

Result<std::map<std::string, std::set<std::string>>> ResourceApi::zones_of(const std::vector<std::string>& types) {
  Json params = with_pages(with_filters({{"instance-type", types}}), kPageSize);
  params.set("LocationType", "availability-zone");
  std::map<std::string, std::set<std::string>> zones;
  TRY(pages("ec2", "DescribeInstanceTypeOfferings", params, [&](const Json& page) {
    for (const Json& offering : page.list("InstanceTypeOfferings")) {
      zones[offering.text("InstanceType")].insert(offering.text("Location"));
    }
  }));
  return zones;
}

Result<std::vector<ScheduleSeen>> ResourceApi::schedules(const std::string& name_prefix) {
  std::vector<ScheduleSeen> all;
  const Json params = Json::object({{"GroupName", "default"}, {"NamePrefix", name_prefix}, {"MaxResults", 100}});
  TRY(pages("scheduler", "ListSchedules", params, [&](const Json& page) {
    for (const Json& item : page.list("Schedules")) {
      ScheduleSeen schedule;
      schedule.name = item.text("Name");
      schedule.instance_id = schedule.name.substr(std::min(name_prefix.size(), schedule.name.size()));
      schedule.state = item.text("State");
      all.push_back(std::move(schedule));
    }
  }));
  return all;
}

Result<std::map<std::string, Instant>> ResourceApi::pings(const std::vector<std::string>& instance_ids) {
  std::map<std::string, Instant> pings;
  for (std::size_t begin = 0; begin < instance_ids.size(); begin += kAgentBatch) {
    const std::size_t end = std::min(instance_ids.size(), begin + kAgentBatch);
    const std::vector<std::string> batch(instance_ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                         instance_ids.begin() + static_cast<std::ptrdiff_t>(end));
    const Json filter = Json::object({{"Key", "InstanceIds"}, {"Values", text_list(batch)}});
    const Json params = Json::object({{"Filters", Json::array({filter})}, {"MaxResults", kAgentBatch}});
    TRY(pages("ssm", "DescribeInstanceInformation", params, [&](const Json& page) {
      for (const Json& agent : page.list("InstanceInformationList")) {
        const Result<Instant> ping = parse_iso8601(agent.text("LastPingDateTime"));
        if (ping && agent.text("PingStatus") == "Online") {
          pings[agent.text("InstanceId")] = *ping;
        }
      }
    }));
  }
  return pings;
}

Result<std::string> ResourceApi::parameter(const std::string& name) {
  const Json answer = TRY(call("ssm", "GetParameter", Json::object({{"Name", name}})));
  const Json* value = answer.at("Parameter", "Value");
  return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
}

Result<std::string> ResourceApi::machine_attribute(const std::string& id, std::string_view attribute) {
  while (!attribute_calls_.take(deps_.clock.monotonic())) {
    if (deps_.clock.monotonic() >= deadline_ || !deps_.clock.sleep_for(kAttributeGap, stop_)) {
      return make_error(ErrorKind::timeout, "the time for looking is over");
    }
  }
  const Json answer = TRY(call("ec2", "DescribeInstanceAttribute",
                               Json::object({{"InstanceId", id}, {"Attribute", std::string(attribute)}})));
  // The answer's member is called as the attribute, with a capital.
  std::string member(attribute);
  member.front() = static_cast<char>(member.front() - 'a' + 'A');
  const Json* value = answer.find(member);
  return value == nullptr ? std::string() : value->text("Value");
}

std::vector<std::vector<std::string>> in_batches(const std::vector<std::string>& ids) {
  std::vector<std::vector<std::string>> batches;
  for (const std::string& id : ids) {
    if (batches.empty() || batches.back().size() == kFilterValuesMax) {
      batches.emplace_back();
    }
    batches.back().push_back(id);
  }
  return batches;
}

}  // namespace parallax::fleet
