// Multipart uploads.
#include <pugixml.hpp>

#include "base/crc64.h"
#include "s3/digest.h"
#include "s3/encode.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

constexpr std::size_t kPartBytesMin = std::size_t{5} << 20U;

http::Response no_such_upload() {
  return error_answer(404, "NoSuchUpload", "The specified upload does not exist.");
}

}  // namespace

http::Response Service::begin_upload(const Call& call, Bucket& bucket) {
  const std::string id = "upload-" + std::to_string(++count_);
  bucket.uploads[id] = {
      .key = call.key, .kept = kept_headers(call), .parts = {}, .begun = clock_.now_ms()};
  return xml_answer(200, "<InitiateMultipartUploadResult><Bucket>" + call.bucket +
                             "</Bucket><Key>" + s3::xml_escape(call.key) + "</Key><UploadId>" + id +
                             "</UploadId></InitiateMultipartUploadResult>");
}

http::Response Service::put_part(const Call& call, Bucket& bucket) {
  const auto upload = bucket.uploads.find(*call.parameter("uploadId"));
  const std::string* const number = call.parameter("partNumber");
  if (upload == bucket.uploads.end() || upload->second.key != call.key) return no_such_upload();
  const int part = number ? std::atoi(number->c_str()) : 0;
  if (part < 1 || part > 10'000) {
    return error_answer(400, "InvalidArgument", "Part number must be between 1 and 10000");
  }
  const Stored& object = upload->second.parts[part] = stored(call);
  http::Response response = empty_answer(200);
  response.headers.emplace_back("ETag", quoted(object.etag));
  return response;
}

http::Response Service::complete(const Call& call, Bucket& bucket) {
  const auto found = bucket.uploads.find(*call.parameter("uploadId"));
  if (found == bucket.uploads.end() || found->second.key != call.key) return no_such_upload();
  const PendingUpload& upload = found->second;
  pugi::xml_document document;
  if (!document.load_buffer(call.body.data(), call.body.size())) {
    return error_answer(400, "MalformedXML", "The XML you provided was not well-formed");
  }
  std::vector<const Stored*> parts;
  std::size_t size = 0;
  int last = 0;
  for (const pugi::xml_node node : document.child("CompleteMultipartUpload").children("Part")) {
    const int number = std::atoi(node.child_value("PartNumber"));
    std::string etag = node.child_value("ETag");
    std::erase(etag, '"');
    const auto part = upload.parts.find(number);
    if (part == upload.parts.end() || part->second.etag != etag) {
      return error_answer(400, "InvalidPart", "One or more of the parts could not be found.");
    }
    if (number <= last) {
      return error_answer(400, "InvalidPartOrder", "The list of parts was not in order.");
    }
    if (!parts.empty() && parts.back()->body.size() < kPartBytesMin) {
      return error_answer(400, "EntityTooSmall", "A part is smaller than 5 MiB");
    }
    last = number;
    parts.push_back(&part->second);
    size += part->second.body.size();
  }
  if (parts.empty()) return error_answer(400, "MalformedXML", "There are no parts");
  if (auto refused = refusal(call, bucket, true)) return *std::move(refused);
  Stored whole{.body = Bytes::filled(size,
                                     [&](std::span<std::byte> out) {
                                       for (const Stored* const part : parts) {
                                         std::copy(part->body.begin(), part->body.end(),
                                                   out.begin());
                                         out = out.subspan(part->body.size());
                                       }
                                     }),
               .kept = upload.kept,
               .modified = clock_.now_ms()};
  const std::string* const sum = call.header("x-amz-checksum-crc64nvme");
  if (sum != nullptr && !options_.dialect.ignores_checksums &&
      *sum != s3::crc64_base64(crc64(whole.body.view()))) {
    return error_answer(400, "BadDigest", "The checksum you specified did not match.", call.key);
  }
  whole.etag = new_etag(whole.body.view()) + '-' + std::to_string(parts.size());
  const std::string etag = whole.etag;
  bucket.objects[call.key] = std::move(whole);
  bucket.uploads.erase(found);
  return xml_answer(200, "<CompleteMultipartUploadResult><Bucket>" + call.bucket +
                             "</Bucket><Key>" + s3::xml_escape(call.key) + "</Key><ETag>" +
                             s3::xml_escape(quoted(etag)) +
                             "</ETag></CompleteMultipartUploadResult>");
}

http::Response Service::list_uploads(const Call& call, const Bucket& bucket) const {
  const std::string* const prefix = call.parameter("prefix");
  std::string out = "<ListMultipartUploadsResult><Bucket>" + call.bucket +
                    "</Bucket><IsTruncated>false</IsTruncated>";
  for (const auto& [id, upload] : bucket.uploads) {
    if (prefix != nullptr && !upload.key.starts_with(*prefix)) continue;
    out += "<Upload><Key>" + s3::xml_escape(upload.key) + "</Key><UploadId>" + id +
           "</UploadId><Initiated>" + iso_time(upload.begun) + "</Initiated></Upload>";
  }
  return xml_answer(200, out + "</ListMultipartUploadsResult>");
}

}  // namespace stepstore::fault
