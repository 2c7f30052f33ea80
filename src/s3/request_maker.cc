#include "s3/request_maker.h"

#include <algorithm>

#include "s3/times.h"
#include "stepstore/version.h"

namespace stepstore::s3 {
namespace {

// An answer that says no must fit, however little was asked for.
constexpr std::uint64_t kErrorBytesMax = 64U << 10;
constexpr std::chrono::minutes kSlowSilence{5};

http::Endpoint address(const Place& place, const std::string& bucket) {
  http::Endpoint endpoint = place.endpoint;
  if (place.style == AddressStyle::virtual_host) endpoint.host = bucket + '.' + endpoint.host;
  return endpoint;
}

bool signs_payload(const ClientOptions& options) {
  switch (options.sign_payload) {
    case SignPayload::always:
      return true;
    case SignPayload::never:
      return false;
    case SignPayload::automatic:
      break;
  }
  // TLS guards the body already, and nobody sits between a machine and itself.
  return !options.endpoint.tls && !options.endpoint.loopback();
}

// Exactly one, as S3 wants it.
void add_checksum(const Operation& operation, Checksum checksum, std::span<const BytesView> body,
                  http::Headers& headers) {
  if (!operation.checksum) return;
  checksum = operation.checksum->only.value_or(checksum);
  if (operation.checksum->announced) {
    if (algorithm_of(checksum).empty()) return;
    headers.emplace_back("x-amz-checksum-algorithm", algorithm_of(checksum));
    // The others are checksums of checksums, which is what servers take them for by themselves.
    if (checksum == Checksum::crc64nvme) {
      headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
    }
  } else if (checksum != Checksum::none) {
    headers.emplace_back(header_of(checksum), value_of(checksum, body, operation.checksum->crc64));
  }
}

}  // namespace

RequestMaker::RequestMaker(const ClientOptions& options, Place place)
    : bucket_(options.bucket),
      place_(std::move(place)),
      endpoint_(address(place_, bucket_)),
      host_(endpoint_.authority()),
      sign_payload_(signs_payload(options)),
      object_headers_(options.objects),
      signer_(place_.region) {}

http::Sending RequestMaker::make(const Operation& operation, const Credentials& credentials,
                                 std::chrono::sys_seconds now, std::string& payload_hash,
                                 Checksum checksum) {
  http::Sending sending;
  sending.response_bytes_max = std::max(operation.response_bytes_max, kErrorBytesMax);
  if (operation.slow) sending.first_byte_timeout = kSlowSilence;
  http::Request& request = sending.request;
  request.method = operation.method;
  request.body = operation.body;
  if (request.body.empty() && !operation.owned_body.empty()) {
    request.body = {BytesView(operation.owned_body)};
  }
  if (payload_hash.empty()) {
    payload_hash = sign_payload_ ? hex(sha256(request.body)) : std::string(kUnsignedPayload);
  }

  const Target target = target_of(bucket_, place_.style, operation.key, operation.query);
  request.target = target.text();
  request.headers.reserve(operation.headers.size() + 8);
  request.headers.emplace_back("Host", host_);
  request.headers.emplace_back("User-Agent", std::string("stepstore/") + std::string(kVersion));
  request.headers.insert(request.headers.end(), operation.headers.begin(), operation.headers.end());
  add_checksum(operation, checksum, request.body, request.headers);
  object_headers_.add_to(operation, request.headers);
  request.headers.emplace_back("x-amz-content-sha256", payload_hash);
  const std::string time = amz_date(now);
  request.headers.emplace_back("x-amz-date", time);
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  if (credentials.anonymous) return sending;
  const SigningInput input{.method = request.method,
                           .target = target,
                           .headers = request.headers,
                           .payload_hash = payload_hash};
  request.headers.emplace_back("Authorization", signer_.authorization(input, credentials, time));
  return sending;
}

std::pair<std::string, http::Headers> RequestMaker::link(const Operation& operation,
                                                         const Credentials& credentials,
                                                         std::chrono::sys_seconds now,
                                                         std::chrono::seconds lifetime) {
  http::Headers to_send = operation.headers;
  Query query = operation.query;
  object_headers_.add_to_link(operation, to_send, query);
  http::Headers headers = to_send;
  headers.emplace_back("Host", host_);
  const Target target = target_of(bucket_, place_.style, operation.key, query);
  const SigningInput input{.method = operation.method,
                           .target = target,
                           .headers = headers,
                           .payload_hash = kUnsignedPayload};
  const std::string signed_query =
      signer_.presigned_query(input, std::move(query), credentials, now, lifetime);
  return {endpoint_.text() + target.path + '?' + signed_query, std::move(to_send)};
}

}  // namespace stepstore::s3
