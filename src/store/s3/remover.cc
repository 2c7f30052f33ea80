#include <algorithm>
#include <unordered_map>

#include "s3/errors.h"
#include "s3/xml.h"
#include "store/s3/bucket.h"

namespace stepstore::bucket {
namespace {

constexpr std::size_t kBulkMax = 1'000;

Result<Done> told_remove(const ObjectKey& key, const Result<s3::Answer>& answer) {
  if (answer || answer.is(ErrorCode::NotFound)) return Done{};
  return told_as(answer.error(), "remove", key.text());
}

std::vector<Result<Done>> remove_each(Bucket& bucket, std::span<const ObjectKey> keys,
                                      const CallLimits& limits) {
  std::vector<s3::Operation> operations;
  for (const ObjectKey& key : keys) operations.push_back(s3::delete_object(key));
  const auto answers = bucket.send(operations, limits);
  std::vector<Result<Done>> outcomes;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    outcomes.push_back(told_remove(keys[i], answers[i]));
  }
  return outcomes;
}

// The server's own words could repeat what it was sent; its code is a word, or is left out.
std::string told_failure(const s3::ErrorRow& row, const std::string& code) {
  const bool word = code.size() <= 64 && std::ranges::all_of(code, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                    });
  return std::string(row.message) + (word && !code.empty() ? " (" + code + ')' : "");
}

// What the answer to a bulk delete says of each key. A key that failed for a moment, and each key
// where the server has no such request, gets no outcome.
std::vector<std::optional<Result<Done>>> told_bulk(std::span<const ObjectKey> keys,
                                                   const s3::Operation& operation,
                                                   const Result<s3::Answer>& answer) {
  std::vector<std::optional<Result<Done>>> outcomes(keys.size(), Result<Done>(Done{}));
  if (answer.is(ErrorCode::Unsupported)) {
    outcomes.assign(keys.size(), std::nullopt);
    return outcomes;
  }
  const auto failures = answer ? s3::parse_delete(answer->response.body.view())
                               : Result<std::vector<s3::DeleteFailure>>(answer.error());
  std::unordered_map<std::string_view, const s3::DeleteFailure*> by_key;
  if (failures) {
    for (const s3::DeleteFailure& failure : *failures) by_key[failure.key] = &failure;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string& key = keys[i].text();
    if (!failures) {
      const StorageManagerError told = told_as(failures.error(), "remove", key);
      outcomes[i] = answer ? unknown_outcome(told) : told;
      continue;
    }
    const auto found = by_key.find(key);
    if (found == by_key.end() || found->second->code == "NoSuchKey") continue;
    const s3::DeleteFailure& failure = *found->second;
    // A code that no row names passes for a moment's: the key by itself will tell more.
    const s3::ErrorRow& row = s3::row_for(operation, 200, failure.code);
    if (row.action == s3::Action::retry || row.action == s3::Action::throttle) {
      outcomes[i].reset();
    } else {
      outcomes[i] =
          error(row.error, "remove", key, told_failure(row, failure.code), std::string(row.advice));
    }
  }
  return outcomes;
}

// As many requests at once as there are thousands of keys; what got no outcome goes again key by
// key.
std::vector<Result<Done>> remove_in_bulk(Bucket& bucket, std::span<const ObjectKey> keys,
                                         const CallLimits& limits) {
  std::vector<s3::Operation> operations;
  for (std::size_t i = 0; i < keys.size(); i += kBulkMax) {
    operations.push_back(s3::delete_objects(keys.subspan(i, std::min(kBulkMax, keys.size() - i))));
  }
  const auto answers = bucket.send(operations, limits);
  std::vector<std::optional<Result<Done>>> outcomes;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::size_t begin = i * kBulkMax;
    auto told = told_bulk(keys.subspan(begin, std::min(kBulkMax, keys.size() - begin)),
                          operations[i], answers[i]);
    std::ranges::move(told, std::back_inserter(outcomes));
  }
  std::vector<ObjectKey> again;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!outcomes[i]) again.push_back(keys[i]);
  }
  auto told_again =
      again.empty() ? std::vector<Result<Done>>{} : remove_each(bucket, again, limits);
  std::vector<Result<Done>> all;
  all.reserve(keys.size());
  auto next = told_again.begin();
  for (auto& outcome : outcomes) all.push_back(outcome ? *std::move(outcome) : std::move(*next++));
  return all;
}

}  // namespace

// One request per key when there are few, since each is cheap and tells its own outcome; else a
// thousand keys a request.
std::vector<Result<Done>> remove(Bucket& bucket, std::span<const ObjectKey> keys,
                                 const CallLimits& limits) {
  constexpr std::size_t kEachMax = 3;
  return keys.size() <= kEachMax ? remove_each(bucket, keys, limits)
                                 : remove_in_bulk(bucket, keys, limits);
}

}  // namespace stepstore::bucket
