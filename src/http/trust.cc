#include "http/trust.h"

#include <ctime>
#include <utility>

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace parallax::http {

namespace {

constexpr Micros kReadAgainAfter = Seconds(24 * 3600);  // as libcurl's own cache

struct StoreDeleter {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};

std::string default_roots() {
  const char* file = nullptr;
  CURL* const easy = curl_easy_init();
  if (easy != nullptr) {
    curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
    curl_easy_cleanup(easy);  // the name is libcurl's own constant
  }
  return file == nullptr ? "" : file;
}

}  // namespace

struct TrustStore::Roots {
  std::unique_ptr<X509_STORE, StoreDeleter> store;  // null: the file could not be read
  Monotonic read_at;
};

TrustStore::TrustStore(std::string system_roots) : system_roots_(std::move(system_roots)) {}

TrustStore::~TrustStore() = default;

void TrustStore::prepare(const std::string& file, Monotonic now) {
  // Held while the file is read: of many tasks that come at once one does the work.
  const MutexLock lock(mutex_);
  const auto found = roots_.find(file);
  if (found != roots_.end() && found->second->store != nullptr && now - found->second->read_at < kReadAgainAfter) {
    return;
  }
  auto roots = std::make_shared<Roots>();
  roots->read_at = now;
  const std::string path = !file.empty() ? file : !system_roots_.empty() ? system_roots_ : default_roots();
  std::unique_ptr<X509_STORE, StoreDeleter> store(X509_STORE_new());
  if (store != nullptr && X509_STORE_load_file(store.get(), path.c_str()) == 1) {
    // What libcurl sets: a chain may end at any certificate that is trusted, and such ones are preferred.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    roots->store = std::move(store);
  }
  ERR_clear_error();
  roots_[file] = std::move(roots);
}

bool TrustStore::give_to(const std::string& file, void* context) {
  std::shared_ptr<Roots> roots;
  {
    const MutexLock lock(mutex_);
    const auto found = roots_.find(file);
    roots = found == roots_.end() ? nullptr : found->second;
  }
  if (roots == nullptr || roots->store == nullptr) {
    return false;
  }
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), roots->store.get());  // counted: it may outlive us
  return true;
}

std::optional<Instant> certificate_end(const void* tls) {
  const X509* const certificate = SSL_get0_peer_certificate(static_cast<const SSL*>(tls));
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
    return std::nullopt;
  }
  const std::time_t seconds = timegm(&end);
  return Instant(Seconds(seconds));
}

}  // namespace parallax::http
