// The steps of a recording in memory, and clocks to measure by.
#pragma once

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "bare.h"
#include "stepstore/stepstore.h"

namespace bench {

struct RecordedStep {
  std::string html, screenshot, action, metadata;

  stepstore::StepData data() const {
    return {.html_content = html,
            .screenshot_bytes = screenshot,
            .action_data = action,
            .metadata = metadata};
  }
  // As many files as the store writes: its fourth is the manifest, which holds the metadata.
  Files files() const {
    return {{{"observation.html", html},
             {"screenshot.png", screenshot},
             {"action.json", action},
             {"step.json", metadata}}};
  }
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<RecordedStep> read_recording(const std::filesystem::path& folder) {
  std::vector<RecordedStep> steps;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& step = entry.path();
    steps.push_back({read_file(step / "observation.html"), read_file(step / "screenshot.png"),
                     read_file(step / "action.json"), read_file(step / "metadata.json")});
  }
  if (steps.empty()) throw std::runtime_error("no steps in " + folder.string());
  return steps;
}

inline double microseconds(const std::timespec& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// What `work` takes, by the clock: CLOCK_MONOTONIC for time, CLOCK_PROCESS_CPUTIME_ID for CPU.
template <class Work>
double measure(clockid_t clock, Work&& work) {
  std::timespec before{};
  std::timespec after{};
  clock_gettime(clock, &before);
  work();
  clock_gettime(clock, &after);
  return microseconds(after) - microseconds(before);
}

inline void print_row(const char* name, const std::vector<double>& values) {
  std::printf(R"({"row":"%s","values":[)", name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::printf("%s%.3f", i == 0 ? "" : ",", values[i]);
  }
  std::puts("]}");
  std::fflush(stdout);
}

}  // namespace bench
