// Standard output, with every failure to write noticed; and the lines on standard error.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace stepstore::cli {

// What the command was asked for. Buffered. Throws ReaderGone when the reader went away and
// CliError for any other failure, a full disk for one. One thread at a time.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  void write(std::string_view bytes);
  void line(std::string_view text);  // the text and a line feed
  // What was written is with the reader after this. Call it before a good exit code is given.
  void flush();
  bool is_terminal() const;

 private:
  void send(std::string_view bytes);

  int fd_;
  std::string waiting_;
};

// Messages and the progress line on standard error. A message moves the progress line out of its
// way. Failures to write are nobody's concern. Any number of threads.
class Messages {
 public:
  Messages();

  // Prints the line as it is; the caller has passed stored text through shown().
  void line(std::string_view text);
  // Shows `text` as the last line, in place of what was shown before; empty: takes it away.
  void status(std::string_view text);

  bool is_terminal() const noexcept { return terminal_; }  // and it can move its cursor
  bool coloured() const noexcept { return coloured_; }
  std::size_t columns() const;

 private:
  std::mutex mutex_;
  std::string status_;
  bool terminal_ = false;
  bool coloured_ = false;
};

// True when colours are wanted on this descriptor: a terminal, and NO_COLOR is not set.
bool wants_colour(int fd);

}  // namespace stepstore::cli
