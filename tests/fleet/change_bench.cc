#include "tests/fleet/change_bench.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fleet/policy.h"

namespace parallax::testing {

namespace {

// Made by ssh-keygen for these tests; the private key was thrown away.
constexpr const char* kPublicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIApT9Faqafjr311QikAZ1raCZYW0rdk4M+lw7r5h8ArY";

Json filters(const std::string& name, const std::string& value) {
  return Json::object({{"Filters", Json::array({Json::object({{"Name", name}, {"Values", Json::array({value})}})})}});
}

Json own() {
  return Json::object({{"Owners", Json::array({"self"})}});
}

std::string tags_text(const Json& resource) {
  std::string text;
  for (const Json& tag : resource.list("Tags")) {
    if (tag.text("Key") == fleet::kFleetTag) {
      text = " of " + tag.text("Value");
    }
  }
  return text;
}

void add_region(FleetFixture& fixture, const std::string& region, std::vector<std::string>& all) {
  const auto list = [&](const char* operation, const char* member, const Json& input, const auto& line) {
    const Json answer = fixture.by_hand(region, operation, input);
    for (const Json& item : answer.list(member)) {
      const std::string text = line(item);
      if (!text.empty()) {
        all.push_back(fmt::format("{} {}{}", region, text, tags_text(item)));
      }
    }
  };
  const Json any = Json::object();
  list("DescribeImages", "Images", own(),
       [](const Json& i) { return fmt::format("image {} {}", i.text("Name"), i.text("State")); });
  list("DescribeSnapshots", "Snapshots", Json::object({{"OwnerIds", Json::array({"self"})}}),
       [](const Json& i) { return "snapshot " + i.text("State"); });
  list("DescribeVolumes", "Volumes", any, [](const Json& i) {
    return fmt::format("volume {}{}", i.text("State"), i.boolean("Encrypted", false) ? " encrypted" : "");
  });
  list("DescribeKeyPairs", "KeyPairs", any, [](const Json& i) { return "key pair " + i.text("KeyName"); });
  list("DescribeAddresses", "Addresses", any, [](const Json&) { return std::string("address"); });
  list("DescribeSecurityGroups", "SecurityGroups", any, [](const Json& i) {
    return i.text("GroupName") == "default"
               ? std::string()
               : fmt::format("group {} in {} out {}", i.text("GroupName"), i.list("IpPermissions").size(),
                             i.list("IpPermissionsEgress").size());
  });
  const Json schedules = fixture.by_hand(region, "ListSchedules", any, "scheduler");
  for (const Json& item : schedules.list("Schedules")) {
    all.push_back(fmt::format("{} schedule {}", region, item.text("State")));
  }
  const Json reservation_answer = fixture.by_hand(region, "DescribeInstances", any);
  for (const Json& reservation : reservation_answer.list("Reservations")) {
    for (const Json& item : reservation.list("Instances")) {
      const std::string state = *item.at("State", "Name")->string();
      if (state != "terminated") {
        all.push_back(fmt::format("{} instance {}{}", region, state, tags_text(item)));
      }
    }
  }
}

}  // namespace

fleet::Spec change_spec() {
  fleet::Spec spec;
  spec.fleet = "NAVO";
  spec.profile.name = fleet::our_profile(spec.fleet);
  spec.home = kHome;
  spec.regions = {kHome, kAway};
  spec.instance_types = {"t3.micro", "t2.micro"};
  spec.group.name = "NAVO";
  spec.key = fleet::parse_public_key(kPublicKey, "NAVO").value();
  return spec;
}

fleet::Spec copy_spec() {
  fleet::Spec spec = change_spec();
  spec.image = {fleet::ImageSpec::Kind::copy, "NAVO"};
  return spec;
}

sim::CloudOptions empty_cloud() {
  sim::CloudOptions cloud;
  cloud.world = sim::WorldKind::empty;
  cloud.regions = {kHome, kAway};
  return cloud;
}

fleet::Step step(fleet::StepKind kind, const std::string& region, const std::string& id, int slot) {
  fleet::Step step;
  step.kind = kind;
  step.region = region;
  step.id = id;
  step.slot = slot;
  return step;
}

fleet::Observed observed_by_hand(FleetFixture& fixture, const fleet::Spec& spec) {
  fleet::Observed observed;
  observed.account = sim::kSimulatedAccount;
  observed.partition = "aws";
  for (const std::string& region : spec.regions) {
    fleet::RegionSeen seen;
    seen.region = region;
    fleet::LaunchPlaces places;
    places.vpc =
        fixture.by_hand(region, "DescribeVpcs", filters("is-default", "true")).list("Vpcs").front().text("VpcId");
    const Json offerings =
        fixture.by_hand(region, "DescribeInstanceTypeOfferings", Json::object({{"LocationType", "availability-zone"}}));
    for (const Json& offering : offerings.list("InstanceTypeOfferings")) {
      places.zones_of[offering.text("InstanceType")].insert(offering.text("Location"));
    }
    if (spec.image.kind == fleet::ImageSpec::Kind::stock) {
      const Json parameter =
          fixture.by_hand(region, "GetParameter", Json::object({{"Name", spec.image.parameter()}}), "ssm");
      places.stock_image = *parameter.at("Parameter", "Value")->string();
    }
    seen.places = places;
    observed.regions.push_back(seen);
  }
  return observed;
}

fleet::ImageSeen home_image(FleetFixture& fixture, const fleet::Spec& spec) {
  const std::string parameter = fleet::ImageSpec{}.parameter();
  const std::string stock = *fixture.by_hand(spec.home, "GetParameter", Json::object({{"Name", parameter}}), "ssm")
                                 .at("Parameter", "Value")
                                 ->string();
  const Json run = fixture.by_hand(
      spec.home, "RunInstances",
      Json::object({{"ImageId", stock}, {"InstanceType", "t3.micro"}, {"MinCount", 1}, {"MaxCount", 1}}));
  const std::string machine = run.list("Instances").front().text("InstanceId");
  fixture.sleep(Seconds(30));
  const Json made =
      fixture.by_hand(spec.home, "CreateImage", Json::object({{"InstanceId", machine}, {"Name", spec.image.name}}));
  fixture.sleep(Seconds(600));
  fixture.by_hand(spec.home, "TerminateInstances", Json::object({{"InstanceIds", Json::array({machine})}}));
  fixture.sleep(Seconds(120));
  const Json image = fixture.by_hand(spec.home, "DescribeImages", own()).list("Images").front();
  fleet::ImageSeen seen;
  seen.id = made.text("ImageId");
  seen.name = spec.image.name;
  seen.state = image.text("State");
  seen.root_device = image.text("RootDeviceName");
  return seen;
}

fleet::Plan fresh_plan(const fleet::Spec& spec) {
  using fleet::StepKind;
  fleet::Plan plan;
  plan.account = sim::kSimulatedAccount;
  plan.fleet = spec.fleet;
  plan.home = spec.home;
  plan.steps = {step(StepKind::make_role), step(StepKind::make_profile), step(StepKind::fill_profile)};
  for (const std::string& region : spec.regions) {
    fleet::RegionPlan part;
    part.region = region;
    if (spec.image.kind == fleet::ImageSpec::Kind::copy && !spec.is_home(region)) {
      part.steps = {step(StepKind::copy_image, region), step(StepKind::wait_image, region)};
    }
    part.steps.push_back(step(StepKind::import_key, region));
    part.steps.push_back(step(StepKind::make_group, region));
    for (int slot = 0; slot < spec.instances_per_region; ++slot) {
      part.steps.push_back(step(StepKind::launch, region, "", slot));
    }
    plan.regions.push_back(std::move(part));
  }
  return plan;
}

std::vector<std::string> account_contents(FleetFixture& fixture, const fleet::Spec& spec) {
  std::vector<std::string> all;
  for (const std::string& region : spec.regions) {
    add_region(fixture, region, all);
  }
  const Json role_answer = fixture.by_hand(spec.home, "ListRoles", Json::object(), "iam");
  for (const Json& role : role_answer.list("Roles")) {
    const std::string name = role.text("RoleName");
    const Json policies = fixture.by_hand(spec.home, "ListRolePolicies", Json::object({{"RoleName", name}}), "iam");
    all.push_back(fmt::format("role {} with {} policies", name, policies.list("PolicyNames").size()));
  }
  const Json profiles = fixture.by_hand(spec.home, "ListInstanceProfiles", Json::object(), "iam");
  for (const Json& profile : profiles.list("InstanceProfiles")) {
    all.push_back(
        fmt::format("profile {} with {} roles", profile.text("InstanceProfileName"), profile.list("Roles").size()));
  }
  std::sort(all.begin(), all.end());
  return all;
}

fleet::ChangeOutcome change(const fleet::FleetDeps& deps, const fleet::Spec& spec, const fleet::Observed& observed,
                            const fleet::Plan& plan, std::stop_token stop, const fleet::ChangeObserver& observe,
                            fleet::ChangeOptions options) {
  return fleet::carry_out(deps, spec, observed, plan, options, observe, std::move(stop), {});
}

std::string to_text(const fleet::ChangeOutcome& outcome) {
  std::string text = fmt::format("exit code {}\n", outcome.exit_code);
  for (const fleet::RegionChange& region : outcome.regions) {
    text += fmt::format("{}: {}\n", region.region.empty() ? "account" : region.region, region.problem);
    for (const fleet::StepOutcome& step : region.steps) {
      text += fmt::format("  {} {}: {} {}\n", static_cast<int>(step.step.kind), static_cast<int>(step.state), step.id,
                          step.note);
    }
  }
  for (const std::string& line : outcome.left_running) {
    text += "left running: " + line + "\n";
  }
  return text;
}

}  // namespace parallax::testing
