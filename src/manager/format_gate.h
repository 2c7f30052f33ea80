// FormatGate: lets a release into a store only when the store's format is one that it knows.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "model/format_marker.h"
#include "stepstore/object_store.h"

namespace stepstore {

class FormatGate {
 public:
  explicit FormatGate(ObjectStore& store) : store_(store) {}

  // Each asks the store once and remembers the answer. Throws Unsupported.
  void before_read(const CallLimits& limits);
  // The first write into a store marks it with the format of this release.
  void before_write(const CallLimits& limits);
  // False: the marker tells of a bucket where a swap may overwrite another one.
  bool swaps_hold() const;
  // Of the promises that the marker says are weaker here; none before it was asked for.
  std::vector<std::string> notes() const;

 private:
  void remember(FormatMarker marker);

  ObjectStore& store_;
  std::atomic<bool> may_read_{false}, may_write_{false};
  std::atomic<std::shared_ptr<const FormatMarker>> marker_{};
};

}  // namespace stepstore
