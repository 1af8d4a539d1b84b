// Worlds whose machines are made by `fleet apply`: what is there before it, and the controllers that set up and clear.
#include <algorithm>
#include <deque>
#include <set>

#include <fmt/format.h>

#include "base/check.h"
#include "fleet/lease.h"
#include "tests/scenario/fleet_world.h"

namespace parallax::scenario {

namespace {

constexpr const char* kFleet = "NAVO";
constexpr const char* kStockParameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";

Json tags_of(std::string_view resource, const std::vector<std::pair<std::string, std::string>>& tags) {
  JsonArray list;
  for (const auto& [key, value] : tags) {
    list.push_back(Json::object({{"Key", key}, {"Value", value}}));
  }
  return Json::object({{"ResourceType", std::string(resource)}, {"Tags", Json(std::move(list))}});
}

// Everything of another fleet's, or of nobody's, as like ours as it can be.
class Neighbour {
 public:
  Neighbour(FleetWorld& fleet, std::string region) : fleet_(fleet), region_(std::move(region)) {}

  void launch() {
    const Json parameter = fleet_.by_hand(region_, "GetParameter", Json::object({{"Name", kStockParameter}}), "ssm");
    const Json made = fleet_.by_hand(
        region_, "RunInstances",
        Json::object({{"ImageId", parameter.find("Parameter")->text("Value")},
                      {"InstanceType", "t3.nano"},
                      {"MinCount", 1},
                      {"MaxCount", 1},
                      {"TagSpecifications",
                       Json::array({tags_of("instance", {{"Name", kFleet}, {fleet::kFleetTag, "OTHER"}})})}}));
    machine_ = made.list("Instances").at(0).text("InstanceId");
    const Json group = fleet_.by_hand(region_, "CreateSecurityGroup",
                                      Json::object({{"GroupName", "neighbour"},
                                                    {"Description", kFleet},
                                                    {"TagSpecifications", Json::array({other("security-group")})}}));
    fleet_.by_hand(region_, "AuthorizeSecurityGroupIngress",
                   Json::object({{"GroupId", group.text("GroupId")},
                                 {"IpProtocol", "tcp"},
                                 {"FromPort", 22},
                                 {"ToPort", 22},
                                 {"CidrIp", "203.0.113.0/24"}}));
    fleet_.by_hand(region_, "CreateKeyPair",
                   Json::object({{"KeyName", "neighbour"}, {"TagSpecifications", Json::array({other("key-pair")})}}));
    fleet_.by_hand(region_, "CreateVolume",
                   Json::object({{"AvailabilityZone", region_ + "a"},
                                 {"Size", 8},
                                 {"TagSpecifications", Json::array({tags_of("volume", {{"Name", kFleet}})})}}));
    fleet_.by_hand(region_, "AllocateAddress",
                   Json::object({{"TagSpecifications", Json::array({tags_of("elastic-ip", {{"Name", kFleet}})})}}));
  }

  // Of our own name, without a fleet's tag, where the fleet makes nothing of that name itself.
  void take_our_names(bool key, bool image) {
    if (key) {
      fleet_.by_hand(region_, "CreateKeyPair", Json::object({{"KeyName", kFleet}}));
    }
    if (image) {
      fleet_.by_hand(region_, "CreateImage", Json::object({{"InstanceId", machine_}, {"Name", kFleet}}));
    }
  }

  void stop() { fleet_.by_hand(region_, "StopInstances", Json::object({{"InstanceIds", Json::array({machine_})}})); }

  void make_image(const std::string& home_image) {
    fleet_.by_hand(region_, "CreateImage",
                   Json::object({{"InstanceId", machine_},
                                 {"Name", "neighbour"},
                                 {"TagSpecifications", Json::array({other("image"), other("snapshot")})}}));
    const Json volumes =
        fleet_.by_hand(region_, "DescribeVolumes",
                       Json::object({{"Filters", Json::array({Json::object({{"Name", "attachment.instance-id"},
                                                                            {"Values", Json::array({machine_})}})})}}));
    // The text that the reference searches snapshots by.
    fleet_.by_hand(
        region_, "CreateSnapshot",
        Json::object({{"VolumeId", volumes.list("Volumes").at(0).text("VolumeId")},
                      {"Description", fmt::format("Copied for DestinationAmi ami-0 from SourceAmi {}", home_image)}}));
  }

  const std::string& region() const { return region_; }

 private:
  static Json other(std::string_view resource) {
    return tags_of(resource, {{"Name", "neighbour"}, {fleet::kFleetTag, "OTHER"}});
  }

  FleetWorld& fleet_;
  const std::string region_;
  std::string machine_;
};

std::string describe_change(const ChangeResult& result) {
  std::string text = fmt::format("exit code {}; {}", result.outcome.exit_code, result.plan.problem);
  for (const fleet::RegionPlan& region : result.plan.regions) {
    text += region.problem.empty() ? "" : fmt::format("; {}: {}", region.region, region.problem);
  }
  for (const fleet::RegionChange& region : result.outcome.regions) {
    text += region.problem.empty() ? "" : fmt::format("; {}: {}", region.region, region.problem);
    for (const fleet::StepOutcome& step : region.steps) {
      text += step.error ? fmt::format("; {}: {}: {}", region.region, step.step.text(), step.error->text()) : "";
    }
  }
  return text;
}

std::string describe_plan(const fleet::Plan& plan) {
  std::string text = plan.problem;
  for (const fleet::Step& step : plan.steps) {
    text += "; " + step.text();
  }
  for (const fleet::RegionPlan& region : plan.regions) {
    text += region.problem.empty() ? "" : fmt::format("; {}: {}", region.region, region.problem);
    for (const fleet::Step& step : region.steps) {
      text += fmt::format("; {}: {}", region.region, step.text());
    }
    for (const fleet::Drift& drift : region.drift) {
      text += fmt::format("; {}: drift: {}", region.region, drift.text);
    }
  }
  return text;
}

bool has_problem(const fleet::Plan& plan) {
  return !plan.problem.empty() || std::any_of(plan.regions.begin(), plan.regions.end(),
                                              [](const fleet::RegionPlan& region) { return !region.problem.empty(); });
}

}  // namespace

void FleetWorld::prepare_set_up() {
  const std::string& home = regions_[0];
  const Json images = by_hand(home, "DescribeImages", Json::object({{"Owners", Json::array({"self"})}}));
  const Json& image = images.list("Images").at(0);
  const std::string image_id = image.text("ImageId");
  const std::string snapshot = image.list("BlockDeviceMappings").at(0).find("Ebs")->text("SnapshotId");
  // The role and the profile of this name are not in the specification as ours to make, whatever their tags.
  std::set<std::string> originals = {image_id, snapshot, fleet::our_profile(kFleet)};
  if (!options_.copy_image) {
    by_hand(home, "CreateTags",
            Json::object({{"Resources", Json::array({image_id, snapshot})},
                          {"Tags", Json::array({Json::object({{"Key", fleet::kOriginalTag}, {"Value", "true"}})})}}));
  }
  if (options_.like_home) {
    const Json groups = by_hand(
        home, "DescribeSecurityGroups",
        Json::object(
            {{"Filters", Json::array({Json::object({{"Name", "group-name"}, {"Values", Json::array({kFleet})}})})}}));
    const std::string group = groups.list("SecurityGroups").at(0).text("GroupId");
    originals.insert(group);
    by_hand(home, "AuthorizeSecurityGroupIngress",
            Json::object({{"GroupId", group},
                          {"IpProtocol", "tcp"},
                          {"FromPort", 443},
                          {"ToPort", 443},
                          {"CidrIp", "198.51.100.0/24"}}));
  }
  if (options_.with_key) {
    const Json keys = by_hand(home, "DescribeKeyPairs",
                              Json::object({{"KeyNames", Json::array({kFleet})}, {"IncludePublicKey", true}}));
    Result<fleet::KeySpec> key = fleet::parse_public_key(keys.list("KeyPairs").at(0).text("PublicKey"), kFleet);
    CHECK(key.has_value(), "home's public key");
    key_spec_ = std::move(key).value();
  }
  std::deque<Neighbour> neighbours;
  for (const std::string& region : regions_) {
    const auto& without = options_.without_default_vpc;
    if (std::find(without.begin(), without.end(), region) == without.end()) {
      neighbours.emplace_back(*this, region).launch();
    }
  }
  sleep(Seconds(60));
  for (Neighbour& neighbour : neighbours) {
    neighbour.stop();
  }
  sleep(Seconds(60));
  for (Neighbour& neighbour : neighbours) {
    neighbour.make_image(image_id);
    const bool abroad = neighbour.region() != home;
    neighbour.take_our_names(abroad && !options_.with_key, abroad && !options_.copy_image);
  }
  sleep(Seconds(400));
  invariants_->remember_foreign();
  invariants_->begin_set_up();
  resources_->begin(originals);
}

fleet::Spec FleetWorld::spec() const {
  fleet::Spec spec;
  spec.fleet = kFleet;
  spec.home = regions_[0];
  spec.regions = active_;
  spec.instance_types = {"t3.micro", "t2.micro"};
  spec.instances_per_region = options_.machines;
  if (options_.copy_image) {
    spec.image = {fleet::ImageSpec::Kind::copy, kFleet};
  }
  spec.group.name = kFleet;
  spec.group.like_home = options_.like_home ? kFleet : "";
  spec.key = key_spec_;
  spec.profile = options_.own_profile ? fleet::ProfileSpec{"navo-probe", true}
                                      : fleet::ProfileSpec{fleet::our_profile(kFleet), false};
  spec.deadman = options_.scheduler ? fleet::Deadman::guest_and_scheduler : fleet::Deadman::guest;
  spec.job_timeout = options_.job_timeout;
  return spec;
}

ChangeResult FleetWorld::change(const ChangePlan& plan) {
  fleet::Spec spec = this->spec();
  if (plan.specify) {
    plan.specify(spec);
  }
  fleet::ObserveOptions look;
  look.regions = plan.regions.empty() ? spec.regions : plan.regions;
  look.for_clear = plan.change == Change::clear;
  look.for_check = plan.change == Change::check;
  look.by_name = plan.change == Change::adopt;
  if (plan.change == Change::clear) {
    for (const sim::InstanceView& machine : fleet_instances()) {
      if (std::find(look.regions.begin(), look.regions.end(), machine.region) != look.regions.end()) {
        invariants_->expect_end_of(machine.instance_id);
      }
    }
  }
  const auto result = std::make_shared<ChangeResult>();
  result->end = visit(plan.visit, [result, spec, look, kind = plan.change](const Controls& controls) {
    result->seen = fleet::observe(controls.deps, spec, look, controls.stop);
    const fleet::Observed& seen = result->seen;
    result->plan = kind == Change::clear   ? fleet::plan_clear(spec, seen)
                   : kind == Change::adopt ? fleet::plan_adopt(spec, seen)
                                           : fleet::plan_apply(spec, seen);
    if (kind != Change::check) {
      result->outcome = fleet::carry_out(controls.deps, spec, seen, result->plan, {}, {}, controls.stop, {});
    }
  });
  if (!result->end.died && plan.change == Change::apply && result->outcome.exit_code == 0) {
    invariants_->check_set_up(look.regions, spec.instances_per_region, Invariants::Settled::no);
  }
  return *result;
}

void FleetWorld::disown(const sim::InstanceView& machine) {
  disowned_.push_back(machine);
  resources_->forgive_rule_of(machine.instance_id);
  by_hand(machine.region, "DeleteTags",
          Json::object({{"Resources", Json::array({machine.instance_id})},
                        {"Tags", Json::array({Json::object({{"Key", fleet::kFleetTag}})})}}));
  invariants_->disown(machine.instance_id);
  // Tags are seen late: who looks within these seconds may still take it for ours, and nobody could know better.
  sleep(Seconds(60));
}

// What the good end does to the fleet before its round.
void FleetWorld::good_set_up() {
  for (const sim::InstanceView& machine : disowned_) {
    invariants_->expect_end_of(machine.instance_id);
    by_hand(machine.region, "TerminateInstances", Json::object({{"InstanceIds", Json::array({machine.instance_id})}}));
  }
  active_ = regions_;
  // A machine from before the first set-up has no boot timer: it may still run where its controller died before the
  // order. Everything else has stopped by itself by now (invariant 1).
  for (const sim::InstanceView& machine : fleet_instances()) {
    if (machine.state == "running") {
      stop_all();
      break;
    }
  }
  const ChangeResult first = change({});
  if (first.outcome.exit_code != 0 || has_problem(first.plan)) {
    world_.fail("liveness: a set-up without faults: " + describe_change(first));
    return;
  }
  invariants_->check_set_up(regions_, options_.machines, Invariants::Settled::yes);
  const ChangeResult second = change({});
  if (!second.plan.empty() || second.end.changes != 0) {
    world_.fail(fmt::format("a second set-up has something to do, {} calls that change: {}", second.end.changes,
                            describe_plan(second.plan)));
  }
  ChangePlan check;
  check.change = Change::check;
  const ChangeResult checked = change(check);
  bool drift = !checked.plan.empty() || checked.end.changes != 0;
  for (const fleet::RegionPlan& region : checked.plan.regions) {
    drift = drift || !region.problem.empty();
    // What was done by hand may stay to be told: a machine made from an image that is no more.
    for (const fleet::Drift& each : region.drift) {
      drift = drift || each.mended || !hands_were_here_;
    }
  }
  if (drift) {
    world_.fail("a check after a good set-up is not content: " + describe_plan(checked.plan));
  }
}

void FleetWorld::good_clear() {
  ChangePlan clear;
  clear.change = Change::clear;
  const ChangeResult cleared = change(clear);
  if (cleared.outcome.exit_code != 0 || has_problem(cleared.plan)) {
    world_.fail("liveness: a clear without faults: " + describe_change(cleared));
    return;
  }
  sleep(Seconds(120));  // volumes go with their machines
  invariants_->check_cleared();
  resources_->check();
  resources_->check_nothing_left();
}

}  // namespace parallax::scenario
