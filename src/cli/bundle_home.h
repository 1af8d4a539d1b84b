// What the program does differently when it runs from a bundle (docs/user/bundle.md): it has a C library, an OpenSSL
// and roots of its own, and takes from the host resolv.conf, hosts and, where there are any, the host's roots.
#pragma once

#include <string>

namespace parallax::cli {

struct BundleHome {
  std::string directory;  // empty: this is no bundle
  std::string program;    // the bundle's wrapper; empty where `directory` is
  std::string roots;      // PEM roots for https: the host's, else the bundle's own; empty: the library's default
};

// Takes PARALLAX_BUNDLE, as the bundle's wrapper set it, out of the environment, so that no child sees it. In a bundle
// it also keeps the process away from what the host's configuration would load into it: modules of nsswitch.conf (names
// are looked up in /etc/hosts and by DNS) and of openssl.cnf. To be called once, before any thread and any TLS.
BundleHome enter_bundle();

}  // namespace parallax::cli
