#include "testing/fault_server/service.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "s3/encode.h"
#include "testing/fault_server/checksums.h"
#include "testing/fault_server/kept.h"

namespace stepstore::fault {
namespace {

constexpr std::size_t kPageMax = 1'000;

http::Response not_implemented() {
  return error_answer(501, "NotImplemented", "This server does not do that.");
}

// What is asked about other than the object or the bucket itself, and is not done here. Else the
// tags of an object would be stored as the object.
bool asks_for_more(const Call& call) {
  static constexpr std::array<std::string_view, 26> kOthers{"accelerate",
                                                            "acl",
                                                            "analytics",
                                                            "attributes",
                                                            "cors",
                                                            "encryption",
                                                            "intelligent-tiering",
                                                            "inventory",
                                                            "legal-hold",
                                                            "lifecycle",
                                                            "logging",
                                                            "metrics",
                                                            "notification",
                                                            "object-lock",
                                                            "ownershipControls",
                                                            "policy",
                                                            "publicAccessBlock",
                                                            "replication",
                                                            "requestPayment",
                                                            "restore",
                                                            "retention",
                                                            "select",
                                                            "tagging",
                                                            "torrent",
                                                            "website",
                                                            "policyStatus"};
  return std::ranges::any_of(kOthers, [&](std::string_view name) { return call.parameter(name); });
}

}  // namespace

std::string quoted(const std::string& etag) { return '"' + etag + '"'; }

std::string bare(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return std::string(etag);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

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

std::string value_of(const Call& call, std::string_view name) {
  const std::string* const value = call.parameter(name);
  return value == nullptr ? "" : *value;
}

std::optional<std::size_t> page_size(const Call& call, std::string_view name) {
  const std::string* const text = call.parameter(name);
  if (text == nullptr) return kPageMax;
  std::size_t size = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), size);
  if (failed != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return std::min(size, kPageMax);
}

http::Response no_such_key(const std::string& key) {
  return error_answer(404, "NoSuchKey", "The specified key does not exist.", key);
}

http::Response malformed_xml() {
  return error_answer(400, "MalformedXML",
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
}

void Service::make_bucket(const std::string& name) {
  const std::lock_guard lock(mutex_);
  buckets_.try_emplace(name, Bucket{.created = clock_.now_ms()});
}

void Service::forget_bucket(const std::string& name) {
  const std::lock_guard lock(mutex_);
  buckets_.erase(name);
}

http::Response Service::answer(const Call& asked) {
  http::Response response = [&] {
    Call unpacked;
    const bool chunks = in_chunks(asked);
    if (chunks) {
      unpacked = asked;
      if (auto broken = unpack_chunks(unpacked)) return *std::move(broken);
    }
    const Call& whole = chunks ? unpacked : asked;
    const Call plain = options_.dialect.no_encryption ? without_encryption(whole) : Call();
    const Call& call = options_.dialect.no_encryption ? plain : whole;
    if (auto broken = broken_wish(call)) return *std::move(broken);
    // Not under the lock: sums of large bodies take their time.
    if (auto broken = broken_body(call)) return *std::move(broken);
    const std::lock_guard lock(mutex_);
    if (asks_for_more(call)) return not_implemented();
    if (call.bucket.empty()) {
      return call.method == "GET" ? about_all()
                                  : error_answer(405, "MethodNotAllowed", "Name a bucket.");
    }
    if (call.key.empty()) return about_bucket(call);
    const auto bucket = buckets_.find(call.bucket);
    if (bucket == buckets_.end()) {
      return error_answer(404, "NoSuchBucket", "The specified bucket does not exist", call.bucket);
    }
    return about_object(call, bucket->second);
  }();
  response.headers.emplace_back("Date", http_date(clock_.now_ms()));
  if (asked.method == "HEAD" && response.status >= 300) response.body = {};
  return response;
}

std::optional<http::Response> Service::broken_body(const Call& call) const {
  if (auto broken = broken_payload_hash(call)) return broken;
  // In a completion the checksum is that of the whole object.
  if (options_.dialect.ignores_checksums) return std::nullopt;
  if (call.method == "POST" && call.parameter("uploadId")) return std::nullopt;
  return broken_checksum(call);
}

http::Response Service::about_object(const Call& call, Bucket& bucket) {
  if (call.key.size() > 1'024) {
    return error_answer(400, "KeyTooLongError", "Your key is too long", call.key);
  }
  const bool of_upload = call.parameter("uploadId") != nullptr;
  if (call.method == "PUT") {
    if (call.header("x-amz-copy-source") != nullptr) return not_implemented();
    return of_upload ? put_part(call, bucket) : put(call, bucket);
  }
  if (call.method == "GET" && of_upload) return list_parts(call, bucket);
  if (call.method == "GET" || call.method == "HEAD") return get(call, bucket);
  if (call.method == "POST" && call.parameter("uploads")) return begin_upload(call, bucket);
  if (call.method == "POST" && of_upload) return complete(call, bucket);
  if (call.method == "DELETE") return remove(call, bucket);
  return not_implemented();
}

std::optional<http::Response> Service::refusal(const Call& call, const Bucket& bucket) const {
  const Dialect& dialect = options_.dialect;
  const auto there = bucket.objects.find(call.key);
  const bool exists = there != bucket.objects.end();
  const bool blind = dialect.no_conditions_when_versioned && bucket.versioning != Versioning::never;
  const auto failed = [&] {
    return error_answer(412, "PreconditionFailed",
                        "At least one of the pre-conditions you specified did not hold", call.key);
  };
  if (const std::string* const none = call.header("If-None-Match")) {
    if (*none != "*") return not_implemented();  // as AWS for writes
    const bool marker = !exists && bucket.history.contains(call.key);
    if (!dialect.ignores_if_none_match && !blind &&
        (exists || (marker && dialect.marker_refuses_create))) {
      return failed();
    }
  }
  const std::string* const match = call.header("If-Match");
  if (match == nullptr || dialect.ignores_if_match) return std::nullopt;
  if (blind) return failed();
  if (!exists) return no_such_key(call.key);
  if (dialect.bare_if_match_only && match->starts_with('"')) return failed();
  if (*match == "*" || bare(*match) == there->second.etag) return std::nullopt;
  const bool race = clock_.now_ms() - there->second.modified < std::chrono::milliseconds(20);
  if (dialect.losers_get_500 && race) {
    return error_answer(500, "UnknownError", "UnknownError", call.key);
  }
  return failed();
}

std::string Service::new_etag(BytesView body) {
  if (options_.md5_etags) return md5_hex(body);
  ++count_;
  return fmt::format("{:016x}{:016x}", count_, count_ * 0x9e3779b97f4a7c15U);
}

Stored Service::stored(const Call& call) {
  return {.body = call.body,
          .etag = new_etag(call.body.view()),
          .kept = kept_of(call),
          .modified = clock_.now_ms()};
}

http::Headers Service::kept_of(const Call& call) const {
  http::Headers kept = kept_headers(call);
  std::ranges::copy_if(told_of_keeping(call), std::back_inserter(kept), [this](const auto& each) {
    return !options_.dialect.no_encryption || !is_told_by_writes(each.first);
  });
  return kept;
}

}  // namespace stepstore::fault
