// The checks of `parallax doctor`, one function for each subject. Nothing is changed anywhere: calls that would change
// something are asked for with EC2's DryRun, or of IAM's simulator.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/aws_session.h"
#include "cli/config.h"
#include "cli/doctor_report.h"
#include "cli/world.h"

namespace parallax::cli {

struct Patient {
  World& world;
  AwsSession& session;
  Monotonic deadline;
  std::vector<std::string> regions;  // to look at; the first is where account-wide questions go
  std::optional<Config> config;      // parallax.toml, where there is one
  std::string account, arn;          // who we are; empty while unknown
  std::vector<Check> checks;         // what was found so far

  void add(const Check& check) { checks.push_back(check); }

  // A call in `region` within the deadline.
  Result<Json> call(const std::string& service, const std::string& region, std::string_view operation,
                    const Json& params) const;
};

// Which source credentials come from and when they end. False where there are none.
bool check_credentials(Patient& patient);

// sts:GetCallerIdentity; fills `account` and `arn`. False where it was refused or not answered.
bool check_identity(Patient& patient);

// Where each service is called in the first region, and for which region it is signed.
void check_endpoints(Patient& patient);

// Each region at once: whether it is enabled, how far it is, whether it takes our signature; and our clock against the
// first one's. `signed_calls` is false where credentials do not work: reachability and clock are checked all the same.
void check_regions(Patient& patient, bool signed_calls);

// What the fleet commands need: by iam:SimulatePrincipalPolicy, else by DryRun and reading calls.
void check_permissions(Patient& patient);

// What EC2 tells of the account's limits in the first region.
void check_quotas(Patient& patient);

// The directory of the controller's journal, the collector and its key.
void check_own(Patient& patient, const std::string& journal_directory);

}  // namespace parallax::cli
