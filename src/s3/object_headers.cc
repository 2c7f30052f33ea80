#include "s3/object_headers.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "s3/digest.h"
#include "s3/encode.h"
#include "s3/errors.h"

namespace stepstore::s3 {
namespace {

constexpr std::string_view kEncryption = "x-amz-server-side-encryption";
constexpr std::string_view kCustomerAlgorithm = "x-amz-server-side-encryption-customer-algorithm";
constexpr std::string_view kOwner = "x-amz-expected-bucket-owner";

constexpr auto kTable = std::to_array<HeaderRow>({
    // operation, encryption, customer_key, data, tells
    {"PutObject", true, true, true, true},
    {"CreateMultipartUpload", true, true, true, true},
    {"UploadPart", false, true, false, false},
    {"CompleteMultipartUpload", false, true, false, false},  // it has checksums to verify
    {"AbortMultipartUpload", false, false, false, false},
    {"GetObject", false, true, false, true},
    {"HeadObject", false, true, false, true},
    {"ListObjectsV2", false, false, false, false},
    {"ListMultipartUploads", false, false, false, false},
    {"DeleteObject", false, false, false, false},
    {"DeleteObjects", false, false, false, false},
    {"HeadBucket", false, false, false, false},
    {"GetBucketVersioning", false, false, false, false},
});

void add(http::Headers& to, std::string_view name, std::string value) {
  if (!value.empty()) to.emplace_back(name, std::move(value));
}

std::string context_text(const std::map<std::string, std::string>& context) {
  return context.empty() ? std::string() : base64(nlohmann::json(context).dump());
}

}  // namespace

std::span<const HeaderRow> header_table() noexcept { return kTable; }

const HeaderRow& header_row(std::string_view operation) noexcept {
  static constexpr HeaderRow kNothing{"", false, false, false, false};
  const auto* const found = std::ranges::find(kTable, operation, &HeaderRow::operation);
  return found == kTable.end() ? kNothing : *found;
}

ObjectHeaders::ObjectHeaders(const ObjectSettings& settings) : owner_(settings.bucket_owner) {
  add(encryption_, kEncryption, settings.encryption);
  add(encryption_, "x-amz-server-side-encryption-aws-kms-key-id", settings.kms_key_id);
  add(encryption_, "x-amz-server-side-encryption-context", context_text(settings.kms_context));
  if (settings.bucket_key) {
    add(encryption_, "x-amz-server-side-encryption-bucket-key-enabled",
        *settings.bucket_key ? "true" : "false");
  }
  if (const BytesView key(settings.customer_key); !key.empty()) {
    add(customer_key_, kCustomerAlgorithm, "AES256");
    add(customer_key_, "x-amz-server-side-encryption-customer-key", base64(key));
    add(customer_key_, "x-amz-server-side-encryption-customer-key-MD5",
        md5_base64(std::span(&key, 1)));
  }
  add(data_, "x-amz-storage-class", settings.storage_class);
  add(data_, "x-amz-tagging", encode_query(Query(settings.tags.begin(), settings.tags.end())));
}

void ObjectHeaders::add_to(const Operation& operation, http::Headers& headers) const {
  const auto all = [&](const http::Headers& more) {
    headers.insert(headers.end(), more.begin(), more.end());
  };
  const HeaderRow& row = header_row(operation.name);
  if (row.encryption) all(encryption_);
  if (row.customer_key) all(customer_key_);
  if (row.data && operation.holds_data) all(data_);
  add(headers, kOwner, owner_);
}

void ObjectHeaders::add_to_link(const Operation& operation, http::Headers& headers,
                                Query& query) const {
  add_to(operation, headers);
  const auto owner = std::ranges::find(
      headers, kOwner, [](const auto& each) { return std::string_view(each.first); });
  if (owner == headers.end()) return;
  query.push_back(*owner);
  headers.erase(owner);
}

std::string missing_encryption(const ObjectSettings& settings, const Operation& operation,
                               const http::Response& response) {
  if (!settings.require_encryption || !header_row(operation.name).tells || response.status >= 300) {
    return {};
  }
  const std::string* const by_server = http::find_header(response.headers, kEncryption);
  const std::string* const by_key = http::find_header(response.headers, kCustomerAlgorithm);
  const bool write = is_write(operation);
  // What was written before the setting was made is encrypted in another way, and read all the
  // same.
  if (write && !settings.customer_key.empty() && by_key == nullptr) {
    return "the server does not say that it encrypts with the key of SSE-C";
  }
  if (write && !settings.encryption.empty() &&
      (by_server == nullptr || *by_server != settings.encryption)) {
    return "the server does not say that it encrypts with " + settings.encryption;
  }
  if (by_server != nullptr || by_key != nullptr) return {};
  return write ? "the server does not say that it encrypts" : "the object is not encrypted";
}

}  // namespace stepstore::s3
