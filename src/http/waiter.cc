#include "http/waiter.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/errors.h"
#include "base/fork.h"

namespace stepstore::http {
namespace {

// One per thread: a call takes it and gives it back. A forked child shares its parent's, and must
// not use it.
struct Spare {
  int fd = -1;
  pid_t owner = 0;

  Spare() = default;
  ~Spare() { put_away(); }
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;

  void put_away() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  int take() {
    if (fd >= 0 && owner != this_process()) put_away();
    if (fd >= 0) {
      // What was written to it in another call must not end a wait of this one.
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = ::read(fd, &count, sizeof count);
      return std::exchange(fd, -1);
    }
    const int made = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made < 0) errno_error(errno, "wait", "", "eventfd").raise();
    return made;
  }
  void give_back(int used) {
    put_away();
    fd = used;
    owner = this_process();
  }
};
thread_local Spare spare;

}  // namespace

void Waiter::Wake::operator()() const noexcept {
  if (process != this_process()) return;  // a forked child shares the parent's, who still waits
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
}

Waiter::~Waiter() {
  if (wake_ < 0) return;
  on_stop_.reset();  // from here on nobody writes to it
  if (limits_.stop.stop_requested()) {
    ::close(wake_);
  } else {
    spare.give_back(wake_);
  }
}

// Only when a call has to wait, and somebody may stop it: most do not.
void Waiter::listen_to_stop() {
  if (wake_ >= 0 || !limits_.stop.stop_possible()) return;
  wake_ = spare.take();
  on_stop_ = std::make_unique<std::stop_callback<Wake>>(
      limits_.stop, Wake{.fd = wake_, .process = this_process()});
}

void Waiter::wait(std::vector<pollfd>& descriptors, std::chrono::steady_clock::time_point until) {
  using std::chrono::milliseconds;
  check_limits(limits_, clock_, "wait");
  listen_to_stop();
  const auto now = clock_.steady_now();
  const auto end = std::min(until, limits_.deadline);
  // No longer than this between two looks at what only the calling thread may ask.
  const milliseconds look = limits_.interrupted ? milliseconds(100) : milliseconds(60'000);
  const auto left = end <= now
                        ? milliseconds(0)
                        : std::min(look, std::chrono::ceil<milliseconds>(
                                             std::min<std::chrono::nanoseconds>(end - now, look)));
  if (wake_ >= 0) descriptors.push_back({.fd = wake_, .events = POLLIN, .revents = 0});
  const int ready = ::poll(descriptors.data(), descriptors.size(), static_cast<int>(left.count()));
  const int failed = errno;
  if (wake_ >= 0) descriptors.pop_back();
  if (ready < 0) {
    for (pollfd& each : descriptors) each.revents = 0;
    if (failed != EINTR) errno_error(failed, "wait", "", "poll").raise();
  }
  if (ready <= 0 || wake_ >= 0) check_limits(limits_, clock_, "wait");
}

}  // namespace stepstore::http
