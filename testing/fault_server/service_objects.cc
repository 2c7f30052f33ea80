// Objects: writing, reading and removing them, with their versions where those are kept.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <pugixml.hpp>

#include "s3/encode.h"
#include "testing/fault_server/checksums.h"
#include "testing/fault_server/kept.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

constexpr std::size_t kRemovedAtOnceMax = 1'000;

struct Range {
  std::uint64_t first = 0, size = 0;
  bool satisfiable = true;
};

// "bytes=a-b", "bytes=a-", "bytes=-n". None: something else, which means the whole object.
std::optional<Range> range_of(std::string_view text, std::uint64_t total) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  bool plain = true;
  const auto number = [&plain](std::string_view digits) -> std::optional<std::uint64_t> {
    if (digits.empty()) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    plain = plain && failed == std::errc{} && end == digits.data() + digits.size();
    return value;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (!plain || (!first && !last) || (first && last && *last < *first)) return std::nullopt;
  if (!first) {
    const std::uint64_t size = std::min(*last, total);
    return Range{.first = total - size, .size = size, .satisfiable = size > 0};
  }
  if (*first >= total) return Range{.satisfiable = false};
  return Range{.first = *first,
               .size = last ? std::min(*last - *first, total - *first - 1) + 1 : total - *first};
}

void add_version(http::Response& response, const Stored& object) {
  if (object.version.empty()) return;
  response.headers.emplace_back("x-amz-version-id", object.version);
}

// The one that is asked for; null: there is none.
const Stored* found_in(const Bucket& bucket, const Call& call) {
  const std::string* const version = call.parameter("versionId");
  if (version == nullptr || version->empty()) {
    const auto found = bucket.objects.find(call.key);
    if (found != bucket.objects.end()) return &found->second;
    const auto history = bucket.history.find(call.key);
    return history == bucket.history.end() ? nullptr : &history->second.back();
  }
  if (bucket.versioning == Versioning::never && *version == "null") {
    const auto found = bucket.objects.find(call.key);
    return found == bucket.objects.end() ? nullptr : &found->second;
  }
  const auto history = bucket.history.find(call.key);
  if (history == bucket.history.end()) return nullptr;
  const auto found = std::ranges::find(history->second, *version, &Stored::version);
  return found == history->second.end() ? nullptr : &*found;
}

// The answer where a deletion marker lies.
http::Response marker_answer(const Call& call, const Stored& marker) {
  const bool named = call.parameter("versionId") != nullptr;
  http::Response response =
      named ? error_answer(405, "MethodNotAllowed",
                           "The specified method is not allowed against this resource.", call.key)
            : no_such_key(call.key);
  response.headers.emplace_back("x-amz-delete-marker", "true");
  response.headers.emplace_back("x-amz-version-id", marker.version);
  return response;
}

// Whoever reads by a link may wish for other headers: response-content-type and so on.
void override_headers(const Call& call, http::Response& response) {
  constexpr std::string_view kWish = "response-";
  for (const auto& [name, value] : call.query) {
    if (!name.starts_with(kWish)) continue;
    const std::string wanted = name.substr(kWish.size());
    std::erase_if(response.headers,
                  [&](const auto& header) { return lower_case(header.first) == wanted; });
    response.headers.emplace_back(wanted, value);
  }
}

// What the removed thing, if any, leads to.
http::Response removed_answer(const Stored& taken) {
  http::Response response = empty_answer(204);
  if (taken.marker) response.headers.emplace_back("x-amz-delete-marker", "true");
  add_version(response, taken);
  return response;
}

}  // namespace

http::Headers kept_headers(const Call& call) {
  static constexpr std::array<std::string_view, 6> kKept{"cache-control",    "content-disposition",
                                                         "content-encoding", "content-language",
                                                         "content-type",     "expires"};
  http::Headers kept;
  for (const auto& [name, value] : call.headers) {
    std::string lower = lower_case(name);
    // That is how it was sent, and nothing about the object.
    if (lower == "content-encoding" && value == "aws-chunked") continue;
    if (std::ranges::find(kKept, lower) != kKept.end() || lower.starts_with("x-amz-meta-") ||
        is_checksum_header(lower)) {
      kept.emplace_back(std::move(lower), value);
    }
  }
  if (http::find_header(kept, "content-type") == nullptr) {
    kept.emplace_back("content-type", "binary/octet-stream");
  }
  return kept;
}

http::Response Service::put(const Call& call, Bucket& bucket) {
  if (auto refused = refusal(call, bucket)) return *std::move(refused);
  const Stored& object = store(bucket, call.key, stored(call));
  http::Response response = empty_answer(200);
  response.headers.emplace_back("ETag", quoted(object.etag));
  add_version(response, object);
  for (const auto& [name, value] : object.kept) {
    if (is_checksum_header(name) || is_told_by_writes(name)) {
      response.headers.emplace_back(name, value);
    }
  }
  return response;
}

http::Response Service::get(const Call& call, const Bucket& bucket) const {
  const Stored* const found = found_in(bucket, call);
  if (found == nullptr && call.parameter("versionId") != nullptr) {
    return error_answer(404, "NoSuchVersion", "The specified version does not exist.", call.key);
  }
  if (found == nullptr) return no_such_key(call.key);
  const Stored& object = *found;
  if (object.marker) return marker_answer(call, object);
  if (auto refused = locked(call, object.kept)) return *std::move(refused);
  const std::string* const match = call.header("If-Match");
  if (match != nullptr && *match != "*" && bare(*match) != object.etag) {
    return error_answer(412, "PreconditionFailed",
                        "At least one of the pre-conditions you specified did not hold", call.key);
  }
  http::Response response = empty_answer(200);
  response.headers = {{"ETag", quoted(object.etag)},
                      {"Last-Modified", http_date(object.modified)},
                      {"Accept-Ranges", "bytes"}};
  add_version(response, object);
  const std::string* const none = call.header("If-None-Match");
  if (none != nullptr && (*none == "*" || bare(*none) == object.etag)) {
    response.status = 304;
    return response;
  }
  const std::string* const wanted = call.header("Range");
  const auto range = wanted ? range_of(*wanted, object.body.size()) : std::nullopt;
  if (range && !range->satisfiable) {
    return error_answer(416, "InvalidRange", "The requested range is not satisfiable", call.key);
  }
  // A checksum is that of the whole, and only told to who asks for it.
  const bool sums = !range && call.header("x-amz-checksum-mode") != nullptr;
  for (const auto& header : object.kept) {
    if (sums || !is_checksum_header(header.first)) response.headers.push_back(header);
  }
  override_headers(call, response);
  response.body = object.body;
  if (range) {
    response.status = 206;
    response.body = object.body.slice(range->first, range->size);
    response.headers.emplace_back(
        "Content-Range", fmt::format("bytes {}-{}/{}", range->first, range->first + range->size - 1,
                                     object.body.size()));
  }
  if (call.method == "HEAD") {
    response.headers.emplace_back("Content-Length", std::to_string(response.body.size()));
  }
  return response;
}

http::Response Service::remove(const Call& call, Bucket& bucket) {
  if (const std::string* const upload = call.parameter("uploadId")) {
    const auto found = bucket.uploads.find(*upload);
    if (found == bucket.uploads.end() || found->second.key != call.key) {
      return error_answer(404, "NoSuchUpload", "The specified upload does not exist.", call.key);
    }
    bucket.uploads.erase(found);
    return empty_answer(204);
  }
  if (const std::string* const version = call.parameter("versionId")) {
    return removed_answer(take_away_version(bucket, call.key, *version));
  }
  if (!options_.dialect.ignores_conditional_delete) {
    if (auto refused = refusal(call, bucket)) return *std::move(refused);
  }
  return removed_answer(take_away(bucket, call.key));
}

http::Response Service::remove_many(const Call& call, Bucket& bucket) {
  if (!has_checksum(call)) {
    return error_answer(400, "InvalidRequest",
                        "Missing required header for this request: Content-MD5");
  }
  pugi::xml_document document;
  if (!document.load_buffer(call.body.data(), call.body.size(),
                            pugi::parse_default | pugi::parse_ws_pcdata_single)) {
    return malformed_xml();
  }
  const pugi::xml_node root = document.child("Delete");
  const auto objects = root.children("Object");
  const auto count = static_cast<std::size_t>(std::distance(objects.begin(), objects.end()));
  if (count == 0 || count > kRemovedAtOnceMax) return malformed_xml();
  const bool quiet = std::string_view(root.child_value("Quiet")) == "true";
  std::string out = "<DeleteResult>";
  for (const pugi::xml_node object : objects) {
    const std::string key = object.child_value("Key");
    const std::string version = object.child_value("VersionId");
    const Stored taken =
        version.empty() ? take_away(bucket, key) : take_away_version(bucket, key, version);
    if (quiet) continue;
    out += "<Deleted><Key>" + s3::xml_escape(key) + "</Key>";
    if (!version.empty()) out += "<VersionId>" + s3::xml_escape(version) + "</VersionId>";
    if (taken.marker) {
      out += "<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>" + taken.version +
             "</DeleteMarkerVersionId>";
    }
    out += "</Deleted>";
  }
  return xml_answer(200, out + "</DeleteResult>");
}

}  // namespace stepstore::fault
