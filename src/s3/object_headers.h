// How objects are kept, said in headers; and which operation carries which of them.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"
#include "s3/checksum.h"
#include "s3/operation.h"

namespace stepstore::s3 {

// Checked already. What is empty is not said.
struct ObjectSettings {
  std::optional<Checksum> checksum{};  // none: found out
  std::string encryption{};            // "AES256", "aws:kms", "aws:kms:dsse"
  std::string kms_key_id{};
  std::optional<bool> bucket_key{};
  std::map<std::string, std::string> kms_context{};
  std::string customer_key{};       // of SSE-C: 32 bytes; never in a message
  bool require_encryption = false;  // answers have to show it
  std::string storage_class{};
  std::string bucket_owner{};
  std::map<std::string, std::string> tags{};
};

// What an operation carries, as S3's reference says; and whether its answer tells how the object is
// encrypted.
struct HeaderRow {
  std::string_view operation;
  bool encryption;    // x-amz-server-side-encryption and what belongs to it
  bool customer_key;  // the three headers of SSE-C
  bool data;          // storage class and tags, where the object holds data
  bool tells;
};
// x-amz-expected-bucket-owner goes with each; an operation without a row carries nothing else.
std::span<const HeaderRow> header_table() noexcept;
const HeaderRow& header_row(std::string_view operation) noexcept;

// The headers of one client, made once. Immutable.
class ObjectHeaders {
 public:
  explicit ObjectHeaders(const ObjectSettings& settings);

  void add_to(const Operation& operation, http::Headers& headers) const;
  // For links: the owner goes into the query, so that whoever uses the link need not send it.
  void add_to_link(const Operation& operation, http::Headers& headers, Query& query) const;

 private:
  http::Headers encryption_{}, customer_key_{}, data_{};
  std::string owner_{};
};

// Why a good answer is not one from an encrypting server as the settings demand; empty: it is.
std::string missing_encryption(const ObjectSettings& settings, const Operation& operation,
                               const http::Response& response);

}  // namespace stepstore::s3
