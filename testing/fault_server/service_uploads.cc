// Multipart uploads.
#include <algorithm>
#include <charconv>
#include <pugixml.hpp>

#include "s3/encode.h"
#include "testing/fault_server/checksums.h"
#include "testing/fault_server/kept.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

constexpr std::size_t kPartBytesMin = std::size_t{5} << 20U;
constexpr int kPartsMax = 10'000;

http::Response no_such_upload(const Call& call) {
  return error_answer(404, "NoSuchUpload",
                      "The specified upload does not exist. The upload ID may be invalid, or the "
                      "upload may have been aborted or completed.",
                      call.key);
}

std::optional<int> number_in(std::string_view text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Whether the <Part> names the part's ETag, and no other checksum than it was sent with.
bool names(const pugi::xml_node& node, const Stored& part) {
  if (bare(node.child_value("ETag")) != part.etag) return false;
  for (const auto& [header, value] : part.kept) {
    if (!is_checksum_header(header)) continue;
    std::string name = "Checksum" + header.substr(header.rfind('-') + 1);
    std::transform(name.begin() + 8, name.end(), name.begin() + 8,
                   [](unsigned char c) { return std::toupper(c); });
    const std::string_view said = node.child_value(name.c_str());
    if (!said.empty() && said != value) return false;
  }
  return true;
}

// Collects the parts that the request names, in its order. None: all of them are there.
std::optional<http::Response> collect(const pugi::xml_node& root, const PendingUpload& upload,
                                      std::vector<const Stored*>& parts) {
  int last = 0;
  for (const pugi::xml_node node : root.children("Part")) {
    const int number = number_in(node.child_value("PartNumber")).value_or(0);
    const auto part = upload.parts.find(number);
    if (part == upload.parts.end() || !names(node, part->second)) {
      return error_answer(400, "InvalidPart",
                          "One or more of the specified parts could not be found.", upload.key);
    }
    if (number <= last) {
      return error_answer(400, "InvalidPartOrder", "The list of parts was not in ascending order.",
                          upload.key);
    }
    if (!parts.empty() && parts.back()->body.size() < kPartBytesMin) {
      return error_answer(400, "EntityTooSmall",
                          "Your proposed upload is smaller than the minimum allowed size",
                          upload.key);
    }
    last = number;
    parts.push_back(&part->second);
  }
  if (parts.empty()) return malformed_xml();
  return std::nullopt;
}

Bytes joined(const std::vector<const Stored*>& parts) {
  std::size_t size = 0;
  for (const Stored* const part : parts) size += part->body.size();
  return Bytes::filled(size, [&](std::span<std::byte> out) {
    for (const Stored* const part : parts) {
      std::ranges::copy(part->body.view(), out.begin());
      out = out.subspan(part->body.size());
    }
  });
}

// What the request says about the whole object. None: it is so.
std::optional<http::Response> not_as_said(const Call& call, const Bytes& whole) {
  const std::string* const size = call.header("x-amz-mp-object-size");
  if (size != nullptr && *size != std::to_string(whole.size())) {
    return error_answer(400, "InvalidRequest",
                        "The provided 'x-amz-mp-object-size' header does not match what was "
                        "computed.",
                        call.key);
  }
  // A checksum of checksums ends in "-" and the number of parts; it is not checked.
  Call object{.key = call.key, .body = whole};
  std::ranges::copy_if(call.headers, std::back_inserter(object.headers), [](const auto& header) {
    const auto& [name, value] = header;
    return is_checksum_header(lower_case(name)) && value.find('-') == std::string::npos;
  });
  return broken_checksum(object);
}

}  // namespace

http::Response Service::begin_upload(const Call& call, Bucket& bucket) {
  const std::string id = "upload-" + new_version();
  bucket.uploads[id] = {
      .key = call.key, .kept = kept_of(call), .parts = {}, .begun = clock_.now_ms()};
  http::Response response =
      xml_answer(200, "<InitiateMultipartUploadResult><Bucket>" + s3::xml_escape(call.bucket) +
                          "</Bucket><Key>" + s3::xml_escape(call.key) + "</Key><UploadId>" + id +
                          "</UploadId></InitiateMultipartUploadResult>");
  std::ranges::copy_if(bucket.uploads[id].kept, std::back_inserter(response.headers),
                       [](const auto& each) { return is_told_by_writes(each.first); });
  return response;
}

http::Response Service::put_part(const Call& call, Bucket& bucket) {
  const auto upload = bucket.uploads.find(value_of(call, "uploadId"));
  if (upload == bucket.uploads.end() || upload->second.key != call.key) return no_such_upload(call);
  const int number = number_in(value_of(call, "partNumber")).value_or(0);
  if (number < 1 || number > kPartsMax) {
    return error_answer(400, "InvalidArgument",
                        "Part number must be an integer between 1 and 10000, inclusive", call.key);
  }
  if (auto refused = locked(call, upload->second.kept)) return *std::move(refused);
  const Stored& part = upload->second.parts[number] = stored(call);
  http::Response response = empty_answer(200);
  response.headers.emplace_back("ETag", quoted(part.etag));
  for (const auto& [name, value] : part.kept) {
    if (is_checksum_header(name)) response.headers.emplace_back(name, value);
  }
  return response;
}

http::Response Service::complete(const Call& call, Bucket& bucket) {
  const auto found = bucket.uploads.find(value_of(call, "uploadId"));
  if (found == bucket.uploads.end() || found->second.key != call.key) return no_such_upload(call);
  const PendingUpload& upload = found->second;
  pugi::xml_document document;
  if (!document.load_buffer(call.body.data(), call.body.size())) return malformed_xml();
  std::vector<const Stored*> parts;
  if (auto refused = collect(document.child("CompleteMultipartUpload"), upload, parts)) {
    return *std::move(refused);
  }
  if (!options_.dialect.ignores_completion_conditions) {
    if (auto refused = refusal(call, bucket)) return *std::move(refused);
  }
  Stored whole{.body = joined(parts), .kept = upload.kept, .modified = clock_.now_ms()};
  if (!options_.dialect.ignores_checksums) {
    if (auto wrong = not_as_said(call, whole.body)) return *std::move(wrong);
  }
  std::vector<std::string> sums;
  for (const Stored* const part : parts) sums.push_back(part->etag);
  whole.etag = (options_.md5_etags ? md5_hex_of_sums(sums) : new_etag({})) + '-' +
               std::to_string(parts.size());
  for (const auto& [name, value] : kept_headers(call)) {
    if (is_checksum_header(name)) whole.kept.emplace_back(name, value);
  }
  const Stored& object = store(bucket, call.key, std::move(whole));
  http::Response response = xml_answer(
      200, "<CompleteMultipartUploadResult><Bucket>" + s3::xml_escape(call.bucket) +
               "</Bucket><Key>" + s3::xml_escape(call.key) + "</Key><ETag>" +
               s3::xml_escape(quoted(object.etag)) + "</ETag></CompleteMultipartUploadResult>");
  if (!object.version.empty()) response.headers.emplace_back("x-amz-version-id", object.version);
  bucket.uploads.erase(found);
  return response;
}

http::Response Service::list_uploads(const Call& call, const Bucket& bucket) const {
  const auto limit = page_size(call, "max-uploads");
  if (!limit) return error_answer(400, "InvalidArgument", "Provided max-uploads not an integer");
  const bool encode =
      value_of(call, "encoding-type") == "url" && !options_.dialect.ignores_encoding_type;
  const auto text = [&](const std::string& key) {
    return encode ? s3::uri_encode_path(key) : s3::xml_escape(key);
  };
  const std::string prefix = value_of(call, "prefix");
  // By key; those of one key as they were begun, which is how their ids sort.
  std::map<std::pair<std::string, std::string>, Timestamp> sorted;
  for (const auto& [id, upload] : bucket.uploads) {
    if (upload.key.starts_with(prefix)) sorted.emplace(std::pair(upload.key, id), upload.begun);
  }
  const std::string marker = value_of(call, "key-marker");
  const std::string id_marker = value_of(call, "upload-id-marker");
  std::string out;
  std::size_t count = 0;
  std::pair<std::string, std::string> last;
  bool truncated = false;
  for (const auto& [name, begun] : sorted) {
    // Without an id the marker stands for all uploads of its key.
    if (name.first < marker || (!marker.empty() && name.first == marker &&
                                (id_marker.empty() || name.second <= id_marker))) {
      continue;
    }
    if (count == *limit) {
      truncated = *limit > 0;
      break;
    }
    ++count;
    last = name;
    out += "<Upload><Key>" + text(name.first) + "</Key><UploadId>" + name.second +
           "</UploadId><Initiated>" + iso_time(begun) + "</Initiated></Upload>";
  }
  std::string head = "<ListMultipartUploadsResult><Bucket>" + s3::xml_escape(call.bucket) +
                     "</Bucket><KeyMarker>" + text(marker) + "</KeyMarker><MaxUploads>" +
                     std::to_string(*limit) + "</MaxUploads><IsTruncated>" +
                     (truncated ? "true" : "false") + "</IsTruncated>";
  if (encode) head += "<EncodingType>url</EncodingType>";
  if (truncated) {
    head += "<NextKeyMarker>" + text(last.first) + "</NextKeyMarker><NextUploadIdMarker>" +
            last.second + "</NextUploadIdMarker>";
  }
  return xml_answer(200, head + out + "</ListMultipartUploadsResult>");
}

http::Response Service::list_parts(const Call& call, const Bucket& bucket) const {
  const auto found = bucket.uploads.find(value_of(call, "uploadId"));
  if (found == bucket.uploads.end() || found->second.key != call.key) return no_such_upload(call);
  const auto limit = page_size(call, "max-parts");
  const auto marker =
      number_in(call.parameter("part-number-marker") ? value_of(call, "part-number-marker") : "0");
  if (!limit || !marker) return error_answer(400, "InvalidArgument", "This is no number", call.key);
  const auto& parts = found->second.parts;
  std::string out;
  std::size_t count = 0;
  int last = *marker;
  auto at = parts.upper_bound(*marker);
  for (; at != parts.end() && count < *limit; ++at, ++count) {
    last = at->first;
    out += "<Part><PartNumber>" + std::to_string(last) + "</PartNumber><LastModified>" +
           iso_time(at->second.modified) + "</LastModified><ETag>" +
           s3::xml_escape(quoted(at->second.etag)) + "</ETag><Size>" +
           std::to_string(at->second.body.size()) + "</Size></Part>";
  }
  const bool truncated = at != parts.end() && *limit > 0;
  return xml_answer(200, "<ListPartsResult><Bucket>" + s3::xml_escape(call.bucket) +
                             "</Bucket><Key>" + s3::xml_escape(call.key) + "</Key><UploadId>" +
                             found->first + "</UploadId><PartNumberMarker>" +
                             std::to_string(*marker) + "</PartNumberMarker><NextPartNumberMarker>" +
                             std::to_string(last) + "</NextPartNumberMarker><MaxParts>" +
                             std::to_string(*limit) + "</MaxParts><IsTruncated>" +
                             (truncated ? "true" : "false") + "</IsTruncated>" + out +
                             "</ListPartsResult>");
}

}  // namespace stepstore::fault
