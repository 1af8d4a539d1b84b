// What the tests of changes share: a specification, an observation made by hand, steps, and what is then in the
// account.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fleet/change.h"
#include "fleet/lease.h"
#include "tests/fleet/fleet_fixture.h"

namespace parallax::testing {

inline constexpr const char* kHome = "us-west-2";
inline constexpr const char* kAway = "eu-west-3";

// Two regions, stock image, key pair, role of ours.
fleet::Spec change_spec();

// A specification whose image is home's, which home_image() makes.
fleet::Spec copy_spec();

sim::CloudOptions empty_cloud();

fleet::Step step(fleet::StepKind kind, const std::string& region = "", const std::string& id = "", int slot = 0);

// What is to be asked before something is made: the default VPC, who offers which type, the stock image.
fleet::Observed observed_by_hand(FleetFixture& fixture, const fleet::Spec& spec);

// Home's original, made of a machine that is terminated afterwards. From within a body or script.
fleet::ImageSeen home_image(FleetFixture& fixture, const fleet::Spec& spec);

// Role, profile, key pair, group and a machine for each slot: for a world without them.
fleet::Plan fresh_plan(const fleet::Spec& spec);

// Every resource of the account that Describe, List or Get shows, "eu-west-3 instance running", sorted: without what
// belongs to every account, and without terminated machines.
std::vector<std::string> account_contents(FleetFixture& fixture, const fleet::Spec& spec);

fleet::ChangeOutcome change(const fleet::FleetDeps& deps, const fleet::Spec& spec, const fleet::Observed& observed,
                            const fleet::Plan& plan, std::stop_token stop = {},
                            const fleet::ChangeObserver& observe = {}, fleet::ChangeOptions options = {});

// What a failed expectation prints.
std::string to_text(const fleet::ChangeOutcome& outcome);

}  // namespace parallax::testing
