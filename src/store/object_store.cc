// Keys, one item instead of a batch, and what only some stores can do.
#include "stepstore/object_store.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "stepstore/presign.h"

namespace stepstore {
namespace {

constexpr std::size_t kKeyBytesMax = 1'024;
constexpr std::size_t kSegmentBytesMax = 255;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

// What is wrong with the segment; empty: nothing.
std::string fault_of_segment(std::string_view segment) {
  if (segment.empty()) return "it has an empty segment";
  if (segment == "." || segment == "..") return "it has a segment that is only dots";
  if (segment.size() > kSegmentBytesMax) {
    return "a segment has " + std::to_string(segment.size()) + " bytes, and " +
           std::to_string(kSegmentBytesMax) + " are allowed";
  }
  return {};
}

// What is wrong with the key; empty: nothing.
std::string fault_of_key(std::string_view key) {
  if (key.empty()) return "it is empty";
  if (key.size() > kKeyBytesMax) {
    return "it has " + std::to_string(key.size()) + " bytes, and " + std::to_string(kKeyBytesMax) +
           " are allowed";
  }
  if (std::ranges::any_of(key, is_control)) return "it has a control character";
  while (true) {
    const std::size_t slash = key.find('/');
    if (std::string fault = fault_of_segment(key.substr(0, slash)); !fault.empty()) return fault;
    if (slash == std::string_view::npos) return {};
    key.remove_prefix(slash + 1);
  }
}

// The text as an error may show it: whole lines of a log must not depend on what somebody passes.
std::string shown(std::string_view text) {
  std::string line(text.substr(0, 100));
  std::ranges::replace_if(line, is_control, '?');
  return text.size() > line.size() ? line + "..." : line;
}

template <class T>
Result<T> only(std::vector<Result<T>> outcomes) {
  return std::move(outcomes.at(0));
}

}  // namespace

ObjectKey::ObjectKey(std::string text) : text_(std::move(text)) {
  const std::string fault = fault_of_key(text_);
  if (fault.empty()) return;
  error(ErrorCode::InvalidArgument, "make key", shown(text_), "this cannot be a key: " + fault,
        "Use 1 to 255 bytes between single slashes, at most 1024 in all.")
      .raise();
}

// The inline namespace is named because a definition without it would be another function.
Result<ETag> v1::put_one(ObjectStore& store, const PutRequest& item, const CallLimits& limits) {
  return only(store.put({&item, 1}, limits));
}

Result<Object> v1::get_one(ObjectStore& store, const ObjectKey& key, const CallLimits& limits) {
  const GetRequest item{.key = key, .range = {}, .if_match = {}};
  return only(store.get({&item, 1}, limits));
}

Result<ObjectInfo> v1::head_one(ObjectStore& store, const ObjectKey& key,
                                const CallLimits& limits) {
  return only(store.head({&key, 1}, limits));
}

Result<Done> v1::remove_one(ObjectStore& store, const ObjectKey& key, const CallLimits& limits) {
  return only(store.remove({&key, 1}, limits));
}

PresignedUrl v1::link_one(ObjectStore& store, const LinkRequest& request,
                          const CallLimits& limits) {
  if (auto* const maker = dynamic_cast<LinkMaker*>(&store)) return maker->link(request, limits);
  error(ErrorCode::Unsupported, "presign", request.key.text(), "only a store in S3 makes links",
        "Hand out the bytes themselves, or keep the steps in a bucket.")
      .raise();
}

std::vector<ObjectInfo> v1::list_all(ObjectStore& store, const ListRequest& request,
                                     const CallLimits& limits) {
  ListRequest next = request;
  next.delimited = false;
  std::vector<ObjectInfo> all;
  do {
    ListPage page = store.list(next, limits);
    std::ranges::move(page.objects, std::back_inserter(all));
    next.start_after = std::move(page.next);
  } while (!next.start_after.empty());
  return all;
}

}  // namespace stepstore
