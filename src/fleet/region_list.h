// All regions of the account's partition: which can be used, how far they are from home, what a machine costs there,
// and what of the fleet is there.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/regions.h"
#include "fleet/run.h"
#include "fleet/spec.h"

namespace parallax::fleet {

struct RegionRow {
  std::string id;
  std::string name;    // "Paris"; empty for a region that is newer than this program
  std::string opt_in;  // "opt-in-not-required", "opted-in", "not-opted-in", as EC2 says
  bool in_fleet = false;
  bool home = false;
  std::optional<double> distance_km;  // from home, along the great circle; absent: a place is not known
  std::string priced_type;            // the first of the fleet's types whose price is known there; empty: none
  std::optional<double> usd_per_hour;
  // What bears the fleet's tag, by EC2's word for the kind ("instance", "volume", "image", ...): how many. Terminated
  // instances stay for an hour. Absent where the region is not enabled or could not be asked.
  std::optional<std::map<std::string, int>> resources;
  std::string problem;  // why it could not be asked: a sentence

  bool enabled() const { return opt_in != "not-opted-in"; }
};

struct RegionList {
  std::vector<RegionRow> rows;   // enabled ones first, then by distance, then by name
  std::string partition;         // "aws"
  std::optional<Error> problem;  // the list could not be had: `rows` is empty
};

// One DescribeRegions in home, then one DescribeTags in each enabled region, all at once. A region's failure is its
// own.
RegionList list_regions(const FleetDeps& deps, const Spec& spec, Micros timeout, std::stop_token stop,
                        const TroubleObserver& trouble = {});

// Great circle on a sphere of 6371 km; the places are towns, so whole kilometres say more than is known.
double distance_km(const RegionInfo& a, const RegionInfo& b);

}  // namespace parallax::fleet
