#include "store/s3/put.h"

#include <algorithm>

namespace stepstore::bucket {
namespace {

bool enforced(const BucketProbe& probe, const Condition& condition) {
  switch (condition.kind) {
    case Condition::Kind::absent:
      return probe.create_if_absent;
    case Condition::Kind::unchanged:
      return probe.swap_if_unchanged;
    case Condition::Kind::none:
      break;
  }
  return true;
}

}  // namespace

std::optional<StorageManagerError> refusal_by_look(const PutRequest& request,
                                                   const Result<ObjectInfo>& there) {
  if (!there && !there.is(ErrorCode::NotFound))
    return told_as(there.error(), "put", request.key.text());
  if (request.condition.kind == Condition::Kind::absent) {
    if (!there) return std::nullopt;
    return error(ErrorCode::AlreadyExists, "put", request.key.text(), "the key is taken");
  }
  if (there && there->etag == request.condition.etag) return std::nullopt;
  return error(ErrorCode::Conflict, "put", request.key.text(),
               there ? "the object has changed" : "the object has gone");
}

Putter::Putter(Bucket& bucket, std::span<const PutRequest> items, const CallLimits& limits)
    : bucket_(bucket), limits_(limits), items_(items.begin(), items.end()) {
  outcomes_.resize(items_.size());
}

std::vector<Result<ETag>> Putter::run(const s3::Operation* alongside) {
  alongside_ = alongside;
  const bool conditional = std::ranges::any_of(
      items_, [](const PutRequest& item) { return item.condition.kind != Condition::Kind::none; });
  if (conditional) probe_ = bucket_.probe(limits_);
  look_first();
  send();
  if (!probe_.create_over_delete_marker) send_over_markers();
  std::vector<Result<ETag>> told;
  told.reserve(outcomes_.size());
  for (auto& outcome : outcomes_) told.push_back(*std::move(outcome));
  return told;
}

std::vector<std::size_t> Putter::open_items() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!outcomes_[i]) found.push_back(i);
  }
  return found;
}

std::vector<Result<ObjectInfo>> Putter::look_at(const std::vector<std::size_t>& which) {
  std::vector<ObjectKey> keys;
  for (const std::size_t i : which) keys.push_back(items_[i].key);
  return head(bucket_, keys, limits_);
}

void Putter::look_first() {
  auto which = open_items();
  std::erase_if(which, [this](std::size_t i) { return enforced(probe_, items_[i].condition); });
  if (which.empty()) return;
  const auto there = look_at(which);
  for (std::size_t i = 0; i < which.size(); ++i) {
    PutRequest& item = items_[which[i]];
    if (auto refusal = refusal_by_look(item, there[i])) {
      outcomes_[which[i]] = *std::move(refusal);
    } else {
      item.condition = {};
    }
  }
}

void Putter::send() {
  const auto which = open_items();
  std::vector<s3::Operation> operations;
  operations.reserve(which.size() + 1);
  for (const std::size_t i : which) {
    operations.push_back(s3::put_object(items_[i], bucket_.put_options(items_[i].key)));
  }
  if (alongside_ != nullptr) operations.push_back(*std::exchange(alongside_, nullptr));
  if (operations.empty()) return;
  auto answers = bucket_.send(operations, limits_);
  for (std::size_t i = 0; i < which.size(); ++i) {
    outcomes_[which[i]] = told_put(items_[which[i]], answers[i]);
  }
  if (answers.size() > which.size()) beside_ = std::move(answers.back());
}

void Putter::send_over_markers() {
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].condition.kind == Condition::Kind::absent &&
        outcomes_[i]->is(ErrorCode::AlreadyExists)) {
      which.push_back(i);
    }
  }
  if (which.empty()) return;
  const auto there = look_at(which);
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (!there[i].is(ErrorCode::NotFound)) continue;
    items_[which[i]].condition = {};
    outcomes_[which[i]].reset();
  }
  send();
}

std::vector<Result<ETag>> put(Bucket& bucket, std::span<const PutRequest> items,
                              const CallLimits& limits) {
  return for_all<ETag>(items.size(), [&] { return Putter(bucket, items, limits).run(); });
}

}  // namespace stepstore::bucket
