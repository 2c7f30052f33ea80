#include "output.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "errors.h"

namespace stepstore::cli {
namespace {

constexpr std::size_t kBuffer = std::size_t{64} << 10;

// Writes all of it. Returns 0 or the errno.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(done));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Somebody who shares the descriptor has made it non-blocking.
      pollfd ready{fd, POLLOUT, 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

bool moves_cursor() {
  const char* term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

}  // namespace

void Output::send(std::string_view bytes) {
  const int failed = write_all(fd_, bytes);
  if (failed == EPIPE) throw ReaderGone();
  if (failed != 0) throw file_error(failed, "write to", "standard output");
}

void Output::write(std::string_view bytes) {
  if (waiting_.size() + bytes.size() < kBuffer) {
    waiting_ += bytes;
    return;
  }
  flush();
  if (bytes.size() < kBuffer) {
    waiting_ = bytes;
  } else {
    send(bytes);
  }
}

void Output::line(std::string_view text) {
  write(text);
  write("\n");
}

void Output::flush() {
  // What failed once is not written a second time.
  const std::string bytes = std::exchange(waiting_, {});
  send(bytes);
}

bool Output::is_terminal() const { return ::isatty(fd_) == 1; }

bool wants_colour(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool refused = no_color != nullptr && *no_color != '\0';
  return !refused && ::isatty(fd) == 1 && moves_cursor();
}

Messages::Messages()
    : terminal_(::isatty(STDERR_FILENO) == 1 && moves_cursor()),
      coloured_(wants_colour(STDERR_FILENO)) {}

void Messages::line(std::string_view text) {
  const std::lock_guard guard(mutex_);
  std::string out = status_.empty() ? "" : "\r\x1b[K";
  out += text;
  out += "\n";
  out += status_;
  write_all(STDERR_FILENO, out);
}

void Messages::status(std::string_view text) {
  const std::lock_guard guard(mutex_);
  if (text.empty() && status_.empty()) return;
  status_ = text;
  write_all(STDERR_FILENO, "\r\x1b[K" + status_);
}

std::size_t Messages::columns() const {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace stepstore::cli
