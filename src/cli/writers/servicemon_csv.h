// servicemon's names for what was asked, from one of our records.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/measurement.h"

namespace parallax::cli {

// A number as Python prints it: the shortest text that reads back equal, with ".0" where it is whole.
std::string python_number(double value);

// "base_name_type[-mode]_RA_DEC_SR".
std::string servicemon_name(const Measurement& measurement);

// What was asked, taken apart again: the address as a service file has it, and what stood after RA, DEC and SR.
struct AskedAddress {
  std::string access_url;
  std::vector<std::pair<std::string, std::string>> other_params;  // as they stand in the URL, percent-encoded
};

AskedAddress asked_address(const Measurement& measurement);

// The columns, in order.
const std::vector<std::string>& servicemon_columns();

}  // namespace parallax::cli
