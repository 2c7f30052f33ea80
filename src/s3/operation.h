// The S3 operations that stepstore uses, as data: what is asked, before it is addressed, encoded
// and signed. One function per operation; nothing here does I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "stepstore/object_store.h"

namespace stepstore::s3 {

struct Operation {
  std::string_view name{};  // as in S3's reference: "PutObject"
  std::string method{};
  std::string key{};                                         // plain; empty: the bucket itself
  std::vector<std::pair<std::string, std::string>> query{};  // plain; encoded when it is sent
  http::Headers headers{};        // beside those of addressing and signing
  std::vector<BytesView> body{};  // borrowed
  std::string owned_body{};       // for bodies made here (XML); sent when `body` is empty
  // A write whose repetition would not answer alike (create-if-absent, swap, complete): a lost
  // answer makes its outcome unknown.
  bool conditional = false;
  // That there is no such object is an answer, of status 404, and no error: it is expected, and an
  // error with all that it tells costs more than the request.
  bool may_be_absent = false;
  // The answer is XML and may be 200 with an error inside.
  bool error_in_200 = false;
  std::uint64_t response_bytes_max = 16ULL << 20;
  // The server may work for minutes before it says a word: it joins the parts of an upload.
  bool slow = false;
};

// How a swap names the ETag: Ceph 16 takes it only without quotes.
enum class ETagStyle : std::uint8_t { quoted, bare };

struct PutOptions {
  ETagStyle etag_style = ETagStyle::quoted;
  bool checksum = true;  // x-amz-checksum-crc64nvme
};
// The caller's bytes and the request itself must live until the operation was sent.
Operation put_object(const PutRequest& put, const PutOptions& options);
// Throws InvalidArgument for a range of no bytes, which HTTP cannot ask for.
Operation get_object(const GetRequest& get, std::uint64_t bytes_max);
Operation head_object(const ObjectKey& key);
// V2, encoding-type=url. `token`: of the page before; it then goes on there and not after
// list.start_after.
Operation list_objects(const ListRequest& list, std::string_view token = {});
Operation delete_object(const ObjectKey& key, std::string_view version = {});
// At most 1,000 keys, else InvalidArgument.
Operation delete_objects(std::span<const ObjectKey> keys);
Operation create_multipart_upload(const ObjectKey& key, std::string_view content_type);
Operation upload_part(const ObjectKey& key, std::string_view upload, int number, BytesView body,
                      std::uint64_t crc64);
struct UploadedPart {
  int number = 0;
  std::string etag{};
  std::uint64_t crc64 = 0;
};
Operation complete_multipart_upload(const ObjectKey& key, std::string_view upload,
                                    std::span<const UploadedPart> parts, const Condition& condition,
                                    std::uint64_t crc64, const PutOptions& options);
Operation abort_multipart_upload(const ObjectKey& key, std::string_view upload);
Operation list_multipart_uploads(std::string_view prefix, std::string_view key_marker,
                                 std::string_view upload_marker);
Operation head_bucket();
Operation get_bucket_versioning();

}  // namespace stepstore::s3
