// From the answers of Describe calls to what observed.h calls them. Whatever an answer lacks stays empty.
#pragma once

#include <string>

#include "codec/json.h"
#include "fleet/observed.h"

namespace parallax::fleet {

// [{"Key", "Value"}, ...]
Tags read_tags(const JsonArray& list);

MachineSeen read_machine(const Json& instance, const std::string& region);
ImageSeen read_image(const Json& image);
SnapshotSeen read_snapshot(const Json& snapshot);
VolumeSeen read_volume(const Json& volume);
AddressSeen read_address(const Json& address);
KeySeen read_key(const Json& key_pair);
GroupSeen read_group(const Json& group);

}  // namespace parallax::fleet
