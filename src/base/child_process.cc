#include "base/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/errors.h"

namespace stepstore {
namespace {

// How soon a wait notices that the caller wants to stop.
constexpr std::chrono::milliseconds kSlice{20};

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const noexcept { return number_; }
  void close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

// Leaves no child behind, whatever ends the wait for it.
class Running {
 public:
  explicit Running(pid_t pid) noexcept : pid_(pid) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (ended_) return;
    ::kill(-pid_, SIGKILL);  // its group, which it leads
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  // Whether it has ended, and how.
  bool has_ended(ChildOutcome& outcome) {
    int status = 0;
    const pid_t got = ::waitpid(pid_, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return false;
    ended_ = true;
    if (got < 0) return true;  // somebody else waits for all children: its output must do
    outcome.end = WIFEXITED(status) ? ChildOutcome::End::exited : ChildOutcome::End::killed;
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    return true;
  }

 private:
  const pid_t pid_;
  bool ended_ = false;
};

// posix_spawn, since fork() in a process with threads may do next to nothing before exec.
int start(const ChildProcess& child, int output, pid_t& pid) {
  std::vector<char*> arguments;
  arguments.reserve(child.arguments.size() + 1);
  for (const std::string& each : child.arguments) {
    arguments.push_back(const_cast<char*>(each.c_str()));  // NOLINT: it is not written to
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);  // Python ignores it, and programs expect it
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  char* const nothing = nullptr;
  const int failed = ::posix_spawnp(&pid, arguments.front(), &files, &attributes, arguments.data(),
                                    child.environment != nullptr ? child.environment : &nothing);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return failed;
}

void check_stop(const CallLimits& limits) {
  if (limits.stop.stop_requested() || (limits.interrupted && limits.interrupted())) {
    error(ErrorCode::Cancelled, "run a program", "", "the caller asked to stop").raise();
  }
}

// False: nothing more will come.
bool read_some(int from, std::string& output) {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(from, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  output.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

}  // namespace

ChildOutcome run_child(const ChildProcess& child, const CallLimits& limits, Clock& clock) {
  using End = ChildOutcome::End;
  std::array<int, 2> ends{};
  if (child.arguments.empty()) return {.end = End::not_started, .status = ENOENT};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {.end = End::not_started, .status = errno};
  Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  pid_t pid = 0;
  if (const int failed = start(child, writer.get(), pid); failed != 0) {
    return {.end = End::not_started, .status = failed};
  }
  Running running(pid);
  writer.close();

  ChildOutcome outcome;
  const auto until = std::min(clock.steady_now() + child.timeout, limits.deadline);
  bool open = true;
  while (open || !running.has_ended(outcome)) {
    check_stop(limits);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock.steady_now());
    if (left.count() <= 0) {
      outcome.end = End::too_long;
      return outcome;
    }
    if (!open) {  // it has closed its output, and goes on
      clock.sleep(std::min<std::chrono::milliseconds>(left, std::chrono::milliseconds(2)));
      continue;
    }
    pollfd waiting{.fd = reader.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(std::min(left, kSlice).count())) <= 0) continue;
    open = read_some(reader.get(), outcome.output);
    if (outcome.output.size() > child.output_bytes_max) {
      outcome.end = End::too_much;
      return outcome;
    }
  }
  return outcome;
}

}  // namespace stepstore
