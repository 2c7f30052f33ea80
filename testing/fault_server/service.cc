#include "testing/fault_server/service.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

#include "base/crc64.h"
#include "s3/digest.h"
#include "s3/encode.h"

namespace stepstore::fault {
namespace {

std::string bare(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return std::string(etag);
}

http::Response no_such_key(const std::string& key) {
  return error_answer(404, "NoSuchKey", "The specified key does not exist.", key);
}

// "bytes=a-b", "bytes=a-", "bytes=-n": the first byte and how many. None: cannot be satisfied.
std::optional<std::pair<std::uint64_t, std::uint64_t>> range_of(std::string_view text,
                                                                std::uint64_t total) {
  text.remove_prefix(std::min(text.size(), std::string_view("bytes=").size()));
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failed != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (!first) {
    if (!last || *last == 0 || total == 0) return std::nullopt;
    const std::uint64_t size = std::min(*last, total);
    return std::pair{total - size, size};
  }
  if (*first >= total) return std::nullopt;
  const std::uint64_t end = last ? std::min(*last + 1, total) : total;
  if (end <= *first) return std::nullopt;
  return std::pair{*first, end - *first};
}

}  // namespace

std::string quoted(const std::string& etag) { return '"' + etag + '"'; }

std::string http_date(Timestamp time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(
                         std::chrono::floor<std::chrono::seconds>(time))));
}

std::string iso_time(Timestamp time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.000Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(
                         std::chrono::floor<std::chrono::seconds>(time))));
}

http::Headers kept_headers(const Call& call) {
  http::Headers kept;
  for (const auto& [name, value] : call.headers) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower == "content-type" || lower.starts_with("x-amz-meta-") ||
        lower.starts_with("x-amz-checksum-crc64nvme")) {
      kept.emplace_back(lower, value);
    }
  }
  if (http::find_header(kept, "content-type") == nullptr) {
    kept.emplace_back("content-type", "binary/octet-stream");
  }
  return kept;
}

void Service::make_bucket(const std::string& name) {
  const std::lock_guard lock(mutex_);
  buckets_.try_emplace(name);
}

http::Response Service::answer(const Call& call) {
  http::Response response = [&] {
    const std::lock_guard lock(mutex_);
    if (call.bucket.empty()) {
      return error_answer(405, "MethodNotAllowed", "Name a bucket.");
    }
    if (call.key.empty()) return about_bucket(call);
    const auto bucket = buckets_.find(call.bucket);
    if (bucket == buckets_.end()) {
      return error_answer(404, "NoSuchBucket", "The specified bucket does not exist", call.bucket);
    }
    return about_object(call, bucket->second);
  }();
  response.headers.emplace_back("Date", http_date(clock_.now_ms()));
  if (call.method == "HEAD" && response.status >= 300) response.body = {};
  return response;
}

http::Response Service::about_bucket(const Call& call) {
  const auto found = buckets_.find(call.bucket);
  if (call.method == "PUT" && call.query.empty()) {
    buckets_.try_emplace(call.bucket);
    return empty_answer(200);
  }
  if (found == buckets_.end()) {
    return error_answer(404, "NoSuchBucket", "The specified bucket does not exist", call.bucket);
  }
  Bucket& bucket = found->second;
  if (call.method == "HEAD") return empty_answer(200);
  if (call.method == "GET" && call.parameter("versioning")) {
    return xml_answer(200, "<VersioningConfiguration/>");
  }
  if (call.method == "GET" && call.parameter("uploads")) return list_uploads(call, bucket);
  if (call.method == "GET") return list(call, bucket);
  if (call.method == "POST" && call.parameter("delete")) {
    if (options_.dialect.no_bulk_delete) {
      return error_answer(501, "NotImplemented", "There is no DeleteObjects here.");
    }
    return remove_many(call, bucket);
  }
  if (call.method == "DELETE") {
    if (!bucket.objects.empty()) {
      return error_answer(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
    }
    buckets_.erase(found);
    return empty_answer(204);
  }
  return error_answer(501, "NotImplemented", "This server does not do that.");
}

http::Response Service::about_object(const Call& call, Bucket& bucket) {
  if (call.key.size() > 1'024) {
    return error_answer(400, "KeyTooLongError", "Your key is too long", call.key);
  }
  if (call.method == "PUT") {
    if (auto broken = broken_checksum(call)) return *std::move(broken);
    return call.parameter("uploadId") ? put_part(call, bucket) : put(call, bucket);
  }
  if (call.method == "GET" || call.method == "HEAD") return get(call, bucket);
  if (call.method == "POST" && call.parameter("uploads")) return begin_upload(call, bucket);
  if (call.method == "POST" && call.parameter("uploadId")) return complete(call, bucket);
  if (call.method == "DELETE") {
    if (const std::string* const upload = call.parameter("uploadId")) {
      if (bucket.uploads.erase(*upload) == 0) {
        return error_answer(404, "NoSuchUpload", "The specified upload does not exist.");
      }
    } else {
      bucket.objects.erase(call.key);
    }
    return empty_answer(204);
  }
  return error_answer(501, "NotImplemented", "This server does not do that.");
}

std::optional<http::Response> Service::broken_checksum(const Call& call) const {
  if (options_.dialect.ignores_checksums) return std::nullopt;
  const auto bad = [&] {
    return error_answer(400, "BadDigest", "The checksum you specified did not match.", call.key);
  };
  if (const auto* const sum = call.header("x-amz-checksum-crc64nvme")) {
    if (*sum != s3::crc64_base64(crc64(call.body.view()))) return bad();
  }
  if (const auto* const sum = call.header("Content-MD5")) {
    if (*sum != s3::md5_base64(call.body.view())) return bad();
  }
  return std::nullopt;
}

std::optional<http::Response> Service::refusal(const Call& call, const Bucket& bucket,
                                               bool completion) const {
  const Dialect& dialect = options_.dialect;
  if (completion && dialect.ignores_completion_conditions) return std::nullopt;
  const auto there = bucket.objects.find(call.key);
  const bool exists = there != bucket.objects.end();
  const auto failed = [&] {
    return error_answer(412, "PreconditionFailed",
                        "At least one of the pre-conditions you specified did not hold", call.key);
  };
  if (call.header("If-None-Match") != nullptr && !dialect.ignores_if_none_match && exists) {
    return failed();
  }
  const std::string* const match = call.header("If-Match");
  if (match == nullptr || dialect.ignores_if_match) return std::nullopt;
  if (!exists) return no_such_key(call.key);
  if (dialect.bare_if_match_only && match->starts_with('"')) return failed();
  if (bare(*match) == there->second.etag) return std::nullopt;
  const bool race = clock_.now_ms() - there->second.modified < std::chrono::milliseconds(20);
  if (dialect.losers_get_500 && race) {
    return error_answer(500, "UnknownError", "UnknownError", call.key);
  }
  return failed();
}

std::string Service::new_etag(BytesView body) {
  ++count_;
  if (options_.md5_etags) {
    // Content-MD5 is base64; ETags are hexadecimal.
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    unsigned bits = 0;
    int have = 0;
    for (const char c : s3::md5_base64(body)) {
      if (c == '=') break;
      bits = bits << 6U | static_cast<unsigned>(kDigits.find(c));
      have += 6;
      if (have >= 8) {
        have -= 8;
        bytes += static_cast<char>(bits >> static_cast<unsigned>(have) & 0xffU);
      }
    }
    return s3::hex(bytes);
  }
  return fmt::format("{:016x}{:016x}", count_, count_ * 0x9e3779b97f4a7c15U);
}

Stored Service::stored(const Call& call) {
  return {.body = call.body,
          .etag = new_etag(call.body.view()),
          .kept = kept_headers(call),
          .modified = clock_.now_ms()};
}

http::Response Service::put(const Call& call, Bucket& bucket) {
  if (auto refused = refusal(call, bucket, false)) return *std::move(refused);
  Stored& object = bucket.objects[call.key] = stored(call);
  http::Response response = empty_answer(200);
  response.headers.emplace_back("ETag", quoted(object.etag));
  if (const auto* const sum = call.header("x-amz-checksum-crc64nvme")) {
    response.headers.emplace_back("x-amz-checksum-crc64nvme", *sum);
  }
  return response;
}

http::Response Service::get(const Call& call, Bucket& bucket) {
  const auto found = bucket.objects.find(call.key);
  if (found == bucket.objects.end()) return no_such_key(call.key);
  const Stored& object = found->second;
  const std::string* const match = call.header("If-Match");
  if (match != nullptr && bare(*match) != object.etag) {
    return error_answer(412, "PreconditionFailed", "The object has another ETag.", call.key);
  }
  const std::string* const none = call.header("If-None-Match");
  http::Response response = empty_answer(200);
  response.headers = {{"ETag", quoted(object.etag)},
                      {"Last-Modified", http_date(object.modified)},
                      {"Accept-Ranges", "bytes"}};
  if (none != nullptr && bare(*none) == object.etag) {
    response.status = 304;
    return response;
  }
  for (const auto& header : object.kept) response.headers.push_back(header);
  response.body = object.body;
  if (const std::string* const wanted = call.header("Range")) {
    const auto range = range_of(*wanted, object.body.size());
    if (!range) {
      return error_answer(416, "InvalidRange", "The requested range is not satisfiable", call.key);
    }
    response.status = 206;
    response.body = object.body.slice(range->first, range->second);
    response.headers.emplace_back(
        "Content-Range", fmt::format("bytes {}-{}/{}", range->first,
                                     range->first + range->second - 1, object.body.size()));
  }
  if (call.method == "HEAD") {
    response.headers.emplace_back("Content-Length", std::to_string(response.body.size()));
  }
  return response;
}

}  // namespace stepstore::fault
