// Client: addresses, signs and sends S3 operations, and repeats what failed for a moment. Knows no
// step and no store.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "http/transport.h"
#include "s3/credentials.h"
#include "s3/encode.h"
#include "s3/object_headers.h"
#include "s3/operation.h"
#include "s3/rate.h"
#include "s3/retry.h"

namespace stepstore::s3 {

// Whether the body is part of the signature: `automatic` signs it only over plain HTTP to another
// machine.
enum class SignPayload : std::uint8_t { automatic, always, never };

struct ClientOptions {
  http::Endpoint endpoint{};  // of the service, without the bucket
  std::string bucket{};
  std::string region = "us-east-1";
  AddressStyle style = AddressStyle::path;
  SignPayload sign_payload = SignPayload::automatic;
  RetryPolicy retry{};
  RatePolicy rate{};
  ObjectSettings objects{};
};

// An answer with a status below 300 (or 304, or 404 where absence is an answer), the body of the
// object or XML.
struct Answer {
  http::Response response;
  // An earlier send of the same write may have been applied before this answer was given. (A
  // refusal after such a send is an error with outcome_unknown(): a 412 may be the echo of our own
  // success.)
  bool maybe_applied_before = false;
  int attempts = 1;
  Checksum checksum = Checksum::crc64nvme;  // that the request had, if it had one
  std::string request_id{};  // of an answer that there is no such object; empty: it told none
};

// A URL that works without credentials.
struct Link {
  std::string url{};
  http::Headers headers{};  // to be sent with it
  Timestamp expires_at{};
  // The credentials end then, before the time that was asked for.
  bool cut_short = false;
  // The credentials are temporary, and nobody has said until when.
  bool may_end_before = false;
};

// Thread-safe, usable after fork() in the child.
class Client {
 public:
  Client(ClientOptions options, std::shared_ptr<http::Transport> transport,
         std::shared_ptr<CredentialsSource> credentials, Clock& clock, Random& random);
  ~Client();

  // Sends all operations at once and returns an outcome for each, in order. An error has its code
  // by the error table, http_status, request_id, every attempt, and outcome_unknown() when a write
  // may have happened all the same.
  std::vector<Result<Answer>> send(std::span<const Operation> operations, const CallLimits& limits);
  Result<Answer> send_one(const Operation& operation, const CallLimits& limits);

  // Asks for the operation until `lifetime` is over or the credentials end. Throws Unauthenticated
  // when there is nobody to sign it, InvalidArgument for a lifetime that S3 does not take.
  Link link(const Operation& operation, std::chrono::seconds lifetime, const CallLimits& limits);
  // Another client over the same connections.
  std::unique_ptr<Client> beside(ClientOptions options,
                                 std::shared_ptr<CredentialsSource> credentials) const;

  const ClientOptions& options() const noexcept;
  const std::shared_ptr<CredentialsSource>& credentials() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stepstore::s3
