// A small thread-safe memory of what was seen last; the oldest entry makes room.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/fork.h"

namespace stepstore {

template <class Value>
class BoundedMap {
 public:
  explicit BoundedMap(std::size_t entries_max) : entries_max_(entries_max) {}

  std::optional<Value> get(const std::string& key) const {
    const std::lock_guard guard(mutex_);
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional<Value>(found->second);
  }

  void set(const std::string& key, Value value) {
    const std::lock_guard guard(mutex_);
    if (!values_.insert_or_assign(key, std::move(value)).second) return;
    order_.push_back(key);
    while (order_.size() > entries_max_) {
      values_.erase(order_.front());
      order_.pop_front();
    }
  }

 private:
  const std::size_t entries_max_;
  mutable ForkMutex mutex_;
  std::unordered_map<std::string, Value> values_;
  std::deque<std::string> order_;
};

}  // namespace stepstore
