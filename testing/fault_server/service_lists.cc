// Lists of objects, and the removal of many.
#include <pugixml.hpp>

#include <algorithm>

#include "s3/encode.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

constexpr std::size_t kPageMax = 1'000;

std::string value_of(const Call& call, std::string_view name) {
  const std::string* const value = call.parameter(name);
  return value == nullptr ? "" : *value;
}

}  // namespace

http::Response Service::list(const Call& call, const Bucket& bucket) const {
  const std::string prefix = value_of(call, "prefix");
  const std::string delimiter = value_of(call, "delimiter");
  std::size_t limit = kPageMax;
  if (const std::string* const given = call.parameter("max-keys")) {
    limit = std::min<std::size_t>(kPageMax, std::strtoull(given->c_str(), nullptr, 10));
  }
  const bool encode =
      call.parameter("encoding-type") != nullptr && !options_.dialect.ignores_encoding_type;
  const auto text = [&](const std::string& key) {
    return encode ? s3::uri_encode_path(key) : s3::xml_escape(key);
  };
  std::string after = value_of(call, "start-after");
  // The token is the last name of the page before, which may be a common prefix.
  if (const std::string* const token = call.parameter("continuation-token")) after = *token;
  std::string objects;
  std::string prefixes;
  std::string last;
  std::size_t count = 0;
  bool truncated = false;
  for (auto at = bucket.objects.lower_bound(prefix); at != bucket.objects.end(); ++at) {
    const auto& [key, object] = *at;
    if (!key.starts_with(prefix)) break;
    const std::size_t cut =
        delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
    const std::string name = cut == std::string::npos ? key : key.substr(0, cut + delimiter.size());
    if (key <= after || name == last) continue;
    // A page that ended with a common prefix is not continued inside it.
    if (cut != std::string::npos && call.parameter("continuation-token") && name <= after) continue;
    if (count == limit) {
      truncated = true;
      break;
    }
    ++count;
    last = name;
    if (cut == std::string::npos) {
      objects += "<Contents><Key>" + text(key) + "</Key><LastModified>" +
                 iso_time(object.modified) + "</LastModified><ETag>" +
                 s3::xml_escape(quoted(object.etag)) + "</ETag><Size>" +
                 std::to_string(object.body.size()) + "</Size></Contents>";
    } else {
      prefixes += "<CommonPrefixes><Prefix>" + text(name) + "</Prefix></CommonPrefixes>";
    }
  }
  std::string out = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>" +
                    call.bucket + "</Name><Prefix>" + text(prefix) + "</Prefix><KeyCount>" +
                    std::to_string(count) + "</KeyCount><MaxKeys>" + std::to_string(limit) +
                    "</MaxKeys><IsTruncated>" + (truncated ? "true" : "false") + "</IsTruncated>";
  if (encode) out += "<EncodingType>url</EncodingType>";
  if (truncated) {
    out += "<NextContinuationToken>" + s3::xml_escape(last) + "</NextContinuationToken>";
  }
  return xml_answer(200, out + objects + prefixes + "</ListBucketResult>");
}

http::Response Service::remove_many(const Call& call, Bucket& bucket) {
  if (call.header("Content-MD5") == nullptr && call.header("x-amz-checksum-crc64nvme") == nullptr &&
      call.header("x-amz-checksum-crc32") == nullptr) {
    return error_answer(400, "InvalidRequest", "Missing required header: Content-MD5");
  }
  if (auto broken = broken_checksum(call)) return *std::move(broken);
  pugi::xml_document document;
  if (!document.load_buffer(call.body.data(), call.body.size())) {
    return error_answer(400, "MalformedXML", "The XML you provided was not well-formed");
  }
  const pugi::xml_node root = document.child("Delete");
  const bool quiet = std::string_view(root.child_value("Quiet")) == "true";
  std::string out = "<DeleteResult>";
  std::size_t count = 0;
  for (const pugi::xml_node object : root.children("Object")) {
    if (++count > kPageMax) {
      return error_answer(400, "MalformedXML", "More than 1,000 keys in one request");
    }
    const std::string key = object.child_value("Key");
    bucket.objects.erase(key);
    if (!quiet) out += "<Deleted><Key>" + s3::xml_escape(key) + "</Key></Deleted>";
  }
  return xml_answer(200, out + "</DeleteResult>");
}

}  // namespace stepstore::fault
