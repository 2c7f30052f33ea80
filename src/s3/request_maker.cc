#include "s3/request_maker.h"

#include <algorithm>

#include "s3/times.h"
#include "stepstore/version.h"

namespace stepstore::s3 {
namespace {

// An answer that says no must fit, however little was asked for.
constexpr std::uint64_t kErrorBytesMax = 64U << 10;
constexpr std::chrono::minutes kSlowSilence{5};

http::Endpoint address(const ClientOptions& options) {
  http::Endpoint endpoint = options.endpoint;
  if (options.style == AddressStyle::virtual_host) {
    endpoint.host = options.bucket + '.' + endpoint.host;
  }
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

}  // namespace

RequestMaker::RequestMaker(const ClientOptions& options)
    : options_(options),
      endpoint_(address(options)),
      host_(endpoint_.authority()),
      sign_payload_(signs_payload(options)),
      signer_(options.region) {}

http::Sending RequestMaker::make(const Operation& operation, const Credentials& credentials,
                                 std::chrono::sys_seconds now, std::string& payload_hash) {
  http::Sending sending;
  sending.response_bytes_max = std::max(operation.response_bytes_max, kErrorBytesMax);
  if (operation.slow) sending.silence_timeout = kSlowSilence;
  http::Request& request = sending.request;
  request.method = operation.method;
  request.body = operation.body;
  if (request.body.empty() && !operation.owned_body.empty()) {
    request.body = {BytesView(operation.owned_body)};
  }
  if (payload_hash.empty()) {
    payload_hash = sign_payload_ ? hex(sha256(request.body)) : std::string(kUnsignedPayload);
  }

  const Target target = target_of(options_.bucket, options_.style, operation.key, operation.query);
  request.target = target.text();
  request.headers.reserve(operation.headers.size() + 6);
  request.headers.emplace_back("Host", host_);
  request.headers.emplace_back("User-Agent", std::string("stepstore/") + std::string(kVersion));
  request.headers.insert(request.headers.end(), operation.headers.begin(), operation.headers.end());
  request.headers.emplace_back("x-amz-content-sha256", payload_hash);
  const std::string time = amz_date(now);
  request.headers.emplace_back("x-amz-date", time);
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  const SigningInput input{.method = request.method,
                           .target = target,
                           .headers = request.headers,
                           .payload_hash = payload_hash};
  request.headers.emplace_back("Authorization", signer_.authorization(input, credentials, time));
  return sending;
}

}  // namespace stepstore::s3
