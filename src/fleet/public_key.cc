// OpenSSH public keys (RFC 4253 section 6.6, RFC 8709), as far as EC2's ImportKeyPair takes them.
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "fleet/spec.h"

namespace parallax::fleet {

namespace {

constexpr std::size_t kLineBytesMax = 16U << 10U;  // EC2 takes 2048 characters; RSA 4096 has 724
constexpr std::size_t kEd25519Bytes = 32;
constexpr unsigned kByteBits = 8;
constexpr std::size_t kLengthBytes = 4;

Error bad(std::string message) {
  return make_error(ErrorKind::invalid, std::move(message));
}

// Takes one string off the front: four bytes of length, then so many bytes.
std::optional<std::string_view> take_string(std::string_view& blob) {
  if (blob.size() < kLengthBytes) {
    return std::nullopt;
  }
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length = (length << kByteBits) | static_cast<unsigned char>(blob[i]);
  }
  blob.remove_prefix(kLengthBytes);
  if (length > blob.size()) {
    return std::nullopt;
  }
  const std::string_view string = blob.substr(0, length);
  blob.remove_prefix(length);
  return string;
}

struct RsaNumbers {
  std::string_view exponent, modulus;  // two's complement, big-endian, as DER has them too
};

std::optional<RsaNumbers> rsa_numbers(std::string_view blob) {
  take_string(blob);
  const std::optional<std::string_view> exponent = take_string(blob);
  const std::optional<std::string_view> modulus = take_string(blob);
  if (!exponent || !modulus || exponent->empty() || modulus->empty() || !blob.empty()) {
    return std::nullopt;
  }
  return RsaNumbers{*exponent, *modulus};
}

std::size_t bits_of(std::string_view number) {
  while (!number.empty() && number.front() == '\0') {
    number.remove_prefix(1);
  }
  std::size_t bits = number.size() * kByteBits;
  for (unsigned mask = 0x80; !number.empty() && mask != 0 && (static_cast<unsigned char>(number[0]) & mask) == 0;
       mask >>= 1U) {
    --bits;
  }
  return bits;
}

// One DER element: tag, length in its shortest form, content.
std::string der(char tag, const std::string& content) {
  constexpr std::size_t kShortMax = 127;
  std::string length;
  if (content.size() <= kShortMax) {
    length = std::string(1, static_cast<char>(content.size()));
  } else {
    for (std::size_t rest = content.size(); rest > 0; rest >>= kByteBits) {
      length.insert(length.begin(), static_cast<char>(rest & 0xFFU));
    }
    length.insert(length.begin(), static_cast<char>(0x80U | length.size()));
  }
  return tag + length + content;
}

// SubjectPublicKeyInfo of an RSA key (RFC 8017 appendix A.1.1, RFC 3279 section 2.3.1).
std::string subject_public_key_info(const RsaNumbers& numbers) {
  constexpr char kInteger = 2;
  constexpr char kBitString = 3;
  constexpr char kSequence = 0x30;
  const std::string rsa_encryption("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 13);
  const std::string key =
      der(kSequence, der(kInteger, std::string(numbers.modulus)) + der(kInteger, std::string(numbers.exponent)));
  return der(kSequence, der(kSequence, rsa_encryption) + der(kBitString, std::string(1, '\0') + key));
}

Result<> check_rsa(std::string_view blob) {
  const std::optional<RsaNumbers> numbers = rsa_numbers(blob);
  if (!numbers) {
    return bad("the RSA key is damaged");
  }
  const std::size_t bits = bits_of(numbers->modulus);
  if (bits != 1024 && bits != 2048 && bits != 4096) {
    return bad(fmt::format("EC2 takes RSA keys of 1024, 2048 and 4096 bits, this one has {}", bits));
  }
  return {};
}

Result<> check_ed25519(std::string_view blob) {
  take_string(blob);
  const std::optional<std::string_view> key = take_string(blob);
  if (!key || key->size() != kEd25519Bytes || !blob.empty()) {
    return bad("the ED25519 key is damaged");
  }
  return {};
}

}  // namespace

Result<KeySpec> parse_public_key(std::string_view line, const std::string& name) {
  if (line.size() > kLineBytesMax) {
    return bad(fmt::format("a public key has at most {} bytes, this has {}", kLineBytesMax, line.size()));
  }
  line = trim(line);
  if (line.find("PRIVATE KEY") != std::string_view::npos) {
    return bad("this is a private key; name the public one, which ssh-keygen wrote beside it with the ending .pub");
  }
  if (line.empty() || line.find('\n') != std::string_view::npos) {
    return bad("a public key is one line, such as \"ssh-ed25519 AAAA... comment\"");
  }
  const std::size_t blank = line.find_first_of(" \t");
  const std::string_view type = line.substr(0, blank);
  if (type != "ssh-rsa" && type != "ssh-ed25519") {
    return bad(fmt::format("EC2 takes keys of the types ssh-rsa and ssh-ed25519, not '{}'", terminal_safe(type, 40)));
  }
  std::string_view text = blank == std::string_view::npos ? "" : trim(line.substr(blank));
  text = text.substr(0, text.find_first_of(" \t"));
  const Result<std::string> blob = base64_decode(text);
  if (!blob) {
    return bad(fmt::format("the key's text is damaged: {}", blob.error().message));
  }
  std::string_view rest = *blob;
  if (take_string(rest) != type) {
    return bad(fmt::format("the key's text does not hold a key of the type {}", type));
  }
  TRY(type == "ssh-rsa" ? check_rsa(*blob) : check_ed25519(*blob));
  KeySpec key;
  key.name = name;
  key.type = type.substr(4);
  key.material = fmt::format("{} {}", type, text);
  std::string digest = base64_encode(bytes_of(sha256(*blob)));
  digest.erase(digest.find_last_not_of('=') + 1);
  key.digest = "SHA256:" + digest;
  return key;
}

Result<std::string> imported_fingerprint(const KeySpec& key) {
  const std::size_t blank = key.material.find(' ');
  const std::string blob =
      TRY(base64_decode(blank == std::string::npos ? "" : std::string_view(key.material).substr(blank + 1)));
  if (key.type != "rsa") {
    return base64_encode(bytes_of(sha256(blob)));
  }
  const std::optional<RsaNumbers> numbers = rsa_numbers(blob);
  if (!numbers) {
    return bad("the RSA key is damaged");
  }
  const std::string hex = md5_hex(subject_public_key_info(*numbers));
  std::string fingerprint;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    fingerprint += (i == 0 ? "" : ":") + hex.substr(i, 2);
  }
  return fingerprint;
}

}  // namespace parallax::fleet
