// Links to objects: what the store's settings and the bucket have to do with them.
#include "store/s3/bucket.h"

namespace stepstore::bucket {
namespace {

[[noreturn]] void refuse(const LinkRequest& request, std::string message, std::string advice) {
  error(ErrorCode::Unsupported, "presign", request.key.text(), std::move(message),
        std::move(advice))
      .raise();
}

s3::Operation operation_of(Bucket& bucket, const LinkRequest& request, const CallLimits& limits) {
  if (request.method == LinkMethod::get) {
    s3::Operation get = s3::get_object({.key = request.key}, 0);
    const auto answer_with = [&](const char* header, const std::string& value) {
      if (!value.empty()) get.query.emplace_back(header, value);
    };
    answer_with("response-content-type", request.content_type);
    answer_with("response-content-disposition", request.content_disposition);
    return get;
  }
  if (!bucket.probe(limits).create_if_absent) {
    refuse(request, "this bucket does not enforce If-None-Match, so a link could replace objects",
           "Let the program that has credentials store the step.");
  }
  return s3::put_object(
      {.key = request.key, .content_type = request.content_type, .condition = Condition::absent()},
      {.holds_data = bucket.holds_data(request.key)});
}

std::string note_on(const s3::Link& link) {
  if (link.cut_short) return "the credentials that sign it end before the time that was asked for";
  if (link.may_end_before) {
    return "the credentials that sign it are temporary, and it ends with them; nothing says when";
  }
  return {};
}

}  // namespace

PresignedUrl link(Bucket& bucket, const LinkRequest& request, const CallLimits& limits) {
  if (!bucket.client->options().objects.customer_key.empty()) {
    refuse(request, "objects with a key of SSE-C cannot be reached by a link, which would need it",
           "Use sse=aws:kms or AES256 for what others are to read by links.");
  }
  const s3::Operation operation = operation_of(bucket, request, limits);
  s3::Link made = bucket.client->link(operation, request.expires, limits);
  return {.url = std::move(made.url),
          .method = operation.method,
          .headers = std::move(made.headers),
          .expires_at = made.expires_at,
          .key = request.key.text(),
          .note = note_on(made)};
}

}  // namespace stepstore::bucket
