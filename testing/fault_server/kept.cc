#include "testing/fault_server/kept.h"

#include <algorithm>
#include <array>

#include "s3/digest.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

constexpr std::string_view kEncryption = "x-amz-server-side-encryption";
constexpr std::string_view kKmsKey = "x-amz-server-side-encryption-aws-kms-key-id";
constexpr std::string_view kBucketKey = "x-amz-server-side-encryption-bucket-key-enabled";
constexpr std::string_view kAlgorithm = "x-amz-server-side-encryption-customer-algorithm";
constexpr std::string_view kKey = "x-amz-server-side-encryption-customer-key";
constexpr std::string_view kKeyMd5 = "x-amz-server-side-encryption-customer-key-MD5";
constexpr std::string_view kStorageClass = "x-amz-storage-class";

http::Response invalid(std::string_view message) {
  return error_answer(400, "InvalidArgument", message);
}

std::optional<http::Response> broken_key(const Call& call) {
  const std::string* const algorithm = call.header(kAlgorithm);
  const std::string* const key = call.header(kKey);
  const std::string* const md5 = call.header(kKeyMd5);
  if (algorithm == nullptr && key == nullptr && md5 == nullptr) return std::nullopt;
  if (algorithm == nullptr || key == nullptr || md5 == nullptr || *algorithm != "AES256") {
    return invalid("Requests with SSE-C need the algorithm AES256, the key and its MD5.");
  }
  const auto bytes = s3::from_base64(*key);
  if (!bytes || bytes->size() != 32) {
    return invalid("The secret key was invalid for the specified algorithm.");
  }
  if (s3::md5_base64(*bytes) != *md5) {
    return invalid("The calculated MD5 hash of the key did not match the hash that was provided.");
  }
  return std::nullopt;
}

bool one_of(std::string_view value, std::initializer_list<std::string_view> all) {
  return std::ranges::find(all, value) != all.end();
}

}  // namespace

std::optional<http::Response> broken_wish(const Call& call) {
  const std::string* owner = call.header("x-amz-expected-bucket-owner");
  if (owner == nullptr) owner = call.parameter("x-amz-expected-bucket-owner");
  if (owner != nullptr && *owner != kOwner) {
    return error_answer(403, "AccessDenied", "Access Denied");
  }
  const std::string* const encryption = call.header(kEncryption);
  if (encryption != nullptr && !one_of(*encryption, {"AES256", "aws:kms", "aws:kms:dsse"})) {
    return invalid("The encryption method specified is not supported");
  }
  const std::string* const storage = call.header(kStorageClass);
  if (storage != nullptr &&
      !one_of(*storage, {"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
                         "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "REDUCED_REDUNDANCY"})) {
    return error_answer(400, "InvalidStorageClass", "The storage class you specified is not valid");
  }
  return broken_key(call);
}

http::Headers told_of_keeping(const Call& call) {
  http::Headers told;
  const auto keep = [&](std::string_view name) {
    if (const std::string* const value = call.header(name)) told.emplace_back(name, *value);
  };
  for (const std::string_view name : {kEncryption, kKmsKey, kBucketKey, kAlgorithm, kKeyMd5}) {
    keep(name);
  }
  if (told.empty()) told.emplace_back(kEncryption, "AES256");
  const std::string* const storage = call.header(kStorageClass);
  if (storage != nullptr && *storage != "STANDARD") keep(kStorageClass);
  if (const std::string* const tags = call.header("x-amz-tagging"); tags && !tags->empty()) {
    told.emplace_back("x-amz-tagging-count", std::to_string(std::ranges::count(*tags, '&') + 1));
  }
  return told;
}

bool is_told_by_writes(std::string_view header) { return header.starts_with(kEncryption); }

std::optional<http::Response> locked(const Call& call, const http::Headers& kept) {
  const std::string* const md5 = http::find_header(kept, kKeyMd5);
  const std::string* const given = call.header(kKeyMd5);
  if (md5 == nullptr) {
    if (given == nullptr) return std::nullopt;
    return error_answer(400, "InvalidRequest",
                        "The encryption parameters are not applicable to this object.", call.key);
  }
  if (given == nullptr) {
    return error_answer(400, "InvalidRequest",
                        "The object was stored using a form of Server Side Encryption. The correct "
                        "parameters must be provided to retrieve the object.",
                        call.key);
  }
  if (*given != *md5) return error_answer(403, "AccessDenied", "Access Denied", call.key);
  return std::nullopt;
}

Call without_encryption(Call call) {
  std::erase_if(call.headers, [](const auto& header) {
    return lower_case(header.first).starts_with(kEncryption);
  });
  return call;
}

}  // namespace stepstore::fault
