// ObjectStore: something that holds objects (bytes under keys). Memory, a local directory and S3
// are stores; a wrapper (prefix, observe) is a store around another one. Start here if you want to
// write either.
//
// Contract, for every implementation, checked by the conformance suite in testing/:
//  - Atomic. A reader sees an object's old bytes or its new bytes, never a mixture, never a part.
//  - Immediate. What a call has acknowledged is seen by every later call of every process.
//  - Durable. What a call has acknowledged survives a crash of the process and, where
//  capabilities() say so, of the
//    machine.
//  - Definite. An item's outcome says done, refused, or unknown (`error().outcome_unknown()`); it
//  never says refused
//    when it may have happened.
//
// Thread-safety: all methods may be called from any number of threads at once, also after fork() in
// the child. Errors: put, publish, get, head and remove put what concerns one item into that item's
// outcome; what ends the whole
//         call (Cancelled, Closed, ConfigError) is thrown. list and start_upload throw everything.
// Order: the outcomes of a batch stand in the order of its items. Items of one batch have no order
// in time.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "stepstore/bytes.h"
#include "stepstore/call.h"
#include "stepstore/result.h"

namespace stepstore {
inline namespace v1 {

// The name of an object: 1 to 1,024 bytes, segments of 1 to 255 bytes between single slashes, none
// of them "." or "..", no control characters. Several S3 servers and every file system break on
// other keys, so nobody can make one.
class ObjectKey {
 public:
  explicit ObjectKey(std::string text);  // throws InvalidArgument
  const std::string& text() const noexcept { return text_; }
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;

 private:
  std::string text_;
};

// Says which bytes a key holds: two reads with equal ETags have read the same object. Opaque; never
// empty for an object.
class ETag {
 public:
  ETag() = default;
  explicit ETag(std::string text) : text_(std::move(text)) {}
  const std::string& text() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  friend bool operator==(const ETag&, const ETag&) = default;

 private:
  std::string text_;
};

// Both bounds hold for the whole call, retries included.
struct CallLimits {
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::stop_token stop{};
  std::function<bool()> interrupted{};  // see Call; only ever asked on the calling thread
};

// What must be true of the key at the moment of the write, judged by the store itself.
struct Condition {
  enum class Kind : std::uint8_t { none, absent, unchanged };
  Kind kind = Kind::none;
  ETag etag{};  // for `unchanged`: what the caller has read

  static Condition absent() { return {Kind::absent, {}}; }
  static Condition unchanged(ETag etag) { return {Kind::unchanged, std::move(etag)}; }
};

struct PutRequest {
  ObjectKey key;
  BytesView body{};            // must stay valid until the call returns
  std::string content_type{};  // empty: application/octet-stream. A directory does not keep it.
  Condition condition{};
  std::optional<std::uint64_t>
      crc64{};  // CRC-64/NVME of the body where the caller knows it, so it need not be computed
};

struct ObjectRange {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> size{};  // none: to the end
  bool from_end = false;                // the last `*size` bytes; `offset` must be 0
};

struct GetRequest {
  ObjectKey key;
  std::optional<ObjectRange> range{};  // beyond the end: what there is; offset at or beyond the
                                       // end, or size 0: InvalidArgument
  ETag if_match{};                     // not empty: Conflict unless the object still has this ETag
};

struct ObjectInfo {
  ObjectKey key;
  std::uint64_t size = 0;  // of the whole object, also when a range was read
  ETag etag{};
  Timestamp modified{};
};

struct Object {
  ObjectInfo info;
  Bytes body;  // the range that was asked for
};

// An object that must be as expected for a commit to happen: the session root, usually absent.
struct Guard {
  ObjectKey key;
  std::function<bool(const Object*)>
      holds;  // null: absent. Called on the calling thread; must be quick, may not throw
};

// Several objects that become visible through one: every part is durable before the commit object
// is written.
struct PublishRequest {
  std::span<const PutRequest> parts;  // usually with condition `absent`
  std::optional<Guard> guard{};
  const PutRequest& commit;
};

struct PublishResult {
  std::vector<Result<ETag>> parts;  // as put() tells them, AlreadyExists where the name was taken
  bool guard_held = true;           // false: the commit was not tried
  std::optional<Object> guard{};    // what was found under the guard's key; none: absent
  std::optional<Result<ETag>>
      commit{};  // none: not tried, because a part failed or the guard did not hold
};

struct ListRequest {
  std::string prefix{};    // plain text, need not end at a slash
  bool delimited = false;  // true: what lies below prefix + "x/" is told once, as the prefix
  std::string
      start_after{};  // only keys (and prefixes) greater than this, by bytes; need not be a key
  std::size_t limit =
      0;  // at most this many objects and prefixes together; 0: as many as the store gives at once
};

struct ListPage {
  std::vector<ObjectInfo> objects{};  // ascending by the bytes of the key
  std::vector<std::string>
      prefixes{};      // ascending, each ending in "/"; only prefixes below which an object lies
  std::string next{};  // start_after of the next page; empty: this was the last
};

// A large object that is written piece by piece and appears whole at finish(). Not thread-safe.
// Destroying an unfinished upload aborts it: nothing becomes visible and its space is freed.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual void write(BytesView piece, const CallLimits& limits) = 0;  // any size, in order; throws
  // Makes the object durable and visible, if the condition holds. Outcome as of put().
  virtual Result<ETag> finish(const Condition& condition, const CallLimits& limits) = 0;
};

// What a store can promise. Fixed for the life of the store unless a probe finds out more.
struct Capabilities {
  std::string stack{};            // which wrappers around which store, outermost first: "observe >
                                  // prefix(a/b) > memory"
  bool create_if_absent = true;   // Condition::absent is enforced, also in a race
  bool swap_if_unchanged = true;  // Condition::unchanged is enforced, also in a race
  bool upload_if_absent = true;   // an Upload honours Condition::absent, also in a race
  bool durable = true;            // acknowledged objects survive a crash of the machine
  bool shared = true;             // other processes can open the same store
  std::vector<std::string> notes{};  // weaker promises and their reasons, for people
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Writes the objects.
  //
  // Outcome per item: the new ETag, or one of
  //   AlreadyExists     condition `absent` and the key is taken
  //   Conflict          condition `unchanged` and the key has changed or gone
  //                     (with outcome_unknown(): perhaps by an earlier try of this very write)
  //   NoSpace TooLarge PermissionDenied Unavailable Throttled Timeout Io
  //                     nothing was written, unless outcome_unknown(): then read the key back
  //                     before you decide
  // Idempotent: with condition `none`, repeating a put has no further effect.
  virtual std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                        const CallLimits& limits) = 0;

  // Makes the parts durable in any order, then, if all parts were taken and the guard holds, writes
  // the commit object. Parts of a publish that did not commit may stay; they are not removed. Never
  // repeated as a whole by a store.
  virtual PublishResult publish(const PublishRequest& request, const CallLimits& limits) = 0;

  // Reads objects. Outcome per item: the object, or NotFound, Conflict (if_match), InvalidArgument
  // (range), or an error of the backend.
  virtual std::vector<Result<Object>> get(std::span<const GetRequest> items,
                                          const CallLimits& limits) = 0;

  // Reads size, ETag and time. Outcome per item: as of get().
  virtual std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                               const CallLimits& limits) = 0;

  // One page of keys in ascending order. Keys that exist during all of a listing are in it exactly
  // once; those that come or go meanwhile may be in it. A prefix under which nothing lies gives an
  // empty page.
  virtual ListPage list(const ListRequest& request, const CallLimits& limits) = 0;

  // Removes objects. Removing what is not there succeeds. Idempotent.
  virtual std::vector<Result<Done>> remove(std::span<const ObjectKey> keys,
                                           const CallLimits& limits) = 0;

  // Begins a large object. Throws; nothing is visible before finish().
  virtual std::unique_ptr<Upload> start_upload(const ObjectKey& key,
                                               const std::string& content_type,
                                               const CallLimits& limits) = 0;

  virtual Capabilities capabilities() const = 0;
};

// One item instead of a batch.
Result<ETag> put_one(ObjectStore& store, const PutRequest& item, const CallLimits& limits = {});
Result<Object> get_one(ObjectStore& store, const ObjectKey& key, const CallLimits& limits = {});
Result<ObjectInfo> head_one(ObjectStore& store, const ObjectKey& key,
                            const CallLimits& limits = {});
Result<Done> remove_one(ObjectStore& store, const ObjectKey& key, const CallLimits& limits = {});
// Every object below the prefix, page after page.
std::vector<ObjectInfo> list_all(ObjectStore& store, const ListRequest& request,
                                 const CallLimits& limits = {});

}  // namespace v1
}  // namespace stepstore
