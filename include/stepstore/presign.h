// Links by which others read or upload one component, without credentials of their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stepstore/call.h"
#include "stepstore/object_store.h"

namespace stepstore {
inline namespace v1 {

enum class LinkMethod : std::uint8_t {
  get,  // read a component of a step that is there
  put,  // upload one for a step that is not there yet; it can never replace anything
};

struct PresignOptions {
  LinkMethod method = LinkMethod::get;
  std::chrono::seconds expires{3600};      // from now; 1 second to 7 days
  std::optional<std::uint64_t> version{};  // get: an older version that was kept
  // get: what the answer says instead of what was stored. put: what must be sent; empty: by the
  // component's name. A screenshot's type also decides its file's name.
  std::string content_type{};
  std::string content_disposition{};  // get: e.g. "attachment; filename=page.html"
  Call call{};
};

// Whoever has the URL can do what it says until it expires: treat it as a secret.
struct PresignedUrl {
  std::string url;
  std::string method;  // "GET" or "PUT"
  // To be sent with it as they stand; they are part of the signature.
  std::vector<std::pair<std::string, std::string>> headers{};
  Timestamp expires_at{};  // when it ends indeed, as far as that is known
  std::string key{};       // of the object, in the store
  std::string note{};      // why it ends before the time that was asked for, or may; else empty
};

// One object's link, for a store that can make some.
struct LinkRequest {
  ObjectKey key;
  LinkMethod method = LinkMethod::get;
  std::chrono::seconds expires{3600};
  std::string content_type{};
  std::string content_disposition{};
};

// What a store may have beside the eight methods of ObjectStore. Thread-safe.
class LinkMaker {
 public:
  virtual ~LinkMaker() = default;
  // Throws InvalidArgument (lifetime), Unauthenticated (nobody to sign), Unsupported (the store's
  // settings keep links from being safe).
  virtual PresignedUrl link(const LinkRequest& request, const CallLimits& limits) = 0;
};

// The store's link. Throws Unsupported when it makes none.
PresignedUrl link_one(ObjectStore& store, const LinkRequest& request,
                      const CallLimits& limits = {});

}  // namespace v1
}  // namespace stepstore
