#include "fleet/regions.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::fleet {

extern const std::string_view aws_regions_csv;  // embedded

namespace {

double read_number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "eu-west-3", "us-gov-east-1": lower-case words and a number at the end.
bool has_region_form(std::string_view id) {
  const std::vector<std::string_view> words = split(id, '-');
  const auto all = [](std::string_view word, char low, char high) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [&](char c) { return c >= low && c <= high; });
  };
  return (words.size() == 3 || words.size() == 4) && all(words.back(), '0', '9') &&
         std::all_of(words.begin(), words.end() - 1, [&](std::string_view word) { return all(word, 'a', 'z'); });
}

}  // namespace

const std::vector<RegionInfo>& known_regions() {
  static const std::vector<RegionInfo> kRegions = [] {
    std::vector<RegionInfo> regions;
    for (const std::string_view line : split(aws_regions_csv, '\n')) {
      const std::vector<std::string_view> cells = split(line, ',');
      if (cells.size() >= 6 && cells[0] != "region") {
        regions.push_back(RegionInfo{std::string(cells[0]), std::string(cells[1]), std::string(cells[2]),
                                     read_number(cells[3]), read_number(cells[4]), cells[5] == "yes"});
      }
    }
    return regions;
  }();
  return kRegions;
}

const RegionInfo* find_region(std::string_view id) {
  const std::vector<RegionInfo>& regions = known_regions();
  const auto found =
      std::find_if(regions.begin(), regions.end(), [&](const RegionInfo& region) { return region.id == id; });
  return found == regions.end() ? nullptr : &*found;
}

Result<> check_region(std::string_view id) {
  if (find_region(id) != nullptr) {
    return {};
  }
  std::vector<std::string_view> names;
  for (const RegionInfo& region : known_regions()) {
    names.push_back(region.id);
  }
  const std::string_view best = suggest(id, names);
  // A new number in a known place ("ap-southeast-9") is a new region; other near misses are slips.
  const bool only_number_differs = !best.empty() && id.substr(0, id.rfind('-')) == best.substr(0, best.rfind('-'));
  if (has_region_form(id) && (best.empty() || only_number_differs)) {
    return {};
  }
  return make_error(ErrorKind::invalid, fmt::format("unknown region '{}'{}", id,
                                                    best.empty() ? "" : fmt::format("; did you mean '{}'?", best)));
}

}  // namespace parallax::fleet
