#include "s3/operation.h"

#include <spdlog/fmt/fmt.h>

#include "base/errors.h"
#include "s3/digest.h"
#include "s3/encode.h"

namespace stepstore::s3 {
namespace {

constexpr std::size_t kDeleteKeysMax = 1'000;
constexpr std::string_view kDefaultContentType = "application/octet-stream";
constexpr std::string_view kXmlNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

// Some servers give ETags without quotes, some caches mark them as weak, which no condition takes.
std::string spelled(const ETag& etag, ETagStyle style) {
  std::string_view text = etag.text();
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return style == ETagStyle::bare ? std::string(text) : '"' + std::string(text) + '"';
}

void add_condition(Operation& operation, const Condition& condition, ETagStyle style) {
  switch (condition.kind) {
    case Condition::Kind::none:
      return;
    case Condition::Kind::absent:
      operation.headers.emplace_back("If-None-Match", "*");
      break;
    case Condition::Kind::unchanged:
      operation.headers.emplace_back("If-Match", spelled(condition.etag, style));
      break;
  }
  operation.conditional = true;
}

// S3 stores whatever type arrives, also one that some HTTP library made up; so it is always said.
void add_content_type(Operation& operation, std::string_view type) {
  operation.headers.emplace_back("Content-Type",
                                 std::string(type.empty() ? kDefaultContentType : type));
}

std::string range_text(const ObjectRange& range, const ObjectKey& key) {
  if (range.size == 0U) {
    error(ErrorCode::InvalidArgument, "get", key.text(), "the range has no bytes",
          "Ask for at least one byte.")
        .raise();
  }
  if (range.from_end) return fmt::format("bytes=-{}", range.size.value_or(UINT64_MAX));
  if (!range.size || *range.size - 1 > UINT64_MAX - range.offset) {
    return fmt::format("bytes={}-", range.offset);
  }
  return fmt::format("bytes={}-{}", range.offset, range.offset + *range.size - 1);
}

Operation on_key(std::string_view name, std::string_view method, const ObjectKey& key) {
  return {.name = name, .method = std::string(method), .key = key.text()};
}

Operation on_bucket(std::string_view name, std::string_view method) {
  return {.name = name, .method = std::string(method)};
}

std::string checksum_element(const UploadedPart& part, Checksum checksum) {
  switch (checksum) {
    case Checksum::crc64nvme:
      return "<ChecksumCRC64NVME>" + crc64_base64(part.crc64) + "</ChecksumCRC64NVME>";
    case Checksum::crc32c:
      return "<ChecksumCRC32C>" + crc32c_base64(part.crc32c) + "</ChecksumCRC32C>";
    case Checksum::md5:
    case Checksum::none:
      break;
  }
  return {};
}

std::string complete_body(std::span<const UploadedPart> parts, Checksum checksum) {
  std::string body = fmt::format("<CompleteMultipartUpload xmlns=\"{}\">", kXmlNamespace);
  for (const UploadedPart& part : parts) {
    // Some servers take a checksum of the whole only together with those of the parts.
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>{}</Part>", part.number,
                        xml_escape(part.etag), checksum_element(part, checksum));
  }
  return body + "</CompleteMultipartUpload>";
}

}  // namespace

Operation put_object(const PutRequest& put, const PutOptions& options) {
  Operation operation = on_key("PutObject", "PUT", put.key);
  operation.body = {put.body};
  add_content_type(operation, put.content_type);
  operation.checksum = BodyChecksum{.crc64 = put.crc64};
  operation.holds_data = options.holds_data;
  add_condition(operation, put.condition, options.etag_style);
  return operation;
}

Operation get_object(const GetRequest& get, std::uint64_t bytes_max) {
  Operation operation = on_key("GetObject", "GET", get.key);
  if (get.range) operation.headers.emplace_back("Range", range_text(*get.range, get.key));
  if (!get.if_match.empty()) {
    operation.headers.emplace_back("If-Match", spelled(get.if_match, ETagStyle::quoted));
  }
  operation.response_bytes_max = bytes_max;
  return operation;
}

Operation head_object(const ObjectKey& key) { return on_key("HeadObject", "HEAD", key); }

Operation list_objects(const ListRequest& list, std::string_view token) {
  Operation operation = on_bucket("ListObjectsV2", "GET");
  operation.query = {{"list-type", "2"}, {"encoding-type", "url"}};
  if (!list.prefix.empty()) operation.query.emplace_back("prefix", list.prefix);
  if (list.delimited) operation.query.emplace_back("delimiter", "/");
  if (!token.empty()) {
    operation.query.emplace_back("continuation-token", token);
  } else if (!list.start_after.empty()) {
    operation.query.emplace_back("start-after", list.start_after);
  }
  if (list.limit > 0) operation.query.emplace_back("max-keys", std::to_string(list.limit));
  operation.error_in_200 = true;
  return operation;
}

Operation delete_object(const ObjectKey& key, std::string_view version) {
  Operation operation = on_key("DeleteObject", "DELETE", key);
  if (!version.empty()) operation.query.emplace_back("versionId", version);
  return operation;
}

Operation delete_objects(std::span<const ObjectKey> keys) {
  if (keys.size() > kDeleteKeysMax) {
    error(ErrorCode::InvalidArgument, "remove", "",
          fmt::format("{} keys in one request; S3 takes {}", keys.size(), kDeleteKeysMax),
          "Delete them in several requests.")
        .raise();
  }
  Operation operation = on_bucket("DeleteObjects", "POST");
  operation.query.emplace_back("delete", "");
  operation.owned_body = fmt::format("<Delete xmlns=\"{}\"><Quiet>true</Quiet>", kXmlNamespace);
  for (const ObjectKey& key : keys) {
    operation.owned_body += "<Object><Key>" + xml_escape(key.text()) + "</Key></Object>";
  }
  operation.owned_body += "</Delete>";
  operation.headers.emplace_back("Content-Type", "application/xml");
  // The one integrity header that every server takes here.
  operation.headers.emplace_back("Content-MD5", md5_base64(operation.owned_body));
  operation.error_in_200 = true;
  return operation;
}

Operation create_multipart_upload(const ObjectKey& key, std::string_view content_type,
                                  bool holds_data) {
  Operation operation = on_key("CreateMultipartUpload", "POST", key);
  operation.query.emplace_back("uploads", "");
  add_content_type(operation, content_type);
  operation.checksum = BodyChecksum{.announced = true};
  operation.holds_data = holds_data;
  operation.error_in_200 = true;
  return operation;
}

Operation upload_part(const ObjectKey& key, std::string_view upload, int number, BytesView body,
                      std::uint64_t crc64, std::optional<Checksum> checksum) {
  Operation operation = on_key("UploadPart", "PUT", key);
  operation.query = {{"partNumber", std::to_string(number)}, {"uploadId", std::string(upload)}};
  operation.body = {body};
  add_content_type(operation, {});
  operation.checksum = BodyChecksum{.only = checksum, .crc64 = crc64};
  return operation;
}

Operation complete_multipart_upload(const ObjectKey& key, std::string_view upload,
                                    std::span<const UploadedPart> parts, const Condition& condition,
                                    std::uint64_t crc64, const PutOptions& options,
                                    Checksum checksum) {
  Operation operation = on_key("CompleteMultipartUpload", "POST", key);
  operation.query.emplace_back("uploadId", upload);
  operation.owned_body = complete_body(parts, checksum);
  operation.headers.emplace_back("Content-Type", "application/xml");
  // Of the others the whole object has no checksum that could be told from its parts.
  if (checksum == Checksum::crc64nvme) {
    operation.headers.emplace_back(header_of(checksum), crc64_base64(crc64));
    operation.headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
  }
  add_condition(operation, condition, options.etag_style);
  operation.conditional = true;
  operation.error_in_200 = true;
  operation.slow = true;
  return operation;
}

Operation abort_multipart_upload(const ObjectKey& key, std::string_view upload) {
  Operation operation = on_key("AbortMultipartUpload", "DELETE", key);
  operation.query.emplace_back("uploadId", upload);
  return operation;
}

Operation list_multipart_uploads(std::string_view prefix, std::string_view key_marker,
                                 std::string_view upload_marker) {
  Operation operation = on_bucket("ListMultipartUploads", "GET");
  operation.query = {{"uploads", ""}, {"encoding-type", "url"}};
  if (!prefix.empty()) operation.query.emplace_back("prefix", prefix);
  if (!key_marker.empty()) operation.query.emplace_back("key-marker", key_marker);
  if (!upload_marker.empty()) operation.query.emplace_back("upload-id-marker", upload_marker);
  operation.error_in_200 = true;
  return operation;
}

Operation list_object_versions(std::string_view prefix, std::string_view key_marker,
                               std::string_view version_marker) {
  Operation operation = on_bucket("ListObjectVersions", "GET");
  operation.query = {{"versions", ""}, {"encoding-type", "url"}};
  if (!prefix.empty()) operation.query.emplace_back("prefix", prefix);
  if (!key_marker.empty()) operation.query.emplace_back("key-marker", key_marker);
  if (!version_marker.empty()) operation.query.emplace_back("version-id-marker", version_marker);
  operation.error_in_200 = true;
  return operation;
}

Operation head_bucket() { return on_bucket("HeadBucket", "HEAD"); }

Operation get_bucket_versioning() {
  Operation operation = on_bucket("GetBucketVersioning", "GET");
  operation.query.emplace_back("versioning", "");
  operation.error_in_200 = true;
  return operation;
}

Operation get_bucket_lifecycle() {
  Operation operation = on_bucket("GetBucketLifecycleConfiguration", "GET");
  operation.query.emplace_back("lifecycle", "");
  operation.error_in_200 = true;
  return operation;
}

}  // namespace stepstore::s3
