// The progress line of long work: on a terminal only, several times a second at most.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "output.h"

namespace stepstore::cli {

class Progress {
 public:
  // `shown`: whether to draw at all. `total`: steps to come; 0 when that is not known.
  Progress(Messages& messages, std::string verb, bool shown, std::uint64_t total = 0);
  ~Progress();  // takes the line away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t steps, std::uint64_t bytes);
  double seconds() const;  // since it was made

 private:
  void draw();

  Messages& messages_;
  std::string verb_;
  bool shown_;
  std::uint64_t total_;
  std::uint64_t steps_ = 0;
  std::uint64_t bytes_ = 0;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point drawn_{};
};

// "  importing [#######.......]  12/30 steps  8.4 MB  31.0 MB/s  2 s left", cut to the columns.
std::string progress_line(const std::string& verb, std::uint64_t steps, std::uint64_t total,
                          std::uint64_t bytes, double seconds, std::size_t columns);

}  // namespace stepstore::cli
