#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <memory>
#include <netinet/in.h>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "http/server.h"

namespace parallax::http {

namespace {

constexpr long kSecondsPerDay = 24L * 3600L;
// Begins in the past, so that a client whose clock is behind accepts it; an expired one needs a beginning before its
// end.
constexpr long kBeginsDaysAgo = 400;
constexpr std::size_t kNamesMax = 100;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

struct Identity {
  Certificate certificate;
  Key key;
};

Error openssl_error(std::string_view what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return make_error(ErrorKind::internal, fmt::format("{}: {}", what, text.data()));
}

bool is_ip(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// The names become a line of OpenSSL's configuration language; nothing in them may end an item.
Result<std::string> alternative_names(const std::vector<std::string>& names) {
  if (names.empty() || names.size() > kNamesMax) {
    return make_error(ErrorKind::invalid, fmt::format("a certificate needs 1 to {} names", kNamesMax));
  }
  std::string out;
  for (const std::string& name : names) {
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
             c == ':' || c == '*';
    });
    if (!plain) {
      return make_error(ErrorKind::invalid, "a certificate's name must be a DNS name or an IP address");
    }
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", is_ip(name) ? "IP" : "DNS", name);
  }
  return out;
}

Result<> add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return openssl_error("adding a certificate extension");
  }
  return {};
}

Result<> set_serial_number(X509* certificate) {
  std::uint32_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1 ||
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) != 1) {
    return openssl_error("making a serial number");
  }
  return {};
}

// An unsigned certificate with a fresh P-256 key.
Result<Identity> make_identity(const std::string& common_name, int days) {
  Identity out{Certificate(X509_new()), Key(EVP_EC_gen("P-256"))};
  if (out.certificate == nullptr || out.key == nullptr) {
    return openssl_error("making a key");
  }
  X509* certificate = out.certificate.get();
  TRY(set_serial_number(certificate));
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  if (X509_set_version(certificate, X509_VERSION_3) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(certificate), -kBeginsDaysAgo * kSecondsPerDay) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(certificate), days * kSecondsPerDay) == nullptr ||
      X509_set_pubkey(certificate, out.key.get()) != 1 ||
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) != 1) {
    return openssl_error("filling a certificate");
  }
  return out;
}

Result<> sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
      X509_sign(certificate, issuer_key, EVP_sha256()) == 0) {
    return openssl_error("signing a certificate");
  }
  return {};
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

Result<std::string> to_pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return openssl_error("writing a certificate");
  }
  return text_of(bio.get());
}

Result<std::string> to_pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_error("writing a private key");
  }
  return text_of(bio.get());
}

}  // namespace

Result<TestCertificates> make_test_certificates(const std::vector<std::string>& names, int days) {
  const std::string alternatives = TRY(alternative_names(names));
  const Identity authority = TRY(make_identity("Parallax test authority", std::max(days, 1)));
  X509* ca = authority.certificate.get();
  TRY(add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY(add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(add_extension(ca, ca, NID_subject_key_identifier, "hash"));
  TRY(sign(ca, ca, authority.key.get()));

  const Identity server = TRY(make_identity("Parallax test server", days));
  X509* leaf = server.certificate.get();
  TRY(add_extension(leaf, ca, NID_basic_constraints, "critical,CA:FALSE"));
  TRY(add_extension(leaf, ca, NID_key_usage, "critical,digitalSignature"));
  TRY(add_extension(leaf, ca, NID_ext_key_usage, "serverAuth"));
  TRY(add_extension(leaf, ca, NID_authority_key_identifier, "keyid"));
  TRY(add_extension(leaf, ca, NID_subject_alt_name, alternatives));
  TRY(sign(leaf, ca, authority.key.get()));
  return TestCertificates{TRY(to_pem(ca)), TRY(to_pem(leaf)), TRY(to_pem(server.key.get()))};
}

}  // namespace parallax::http
