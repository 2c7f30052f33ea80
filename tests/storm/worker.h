// One thread of a storm: does what it likes to steps that others use at the same moment, and tells
// what it saw that must not be.
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string>

#include "stepstore/stepstore.h"
#include "tests/storm/tally.h"

namespace stepstore::storm {

// Sessions whose steps everybody stores, deletes and collects, and of which each is deleted once in
// a while.
inline constexpr int kSharedSessions = 2, kSharedSteps = 6;
inline const std::string kOwnSession = "own", kCreatedSession = "created",
                         kUpdatedSession = "updated";

// Whether page, picture and metadata are those of one store of a worker.
bool is_whole(const Step& step);

class Worker {
 public:
  // `objects`: the same store underneath, for the collector; null: nothing is collected.
  Worker(StorageManager& manager, ObjectStore* objects, Tally& tally, std::uint64_t seed)
      : manager_(manager),
        objects_(objects),
        tally_(tally),
        own_step_(std::to_string(seed)),
        dice_(seed) {}

  void run_until(std::chrono::steady_clock::time_point end);

 private:
  // Runs what may fail only in ways that the work itself has caught.
  template <class Work>
  void watched(const std::string& where, Work&& work);
  void act(const std::string& session, const std::string& step);
  StepData fresh_data();

  void store(const std::string& session, const std::string& step);
  void read(const std::string& session, const std::string& step);
  void list(const std::string& session);
  void collect(const std::string& session, const std::string& step);
  void create();
  void update();
  void store_own();
  void read_own();

  StorageManager& manager_;
  ObjectStore* const objects_;
  Tally& tally_;
  const std::string own_step_;
  std::optional<std::string> own_value_{};  // the last that was acknowledged, or whose store failed
  std::mt19937_64 dice_;
  std::string page_{}, picture_{}, metadata_{};  // what fresh_data borrows
};

}  // namespace stepstore::storm
