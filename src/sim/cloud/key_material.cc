#include "sim/cloud/key_material.h"

#include <array>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "codec/signature.h"

namespace parallax::sim {

namespace {

constexpr int kRsaBits = 2048;
constexpr unsigned long kExponent = 65537;
constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kKeyTextMax = 16U << 10U;
constexpr std::size_t kPemColumns = 70;
constexpr std::size_t kCipherBlock = 8;

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* pointer) const {
    release(pointer);
  }
};

using Number = std::unique_ptr<BIGNUM, Release<BN_clear_free>>;
using NumberContext = std::unique_ptr<BN_CTX, Release<BN_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using PrivateInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Release<PKCS8_PRIV_KEY_INFO_free>>;
using Encoder = std::unique_ptr<OSSL_ENCODER_CTX, Release<OSSL_ENCODER_CTX_free>>;

const unsigned char* unsigned_bytes(std::string_view text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): C API
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* unsigned_bytes(std::string& text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): C API
  return reinterpret_cast<unsigned char*>(text.data());
}

Error bad_key() {
  return make_error(ErrorKind::invalid, "Key is not in valid OpenSSH public key format");
}

Error no_openssl(std::string_view what) {
  return make_error(ErrorKind::internal, fmt::format("OpenSSL could not {}", what));
}

// SSH's wire format: a length of four bytes, then the bytes.
void put_string(std::string& out, std::string_view text) {
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    out += static_cast<char>((text.size() >> (shift - 8)) & 0xffU);
  }
  out += text;
}

void put_number(std::string& out, const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, unsigned_bytes(bytes));
  if (!bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0) {
    bytes.insert(bytes.begin(), '\0');
  }
  put_string(out, bytes);
}

Result<std::string_view> take_string(std::string_view& rest) {
  if (rest.size() < 4) {
    return bad_key();
  }
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i) {
    size = (size << 8U) | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
  }
  if (size > rest.size() - 4) {
    return bad_key();
  }
  const std::string_view text = rest.substr(4, size);
  rest.remove_prefix(4 + size);
  return text;
}

std::string digest_of(const EVP_MD* kind, std::string_view data) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(kind)), '\0');
  unsigned length = 0;
  EVP_Digest(data.data(), data.size(), unsigned_bytes(out), &length, kind, nullptr);
  return out;
}

std::string with_colons(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += fmt::format("{}{:02x}", out.empty() ? "" : ":", static_cast<unsigned char>(byte));
  }
  return out;
}

// An RSA key of the parts that are there: n and e, or all.
Result<Key> rsa_of(const std::vector<std::pair<const char*, const BIGNUM*>>& parts, int selection) {
  const Builder builder(OSSL_PARAM_BLD_new());
  bool ok = builder != nullptr;
  for (const auto& [name, number] : parts) {
    ok = ok && OSSL_PARAM_BLD_push_BN(builder.get(), name, number) == 1;
  }
  const Parameters parameters(ok ? OSSL_PARAM_BLD_to_param(builder.get()) : nullptr);
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1) {
    return no_openssl("build an RSA key");
  }
  return Key(key);
}

Result<std::string> subject_public_key_info(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) {
    return no_openssl("write a public key");
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): C API
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

Result<PublicKey> rsa_public(const BIGNUM* modulus, const BIGNUM* exponent) {
  const int bits = BN_num_bits(modulus);
  if ((bits != 1024 && bits != 2048 && bits != 4096) || BN_is_odd(modulus) == 0 || BN_is_odd(exponent) == 0 ||
      BN_is_one(exponent) != 0) {
    return bad_key();
  }
  const Key key =
      TRY(rsa_of({{OSSL_PKEY_PARAM_RSA_N, modulus}, {OSSL_PKEY_PARAM_RSA_E, exponent}}, EVP_PKEY_PUBLIC_KEY));
  PublicKey out;
  out.type = "rsa";
  put_string(out.blob, "ssh-rsa");
  put_number(out.blob, exponent);
  put_number(out.blob, modulus);
  out.fingerprint = with_colons(digest_of(EVP_md5(), TRY(subject_public_key_info(key.get()))));
  return out;
}

PublicKey ed25519_public(std::string_view raw) {
  PublicKey out;
  out.type = "ed25519";
  put_string(out.blob, "ssh-ed25519");
  put_string(out.blob, raw);
  out.fingerprint = base64_encode(bytes_of(sha256(out.blob)));
  return out;
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(unsigned_bytes(bytes), static_cast<int>(bytes.size()), nullptr));
}

Result<PublicKey> from_blob(std::string_view blob) {
  std::string_view rest = blob;
  const std::string_view type = TRY(take_string(rest));
  if (type == "ssh-rsa") {
    const std::string_view exponent = TRY(take_string(rest));
    const std::string_view modulus = TRY(take_string(rest));
    if (!rest.empty()) {
      return bad_key();
    }
    return rsa_public(number_of(modulus).get(), number_of(exponent).get());
  }
  const std::string_view raw = type == "ssh-ed25519" ? TRY(take_string(rest)) : "";
  return raw.size() == kSeedBytes && rest.empty() ? Result<PublicKey>(ed25519_public(raw))
                                                  : Result<PublicKey>(bad_key());
}

Result<PublicKey> from_der(std::string_view der) {
  const unsigned char* bytes = unsigned_bytes(der);
  const Key key(d2i_PUBKEY(nullptr, &bytes, static_cast<long>(der.size())));
  BIGNUM* modulus = nullptr;
  BIGNUM* exponent = nullptr;
  if (key == nullptr || EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &modulus) != 1) {
    return bad_key();
  }
  const Number n(modulus);
  if (EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
    return bad_key();
  }
  return rsa_public(n.get(), Number(exponent).get());
}

// The base64 lines of a block between markers, without its headers.
std::string block_body(std::string_view text) {
  std::string body;
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (!line.starts_with("--") && line.find(':') == std::string_view::npos) {
      body += line;
    }
  }
  return body;
}

// An odd number of half the key's bits, the two highest set, that is prime and fits the exponent.
Result<Number> draw_prime(Rng& rng, BN_CTX* context) {
  std::string bytes(kRsaBits / 16, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(rng.below(256));
  }
  bytes.front() = static_cast<char>(static_cast<unsigned char>(bytes.front()) | 0xc0U);
  bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) | 1U);
  Number prime = number_of(bytes);
  constexpr int kTriesMax = 20'000;
  for (int i = 0; i < kTriesMax; ++i) {
    if (BN_mod_word(prime.get(), kExponent) != 1 && BN_check_prime(prime.get(), context, nullptr) == 1) {
      return prime;
    }
    BN_add_word(prime.get(), 2);
  }
  return no_openssl("find a prime");
}

Number minus_one(const Number& number) {
  Number out(BN_dup(number.get()));
  BN_sub_word(out.get(), 1);
  return out;
}

Result<std::string> private_info(EVP_PKEY* key) {
  const PrivateInfo info(EVP_PKEY2PKCS8(key));
  unsigned char* der = nullptr;
  const int size = info == nullptr ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  if (size <= 0) {
    return no_openssl("write a private key");
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): C API
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

Result<std::string> rsa_pem(EVP_PKEY* key) {
  const Encoder encoder(OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "PEM", "type-specific", nullptr));
  unsigned char* text = nullptr;
  std::size_t size = 0;
  if (encoder == nullptr || OSSL_ENCODER_to_data(encoder.get(), &text, &size) != 1) {
    return no_openssl("write a private key");
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): C API
  std::string out(reinterpret_cast<const char*>(text), size);
  OPENSSL_free(text);
  return out;
}

// OpenSSH's PROTOCOL.key, without encryption.
std::string openssh_pem(const PublicKey& key, std::string_view seed, std::string_view raw_public, std::uint64_t check) {
  std::string secret;
  for (int twice = 0; twice < 2; ++twice) {
    for (unsigned shift = 32; shift > 0; shift -= 8) {
      secret += static_cast<char>((check >> (shift - 8)) & 0xffU);
    }
  }
  put_string(secret, "ssh-ed25519");
  put_string(secret, raw_public);
  put_string(secret, std::string(seed) + std::string(raw_public));
  put_string(secret, "");
  for (char pad = 1; secret.size() % kCipherBlock != 0; ++pad) {
    secret += pad;
  }
  std::string body("openssh-key-v1\0", 15);
  put_string(body, "none");
  put_string(body, "none");
  put_string(body, "");
  body += std::string("\0\0\0\1", 4);
  put_string(body, key.blob);
  put_string(body, secret);
  const std::string text = base64_encode(body);
  std::string pem = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t i = 0; i < text.size(); i += kPemColumns) {
    pem += text.substr(i, kPemColumns) + "\n";
  }
  return pem + "-----END OPENSSH PRIVATE KEY-----\n";
}

}  // namespace

std::string PublicKey::line(std::string_view comment) const {
  return fmt::format("ssh-{} {} {}", type, base64_encode(blob), comment);
}

Result<PublicKey> read_public_key(std::string_view text) {
  text = trim(text);
  if (text.empty() || text.size() > kKeyTextMax) {
    return bad_key();
  }
  const bool block = text.starts_with("--");
  if (text.starts_with("ssh-")) {
    const std::vector<std::string_view> words = split(text, ' ');
    const Result<std::string> blob = base64_decode(words.size() < 2 ? "" : trim(words[1]));
    if (!blob || text.find('\n') != std::string_view::npos) {
      return bad_key();
    }
    const PublicKey key = TRY(from_blob(*blob));
    return words[0] == "ssh-" + key.type ? Result<PublicKey>(key) : Result<PublicKey>(bad_key());
  }
  const Result<std::string> bytes = base64_decode(block_body(text));
  if (!bytes) {
    return bad_key();
  }
  return block && text.find("SSH2") != std::string_view::npos ? from_blob(*bytes) : from_der(*bytes);
}

Result<MadeKey> make_rsa_key(Rng& rng) {
  const NumberContext context(BN_CTX_new());
  const Number p = TRY(draw_prime(rng, context.get()));
  const Number q = TRY(draw_prime(rng, context.get()));
  const Number e(BN_new());
  BN_set_word(e.get(), kExponent);
  const Number n(BN_new());
  BN_mul(n.get(), p.get(), q.get(), context.get());
  const Number p1 = minus_one(p);
  const Number q1 = minus_one(q);
  const Number phi(BN_new());
  BN_mul(phi.get(), p1.get(), q1.get(), context.get());
  const Number d(BN_mod_inverse(nullptr, e.get(), phi.get(), context.get()));
  const Number inverse(BN_mod_inverse(nullptr, q.get(), p.get(), context.get()));
  const Number dp(BN_new());
  const Number dq(BN_new());
  if (d == nullptr || inverse == nullptr || BN_mod(dp.get(), d.get(), p1.get(), context.get()) != 1 ||
      BN_mod(dq.get(), d.get(), q1.get(), context.get()) != 1) {
    return no_openssl("make an RSA key");
  }
  const Key key = TRY(rsa_of({{OSSL_PKEY_PARAM_RSA_N, n.get()},
                              {OSSL_PKEY_PARAM_RSA_E, e.get()},
                              {OSSL_PKEY_PARAM_RSA_D, d.get()},
                              {OSSL_PKEY_PARAM_RSA_FACTOR1, p.get()},
                              {OSSL_PKEY_PARAM_RSA_FACTOR2, q.get()},
                              {OSSL_PKEY_PARAM_RSA_EXPONENT1, dp.get()},
                              {OSSL_PKEY_PARAM_RSA_EXPONENT2, dq.get()},
                              {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, inverse.get()}},
                             EVP_PKEY_KEYPAIR));
  MadeKey made;
  made.public_key = TRY(rsa_public(n.get(), e.get()));
  made.private_pem = TRY(rsa_pem(key.get()));
  made.fingerprint = with_colons(digest_of(EVP_sha1(), TRY(private_info(key.get()))));
  return made;
}

Result<MadeKey> make_ed25519_key(Rng& rng) {
  std::string seed(kSeedBytes, '\0');
  for (char& byte : seed) {
    byte = static_cast<char>(rng.below(256));
  }
  const std::string raw = TRY(ed25519_public_key(seed));
  MadeKey made;
  made.public_key = ed25519_public(raw);
  made.private_pem = openssh_pem(made.public_key, seed, raw, rng.next());
  made.fingerprint = made.public_key.fingerprint;
  return made;
}

}  // namespace parallax::sim
