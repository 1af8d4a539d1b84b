#include "http/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <netinet/in.h>

namespace parallax::http {

namespace {

using Ipv6 = std::array<std::uint8_t, 16>;

struct Ipv4Block {
  std::uint32_t first;
  unsigned prefix;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return a << 24U | b << 16U | c << 8U;
}

// The IANA special-purpose registry, less what is globally reachable.
constexpr std::array kIpv4NotPublic = {
    Ipv4Block{v4(0, 0, 0), 8},      Ipv4Block{v4(10, 0, 0), 8},     Ipv4Block{v4(100, 64, 0), 10},
    Ipv4Block{v4(127, 0, 0), 8},    Ipv4Block{v4(169, 254, 0), 16}, Ipv4Block{v4(172, 16, 0), 12},
    Ipv4Block{v4(192, 0, 0), 24},   Ipv4Block{v4(192, 0, 2), 24},   Ipv4Block{v4(192, 88, 99), 24},
    Ipv4Block{v4(192, 168, 0), 16}, Ipv4Block{v4(198, 18, 0), 15},  Ipv4Block{v4(198, 51, 100), 24},
    Ipv4Block{v4(203, 0, 113), 24}, Ipv4Block{v4(224, 0, 0), 4},    Ipv4Block{v4(240, 0, 0), 4},
};

bool is_public(std::uint32_t address) {
  return std::none_of(kIpv4NotPublic.begin(), kIpv4NotPublic.end(), [address](const Ipv4Block& block) {
    return (address ^ block.first) >> (32U - block.prefix) == 0;
  });
}

std::uint32_t embedded(const Ipv6& bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24U | std::uint32_t{bytes[at + 1]} << 16U | std::uint32_t{bytes[at + 2]} << 8U |
         std::uint32_t{bytes[at + 3]};
}

bool starts_with(const Ipv6& bytes, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool is_public(const Ipv6& a) {
  if (starts_with(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}) ||
      starts_with(a, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return is_public(embedded(a, 12));  // mapped, NAT64
  }
  if (starts_with(a, {0x20, 0x02})) {
    return is_public(embedded(a, 2));  // 6to4
  }
  const bool protocol_assignment = starts_with(a, {0x20, 0x01}) && a[2] < 2;  // 2001::/23, Teredo among them
  const bool documentation = starts_with(a, {0x20, 0x01, 0x0D, 0xB8}) || (a[0] == 0x3F && a[1] == 0xFF && a[2] < 16);
  const bool global_unicast = (a[0] & 0xE0U) == 0x20;
  return global_unicast && !protocol_assignment && !documentation;
}

}  // namespace

bool is_address(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string ip = bracketed ? host.substr(1, host.size() - 2) : host;
  Ipv6 bytes{};
  return inet_pton(AF_INET, ip.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, ip.c_str(), bytes.data()) == 1;
}

bool is_public_address(const std::string& ip) {
  in_addr four{};
  if (inet_pton(AF_INET, ip.c_str(), &four) == 1) {
    return is_public(ntohl(four.s_addr));
  }
  Ipv6 six{};
  return inet_pton(AF_INET6, ip.c_str(), six.data()) == 1 && is_public(six);
}

}  // namespace parallax::http
