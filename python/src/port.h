// Calls that nobody waits for: they run on a manager's threads, which never take the GIL, and their
// outcomes arrive in a Port, whose descriptor becomes readable.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "call.h"

namespace stepstore::python {

// One call on its way. Made and destroyed with the GIL held; its outcome is filled in without.
struct Op {
  Op(std::uint64_t which, std::string_view what) : number(which), operation(what), entry(what) {
    ++counted;
  }
  ~Op() { --counted; }
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;
  static std::size_t count() noexcept { return counted; }  // how many there are

  Op* next = nullptr;
  const std::uint64_t number;  // the caller's own, given back with the outcome
  const std::string operation;
  Buffers buffers{Buffers::Use::after_the_call};
  std::function<nb::object()> value;  // asked for with the GIL
  std::optional<StorageManagerError> failure;
  std::optional<Entry> entry;  // exit waits for it; gone when the work is done

 private:
  static inline std::atomic<std::size_t> counted{0};
};

// Operations in the order in which they were added, from any thread and without a lock.
class OpQueue {
 public:
  // True when it was empty.
  bool add(Op* op) noexcept;
  // All of them, the oldest first.
  Op* take() noexcept;

 private:
  std::atomic<Op*> newest_{nullptr};
};

// Shared by a Port and the calls on their way to it.
class PortState {
 public:
  PortState();
  PortState(const PortState&) = delete;
  PortState& operator=(const PortState&) = delete;
  ~PortState();

  void deliver(Op* op) noexcept;
  // None in a forked child: what lies here is its parent's to take.
  Op* take() noexcept;
  // Makes the descriptor readable.
  void wake() noexcept;
  int fileno() const noexcept { return fd_; }
  bool of_this_process() const noexcept;

 private:
  OpQueue queue_;
  int fd_;
  pid_t pid_;
};

// What was delivered where nobody takes it any more waits here for somebody who holds the GIL.
void release_undelivered();

// Given with a call: where its outcome goes, and how to stop it.
class Ticket {
 public:
  Ticket(std::shared_ptr<PortState> port, std::uint64_t number)
      : port_(std::move(port)), number_(number) {}

  // Not in a forked child: the call is its parent's.
  void stop();
  // Whether the call is on its way, or was: then its outcome comes.
  bool begun() const noexcept { return begun_; }

  // Hands `work` to `post`, to be called with the time that is left of the timeout, and delivers
  // the Op, which has its value then, or its error. Stopped by this ticket, by `owner` and at exit.
  using Post = std::function<void(std::function<void()>)>;
  using Work = std::function<void(Op& op, const Call& call)>;
  void start(std::unique_ptr<Op> op, double timeout_seconds, const std::stop_token& owner,
             const Post& post, Work work);

  std::unique_ptr<Op> op(std::string_view operation) const;

 private:
  std::shared_ptr<PortState> port_;
  std::uint64_t number_;
  std::stop_source stop_;
  bool begun_ = false;
};

class Port {
 public:
  Port() : state_(std::make_shared<PortState>()) {}
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port();

  int fileno() const noexcept { return state_->fileno(); }
  // Throws Unsupported in a forked child.
  // `number` tells the caller's calls apart: an object would be held unseen by Python's collector.
  Ticket ticket(std::uint64_t number) const;
  // Appends (number, succeeded, value or exception) of what has ended. An exception, as ctrl-C may
  // throw one at any moment, loses none: what was appended is the caller's, the rest comes the next
  // time.
  void take(nb::list into);
  // Waits without the GIL until something has ended; ctrl-C ends it. At exit it does not wait.
  // Throws Unsupported in a forked child.
  void wait();
  bool of_this_process() const noexcept { return state_->of_this_process(); }

 private:
  void check_process() const;

  Op* rest_ = nullptr;  // taken, and not appended yet
  std::shared_ptr<PortState> state_;
};

// Held by Python code that makes several calls, as a context manager: exit waits for all of it.
class Busy {
 public:
  explicit Busy(std::string operation) : operation_(std::move(operation)) {}
  void enter() { entry_.emplace(operation_); }
  void leave() { entry_.reset(); }

 private:
  std::string operation_;
  std::optional<Entry> entry_;
};

}  // namespace stepstore::python
