#include "store/s3/bucket.h"

#include <algorithm>
#include <charconv>

#include "layout/keys.h"
#include "s3/content_range.h"
#include "s3/times.h"
#include "store/s3/encryption.h"
#include "store/s3/probe.h"

namespace stepstore::bucket {
namespace {

ETag etag_in(const http::Headers& headers) {
  const std::string* const value = http::find_header(headers, "ETag");
  return value == nullptr ? ETag() : plain_etag(*value);
}

Timestamp modified_in(const http::Headers& headers) {
  const std::string* const value = http::find_header(headers, "Last-Modified");
  const auto time = value ? s3::parse_http_date(*value) : std::nullopt;
  return time ? Timestamp(*time) : Timestamp{};
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

StorageManagerError odd_answer(std::string_view operation, const ObjectKey& key,
                               const std::string& what) {
  return error(ErrorCode::Io, operation, key.text(), "the server's answer " + what,
               "Is the endpoint an S3 server, or a proxy that changes answers?");
}

// The bytes of the range in the body of a server that gave the whole object.
Result<Bytes> cut(const ObjectKey& key, const Bytes& body, const ObjectRange& range) {
  std::uint64_t offset = range.offset;
  if (range.from_end) offset = body.size() - std::min<std::uint64_t>(body.size(), *range.size);
  if (offset >= body.size()) {
    return error(ErrorCode::InvalidArgument, "get", key.text(),
                 "the range begins at or behind the end of the object");
  }
  return body.slice(
      offset, std::min<std::uint64_t>(range.size.value_or(body.size()), body.size() - offset));
}

bool stores_object(const s3::Operation& operation) {
  return operation.name == "PutObject" || operation.name == "CreateMultipartUpload";
}

}  // namespace

ETag plain_etag(std::string_view text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return ETag(std::string(text));
}

BucketProbe Bucket::probe(const CallLimits& limits) {
  return dialect.ensure(clock, limits, [&] { return find_out(*this, limits); });
}

bool Bucket::holds_data(const ObjectKey& key) const {
  std::string_view text = key.text();
  if (!options.prefix.empty()) {
    if (!text.starts_with(options.prefix + '/')) return false;
    text.remove_prefix(options.prefix.size() + 1);
  }
  return parse_key(text).role == FileRole::component;
}

s3::PutOptions Bucket::put_options(const ObjectKey& key) const {
  const auto known = dialect.known();
  return {.etag_style = known && known->bare_etags ? s3::ETagStyle::bare : s3::ETagStyle::quoted,
          .holds_data = holds_data(key)};
}

std::vector<Result<s3::Answer>> Bucket::send(std::span<const s3::Operation> operations,
                                             const CallLimits& limits) const {
  const bool strict = client->options().objects.require_encryption;
  if (strict && !encrypts && std::ranges::any_of(operations, stores_object)) {
    try_encryption(*this, limits);
    encrypts = true;
  }
  auto answers = client->send(operations, limits);
  if (strict) refuse_unencrypted(*this, operations, answers, limits);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) continue;
    answers[i] = explained(*this, operations[i], answers[i].error());
    if (ends_the_call(answers[i].error())) answers[i].error().raise();
  }
  return answers;
}

Result<s3::Answer> Bucket::send_one(const s3::Operation& operation,
                                    const CallLimits& limits) const {
  return std::move(send({&operation, 1}, limits).front());
}

StorageManagerError retold(const StorageManagerError& from, ErrorCode code,
                           std::string_view operation, std::string_view key, std::string message) {
  ErrorDetails details = error(code, operation, key, std::move(message)).details();
  details.http_status = from.http_status();
  details.request_id = from.request_id();
  details.attempts = {from.attempts().begin(), from.attempts().end()};
  details.outcome_unknown = from.outcome_unknown();
  return StorageManagerError(std::move(details));
}

std::optional<StorageManagerError> fault_of(const GetRequest& request) {
  if (!request.range) return std::nullopt;
  const auto bad = [&](const char* message) {
    return error(ErrorCode::InvalidArgument, "get", request.key.text(), message);
  };
  if (request.range->size == 0) return bad("a range of no bytes cannot be read");
  if (request.range->from_end && (!request.range->size || request.range->offset != 0)) {
    return bad("a range from the end needs a size, and no offset");
  }
  return std::nullopt;
}

Result<ETag> told_put(const PutRequest& request, const Result<s3::Answer>& answer) {
  const std::string& key = request.key.text();
  if (answer) {
    ETag etag = etag_in(answer->response.headers);
    if (!etag.empty()) return etag;
    return unknown_outcome(odd_answer("put", request.key, "to a PUT names no ETag"));
  }
  const StorageManagerError& failed = answer.error();
  const bool refused = failed.http_status() == 412;
  switch (request.condition.kind) {
    case Condition::Kind::absent:
      if (refused) return retold(failed, ErrorCode::AlreadyExists, "put", key, "the key is taken");
      break;
    case Condition::Kind::unchanged:
      if (refused) {
        return retold(failed, ErrorCode::Conflict, "put", key, "the object has changed");
      }
      if (failed.code() == ErrorCode::NotFound) {
        return retold(failed, ErrorCode::Conflict, "put", key, "the object has gone");
      }
      break;
    case Condition::Kind::none:
      break;
  }
  return told_as(failed, "put", key);
}

Result<Object> told_get(const GetRequest& request, Result<s3::Answer>&& answer) {
  const ObjectKey& key = request.key;
  if (!answer) {
    const StorageManagerError& failed = answer.error();
    if (failed.http_status() == 412) {
      return retold(failed, ErrorCode::Conflict, "get", key.text(), "the object has changed");
    }
    if (failed.http_status() == 416) {
      return retold(failed, ErrorCode::InvalidArgument, "get", key.text(),
                    "the range begins at or behind the end of the object");
    }
    return told_as(failed, "get", key.text());
  }
  http::Response& response = (*answer).response;
  if (response.status == 404) {
    ErrorDetails details =
        error(ErrorCode::NotFound, "get", key.text(), "there is no such object (404 NoSuchKey)")
            .details();
    details.http_status = response.status;
    details.request_id = answer->request_id;
    return StorageManagerError(std::move(details));
  }
  Object object{.info = {.key = key,
                         .size = response.body.size(),
                         .etag = etag_in(response.headers),
                         .modified = modified_in(response.headers)},
                .body = std::move(response.body)};
  if (object.info.etag.empty()) return odd_answer("get", key, "to a GET names no ETag");
  if (!request.range) return object;
  if (response.status == 206) {
    const auto range = s3::content_range_in(response.headers);
    const bool right = range && range->total && range->size() == object.body.size() &&
                       (request.range->from_end ? range->last + 1 == *range->total
                                                : range->first == request.range->offset);
    if (!right) return odd_answer("get", key, "has other bytes than were asked for");
    object.info.size = *range->total;
    return object;
  }
  Result<Bytes> part = cut(key, object.body, *request.range);
  if (!part) return part.error();
  object.body = *part;
  return object;
}

Result<ObjectInfo> told_head(const ObjectKey& key, const Result<s3::Answer>& answer) {
  if (!answer) return told_as(answer.error(), "head", key.text());
  const http::Headers& headers = answer->response.headers;
  const std::string* const size = http::find_header(headers, "Content-Length");
  const auto bytes = size ? number(*size) : std::nullopt;
  ObjectInfo info{.key = key,
                  .size = bytes.value_or(0),
                  .etag = etag_in(headers),
                  .modified = modified_in(headers)};
  if (!bytes || info.etag.empty()) return odd_answer("head", key, "to a HEAD lacks size or ETag");
  return info;
}

std::vector<Result<ObjectInfo>> head(Bucket& bucket, std::span<const ObjectKey> keys,
                                     const CallLimits& limits) {
  std::vector<s3::Operation> operations;
  operations.reserve(keys.size());
  for (const ObjectKey& key : keys) operations.push_back(s3::head_object(key));
  const auto answers = bucket.send(operations, limits);
  std::vector<Result<ObjectInfo>> outcomes;
  outcomes.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) outcomes.push_back(told_head(keys[i], answers[i]));
  return outcomes;
}

}  // namespace stepstore::bucket
