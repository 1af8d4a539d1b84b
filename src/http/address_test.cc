#include "http/address.h"

#include <gtest/gtest.h>

namespace parallax::http {
namespace {

TEST(PublicAddress, AcceptsTheInternet) {
  for (const std::string ip :
       {"8.8.8.8", "1.0.0.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "2600::1", "2001:4860:4860::8888", "2001:200::1",
        "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_TRUE(is_public_address(ip)) << ip;
  }
}

TEST(PublicAddress, RefusesOurOwnNetworks) {
  for (const std::string ip :
       {"0.0.0.0",   "0.1.2.3",         "10.0.0.1",        "10.255.255.255", "100.64.0.1",     "100.127.255.255",
        "127.0.0.1", "127.9.9.9",       "169.254.169.254", "172.16.0.1",     "172.31.255.255", "192.0.0.1",
        "192.0.2.1", "192.168.1.1",     "198.18.0.1",      "198.19.255.255", "198.51.100.1",   "203.0.113.9",
        "224.0.0.1", "239.255.255.255", "240.0.0.1",       "255.255.255.255"}) {
    EXPECT_FALSE(is_public_address(ip)) << ip;
  }
}

TEST(PublicAddress, RefusesTheirIpv6Relatives) {
  for (const std::string ip : {"::",
                               "::1",
                               "fe80::1",
                               "febf::1",
                               "fec0::1",
                               "fc00::1",
                               "fd00:ec2::254",
                               "ff02::1",
                               "2001:db8::1",
                               "2001::1",
                               "2001:1ff::1",
                               "100::1",
                               "3fff::1",
                               "4000::1",
                               "64:ff9b:1::1",
                               "::ffff:127.0.0.1",
                               "::ffff:169.254.169.254",
                               "::ffff:10.0.0.1",
                               "64:ff9b::7f00:1",
                               "64:ff9b::a9fe:a9fe",
                               "2002:7f00:1::1",
                               "2002:a00:1::",
                               "::127.0.0.1"}) {
    EXPECT_FALSE(is_public_address(ip)) << ip;
  }
}

TEST(PublicAddress, RefusesWhatIsNoAddress) {
  for (const std::string ip : {"", "localhost", "8.8.8", "8.8.8.8 ", "08.8.8.8.8", "[2600::1]", "2600::1%eth0"}) {
    EXPECT_FALSE(is_public_address(ip)) << ip;
  }
}

}  // namespace
}  // namespace parallax::http
