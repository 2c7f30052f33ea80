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
  if (op.failure) return nb::make_tuple(op.number, false, to_exception(*op.failure));
  try {
    return nb::make_tuple(op.number, true, op.value());
  } catch (nb::python_error& error) {
    return nb::make_tuple(op.number, false, error.value());
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
  for (Op* op = queue_.take(); op != nullptr;) {
    Op* const next = op->next;
    undelivered().add(op);
    op = next;
  }
  ::close(fd_);
}

void PortState::deliver(Op* op) noexcept {
  if (!queue_.add(op)) return;
  const std::uint64_t one = 1;
  // It cannot fail: the counter is read to 0 each time that something is taken.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

Op* PortState::take() noexcept {
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
                   const Post& post, Work work) const {
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
    } catch (const StorageManagerError& error) {
      raw->failure = error;
    }
    stops.reset();
    raw->entry.reset();
    port->deliver(raw);
  });
  [[maybe_unused]] const Op* const delivered = op.release();
}

Port::~Port() {
  state_.reset();
  release_undelivered();
}

Ticket Port::ticket(std::uint64_t number) const {
  if (!state_->of_this_process()) {
    raise(StorageManagerError({.code = ErrorCode::Unsupported,
                               .message = "this event loop belongs to the parent process",
                               .operation = "StorageManager",
                               .advice = "Run an event loop of its own in a forked child."}));
  }
  return {state_, number};
}

nb::list Port::take() {
  const Entry entry("take", true);
  nb::list out;
  struct Rest {
    Op* first;
    ~Rest() { destroy(first); }
  } rest{state_->take()};
  while (rest.first != nullptr) {
    const std::unique_ptr<Op> op(std::exchange(rest.first, rest.first->next));
    out.append(outcome_of(*op));
  }
  drain_log();
  return out;
}

void Port::wait() {
  const Entry entry("wait", true);
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
