#include "store/s3/encryption.h"

#include "base/log.h"
#include "base/ulid.h"
#include "layout/keys.h"
#include "s3/errors.h"
#include "s3/object_headers.h"
#include "s3/xml.h"

namespace stepstore::bucket {
namespace {

constexpr std::string_view kAdvice =
    "Let the bucket encrypt (its default encryption, or sse), or leave out require_sse.";

StorageManagerError refusal(const s3::Operation& operation, const s3::Answer& answer,
                            const std::string& what) {
  ErrorDetails details =
      error(ErrorCode::Unsupported, operation.name, operation.key, what, std::string(kAdvice))
          .details();
  details.http_status = answer.response.status;
  return StorageManagerError(std::move(details));
}

// A component's name is used once, and only a manifest that is not there yet could name it. So it
// may be overwritten, also late; to delete it would let another writer take the name meanwhile.
bool emptied(const Bucket& bucket, const s3::Operation& written, const CallLimits& limits) {
  const auto answer = bucket.client->send_one(
      s3::put_object({.key = ObjectKey(written.key)}, {.holds_data = true}), limits);
  if (!answer) {
    log_warning("'{}' was stored without encryption and stays so: {}", written.key,
                answer.error().what());
  }
  return answer.ok();
}

void abort_upload(const Bucket& bucket, const s3::Operation& begun, const s3::Answer& answer,
                  const CallLimits& limits) {
  const auto id = s3::parse_create_upload(answer.response.body.view());
  if (!id) return;
  (void)bucket.client->send_one(s3::abort_multipart_upload(ObjectKey(begun.key), *id), limits);
}

StorageManagerError told(const Bucket& bucket, const s3::Operation& operation,
                         const s3::Answer& answer, const std::string& missing,
                         const CallLimits& limits) {
  if (!s3::is_write(operation)) return refusal(operation, answer, missing);
  if (operation.name == "CreateMultipartUpload") {
    abort_upload(bucket, operation, answer, limits);
    return refusal(operation, answer, missing + "; nothing was stored");
  }
  if (operation.holds_data) {
    return refusal(operation, answer,
                   missing + (emptied(bucket, operation, limits)
                                  ? "; the object was stored, and emptied again"
                                  : "; the object was stored, and could not be emptied again"));
  }
  // Somebody may have read it.
  return unknown_outcome(refusal(operation, answer, missing + "; the object was stored"));
}

}  // namespace

void try_encryption(const Bucket& bucket, const CallLimits& limits) {
  const ObjectKey key = bucket.own(probe_key(make_ulid(bucket.clock, bucket.random), "encryption"));
  const s3::Operation operation = s3::put_object({.key = key, .content_type = "text/plain"}, {});
  const auto answer = bucket.client->send_one(operation, limits);
  if (!answer) answer.error().raise();
  if (const auto gone = bucket.client->send_one(s3::delete_object(key), limits); !gone) {
    log_warning("an object of the probe stays: {}", gone.error().what());
  }
  const std::string missing =
      s3::missing_encryption(bucket.client->options().objects, operation, answer->response);
  if (!missing.empty()) {
    refusal(operation, *answer, missing + "; nothing but an empty trial object was stored").raise();
  }
}

void refuse_unencrypted(const Bucket& bucket, std::span<const s3::Operation> operations,
                        std::vector<Result<s3::Answer>>& answers, const CallLimits& limits) {
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (!answers[i]) continue;
    const std::string missing = s3::missing_encryption(bucket.client->options().objects,
                                                       operations[i], answers[i]->response);
    if (!missing.empty()) {
      answers[i] = told(bucket, operations[i], *answers[i], missing, limits);
    }
  }
}

StorageManagerError explained(const Bucket& bucket, const s3::Operation& operation,
                              const StorageManagerError& failed) {
  if (failed.http_status() != 400 || s3::is_write(operation)) return failed;
  const bool says = failed.message().find("Server Side Encryption") != std::string_view::npos ||
                    failed.message().find("encryption parameters") != std::string_view::npos;
  const bool with_key = !bucket.client->options().objects.customer_key.empty();
  // An answer to HEAD says nothing.
  if (!says && !(with_key && operation.name == "HeadObject")) return failed;
  ErrorDetails details = failed.details();
  details.code = ErrorCode::ConfigError;
  details.message = (with_key ? "the object is not readable with this key of SSE-C: "
                              : "the object was stored with a key of SSE-C: ") +
                    details.message;
  details.advice = "Give the key that it was stored with (sse_c_key), or none where it was none.";
  details.retryable = false;
  return StorageManagerError(std::move(details));
}

}  // namespace stepstore::bucket
