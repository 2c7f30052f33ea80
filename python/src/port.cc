#include "port.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace stepstore::python {
namespace {

// Never destroyed: calls may end while the interpreter goes down. A forked child may release what
// lies here, since it has the same objects.
OpQueue& undelivered() {
  static auto* const queue = new OpQueue;
  return *queue;
}

void destroy(Op* first) {
  while (first != nullptr) delete std::exchange(first, first->next);
}

// Makes a call's stop token follow those of its manager and of the interpreter's exit.
struct Stops {
  struct Request {
    std::stop_source stop;
    void operator()() { stop.request_stop(); }
  };
  Stops(const std::stop_source& stop, const std::stop_token& owner)
      : at_exit(stop_at_exit(), Request{stop}), with_owner(owner, Request{stop}) {}
  std::stop_callback<Request> at_exit;
  std::stop_callback<Request> with_owner;
};

nb::tuple outcome_of(const Op& op) {
  try {
    if (op.failure) return nb::make_tuple(op.number, false, to_exception(*op.failure));
    return nb::make_tuple(op.number, true, op.value());
  } catch (nb::python_error& error) {
    return nb::make_tuple(op.number, false, error.value());
  } catch (const std::exception&) {
    return nb::make_tuple(op.number, false, to_exception(failure_of(op.operation)));
  }
}

}  // namespace

bool OpQueue::add(Op* op) noexcept {
  Op* before = newest_.load(std::memory_order_relaxed);
  do {
    op->next = before;
  } while (!newest_.compare_exchange_weak(before, op, std::memory_order_release,
                                          std::memory_order_relaxed));
  return before == nullptr;
}

Op* OpQueue::take() noexcept {
  Op* newest = newest_.exchange(nullptr, std::memory_order_acquire);
  Op* oldest = nullptr;
  while (newest != nullptr) {
    Op* const before = std::exchange(newest->next, oldest);
    oldest = std::exchange(newest, before);
  }
  return oldest;
}

PortState::PortState() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), pid_(::getpid()) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

PortState::~PortState() {
  if (!of_this_process()) {
    ::close(fd_);
    return;
  }
  for (Op* op = queue_.take(); op != nullptr;) {
    Op* const next = op->next;
    undelivered().add(op);
    op = next;
  }
  ::close(fd_);
}

void PortState::deliver(Op* op) noexcept {
  if (queue_.add(op)) wake();
}

void PortState::wake() noexcept {
  const std::uint64_t one = 1;
  // It cannot fail: the counter is read to 0 each time that something is taken.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

Op* PortState::take() noexcept {
  if (!of_this_process()) return nullptr;
  // Before the queue is emptied: what comes after that makes it readable again.
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
  return queue_.take();
}

bool PortState::of_this_process() const noexcept { return pid_ == ::getpid(); }

void release_undelivered() { destroy(undelivered().take()); }

std::unique_ptr<Op> Ticket::op(std::string_view operation) const {
  return std::make_unique<Op>(number_, operation);
}

void Ticket::start(std::unique_ptr<Op> op, double timeout_seconds, const std::stop_token& owner,
                   const Post& post, Work work) {
  const auto begun = std::chrono::steady_clock::now();
  auto stops = std::make_shared<Stops>(stop_, owner);
  Op* const raw = op.get();
  post([raw, begun, timeout_seconds, stops = std::move(stops), port = port_,
        token = stop_.get_token(), work = std::move(work)]() mutable {
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begun;
    Call call = call_of(std::max(0.0, timeout_seconds - waited.count()));
    call.stop = token;
    try {
      work(*raw, call);
    } catch (...) {
      // Nothing may leave a thread of the pool.
      raw->failure = failure_of(raw->operation);
    }
    stops.reset();
    raw->entry.reset();
    port->deliver(raw);
  });
  [[maybe_unused]] const Op* const delivered = op.release();
  begun_ = true;
}

void Ticket::stop() {
  if (port_->of_this_process()) stop_.request_stop();
}

Port::~Port() {
  if (of_this_process()) destroy(rest_);
  state_.reset();
  release_undelivered();
}

void Port::check_process() const {
  if (of_this_process()) return;
  raise(StorageManagerError({.code = ErrorCode::Unsupported,
                             .message = "this event loop or batch belongs to the parent process",
                             .operation = "StorageManager",
                             .advice = "In a forked child, begin anew: asyncio needs an event loop "
                                       "of its own there."}));
}

Ticket Port::ticket(std::uint64_t number) const {
  check_process();
  return {state_, number};
}

void Port::take(nb::list into) {
  const Entry entry("take", true);
  drain_log();  // calls Python, which may throw; nothing was taken yet
  Op* const fresh = state_->take();
  Op** last = &rest_;
  while (*last != nullptr) last = &(*last)->next;
  *last = fresh;
  struct Again {  // what an exception leaves behind is to be heard of
    const Port& port;
    ~Again() {
      if (port.rest_ != nullptr) port.state_->wake();
    }
  } const again{*this};
  while (rest_ != nullptr) {
    into.append(outcome_of(*rest_));
    delete std::exchange(rest_, rest_->next);
  }
}

void Port::wait() {
  const Entry entry("wait", true);
  check_process();
  constexpr int kSliceMs = 50;
  for (;;) {
    bool ready = false;
    {
      const nb::gil_scoped_release released;
      pollfd watched{.fd = state_->fileno(), .events = POLLIN, .revents = 0};
      ready = ::poll(&watched, 1, kSliceMs) > 0;
      if (exit_has_given_up()) sleep_forever();
    }
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (ready || stop_at_exit().stop_requested()) return;
  }
}

}  // namespace stepstore::python
