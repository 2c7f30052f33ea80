// A publish in two round trips: the parts and the guard at once, then the commit.
#include <algorithm>

#include "store/s3/put.h"

namespace stepstore::bucket {
namespace {

constexpr std::uint64_t kGuardBytesMax = std::uint64_t{16} << 20U;

// Whether the commit may go on; tells in the result what it found.
bool judge(const Guard& guard, const Result<Object>& found, PublishResult& result) {
  if (found) result.guard = *found;
  const Object* const object = result.guard ? &*result.guard : nullptr;
  result.guard_held = guard.holds ? guard.holds(object) : object == nullptr;
  return result.guard_held;
}

// Parts of a step get plain names only where nobody else can write under them. Refused here, they
// come back under names of their own.
bool names_are_safe(Bucket& bucket, const PublishRequest& request, const CallLimits& limits) {
  const auto wants = [](const PutRequest& part) {
    return part.condition.kind == Condition::Kind::absent;
  };
  if (request.commit.condition.kind == Condition::Kind::none &&
      std::ranges::none_of(request.parts, wants)) {
    return true;
  }
  return bucket.probe(limits).create_if_absent || std::ranges::none_of(request.parts, wants);
}

std::vector<Result<ETag>> all_refused(const PublishRequest& request) {
  std::vector<Result<ETag>> refused;
  for (const PutRequest& part : request.parts) {
    refused.emplace_back(error(ErrorCode::AlreadyExists, "publish", part.key.text(),
                               "the bucket cannot promise that the name is free"));
  }
  return refused;
}

}  // namespace

PublishResult publish(Bucket& bucket, const PublishRequest& request, const CallLimits& limits) {
  PublishResult result;
  std::optional<Result<Object>> guard;
  try {
    if (!names_are_safe(bucket, request, limits)) {
      result.parts = all_refused(request);
      return result;
    }
    Putter putter(bucket, request.parts, limits);
    if (request.guard) {
      const GetRequest get_guard{.key = request.guard->key, .range = {}, .if_match = {}};
      s3::Operation ask = s3::get_object(get_guard, kGuardBytesMax);
      ask.may_be_absent = true;
      result.parts = putter.run(&ask);
      guard = told_get(get_guard, putter.beside());
    } else {
      result.parts = putter.run();
    }
  } catch (const StorageManagerError& failed) {  // before anything was sent
    if (ends_the_call(failed)) throw;
    result.parts.assign(request.parts.size(), failed);
    result.commit = failed;
    return result;
  }
  const bool taken = std::ranges::all_of(result.parts, &Result<ETag>::ok);
  if (guard && !*guard && !guard->is(ErrorCode::NotFound)) {
    if (taken) result.commit = told_as(guard->error(), "publish", request.commit.key.text());
    return result;
  }
  if (guard && !judge(*request.guard, *guard, result)) return result;
  if (taken) result.commit = put(bucket, {&request.commit, 1}, limits).front();
  return result;
}

}  // namespace stepstore::bucket
