// `parallax fleet image create`: home's image, made from a machine that was set up by hand. Not to be confused with the
// copies that `apply` makes of it.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "fleet/run.h"
#include "fleet/spec.h"

namespace parallax::fleet {

// A running machine is rebooted so that its disk is at rest; without that, what it writes meanwhile may be half there.
enum class ImageReboot { reboot, no_reboot };

struct ImageMaking {
  std::string instance_id;
  std::string name;  // 3 to 128 characters; free in home
  ImageReboot reboot = ImageReboot::reboot;
  Micros timeout{Seconds(2 * 3600)};
  Micros poll{Seconds(15)};
};

struct MadeImage {
  std::string id, name;
  std::vector<std::string> snapshots;
  Micros took{0};
};

// In the fleet's home region; image and snapshots bear the fleet's tag, Name and kOriginalTag from the call that makes
// them. Returns when the image is available. `tell`: a sentence while one waits.
//
// Errors: invalid (name), conflict (the name is taken: by which image; the image failed, and was deleted again),
// not_found (no such instance in home), timeout and cancelled (the image is still being made: its id), others as AWS
// says.
Result<MadeImage> make_image(const FleetDeps& deps, const Spec& spec, const ImageMaking& making,
                             const std::function<void(const std::string& text)>& tell, std::stop_token stop);

}  // namespace parallax::fleet
