// How objects are kept in S3: checksums, encryption, storage class, owner, tags.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace stepstore {
inline namespace v1 {

// What is empty is not asked for: the bucket's own settings then count. All of it is checked when
// the store is opened, before anything is sent; a URI's parameter of the same name goes before the
// field (the key of SSE-C has none, since URIs are seen by others). Access control lists are never
// sent.
struct S3ObjectSettings {
  // What goes with the bytes of each write, so that the server can compare: "auto", "crc64nvme",
  // "crc32c", "md5" or "none". Empty: "auto", which begins with crc64nvme and takes the next one
  // where the server refuses the header.
  std::optional<std::string> checksum{};
  // Encryption by the server: "AES256" (SSE-S3), "aws:kms" or "aws:kms:dsse".
  std::optional<std::string> sse{};
  std::optional<std::string> sse_kms_key_id{};  // id, ARN or alias; empty: the account's own key
  std::optional<bool> sse_bucket_key{};         // fewer requests to KMS; empty: as the bucket says
  std::map<std::string, std::string> sse_context{};  // of KMS; printable ASCII; no secret
  // Encryption by the server with a key of one's own (SSE-C): 32 bytes, or their base64. Without it
  // nobody can read the objects again. Never in a message.
  std::optional<std::string> sse_c_key{};  // SM_S3_SSE_C_KEY
  std::optional<std::filesystem::path> sse_c_key_file{};
  // Refuse a server that does not say that an object is encrypted: before anything is stored, and
  // for what is read.
  std::optional<bool> require_sse{};
  // Of components, which are nearly all of the bytes; manifests and roots stay in STANDARD.
  std::optional<std::string> storage_class{};
  std::optional<std::string> expected_bucket_owner{};  // an account's 12 digits, with each request
  std::map<std::string, std::string> tags{};           // of components; at most 10
};

}  // namespace v1
}  // namespace stepstore
