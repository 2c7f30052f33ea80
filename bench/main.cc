// stepstore_bench RECORDING WORK ROUNDS: measures the library on the steps of a recording.
//
// RECORDING holds one folder per step. WORK is a new folder on the disk to be measured. Each round
// goes through all steps. Prints one JSON object a line: a row's name and its values in
// microseconds per step. run.py makes the figures of them.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "bare.h"
#include "stepstore/stepstore.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

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

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<RecordedStep> read_recording(const fs::path& folder) {
  std::vector<RecordedStep> steps;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path& step = entry.path();
    steps.push_back({read_file(step / "observation.html"), read_file(step / "screenshot.png"),
                     read_file(step / "action.json"), read_file(step / "metadata.json")});
  }
  if (steps.empty()) throw std::runtime_error("no steps in " + folder.string());
  return steps;
}

double microseconds(const std::timespec& time) {
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

void print_row(const char* name, const std::vector<double>& values) {
  std::printf(R"({"row":"%s","values":[)", name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::printf("%s%.3f", i == 0 ? "" : ",", values[i]);
  }
  std::puts("]}");
  std::fflush(stdout);
}

// Durable steps, one after the other by turns: bare system calls and the store see the same disk in
// the same state, and who goes first changes with every step.
void durable(const std::vector<RecordedStep>& steps, const fs::path& work, int rounds) {
  const std::string bare_folder = work / "bare";
  fs::create_directories(bare_folder);
  stepstore::StorageManager store((work / "durable").string());
  // The first step of a store and of a session makes folders that later ones find.
  store.store_step_data("session", "first", steps[0].data());
  write_bare(bare_folder, "first", steps[0].files(), true);
  std::vector<double> bare;
  std::vector<double> stored;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::string name = std::to_string(round) + "-" + std::to_string(i);
      const auto by_hand = [&] {
        bare.push_back(measure(CLOCK_MONOTONIC,
                               [&] { write_bare(bare_folder, name, steps[i].files(), true); }));
      };
      if (i % 2 == 0) by_hand();
      stored.push_back(measure(CLOCK_MONOTONIC,
                               [&] { store.store_step_data("session", name, steps[i].data()); }));
      if (i % 2 != 0) by_hand();
    }
  }
  print_row("durable_bare", bare);
  print_row("durable_store", stored);
}

// CPU time per step, without waiting for the disk. One value a round.
void cpu(const std::vector<RecordedStep>& steps, const fs::path& work, int rounds) {
  const std::string bare_folder = work / "bare-cpu";
  fs::create_directories(bare_folder);
  stepstore::StorageManager store((work / "cpu").string(), {.fsync = false});
  store.store_step_data("session", "first", steps[0].data());
  const auto row = [&](const char* name, auto&& one) {
    std::vector<double> values;
    for (int round = 0; round < rounds; ++round) {
      const double total = measure(CLOCK_PROCESS_CPUTIME_ID, [&] {
        for (std::size_t i = 0; i < steps.size(); ++i) {
          one(i, std::to_string(round) + "-" + std::to_string(i));
        }
      });
      values.push_back(total / static_cast<double>(steps.size()));
    }
    print_row(name, values);
  };
  row("cpu_bare_write", [&](std::size_t i, const std::string& name) {
    write_bare(bare_folder, name, steps[i].files(), false);
  });
  row("cpu_store", [&](std::size_t i, const std::string& name) {
    store.store_step_data("session", name, steps[i].data());
  });
  row("cpu_bare_read", [&](std::size_t i, const std::string& name) {
    const Files files = steps[i].files();
    std::size_t expected = 0;
    for (const File& file : files) expected += file.bytes.size();
    if (read_bare(bare_folder + "/" + name, files) != expected) {
      throw std::runtime_error("a step written by system calls is not whole");
    }
  });
  row("cpu_retrieve", [&](std::size_t i, const std::string& name) {
    const stepstore::Step step = store.retrieve_step_data("session", name);
    if (step.screenshot_bytes()->size() != steps[i].screenshot.size()) {
      throw std::runtime_error("a stored step is not whole");
    }
  });
}

int run(int argc, char** argv) {
  if (argc != 4 || std::atoi(argv[3]) < 1) {
    std::fputs("usage: stepstore_bench RECORDING WORK ROUNDS\n", stderr);
    return 2;
  }
  const std::vector<RecordedStep> steps = read_recording(argv[1]);
  const fs::path work = argv[2];
  const int rounds = std::atoi(argv[3]);
  durable(steps, work, rounds);
  cpu(steps, work, rounds);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stepstore_bench: %s\n", error.what());
    return 1;
  }
}
