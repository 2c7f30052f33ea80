#include "s3/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <new>

#include "base/errors.h"

namespace stepstore::s3 {
namespace {

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
struct FreeMacContext {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigestContext>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMacContext>;

// OpenSSL's functions fail here only for want of memory or of the algorithm itself.
void expect(bool worked, const char* what) {
  if (worked) return;
  error(ErrorCode::Unsupported, "sign", "", std::string("OpenSSL cannot compute ") + what,
        "Install an OpenSSL 3 with its default provider.")
      .raise();
}

// Looking an algorithm up costs more than hashing a header; so once for the process, never freed.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  expect(method != nullptr, "SHA-256");
  return method;
}

EVP_MAC* hmac_method() {
  static EVP_MAC* const method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  expect(method != nullptr, "HMAC");
  return method;
}

void run_digest(EVP_MD_CTX* context, const EVP_MD* method, std::span<const BytesView> pieces,
                std::byte* out, const char* name) {
  expect(context != nullptr && EVP_DigestInit_ex2(context, method, nullptr) == 1, name);
  for (const BytesView piece : pieces) {
    expect(EVP_DigestUpdate(context, piece.data(), piece.size()) == 1, name);
  }
  expect(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(out), nullptr) == 1, name);
}

// Every request is hashed, and a context costs as much as the hash of a head: one per thread.
EVP_MD_CTX* sha256_context() {
  thread_local const DigestContext context(EVP_MD_CTX_new());
  return context.get();
}

// With the key that it was set up for last: requests are signed with the same one all day.
struct Hmac {
  MacContext context;
  Sha256 key{};
  bool keyed = false;
};

MacContext make_hmac_context() {
  MacContext context(EVP_MAC_CTX_new(hmac_method()));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
  expect(context && EVP_MAC_CTX_set_params(context.get(), parameters) == 1, "HMAC-SHA-256");
  return context;
}

Hmac& thread_hmac() {
  thread_local Hmac hmac{.context = make_hmac_context()};
  return hmac;
}

const unsigned char* raw(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

template <class Number>
std::string big_endian_base64(Number number) {
  std::array<std::byte, sizeof(Number)> bytes;
  for (std::size_t i = bytes.size(); i-- > 0; number >>= 8U) {
    bytes[i] = static_cast<std::byte>(number & 0xffU);
  }
  return base64(bytes);
}

}  // namespace

Sha256 sha256(std::span<const BytesView> pieces) {
  Sha256 out;
  run_digest(sha256_context(), sha256_method(), pieces, out.data(), "SHA-256");
  return out;
}

Sha256 sha256(BytesView bytes) { return sha256(std::span(&bytes, 1)); }

Sha256 hmac_sha256(BytesView key, BytesView bytes) {
  Hmac& hmac = thread_hmac();
  EVP_MAC_CTX* const context = hmac.context.get();
  static const unsigned char no_key = 0;
  const unsigned char* key_data = key.empty() ? &no_key : raw(key);
  std::size_t key_size = key.size();
  if (hmac.keyed && key == BytesView(hmac.key)) {
    key_data = nullptr;  // means the key that was set before
    key_size = 0;
  }
  hmac.keyed = false;  // should it fail on the way
  Sha256 out;
  std::size_t size = 0;
  expect(EVP_MAC_init(context, key_data, key_size, nullptr) == 1 &&
             EVP_MAC_update(context, raw(bytes), bytes.size()) == 1 &&
             EVP_MAC_final(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                           out.size()) == 1,
         "HMAC-SHA-256");
  if (key.size() == hmac.key.size()) {
    std::ranges::copy(key, hmac.key.begin());
    hmac.keyed = true;
  }
  return out;
}

std::string hex(BytesView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(2 * bytes.size(), '\0');
  char* at = out.data();
  for (const std::byte byte : bytes) {
    *at++ = kDigits[std::to_integer<unsigned>(byte) >> 4];
    *at++ = kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return out;
}

std::string base64(BytesView bytes) {
  // EVP_EncodeBlock adds a zero byte at the end.
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), raw(bytes),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  // EVP_DecodeBlock skips blanks around it, and counts the bytes that padding stands for.
  if (text.empty() || text.size() % 4 != 0 || text.find_first_of(" \t\r\n") != text.npos) {
    return std::nullopt;
  }
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), raw(text),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

std::string md5_base64(std::span<const BytesView> pieces) {
  // Here it only detects damage, which a machine in FIPS mode may do, too.
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "MD5", "-fips");
  expect(method != nullptr, "MD5");
  std::array<std::byte, 16> out;
  const DigestContext context(EVP_MD_CTX_new());
  run_digest(context.get(), method, pieces, out.data(), "MD5");
  return base64(out);
}

std::string md5_base64(BytesView bytes) { return md5_base64(std::span(&bytes, 1)); }

std::string crc64_base64(std::uint64_t crc) { return big_endian_base64(crc); }

std::string crc32c_base64(std::uint32_t crc) { return big_endian_base64(crc); }

}  // namespace stepstore::s3
