#include <array>

#include "s3/errors.h"

namespace stepstore::s3 {
namespace {

constexpr std::string_view kSlower = "Call again later, and with fewer requests at a time.";
constexpr std::string_view kNewToken =
    "Get new credentials: log in again, or let the program that made the token make another.";
constexpr std::string_view kNotS3 =
    "Check the endpoint: something else than an S3 service seems to answer there.";
constexpr std::string_view kRegion = "Set the region of the bucket.";
constexpr std::string_view kEndpoint = "Set the endpoint to the one that serves this bucket.";
constexpr std::string_view kBucket = "Check the name of the bucket, or create it.";
constexpr std::string_view kRights =
    "Give this user the rights it needs on the bucket. Without the right to list it, S3 denies "
    "access to missing objects, too.";
constexpr std::string_view kRoom = "Free some space or raise the quota; then call again.";

using enum Asked;
using enum Action;

// clang-format off
constexpr auto kRows = std::to_array<ErrorRow>({
    // Credentials and signatures.
    {0, "ExpiredToken", anything, ErrorCode::Unauthenticated, refresh, false, "the session token has expired", kNewToken},
    {0, "ExpiredTokenException", anything, ErrorCode::Unauthenticated, refresh, false, "the session token has expired", kNewToken},
    {0, "TokenRefreshRequired", anything, ErrorCode::Unauthenticated, refresh, false, "the session token must be renewed", kNewToken},
    {0, "RequestExpired", anything, ErrorCode::Unauthenticated, refresh, false, "the request or its session token has expired", kNewToken},
    {0, "InvalidToken", anything, ErrorCode::Unauthenticated, refresh, false, "the session token is not valid", kNewToken},
    {0, "InvalidAccessKeyId", anything, ErrorCode::Unauthenticated, give_up, false, "the server does not know the access key", "Check the access key, and that it belongs to this endpoint."},
    {0, "XAdminUserNotFound", anything, ErrorCode::Unauthenticated, give_up, false, "the server does not know the access key", "Check the access key, and that it belongs to this endpoint."},
    {0, "SignatureDoesNotMatch", anything, ErrorCode::Unauthenticated, give_up, false, "the signature is not the one that the server computed", "Check the secret key; if it is right, check that no proxy changes the Host header."},
    {0, "RequestTimeTooSkewed", anything, ErrorCode::Unauthenticated, set_clock, false, "this machine's clock and the server's differ too much", "Set this machine's clock."},
    {0, "RequestInTheFuture", anything, ErrorCode::Unauthenticated, set_clock, false, "this machine's clock and the server's differ too much", "Set this machine's clock."},
    {0, "AccessDenied", anything, ErrorCode::PermissionDenied, give_up, false, "access was denied", kRights},
    {0, "AllAccessDisabled", anything, ErrorCode::PermissionDenied, give_up, false, "all access to this bucket is disabled", kRights},
    {0, "AccountProblem", anything, ErrorCode::PermissionDenied, give_up, false, "there is a problem with the account", "Ask whoever runs the service."},
    {0, "NotSignedUp", anything, ErrorCode::PermissionDenied, give_up, false, "the account has no S3", "Ask whoever runs the service."},

    // Where the bucket is.
    {0, "AuthorizationHeaderMalformed", anything, ErrorCode::ConfigError, give_up, false, "the server does not accept the signature's region or access key", "Set the region of the bucket; if it is right, check the access key."},
    {0, "PermanentRedirect", anything, ErrorCode::ConfigError, give_up, false, "the bucket is in another region", kRegion},
    {0, "IllegalLocationConstraintException", anything, ErrorCode::ConfigError, give_up, false, "the bucket is in another region", kRegion},
    {0, "TemporaryRedirect", anything, ErrorCode::ConfigError, give_up, false, "the server sends this bucket's requests elsewhere", kEndpoint},
    {0, "NoSuchBucket", anything, ErrorCode::ConfigError, give_up, false, "there is no such bucket", kBucket},
    {0, "InvalidBucketName", anything, ErrorCode::ConfigError, give_up, false, "this is no name for a bucket", kBucket},

    // Conditions.
    {0, "PreconditionFailed", create, ErrorCode::AlreadyExists, give_up, false, "the key is taken", ""},
    {0, "PreconditionFailed", anything, ErrorCode::Conflict, give_up, false, "the object has changed since it was read", ""},
    {0, "ConditionalRequestConflict", complete, ErrorCode::Unavailable, give_up, false, "another write of the key was under way", "Upload the object again."},
    {0, "ConditionalRequestConflict", anything, ErrorCode::Unavailable, retry, false, "another write of the key was under way", ""},
    {0, "OperationAborted", anything, ErrorCode::Unavailable, retry, false, "another operation on the bucket was under way", ""},

    // Objects and uploads.
    {0, "NoSuchKey", swap, ErrorCode::Conflict, give_up, false, "the object has gone since it was read", ""},
    {0, "NoSuchKey", anything, ErrorCode::NotFound, give_up, false, "there is no such object", ""},
    {0, "NoSuchVersion", anything, ErrorCode::NotFound, give_up, false, "there is no such version of the object", ""},
    {0, "NoSuchUpload", anything, ErrorCode::NotFound, give_up, false, "there is no such upload: it was finished, aborted or expired", "Upload the object again."},
    {0, "InvalidPart", anything, ErrorCode::Unavailable, give_up, false, "the server misses a part of the upload", "Upload the object again."},
    {0, "InvalidObjectState", anything, ErrorCode::Archived, give_up, false, "the object is in cold storage", ""},
    {0, "InvalidRange", anything, ErrorCode::InvalidArgument, give_up, false, "the range begins at or beyond the end of the object", "Ask for bytes that the object has."},
    {0, "EntityTooLarge", anything, ErrorCode::TooLarge, give_up, false, "the object is larger than the server takes", ""},
    {0, "EntityTooSmall", anything, ErrorCode::InvalidArgument, give_up, false, "a part of the upload is smaller than the server takes", "Use larger parts."},
    {0, "KeyTooLongError", anything, ErrorCode::InvalidArgument, give_up, false, "the key is longer than the server takes", "Use shorter ids or a shorter prefix."},
    {0, "KeyTooLong", anything, ErrorCode::InvalidArgument, give_up, false, "the key is longer than the server takes", "Use shorter ids or a shorter prefix."},
    {0, "ObjectParentIsFile", anything, ErrorCode::Unsupported, give_up, false, "this server keeps no object below the name of another", "Use another prefix or id."},
    {0, "NotImplemented", anything, ErrorCode::Unsupported, give_up, false, "the server cannot do this", ""},
    {0, "MethodNotAllowed", anything, ErrorCode::Unsupported, give_up, false, "the server does not allow this here", ""},

    // Room.
    {0, "QuotaExceeded", anything, ErrorCode::NoSpace, give_up, false, "the quota is used up", kRoom},
    {0, "XMinioStorageFull", anything, ErrorCode::NoSpace, give_up, false, "the server's disks are full", kRoom},
    {0, "XMinioAdminBucketQuotaExceeded", anything, ErrorCode::NoSpace, give_up, false, "the bucket's quota is used up", kRoom},
    {0, "InsufficientStorage", anything, ErrorCode::NoSpace, give_up, false, "the server's disks are full", kRoom},

    // Bytes that changed or stopped on their way.
    {0, "BadDigest", anything, ErrorCode::Io, retry, false, "the bytes that arrived are not those that were sent", "If it happens again, look for a proxy or a network device that changes bytes."},
    {0, "XAmzContentSHA256Mismatch", anything, ErrorCode::Io, retry, false, "the bytes that arrived are not those that were sent", "If it happens again, look for a proxy or a network device that changes bytes."},
    {0, "IncompleteBody", anything, ErrorCode::Io, retry, false, "the request arrived in part", ""},
    {0, "RequestTimeout", anything, ErrorCode::Unavailable, retry, false, "the server waited in vain for the request", ""},

    // Load and failure.
    {0, "SlowDown", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "SlowDownRead", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "SlowDownWrite", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "Throttling", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "ThrottlingException", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "ThrottledException", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "EC2ThrottledException", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "RequestThrottled", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "RequestThrottledException", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "RequestLimitExceeded", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "BandwidthLimitExceeded", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "TooManyRequests", anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {0, "ServiceUnavailable", anything, ErrorCode::Unavailable, throttle, false, "the service is not available", ""},
    {0, "Busy", anything, ErrorCode::Unavailable, throttle, false, "the service is busy", ""},
    {0, "XMinioServerNotInitialized", anything, ErrorCode::Unavailable, throttle, false, "the server is starting", ""},
    {0, "InternalError", anything, ErrorCode::Unavailable, retry, true, "the server failed", ""},
    {0, "UnknownError", anything, ErrorCode::Unavailable, retry, true, "the server failed", ""},

    // Without a code that is known: by the status alone.
    {301, kAnyCode, anything, ErrorCode::ConfigError, give_up, false, "the bucket is elsewhere", kRegion},
    {302, kAnyCode, anything, ErrorCode::ConfigError, give_up, false, "the server redirects, which a signed request cannot follow", kEndpoint},
    {303, kAnyCode, anything, ErrorCode::ConfigError, give_up, false, "the server redirects, which a signed request cannot follow", kEndpoint},
    {304, kAnyCode, anything, ErrorCode::Conflict, give_up, false, "the object has not changed", ""},
    {307, kAnyCode, anything, ErrorCode::ConfigError, give_up, false, "the server redirects, which a signed request cannot follow", kEndpoint},
    {308, kAnyCode, anything, ErrorCode::ConfigError, give_up, false, "the server redirects, which a signed request cannot follow", kEndpoint},
    {400, kNoCode, head, ErrorCode::Unauthenticated, refresh, false, "the request was refused, and an answer to HEAD says no reason", "Check whether the session token has expired and whether the region is right."},
    {400, kPage, anything, ErrorCode::ConfigError, give_up, false, "the request was refused without a reason that S3 knows", kNotS3},
    {401, kAnyCode, anything, ErrorCode::Unauthenticated, give_up, false, "the server wants other credentials", ""},
    {403, kNoCode, object, ErrorCode::PermissionDenied, give_up, false, "access was denied", kRights},
    {403, kAnyCode, anything, ErrorCode::PermissionDenied, give_up, false, "access was denied", kRights},
    {404, kAnyCode, bucket, ErrorCode::ConfigError, give_up, false, "there is no such bucket", kBucket},
    {404, kPage, anything, ErrorCode::ConfigError, give_up, false, "the answer is no S3 error but a page", kNotS3},
    {404, kAnyCode, swap, ErrorCode::Conflict, give_up, false, "the object has gone since it was read", ""},
    {404, kAnyCode, object, ErrorCode::NotFound, give_up, false, "there is no such object", ""},
    {404, kAnyCode, anything, ErrorCode::ConfigError, give_up, false, "there is no such bucket", kBucket},
    {405, kAnyCode, anything, ErrorCode::Unsupported, give_up, false, "the server does not allow this here", kNotS3},
    {408, kAnyCode, anything, ErrorCode::Unavailable, retry, false, "the server waited in vain for the request", ""},
    {409, kAnyCode, anything, ErrorCode::Unsupported, give_up, false, "the server refuses the key beside what it has", "Use another prefix or id."},
    {411, kAnyCode, anything, ErrorCode::Unsupported, give_up, false, "something on the way drops the Content-Length header", "Check the proxies before the endpoint."},
    {412, kAnyCode, create, ErrorCode::AlreadyExists, give_up, false, "the key is taken", ""},
    {412, kAnyCode, anything, ErrorCode::Conflict, give_up, false, "the object has changed since it was read", ""},
    {413, kAnyCode, anything, ErrorCode::TooLarge, give_up, false, "the request is larger than the server takes", "Split or shrink it, or raise the limit of the proxy before the server."},
    {414, kAnyCode, anything, ErrorCode::InvalidArgument, give_up, false, "the key is longer than the server takes", "Use shorter ids or a shorter prefix."},
    {416, kAnyCode, anything, ErrorCode::InvalidArgument, give_up, false, "the range begins at or beyond the end of the object", "Ask for bytes that the object has."},
    {425, kAnyCode, anything, ErrorCode::Unavailable, retry, false, "the server was not ready", ""},
    {429, kAnyCode, anything, ErrorCode::Throttled, throttle, false, "the server asks to slow down", kSlower},
    {431, kAnyCode, anything, ErrorCode::InvalidArgument, give_up, false, "the request's headers are longer than the server takes", "Use shorter ids or a shorter session token."},
    {499, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "the server ended the request early", ""},
    {500, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "the server failed", ""},
    {501, kAnyCode, anything, ErrorCode::Unsupported, give_up, false, "the server cannot do this", ""},
    {502, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "a proxy got no good answer from the server", ""},
    {503, kAnyCode, anything, ErrorCode::Unavailable, throttle, true, "the service is not available", ""},
    {504, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "a proxy got no answer from the server in time", ""},
    {507, kAnyCode, anything, ErrorCode::NoSpace, give_up, false, "the server's disks or the quota are full", kRoom},
    {520, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "a proxy got no good answer from the server", ""},
    {521, kAnyCode, anything, ErrorCode::Unavailable, retry, false, "a proxy could not reach the server", ""},
    {522, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "a proxy could not reach the server in time", ""},
    {523, kAnyCode, anything, ErrorCode::Unavailable, retry, false, "a proxy could not reach the server", ""},
    {524, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "a proxy got no answer from the server in time", ""},
});

// For what no row names, by the kind of status.
constexpr ErrorRow kInside = {200, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "the server failed after it had begun to answer", ""};
constexpr ErrorRow kRedirect = {300, kAnyCode, anything, ErrorCode::ConfigError, give_up, false, "the server redirects, which a signed request cannot follow", kEndpoint};
constexpr ErrorRow kRefused = {400, kAnyCode, anything, ErrorCode::InvalidArgument, give_up, false, "the server refused the request", "See the server's words."};
constexpr ErrorRow kFailed = {500, kAnyCode, anything, ErrorCode::Unavailable, retry, true, "the server failed", ""};
constexpr ErrorRow kStrange = {0, kAnyCode, anything, ErrorCode::Unavailable, give_up, true, "the server answered with a status that HTTP does not have", kNotS3};
// clang-format on

bool fits(Asked asked, const Operation& operation) noexcept {
  const auto has = [&](std::string_view header) {
    return http::find_header(operation.headers, header) != nullptr;
  };
  switch (asked) {
    case anything:
      return true;
    case create:
      return is_write(operation) && has("If-None-Match");
    case swap:
      return is_write(operation) && has("If-Match");
    case complete:
      return operation.name == "CompleteMultipartUpload";
    case object:
      return !operation.key.empty();
    case bucket:
      return operation.name == "HeadBucket";
    case head:
      return operation.method == "HEAD";
  }
  return false;
}

bool fits(std::string_view row_code, std::string_view code) noexcept {
  return row_code == kAnyCode || row_code == code;
}

}  // namespace

std::span<const ErrorRow> error_table() noexcept { return kRows; }

bool is_write(const Operation& operation) noexcept {
  return operation.method != "GET" && operation.method != "HEAD";
}

const ErrorRow& row_for(const Operation& operation, int status, std::string_view code) noexcept {
  for (const ErrorRow& row : kRows) {
    if ((row.status == 0 || row.status == status) && fits(row.code, code) &&
        fits(row.asked, operation)) {
      return row;
    }
  }
  if (status >= 600 || status < 200) return kStrange;
  if (status >= 500) return kFailed;
  if (status >= 400) return kRefused;
  return status >= 300 ? kRedirect : kInside;
}

}  // namespace stepstore::s3
