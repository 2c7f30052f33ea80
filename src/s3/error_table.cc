#include <algorithm>
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

constexpr std::string_view kUsual = "";  // the advice of the error's code
constexpr bool kSure = false;            // a write was not applied
constexpr bool kDoubt = true;

using enum Asked;
using enum ErrorCode;
using enum Action;

constexpr auto kRows = std::to_array<ErrorRow>({
    // Credentials and signatures.
    {0, "ExpiredToken ExpiredTokenException", anything, Unauthenticated, refresh, kSure,
     "the session token has expired", kNewToken},
    {0, "TokenRefreshRequired", anything, Unauthenticated, refresh, kSure,
     "the session token must be renewed", kNewToken},
    {0, "RequestExpired", anything, Unauthenticated, refresh, kSure,
     "the request or its session token has expired", kNewToken},
    {0, "InvalidToken", anything, Unauthenticated, refresh, kSure, "the session token is not valid",
     kNewToken},
    {0, "InvalidAccessKeyId XAdminUserNotFound", anything, Unauthenticated, give_up, kSure,
     "the server does not know the access key",
     "Check the access key, and that it belongs to this endpoint."},
    {0, "SignatureDoesNotMatch", anything, Unauthenticated, give_up, kSure,
     "the signature is not the one that the server computed",
     "Check the secret key; if it is right, check that no proxy changes the Host header."},
    {0, "RequestTimeTooSkewed RequestInTheFuture", anything, Unauthenticated, set_clock, kSure,
     "this machine's clock and the server's differ too much", "Set this machine's clock."},
    {0, "AccessDenied", anything, PermissionDenied, give_up, kSure, "access was denied", kRights},
    {0, "AllAccessDisabled", anything, PermissionDenied, give_up, kSure,
     "all access to this bucket is disabled", kRights},
    {0, "AccountProblem", anything, PermissionDenied, give_up, kSure,
     "there is a problem with the account", "Ask whoever runs the service."},
    {0, "NotSignedUp", anything, PermissionDenied, give_up, kSure, "the account has no S3",
     "Ask whoever runs the service."},

    // Where the bucket is.
    {0, "AuthorizationHeaderMalformed", anything, ConfigError, move, kSure,
     "the server does not accept the signature's region or access key",
     "Set the region of the bucket; if it is right, check the access key."},
    {0, "PermanentRedirect IllegalLocationConstraintException", anything, ConfigError, move, kSure,
     "the bucket is in another region", kRegion},
    {0, "TemporaryRedirect", anything, ConfigError, move, kSure,
     "the server sends this bucket's requests elsewhere", kEndpoint},
    {0, "NoSuchBucket", anything, ConfigError, give_up, kSure, "there is no such bucket", kBucket},
    {0, "InvalidBucketName", anything, ConfigError, give_up, kSure, "this is no name for a bucket",
     kBucket},

    // Conditions.
    {0, "PreconditionFailed", create, AlreadyExists, give_up, kSure, "the key is taken", kUsual},
    {0, "PreconditionFailed", anything, Conflict, give_up, kSure,
     "the object has changed since it was read", kUsual},
    {0, "ConditionalRequestConflict", complete, Unavailable, give_up, kSure,
     "another write of the key was under way", "Upload the object again."},
    {0, "ConditionalRequestConflict", anything, Unavailable, retry, kSure,
     "another write of the key was under way", kUsual},
    {0, "OperationAborted", anything, Unavailable, retry, kSure,
     "another operation on the bucket was under way", kUsual},

    // Objects and uploads.
    {0, "NoSuchKey", swap, Conflict, give_up, kSure, "the object has gone since it was read",
     kUsual},
    {0, "NoSuchKey", anything, NotFound, give_up, kSure, "there is no such object", kUsual},
    {0, "NoSuchVersion", anything, NotFound, give_up, kSure,
     "there is no such version of the object", kUsual},
    {0, "NoSuchUpload", anything, NotFound, give_up, kSure,
     "there is no such upload: it was finished, aborted or expired", "Upload the object again."},
    {0, "InvalidPart", anything, Unavailable, give_up, kSure,
     "the server misses a part of the upload", "Upload the object again."},
    {0, "InvalidObjectState", anything, Archived, give_up, kSure, "the object is in cold storage",
     kUsual},
    {0, "InvalidRange", anything, InvalidArgument, give_up, kSure,
     "the range begins at or beyond the end of the object", "Ask for bytes that the object has."},
    {0, "EntityTooLarge", anything, TooLarge, give_up, kSure,
     "the object is larger than the server takes", kUsual},
    {0, "EntityTooSmall", anything, InvalidArgument, give_up, kSure,
     "a part of the upload is smaller than the server takes", "Use larger parts."},
    {0, "KeyTooLongError KeyTooLong", anything, InvalidArgument, give_up, kSure,
     "the key is longer than the server takes", "Use shorter ids or a shorter prefix."},
    // versitygw, also for a moment while a folder that has become empty goes.
    {0, "ExistingObjectIsDirectory", anything, Unsupported, retry, kSure,
     "this server keeps no object under the name of a folder", "Use another prefix or id."},
    {0, "ObjectParentIsFile", anything, Unsupported, give_up, kSure,
     "this server keeps no object below the name of another", "Use another prefix or id."},
    {0, "NotImplemented", anything, Unsupported, give_up, kSure, "the server cannot do this",
     kUsual},
    {0, "MethodNotAllowed", anything, Unsupported, give_up, kSure,
     "the server does not allow this here", kUsual},

    // How objects are to be kept.
    {0,
     "KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException "
     "KMS.InvalidStateException KMS.InvalidKeyUsageException",
     anything, ConfigError, give_up, kSure, "the key of KMS cannot be used",
     "Check sse_kms_key_id, and the key's region, state and policy."},
    {0, "InvalidStorageClass", anything, ConfigError, give_up, kSure,
     "the server has no such storage class", "Name one that it has, or leave out storage_class."},
    {0, "InvalidTag", anything, ConfigError, give_up, kSure, "the server does not take these tags",
     "Mend tags, or leave them out."},

    // Room.
    {0, "QuotaExceeded", anything, NoSpace, give_up, kSure, "the quota is used up", kRoom},
    {0, "XMinioStorageFull", anything, NoSpace, give_up, kSure, "the server's disks are full",
     kRoom},
    {0, "XMinioAdminBucketQuotaExceeded", anything, NoSpace, give_up, kSure,
     "the bucket's quota is used up", kRoom},
    {0, "InsufficientStorage", anything, NoSpace, give_up, kSure, "the server's disks are full",
     kRoom},

    // Bytes that changed or stopped on their way.
    {0, "BadDigest XAmzContentChecksumMismatch", complete, Io, give_up, kSure,
     "the parts are not the whole that was announced", "Upload the object again."},
    {0, "BadDigest InvalidDigest XAmzContentChecksumMismatch XAmzContentSHA256Mismatch", anything,
     Io, retry, kSure, "the bytes that arrived are not those that were sent",
     "If it happens again, look for a proxy or a network device that changes bytes."},
    {0, "IncompleteBody", anything, Io, retry, kSure, "the request arrived in part", kUsual},
    {0, "RequestTimeout", anything, Unavailable, retry, kSure,
     "the server waited in vain for the request", kUsual},

    // Load and failure.
    {0,
     "SlowDown SlowDownRead SlowDownWrite Throttling ThrottlingException ThrottledException "
     "EC2ThrottledException RequestThrottled RequestThrottledException RequestLimitExceeded "
     "BandwidthLimitExceeded TooManyRequests",
     anything, Throttled, throttle, kSure, "the server asks to slow down", kSlower},
    {0, "ServiceUnavailable", anything, Unavailable, throttle, kSure,
     "the service is not available", kUsual},
    {0, "Busy", anything, Unavailable, throttle, kSure, "the service is busy", kUsual},
    {0, "XMinioServerNotInitialized", anything, Unavailable, throttle, kSure,
     "the server is starting", kUsual},
    {0, "InternalError UnknownError", anything, Unavailable, retry, kDoubt, "the server failed",
     kUsual},

    // Without a code that is known: by the status alone.
    {301, kAnyCode, anything, ConfigError, move, kSure, "the bucket is elsewhere", kRegion},
    {302, kAnyCode, anything, ConfigError, give_up, kSure,
     "the server redirects, which a signed request cannot follow", kEndpoint},
    {303, kAnyCode, anything, ConfigError, give_up, kSure,
     "the server redirects, which a signed request cannot follow", kEndpoint},
    {304, kAnyCode, anything, Conflict, give_up, kSure, "the object has not changed", kUsual},
    {307, kAnyCode, anything, ConfigError, move, kSure,
     "the server sends this bucket's requests elsewhere", kEndpoint},
    {308, kAnyCode, anything, ConfigError, give_up, kSure,
     "the server redirects, which a signed request cannot follow", kEndpoint},
    {400, kNoCode, head, Unauthenticated, refresh, kSure,
     "the request was refused, and an answer to HEAD says no reason",
     "Check whether the session token has expired and whether the region is right."},
    {400, kPage, anything, ConfigError, give_up, kSure,
     "the request was refused without a reason that S3 knows", kNotS3},
    {401, kAnyCode, anything, Unauthenticated, give_up, kSure, "the server wants other credentials",
     kUsual},
    {403, kNoCode, object, PermissionDenied, give_up, kSure, "access was denied", kRights},
    {403, kAnyCode, anything, PermissionDenied, give_up, kSure, "access was denied", kRights},
    {404, kAnyCode, bucket, ConfigError, give_up, kSure, "there is no such bucket", kBucket},
    {404, kPage, anything, ConfigError, give_up, kSure, "the answer is no S3 error but a page",
     kNotS3},
    {404, kAnyCode, swap, Conflict, give_up, kSure, "the object has gone since it was read",
     kUsual},
    {404, kAnyCode, object, NotFound, give_up, kSure, "there is no such object", kUsual},
    {404, kAnyCode, anything, ConfigError, give_up, kSure, "there is no such bucket", kBucket},
    {405, kAnyCode, anything, Unsupported, give_up, kSure, "the server does not allow this here",
     kNotS3},
    {408, kAnyCode, anything, Unavailable, retry, kSure,
     "the server waited in vain for the request", kUsual},
    {409, kAnyCode, anything, Unsupported, give_up, kSure,
     "the server refuses the key beside what it has", "Use another prefix or id."},
    {411, kAnyCode, anything, Unsupported, give_up, kSure,
     "something on the way drops the Content-Length header",
     "Check the proxies before the endpoint."},
    {412, kAnyCode, create, AlreadyExists, give_up, kSure, "the key is taken", kUsual},
    {412, kAnyCode, anything, Conflict, give_up, kSure, "the object has changed since it was read",
     kUsual},
    {413, kAnyCode, anything, TooLarge, give_up, kSure,
     "the request is larger than the server takes",
     "Split or shrink it, or raise the limit of the proxy before the server."},
    {414, kAnyCode, anything, InvalidArgument, give_up, kSure,
     "the key is longer than the server takes", "Use shorter ids or a shorter prefix."},
    {416, kAnyCode, anything, InvalidArgument, give_up, kSure,
     "the range begins at or beyond the end of the object", "Ask for bytes that the object has."},
    {425, kAnyCode, anything, Unavailable, retry, kSure, "the server was not ready", kUsual},
    {429, kAnyCode, anything, Throttled, throttle, kSure, "the server asks to slow down", kSlower},
    {431, kAnyCode, anything, InvalidArgument, give_up, kSure,
     "the request's headers are longer than the server takes",
     "Use shorter ids or a shorter session token."},
    {499, kAnyCode, anything, Unavailable, retry, kDoubt, "the server ended the request early",
     kUsual},
    {500, kAnyCode, anything, Unavailable, retry, kDoubt, "the server failed", kUsual},
    {501, kAnyCode, anything, Unsupported, give_up, kSure, "the server cannot do this", kUsual},
    {502, kAnyCode, anything, Unavailable, retry, kDoubt,
     "a proxy got no good answer from the server", kUsual},
    {503, kAnyCode, anything, Unavailable, throttle, kDoubt, "the service is not available",
     kUsual},
    {504, kAnyCode, anything, Unavailable, retry, kDoubt,
     "a proxy got no answer from the server in time", kUsual},
    {507, kAnyCode, anything, NoSpace, give_up, kSure, "the server's disks or the quota are full",
     kRoom},
    {520, kAnyCode, anything, Unavailable, retry, kDoubt,
     "a proxy got no good answer from the server", kUsual},
    {521, kAnyCode, anything, Unavailable, retry, kSure, "a proxy could not reach the server",
     kUsual},
    {522, kAnyCode, anything, Unavailable, retry, kDoubt,
     "a proxy could not reach the server in time", kUsual},
    {523, kAnyCode, anything, Unavailable, retry, kSure, "a proxy could not reach the server",
     kUsual},
    {524, kAnyCode, anything, Unavailable, retry, kDoubt,
     "a proxy got no answer from the server in time", kUsual},
});

// For what no row names, by the kind of status.
constexpr ErrorRow kInside = {200,
                              kAnyCode,
                              anything,
                              Unavailable,
                              retry,
                              kDoubt,
                              "the server failed after it had begun to answer",
                              kUsual};
constexpr ErrorRow kRedirect = {300,
                                kAnyCode,
                                anything,
                                ConfigError,
                                give_up,
                                kSure,
                                "the server redirects, which a signed request cannot follow",
                                kEndpoint};
constexpr ErrorRow kRefused = {400,
                               kAnyCode,
                               anything,
                               InvalidArgument,
                               give_up,
                               kSure,
                               "the server refused the request",
                               "See the server's words."};
constexpr ErrorRow kFailed = {
    500, kAnyCode, anything, Unavailable, retry, kDoubt, "the server failed", kUsual};
constexpr ErrorRow kStrange = {0,
                               kAnyCode,
                               anything,
                               Unavailable,
                               give_up,
                               kDoubt,
                               "the server answered with a status that HTTP does not have",
                               kNotS3};

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

bool fits(std::string_view row_codes, std::string_view code) noexcept {
  if (row_codes == kAnyCode || row_codes == code) return true;
  while (!row_codes.empty()) {
    const std::size_t blank = std::min(row_codes.find(' '), row_codes.size());
    if (row_codes.substr(0, blank) == code) return true;
    row_codes.remove_prefix(std::min(blank + 1, row_codes.size()));
  }
  return false;
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
