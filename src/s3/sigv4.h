// Signature Version 4: what proves to S3 who asks. Header signing for requests, query signing for
// links.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/fork.h"
#include "http/message.h"
#include "s3/credentials.h"
#include "s3/digest.h"
#include "s3/encode.h"

namespace stepstore::s3 {

// In place of the body's hash, where the body is not signed.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// How long a link can live.
inline constexpr std::chrono::seconds kLinkLifetimeMax{604'800};

// A request as it is sent. Nothing may be added to the headers after signing but those that
// are_signed() refuses.
struct SigningInput {
  std::string_view method;
  const Target& target;
  const http::Headers& headers;  // with Host and X-Amz-Date (not for links), in any order
  std::string_view payload_hash;
};

// False for headers that proxies change or that the sender adds.
bool is_signed(std::string_view header) noexcept;

// Thread-safe, usable after fork() in the child.
class Signer {
 public:
  explicit Signer(std::string region, std::string service = "s3");

  // The value of the Authorization header. `time`: what X-Amz-Date says.
  std::string authorization(const SigningInput& input, const Credentials& credentials,
                            std::string_view time);
  // The query of a link that works without credentials for `lifetime` (at most 7 days, and no
  // longer than a session token lives). `input.headers` must be sent by whoever uses it.
  std::string presigned_query(const SigningInput& input, Query query,
                              const Credentials& credentials, std::chrono::sys_seconds now,
                              std::chrono::seconds lifetime);

 private:
  struct DayKey {
    std::string secret;
    std::string day;
    std::string scope;  // "20130524/us-east-1/s3/aws4_request"
    Sha256 key;
  };

  std::shared_ptr<const DayKey> key_of(std::string_view secret, std::string_view day);

  const std::string region_;
  const std::string service_;
  ForkMutex mutex_;
  std::shared_ptr<const DayKey> key_;  // the last one: deriving it costs more than a signature
};

}  // namespace stepstore::s3
