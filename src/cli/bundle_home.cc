#include "cli/bundle_home.h"

#include <array>
#include <cstdlib>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>

#include <nss.h>
#include <openssl/crypto.h>

namespace parallax::cli {

namespace {

// Where distributions keep the roots that their administrators trust, in one file: Debian and Alpine, Fedora and Amazon
// Linux (two names), openSUSE, and what is left.
constexpr std::array<const char*, 5> kHostRoots = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

std::string find_roots(const std::string& directory) {
  for (const char* path : kHostRoots) {
    if (::access(path, R_OK) == 0) {
      return path;
    }
  }
  return directory + "/ca-certificates.crt";
}

void keep_to_ourselves() {
  // The host's modules are made for the host's C library: loading one into ours can fail, or worse, half work.
  for (const auto& [database, services] : {std::pair{"hosts", "files dns"},
                                           {"networks", "files"},
                                           {"services", "files"},
                                           {"protocols", "files"},
                                           {"passwd", "files"},
                                           {"group", "files"}}) {
    static_cast<void>(::__nss_configure_lookup(database, services));
  }
  static_cast<void>(::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr));
  static_cast<void>(::prctl(PR_SET_NAME, "parallax"));  // else ps shows the loader's name
}

}  // namespace

BundleHome enter_bundle() {
  constexpr const char* kVariable = "PARALLAX_BUNDLE";
  BundleHome home;
  // NOLINTBEGIN(concurrency-mt-unsafe): no thread runs yet
  if (const char* directory = std::getenv(kVariable); directory != nullptr && *directory != '\0') {
    home.directory = directory;
    home.program = home.directory + "/parallax";
    home.roots = find_roots(home.directory);
    static_cast<void>(::unsetenv(kVariable));
    keep_to_ourselves();
  }
  // NOLINTEND(concurrency-mt-unsafe)
  return home;
}

}  // namespace parallax::cli
