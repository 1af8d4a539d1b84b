// What one area of EC2 offers to the others and to the worlds.
#pragma once

#include <string>

#include "sim/cloud/ec2_common.h"
#include "sim/cloud/key_material.h"

namespace parallax::sim {

// Key pairs.
const Resource* find_key_pair(const RegionState& region, const std::string& name);
Resource& add_key_pair(World& world, RegionState& region, const std::string& name, const PublicKey& key,
                       const std::string& fingerprint, Tags tags);

// Security groups. A new group lets everything out.
Resource& add_security_group(World& world, RegionState& region, const std::string& vpc_id, const std::string& name,
                             const std::string& description, Tags tags);

// Networks. A default VPC has a default subnet in each zone, a way to the internet and a default group.
Resource& add_default_vpc(World& world, RegionState& region);
Resource* find_default_vpc(RegionState& region);
Resource& add_subnet(World& world, RegionState& region, const std::string& vpc_id, const Zone& zone,
                     const std::string& cidr, bool is_default);
// The default subnet of a zone; nullptr where there is none.
Resource* default_subnet(RegionState& region, const std::string& zone);
// An address of the subnet that nothing uses yet; empty when it is full.
std::string free_private_ip(World& world, const RegionState& region, const Resource& subnet);
std::int64_t free_addresses(const RegionState& region, const Resource& subnet);
// Whether instances may have the address in this subnet.
bool in_subnet(const Resource& subnet, const std::string& address);
// The interface of an instance whose subnet, groups and private address are set. Fills interface_id.
Resource& add_interface(World& world, RegionState& region, Instance& instance, const std::string& description,
                        bool delete_on_termination);
// An interface as it is seen, with what it takes from its instance.
Json render_interface(const RegionState& region, const Resource& interface);
// Whether the instance has a public address, a route out of its VPC, and a group that lets HTTPS out.
bool reaches_internet(const RegionState& region, const Instance& instance);
// Takes the elastic address from an instance that has one.
void free_address_of(RegionState& region, Instance& instance);
// Instances (not yet terminated, or whose interface lingers) that use the group.
bool group_in_use(const RegionState& region, const std::string& group_id);

// Instance types.
struct TypeInfo {
  std::string_view name;
  int vcpus;
  int cores;
  int memory_mib;
  std::string_view architecture;
  std::string_view hypervisor;
  bool current;
  int interfaces_max;
};

const TypeInfo* find_type(std::string_view name);
bool type_offered(std::string_view type, const RegionState& region, const std::string& zone);
// Error: InsufficientInstanceCapacity, VcpuLimitExceeded where `more` instances of the type in the zone are too many.
Result<> check_room(Context& context, const std::string& type, const std::string& zone, int more);
// Whether capacity (CloudOptions) and vCPU limit leave that room; draws nothing.
bool has_room(const Context& context, const std::string& type, const std::string& zone, int more);

// Images that Amazon offers in every region ("x86_64", "arm64"). The id depends on region and architecture alone.
std::string amazon_image_id(const std::string& region, const std::string& architecture);
void add_amazon_images(World& world, RegionState& region);
// Error: InvalidAMIID.NotFound, .Malformed, .Unavailable (deregistered a short while ago).
Result<Resource*> find_image(Context& context, const std::string& id);
// The same for a launch or a copy: .Unavailable also while it is pending, and after it failed.
Result<Resource*> usable_image(Context& context, const std::string& id);
// 3 to 128 characters, and free in this region.
Result<> check_image_name(Context& context, const std::string& name);

// Volumes and snapshots.
struct VolumeSpec {
  std::int64_t size_gib = 8;
  std::string type = "gp3";
  std::string zone;
  std::string snapshot_id;
  std::string kms_key;
  bool encrypted = false;
  std::int64_t iops = 0;
  std::int64_t throughput = 0;
};

Resource& add_volume(World& world, RegionState& region, const VolumeSpec& spec, Tags tags);
void attach(World& world, Resource& volume, Instance& instance, const std::string& device, bool delete_on_termination);
// Volumes of an instance that ends: deleted or set free.
void release_volumes(World& world, RegionState& region, Instance& instance);
// Size and type within EC2's limits.
Result<> check_volume(const VolumeSpec& spec);
// Whether a key of that name exists: the account has aws/ebs alone.
bool known_kms_key(const std::string& key);
std::string default_kms_key(const RegionState& region);
// A snapshot that is complete after the time that snapshots take.
Resource& add_snapshot(World& world, RegionState& region, Json description, Tags tags, Micros takes);

// What a client token did before: the answer, or nullptr. Error: IdempotentParameterMismatch.
Result<const TokenRecord*> token_used(Context& context, const std::string& operation, const std::string& zone,
                                      const Json& input);
void remember_token(Context& context, const std::string& operation, const std::string& zone, const Json& input,
                    const Json& answer, std::vector<std::string> ids);

// As DescribeInstances shows it, with the status it had at `seen`.
Json render_instance(const World& world, const RegionState& region, const Instance& instance,
                     const InstanceStatus& seen);
// The reservation of the instance with these of its instances, rendered.
Json render_reservation(const Instance& instance, JsonArray instances);

// Associates the profile with the instance.
Resource& add_profile_association(World& world, RegionState& region, Instance& instance,
                                  const std::string& profile_arn);
void end_profile_association(RegionState& region, Instance& instance);
std::string id_of_profile(const World& world, const std::string& arn);
// The ARN of the profile that {"Arn"} or {"Name"} names. Error: EC2's, also while it is too new to be usable.
Result<std::string> profile_of(Context& context, const Json& specification);

}  // namespace parallax::sim
