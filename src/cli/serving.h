// What the commands that serve share.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/world.h"
#include "collector/collector.h"
#include "store/store.h"

namespace parallax::cli {

struct ListenAddress {
  std::string address;  // without brackets
  int port = 0;
};

// "127.0.0.1:8321", "[::1]:0", ":8321" (loopback). Error: invalid.
Result<ListenAddress> parse_listen(std::string_view text);

bool is_loopback(std::string_view address);

// A directory below `directory` that holds this program under the name `parallax`, whatever it is called here: for the
// PATH of simulated machines.
Result<std::string> link_program(World& world, const std::string& directory);

// Until the first signal.
void wait_for_stop(World& world);

}  // namespace parallax::cli
