// What a fleet should be: the configuration's [fleet] table with nothing left open. A value; whoever reads the
// configuration makes it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "codec/json.h"

namespace parallax::fleet {

// The tags by which things are known. Every resource that we make bears kFleetTag (lease.h) and Name from the call that
// makes it. Values are the fleet's name unless said.
inline constexpr const char* kSlotTag = "parallax:slot";             // instance: "0", "1", ... within its region
inline constexpr const char* kPublicKeyTag = "parallax:public-key";  // key pair: "SHA256:..." of the public key
inline constexpr const char* kBootTimerTag = "parallax:boot-timer";  // instance: the version of its user data
inline constexpr const char* kOriginalTag = "parallax:original";     // home's originals ("true"): never deleted

// "arm64" or "x86_64" by the name of an instance type: the letter g behind the generation means Graviton ("t4g.micro",
// "c7gn.large", "is4gen.xlarge"), as does the family a1. Empty where the name does not tell: Apple's machines, and what
// is no name of a type.
std::string_view architecture_of(std::string_view instance_type);

struct ImageSpec {
  enum class Kind { copy, stock };
  Kind kind = Kind::stock;
  // copy: the name of home's image. stock: "al2023", or the path of a public SSM parameter that holds an image id.
  std::string name = "al2023";

  // "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", of a stock image. A parameter that the
  // configuration names is taken as it is, whatever the architecture.
  std::string parameter(std::string_view architecture = "x86_64") const;
};

struct GroupSpec {
  std::string name;       // default: the fleet's name
  std::string like_home;  // copy the rules of home's group of that name; empty: no inbound rule
};

struct KeySpec {
  std::string name;      // default: the fleet's name
  std::string type;      // "rsa" or "ed25519", as EC2 calls them
  std::string material;  // the OpenSSH line, "ssh-ed25519 AAAA...", without comment
  std::string digest;    // "SHA256:..." of the key's blob, base64 without padding, as ssh-keygen prints it
};

struct ProfileSpec {
  std::string name = "parallax";  // of the instance profile and, where we make it, of its role (our_profile)
  bool ours = true;               // false: [fleet] instance_profile names an existing one; it is never changed
};

enum class Deadman { guest, guest_and_scheduler };

std::string_view to_string(Deadman deadman);  // "guest", "guest+scheduler"

struct Spec {
  std::string fleet;
  std::string home;
  std::vector<std::string> regions;         // those of the fleet, home too if it has vantages
  std::vector<std::string> instance_types;  // the first one that a region's zones offer
  int instances_per_region = 1;
  ImageSpec image;
  GroupSpec group;
  std::optional<KeySpec> key;
  ProfileSpec profile;
  Deadman deadman = Deadman::guest;
  std::map<std::string, std::string> subnets;  // region: subnet id; absent: a default subnet of the default VPC
  Micros boot_timer{Seconds(20 * 60)};         // a machine that nobody gave an order powers off so long after its boot
  Micros job_timeout{Seconds(1800)};           // for the scheduler's rule and the projected cost
  double rounds_per_day = 4;                   // for the projected cost
  std::optional<double> budget_usd_per_month;

  bool is_home(std::string_view region) const { return region == home; }

  // The public parameter of the stock image for the architecture of the first type; empty where the image is a copy.
  std::string stock_parameter() const;
};

// IAM's names are the account's, so what we make there bears the fleet's name: two fleets of an account have a role
// each, and the clear of one leaves the other's alone. "parallax-NAVO", of instance profile and role;
// "parallax.scheduler-NAVO", of the role that EventBridge stops machines with: no fleet's profile can be called so.
// What IAM does not take is written as '-', then, and where the name has more than 64 characters, followed by a hash.
std::string our_profile(std::string_view fleet);
std::string scheduler_role(std::string_view fleet);

// What decides the resources, in a stable form: for the hash of a saved plan.
Json to_json(const Spec& spec);

// Reads an OpenSSH public key line (RSA 1024, 2048, 4096 and ED25519: what ImportKeyPair takes). Error: invalid.
Result<KeySpec> parse_public_key(std::string_view line, const std::string& name);
// The fingerprint that EC2 shows of this key once it is imported: RSA the MD5 of the DER SubjectPublicKeyInfo, in hex
// with colons; ED25519 the SHA-256 of the blob, base64 with padding. (EC2 User Guide, verify-keys) A key that EC2
// itself made has another one where it was made: compare digests where the public key can be had.
Result<std::string> imported_fingerprint(const KeySpec& key);

// What a machine's shutdown behaviour must be: with the other one its own timer would terminate it.
inline constexpr std::string_view kStopBehaviour = "stop";

// The user data of our machines: a cloud-boothook that arms the boot timer at every boot. Plain text, below 16 KB.
std::string boot_user_data(Micros boot_timer);
// What kBootTimerTag says of machines that have it: changes whenever the text does. "20m-1f0c9a62".
std::string boot_timer_version(Micros boot_timer);
// What MachineSeen::user_data_digest is of machines that have it.
std::string boot_timer_digest(Micros boot_timer);

// EventBridge's stop rule of a machine, where Deadman says so: "parallax-stop-i-0123". It stops the machine once a day,
// seven minutes before midnight UTC, whatever it does then: a machine whose system hangs runs a day at most.
std::string schedule_name(std::string_view instance_id);
std::string schedule_expression();

}  // namespace parallax::fleet
