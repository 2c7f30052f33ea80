// Interleaver: runs several clients of one store request by request, in an order drawn from a seed,
// with answers that get lost, effects that come late and clients that die. So a few thousand runs
// visit the races that a year of use would.
//
// Every client has a thread, but only one runs at a time; a request of a client is a point where
// any other may go first. The items of a batch are requests of their own, in any order, and
// publish() is told apart into its parts, the reading of its guard, and its commit, which is what
// S3 does.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "stepstore/object_store.h"

namespace stepstore {

// How often each may happen in one run.
struct Faults {
  int lost = 0;     // a write happens and its answer does not arrive
  int late = 0;     // a write's answer does not arrive, and it happens at any later moment
  int crashes = 0;  // a client dies before a request
};

// What a dying client throws. No std::exception, so that nothing takes it for an error to handle.
struct ClientCrash {};

class Interleaver {
 public:
  Interleaver(std::shared_ptr<ObjectStore> inner, std::uint64_t seed, Faults faults);
  ~Interleaver();
  Interleaver(const Interleaver&) = delete;
  Interleaver& operator=(const Interleaver&) = delete;

  // A client: it gets a store whose requests are interleaved with those of the others. ClientCrash
  // is caught here; any other exception ends the run.
  void add(std::string name, std::function<void(std::shared_ptr<ObjectStore>)> body);
  // Called after every request and every late effect, while no client runs. May throw to end the
  // run.
  void after_each(std::function<void()> check) { check_ = std::move(check); }
  // Runs all clients to their end, then lets what is still late happen. Throws what a client or the
  // check threw.
  void run();

  // A moment that is later at every call, for histories. Only for clients and the check.
  std::uint64_t now() { return ++moment_; }
  // What happened, a line a request.
  std::string trace() const;

 private:
  friend class InterleavedStore;
  struct Client;
  enum class Fate { normal, lost, late, crash };

  Fate request(Client& client, const std::string& what, bool is_write);
  void postpone(std::string what, std::function<void()> effect);
  void run_client(Client& client);
  void give_turn(Client& client);
  bool chance(int& left, int one_in);
  void note(const std::string& line);

  const std::shared_ptr<ObjectStore> inner_;
  std::mt19937_64 dice_;
  Faults faults_;
  std::function<void()> check_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::pair<std::string, std::function<void()>>> late_;
  std::vector<std::string> trace_;
  std::uint64_t moment_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  Client* running_ = nullptr;  // null: the scheduler has the turn
  bool abandoned_ = false;     // the run is over: every client dies at its next request
};

}  // namespace stepstore
