// Where a sweep takes place: one fault server, a bucket for each run, and managers with little
// patience, each like a process of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "stepstore/storage_manager.h"
#include "testing/fault_server/fault_server.h"

namespace stepstore::sweep {

// How often a client sends a request, the first time included.
inline constexpr int kAttemptsMax = 4;

// What a process holds on to.
struct Holdings {
  std::size_t descriptors = 0, threads = 0;

  friend bool operator==(const Holdings&, const Holdings&) = default;
};

class World {
 public:
  World();

  // Empty: no manager that was opened has left anything open here or at the server. Threads that
  // have done their work may take a moment to end.
  std::string left_over() const;

  // A bucket that nobody has used, of which all know what can be found out about buckets.
  std::string new_bucket();
  void forget_bucket(const std::string& bucket);
  // Shares neither connections nor memory with the others. `silence_max`: how long it waits for
  // bytes.
  std::unique_ptr<StorageManager> open(const std::string& bucket,
                                       std::chrono::milliseconds silence_max);

  fault::FaultServer server;

 private:
  http::Response ask(const std::string& method, const std::string& bucket, const std::string& key,
                     const Bytes& body = {});

  const Holdings right_;  // when nothing is left over

  Bytes format_marker_{};
  std::size_t buckets_ = 0;
};

}  // namespace stepstore::sweep
