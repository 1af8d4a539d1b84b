// Which addresses belong to the public internet: what a foreign server names must not lead into our own networks.
#pragma once

#include <string>

namespace parallax::http {

// False for private, loopback, link-local (with it the metadata address), carrier-grade NAT, multicast, reserved and
// documentation addresses, for IPv6 ones that carry such an IPv4 address inside (mapped, 6to4, NAT64), and for
// everything that is no IP address.
bool is_public_address(const std::string& ip);

// Whether `host` is an IPv4 or IPv6 address (this one with or without brackets) and no name.
bool is_address(const std::string& host);

}  // namespace parallax::http
