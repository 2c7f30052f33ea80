// ctrl-C and SIGTERM. The first one asks the running call to stop, so that the command ends cleanly
// and says what was done; a second one kills the process at once.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace stepstore::cli {

class Interrupt {
 public:
  // Blocks the two signals in this thread and in those it starts, and watches for them in a thread
  // of its own. A signal that was ignored when the process began stays ignored (nohup).
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  bool requested() const noexcept { return signal_ != 0; }
  int signal() const noexcept { return signal_; }  // 0: none came
  // Waits until `fd` can be read. False: a signal came first.
  bool wait_readable(int fd) const;

 private:
  void watch();

  std::stop_source stop_;
  std::atomic<int> signal_{0};
  int signal_fd_ = -1;
  int came_fd_ = -1;  // readable once a signal has come
  int quit_fd_ = -1;
  std::thread watcher_;
};

}  // namespace stepstore::cli
