// Where the requests for a bucket go, and how far an answer may change that.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fork.h"
#include "http/transport.h"
#include "s3/encode.h"
#include "s3/errors.h"

namespace stepstore::s3 {

struct ClientOptions;
class RequestMaker;

struct Place {
  http::Endpoint endpoint{};  // of the service, without the bucket
  std::string region{};
  AddressStyle style = AddressStyle::path;

  friend bool operator==(const Place&, const Place&) = default;
};

// The place that an answer sends a request on to, or why none goes there. Requests carry
// credentials, so they go only to what the configuration meant: on AWS to S3's own hosts in the
// same partition, elsewhere to the same host with another region, and never from https to http.
struct NextPlace {
  std::optional<Place> place{};
  std::string why_not{};
};
NextPlace follow(const Place& configured, const Place& from, std::string_view bucket,
                 const Elsewhere& to);

// What all calls of a client know about where their bucket is. Thread-safe, usable after fork() in
// the child.
class Places {
 public:
  explicit Places(const ClientOptions& options);

  const Place& configured() const noexcept { return configured_; }
  const std::string& bucket() const noexcept;
  std::shared_ptr<RequestMaker> current();
  std::shared_ptr<RequestMaker> make(const Place& place) const;
  // A request has been answered there: the next ones begin there.
  void remember(std::shared_ptr<RequestMaker> maker);

 private:
  const ClientOptions& options_;
  const Place configured_;
  ForkMutex mutex_;
  std::shared_ptr<RequestMaker> current_;
};

}  // namespace stepstore::s3
