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
#include "s3/checksum.h"
#include "s3/encode.h"
#include "stepstore/object_store.h"

namespace stepstore::s3 {

// Of a body that the server is to compare with what has arrived.
struct BodyChecksum {
  std::optional<Checksum> only{};        // none: the client's choice
  std::optional<std::uint64_t> crc64{};  // of the body, where it is known
  bool announced = false;  // not of this body: those of the parts to come are to be like it
};

struct Operation {
  std::string_view name{};  // as in S3's reference: "PutObject"
  std::string method{};
  std::string key{};              // plain; empty: the bucket itself
  Query query{};                  // plain; encoded when it is sent
  http::Headers headers{};        // beside those of addressing and signing
  std::vector<BytesView> body{};  // borrowed
  std::string owned_body{};       // for bodies made here (XML); sent when `body` is empty
  std::optional<BodyChecksum> checksum{};
  // The object's bytes are what people keep, not what says where those are: the storage class and
  // tags that the client was given are for them.
  bool holds_data = false;
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
  bool holds_data = false;
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
// The answer says which checksum was announced (Answer::checksum); the parts have to have it. Those
// that are not announced (MD5, none) bind nobody.
Operation create_multipart_upload(const ObjectKey& key, std::string_view content_type,
                                  bool holds_data = false);
Operation upload_part(const ObjectKey& key, std::string_view upload, int number, BytesView body,
                      std::uint64_t crc64, std::optional<Checksum> checksum = Checksum::crc64nvme);
struct UploadedPart {
  int number = 0;
  std::string etag{};
  std::uint64_t crc64 = 0;
  std::uint32_t crc32c = 0;  // where the parts have that one
};
Operation complete_multipart_upload(const ObjectKey& key, std::string_view upload,
                                    std::span<const UploadedPart> parts, const Condition& condition,
                                    std::uint64_t crc64, const PutOptions& options,
                                    Checksum checksum = Checksum::crc64nvme);
Operation abort_multipart_upload(const ObjectKey& key, std::string_view upload);
Operation list_multipart_uploads(std::string_view prefix, std::string_view key_marker,
                                 std::string_view upload_marker);
// `key_marker`, `version_marker`: of the page before.
Operation list_object_versions(std::string_view prefix, std::string_view key_marker,
                               std::string_view version_marker);
Operation head_bucket();
Operation get_bucket_versioning();
Operation get_bucket_lifecycle();

}  // namespace stepstore::s3
