// Where machines can be launched, and what of: asked only where something has to be made.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "fleet/lease.h"
#include "fleet/observe_region.h"

namespace parallax::fleet {

bool RegionLook::lacks_machines() const {
  const auto ours = std::count_if(seen_.machines.begin(), seen_.machines.end(), [&](const MachineSeen& machine) {
    return is_ours(machine.instance.tags, spec_.fleet);
  });
  return ours < spec_.instances_per_region;
}

bool RegionLook::lacks_something() const {
  // Home's own group may serve home's machines as well.
  const bool original = spec_.is_home(api_.region()) && names_.group == spec_.group.like_home;
  const bool group = std::any_of(seen_.groups.begin(), seen_.groups.end(), [&](const GroupSeen& seen) {
    return seen.name == names_.group && (original || is_ours(seen.tags, spec_.fleet));
  });
  return lacks_machines() || !group;
}

void RegionLook::size_machines() {
  std::unordered_map<std::string, const ImageSeen*> images;
  for (const ImageSeen& image : seen_.images) {
    images.emplace(image.id, &image);
  }
  for (MachineSeen& machine : seen_.machines) {
    const auto image = images.find(machine.image);
    if (machine.gib == 0 && image != images.end()) {
      machine.gib = image->second->gib;
      machine.volume_type = image->second->volume_type;
    }
  }
}

void RegionLook::look_at_places() {
  LaunchPlaces places;
  std::set<std::string> zones;
  look_at_subnets(places, zones);
  if (lacks_machines()) {
    look_at_types(places, zones);
    if (spec_.image.kind == ImageSpec::Kind::stock) {
      look_at_stock(places);
    }
  }
  seen_.places = std::move(places);
}

// Default subnets tell the default VPC as well.
void RegionLook::look_at_subnets(LaunchPlaces& places, std::set<std::string>& zones) {
  const auto configured = spec_.subnets.find(api_.region());
  const bool ours = configured != spec_.subnets.end();
  const Filter filter = ours ? Filter{"subnet-id", {configured->second}} : Filter{"default-for-az", {"true"}};
  const Result<std::vector<SubnetSeen>> subnets = api_.subnets({filter});
  if (!subnets) {
    places.vpc_problem = subnets.error().text();
    return;
  }
  for (const SubnetSeen& subnet : *subnets) {
    places.vpc = subnet.vpc;
    places.public_addresses = subnet.public_addresses || !ours;
    zones.insert(subnet.zone);
  }
  if (subnets->empty() && ours) {
    places.vpc_problem =
        fmt::format("the subnet {} that [fleet] subnets names does not exist in {}", configured->second, api_.region());
  } else if (subnets->empty()) {
    places.vpc_problem = fmt::format(
        "{} has no default VPC with default subnets; name a subnet in [fleet] subnets, or make a default VPC with "
        "'parallax aws ec2 create-default-vpc --region {}'",
        api_.region(), api_.region());
  }
}

void RegionLook::look_at_types(LaunchPlaces& places, const std::set<std::string>& zones) {
  Result<std::map<std::string, std::set<std::string>>> offered = api_.zones_of(spec_.instance_types);
  if (!offered) {
    places.types_problem = offered.error().text();
    return;
  }
  for (auto& [type, offering] : *offered) {
    if (places.vpc_problem.empty()) {
      std::erase_if(offering, [&](const std::string& zone) { return !zones.contains(zone); });
    }
    if (!offering.empty()) {
      places.zones_of.emplace(type, std::move(offering));
    }
  }
}

void RegionLook::look_at_stock(LaunchPlaces& places) {
  const std::string parameter = spec_.stock_parameter();
  const Result<std::string> id = api_.parameter(parameter);
  if (!id) {
    places.stock_problem = id.error().kind == ErrorKind::not_found
                               ? fmt::format("{} has no public parameter {}", api_.region(), parameter)
                               : id.error().text();
    return;
  }
  if (!id->starts_with("ami-")) {
    places.stock_problem = fmt::format("the parameter {} in {} holds no image id", parameter, api_.region());
    return;
  }
  Result<std::optional<ImageSeen>> image = api_.image(*id);
  if (!image) {
    places.stock_problem = image.error().text();
  } else if (!*image) {
    places.stock_problem =
        fmt::format("the image {} of the parameter {} does not exist in {}", *id, parameter, api_.region());
  } else {
    places.stock_image = *id;
    places.stock = std::move(**image);
  }
}

}  // namespace parallax::fleet
