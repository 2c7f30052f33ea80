// One run of a sweep: a call of which one request meets a fault, and everything that must hold
// afterwards.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "testing/fault_server/faults.h"
#include "tests/s3/fault_sweep/acts.h"
#include "tests/s3/fault_sweep/world.h"

namespace stepstore::sweep {

// A request of a call: the n-th that looks like that. Names that are used once are told by a star,
// since they are others each time.
struct Target {
  std::string looks{};  // "PUT s/1/screenshot~*.png"
  std::size_t nth = 1;
  fault::Call sample{};  // without its body
};

// What a request looks like.
std::string looks_of(const fault::Call& call);
// Whether it is about a manifest, a session's root or the format marker.
bool is_root(const fault::Call& call);

struct Disturbance {
  Target target{};
  const fault::Kind* kind = nullptr;
  // From the target on, each request of its method that the fault makes sense for; else only it.
  bool for_ever = false;
  fault::FaultSettings settings{};

  std::string text() const;
};

// How it went, and what was wrong.
struct Account {
  std::vector<std::string> wrong{};
  bool succeeded = false;
  bool met = false;  // the fault has happened
  std::string error{};
  std::size_t requests = 0;  // of the call
  std::chrono::milliseconds took{0};
};

// All runs of one act. Not thread-safe.
class Runs {
 public:
  Runs(World& world, const Act& act);

  // The requests that the call makes when all is well, in their order.
  const std::vector<Target>& targets() const { return targets_; }
  // Every fault that makes sense for every request, once and for ever.
  std::vector<Disturbance> disturbances() const;
  Account run(const Disturbance& disturbance, std::uint64_t seed);

 private:
  std::string prepared_bucket();
  void count_requests();
  std::size_t requests_max(const Disturbance& disturbance) const;
  void disturb(const std::string& bucket, const Disturbance& disturbance, bool& met);
  void call(const std::string& bucket, const Disturbance& disturbance, Account& account,
            std::string& wanted);
  void look(const std::string& bucket, std::string_view when, const std::string& wanted,
            Account& account);

  World& world_;
  const Act& act_;
  std::string shared_bucket_{};  // of an act that only reads
  std::vector<Target> targets_{};
};

}  // namespace stepstore::sweep
