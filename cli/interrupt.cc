#include "interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "errors.h"

namespace stepstore::cli {
namespace {

void ring(int event_fd) {
  const std::uint64_t one = 1;
  // An eventfd that cannot count further is readable all the same.
  [[maybe_unused]] const ssize_t done = ::write(event_fd, &one, sizeof one);
}

// Ends the process by the signal itself, so that the shell sees how it ended.
[[noreturn]] void die_of(int number) {
  std::signal(number, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::kill(::getpid(), number);
  ::_exit(128 + number);
}

}  // namespace

Interrupt::Interrupt() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction now{};
    sigaction(number, nullptr, &now);
    if (now.sa_handler != SIG_IGN) sigaddset(&watched, number);
  }
  pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  signal_fd_ = ::signalfd(-1, &watched, SFD_CLOEXEC);
  came_fd_ = ::eventfd(0, EFD_CLOEXEC);
  quit_fd_ = ::eventfd(0, EFD_CLOEXEC);
  if (signal_fd_ < 0 || came_fd_ < 0 || quit_fd_ < 0) {
    throw file_error(errno, "watch for", "signals");
  }
  watcher_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  ring(quit_fd_);
  watcher_.join();
  for (const int fd : {signal_fd_, came_fd_, quit_fd_}) ::close(fd);
}

void Interrupt::watch() {
  while (true) {
    std::array<pollfd, 2> ready = {{{signal_fd_, POLLIN, 0}, {quit_fd_, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    if (ready[0].revents != 0) {
      signalfd_siginfo info{};
      if (::read(signal_fd_, &info, sizeof info) != sizeof info) continue;
      const int number = static_cast<int>(info.ssi_signo);
      if (requested()) die_of(number);
      signal_ = number;
      ring(came_fd_);
      stop_.request_stop();
    } else if (ready[1].revents != 0) {
      return;
    }
  }
}

bool Interrupt::wait_readable(int fd) const {
  while (true) {
    std::array<pollfd, 2> ready = {{{fd, POLLIN, 0}, {came_fd_, POLLIN, 0}}};
    const int count = ::poll(ready.data(), ready.size(), -1);
    if (count < 0 && errno != EINTR) throw file_error(errno, "wait for", "input");
    if (ready[1].revents != 0) return false;
    if (count > 0 && ready[0].revents != 0) return true;
  }
}

}  // namespace stepstore::cli
