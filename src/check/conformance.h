// Does a store keep ObjectStore's contract? One plain function per promise, for test suites and for
// `stepstore doctor`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "stepstore/object_store.h"

namespace stepstore {

// The store broke a promise; what() says which, with the case and the seed that shows it again.
class ConformanceFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ConformanceOptions {
  std::uint64_t seed = 1;  // of the bodies, keys and orders that are chosen at random
  bool thorough = false;   // true: more threads and rounds in the races, minutes instead of seconds
  // True when nothing can come between the judgement of a guard and the commit. S3 cannot promise
  // that.
  bool guard_is_atomic = true;
  std::size_t key_bytes_max = 1'024;  // less below a prefix
  std::string folder{};               // everything goes below it; empty: "conformance-<seed>"
  std::size_t rounds = 0;             // of the races; 0: as many as suit `thorough`
  // Another handle on the same store, as another process would have. Empty: the store itself.
  std::function<std::shared_ptr<ObjectStore>()> reopen{};
};

// What a case may use: names and bytes of its own, and how hard to try. Not thread-safe.
class ConformanceContext {
 public:
  ConformanceContext(std::string prefix, const ConformanceOptions& options);

  // Every object of the case lies below prefix() + "/".
  const std::string& prefix() const noexcept { return prefix_; }
  std::string path(std::string_view name) const { return prefix_ + "/" + std::string(name); }
  ObjectKey key(std::string_view name) const { return ObjectKey(path(name)); }
  std::string bytes(std::size_t size);   // arbitrary, and others each time
  std::size_t below(std::size_t bound);  // 0 to bound - 1
  std::size_t threads() const { return thorough_ ? 64 : 32; }
  std::size_t rounds() const {
    if (rounds_ > 0) return rounds_;
    return thorough_ ? 500 : 25;
  }
  std::size_t key_bytes_max() const noexcept { return key_bytes_max_; }
  // A second handle where there is one, else `store`.
  std::shared_ptr<ObjectStore> reopen(ObjectStore& store) const;

 private:
  std::string prefix_;
  bool thorough_;
  std::size_t key_bytes_max_;
  std::size_t rounds_;
  std::function<std::shared_ptr<ObjectStore>()> reopen_;
  std::mt19937_64 random_;
};

struct ConformanceCase {
  // What a store may lack; its capabilities (or the options, for the guard) say so.
  enum class Needs : std::uint8_t { nothing, create_if_absent, swap_if_unchanged, atomic_guard };

  std::string name;   // CamelCase, unique
  std::string shows;  // one sentence
  Needs needs;
  std::function<void(ObjectStore&, ConformanceContext&)> check;  // throws ConformanceFailure
};

// All cases, in an order that goes from the simple to the hard.
const std::vector<ConformanceCase>& conformance_cases();
// Throws std::out_of_range when there is no such case.
const ConformanceCase& conformance_case(std::string_view name);

// False when the store does not claim what the case is about.
bool applies(const ConformanceCase& which, const ObjectStore& store,
             const ConformanceOptions& options);

// Runs the case below a fresh prefix "<folder>/<name>", which must be empty, and removes what it
// wrote. Throws ConformanceFailure, also for whatever else the case throws.
void run_conformance_case(const ConformanceCase& which, ObjectStore& store,
                          const ConformanceOptions& options = {});

}  // namespace stepstore
