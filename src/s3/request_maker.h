// From an operation to the signed request that goes over the wire.
#pragma once

#include <memory>
#include <string>

#include "http/transport.h"
#include "s3/client.h"
#include "s3/object_headers.h"
#include "s3/places.h"
#include "s3/sigv4.h"

namespace stepstore::s3 {

// For one place. Thread-safe, usable after fork() in the child.
class RequestMaker {
 public:
  RequestMaker(const ClientOptions& options, Place place);

  const Place& place() const noexcept { return place_; }

  // Where requests go: the service's endpoint, or the bucket's own host there.
  const http::Endpoint& endpoint() const noexcept { return endpoint_; }

  // Signed anew each time. `payload_hash` keeps the body's hash between attempts; empty at first.
  // `checksum`: where the operation wants one and does not say which.
  http::Sending make(const Operation& operation, const Credentials& credentials,
                     std::chrono::sys_seconds now, std::string& payload_hash,
                     Checksum checksum = Checksum::crc64nvme);

  // A URL that asks for the operation until `lifetime` is over, and the headers that have to be
  // sent with it. Its body, if any, is whatever comes.
  std::pair<std::string, http::Headers> link(const Operation& operation,
                                             const Credentials& credentials,
                                             std::chrono::sys_seconds now,
                                             std::chrono::seconds lifetime);

 private:
  const std::string bucket_;
  const Place place_;
  const http::Endpoint endpoint_;
  const std::string host_;
  const bool sign_payload_;
  const ObjectHeaders object_headers_;
  Signer signer_;
};

}  // namespace stepstore::s3
