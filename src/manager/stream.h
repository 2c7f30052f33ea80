// Many items, several at a time, with a bound on what is held: what batches and streams of steps
// are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/stop_link.h"
#include "manager/ahead.h"
#include "stepstore/object_store.h"

namespace stepstore {

template <class T>
struct StreamItem {
  std::function<T(const CallLimits&)> work;  // on any thread; must not throw
  // How many it holds until its result was told, as far as that is known at the moment. Asked on
  // the calling thread.
  std::function<std::uint64_t()> bytes;
};

struct StreamBounds {
  std::size_t items = 1;
  std::uint64_t bytes = 0;  // one item may have more, alone
  // One item at first and twice as many after each result, for items whose size is a guess.
  bool begin_with_one = false;
};

// Pulls items from `next` until it gives none, and tells `done` their results in the same order;
// both are called on the calling thread. `limits` are the caller's: `interrupted` is asked on the
// calling thread alone, and when it says yes, the stop token of every item's limits says so. Items
// are pulled and begun to the end even then: each finds its limits exceeded. What `next` and `done`
// throw ends it, after what runs has been stopped.
template <class T>
void run_stream(ThreadPool& pool, StreamBounds bounds, const CallLimits& limits,
                const std::function<std::optional<StreamItem<T>>()>& next,
                const std::function<void(T)>& done) {
  std::stop_source stop;
  const StopLink link = link_stops(limits.stop, stop);
  const CallLimits shared{.deadline = limits.deadline, .stop = stop.get_token(), .interrupted = {}};
  std::function<bool()> interrupted;
  if (limits.interrupted) {
    interrupted = [&] {
      if (limits.interrupted()) stop.request_stop();
      return stop.stop_requested();
    };
  }

  std::deque<std::function<std::uint64_t()>> sizes;
  const auto held = [&sizes] {
    std::uint64_t sum = 0;
    for (const auto& size : sizes) sum += size();
    return sum;
  };
  std::size_t items_max = bounds.begin_with_one ? 1 : bounds.items;
  Ahead<T> ahead(pool);
  const auto tell_one = [&] {
    T result = ahead.take(interrupted);
    items_max = std::min(2 * items_max, bounds.items);
    done(std::move(result));
    sizes.pop_front();
  };
  try {
    while (std::optional<StreamItem<T>> item = next()) {
      const auto full = [&] {
        return ahead.size() >= items_max || held() + item->bytes() > bounds.bytes;
      };
      while (ahead.size() > 0 && (full() || ahead.ready())) tell_one();
      sizes.push_back(std::move(item->bytes));
      ahead.begin([work = std::move(item->work), shared](const std::function<bool()>& asked) {
        CallLimits own = shared;
        own.interrupted = asked;
        return work(own);
      });
    }
    while (ahead.size() > 0) tell_one();
  } catch (...) {
    stop.request_stop();
    throw;
  }
}

}  // namespace stepstore
