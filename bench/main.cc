// stepstore_bench RECORDING DISK MEMORY ROUNDS: measures the library on the steps of a recording.
// stepstore_bench RECORDING s3://... ROUNDS: the same over an S3 server.
//
// RECORDING holds one folder per step. DISK is a new folder on the disk to be measured, MEMORY one
// in a file system in memory, where the kernel's write-back cannot fall into a row by chance. Each
// round goes through all steps. Prints one JSON object a line: a row's name and its values in
// microseconds per step. run.py makes the figures of them.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bare.h"
#include "recording.h"
#include "s3.h"
#include "stepstore/stepstore.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

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

// CPU time per step, where nothing waits for a disk. One value a round; bare calls and the store
// take turns, and who goes first changes with every round.
void cpu(const std::vector<RecordedStep>& steps, const fs::path& work, int rounds) {
  const std::string bare_folder = work / "bare";
  fs::create_directories(bare_folder);
  stepstore::StorageManager store((work / "store").string(), {.fsync = false});
  store.store_step_data("session", "first", steps[0].data());
  const auto one_round = [&](std::vector<double>& values, int round, auto&& one) {
    const double total = measure(CLOCK_PROCESS_CPUTIME_ID, [&] {
      for (std::size_t i = 0; i < steps.size(); ++i) {
        one(i, std::to_string(round) + "-" + std::to_string(i));
      }
    });
    values.push_back(total / static_cast<double>(steps.size()));
  };
  const auto by_turns = [&](const char* bare_name, auto&& bare, const char* store_name,
                            auto&& stored) {
    std::vector<double> bare_values;
    std::vector<double> store_values;
    for (int round = 0; round < rounds; ++round) {
      if (round % 2 == 0) one_round(bare_values, round, bare);
      one_round(store_values, round, stored);
      if (round % 2 != 0) one_round(bare_values, round, bare);
    }
    print_row(bare_name, bare_values);
    print_row(store_name, store_values);
  };
  by_turns(
      "cpu_bare_write",
      [&](std::size_t i, const std::string& name) {
        write_bare(bare_folder, name, steps[i].files(), false);
      },
      "cpu_store",
      [&](std::size_t i, const std::string& name) {
        store.store_step_data("session", name, steps[i].data());
      });
  by_turns(
      "cpu_bare_read",
      [&](std::size_t i, const std::string& name) {
        const Files files = steps[i].files();
        std::size_t expected = 0;
        for (const File& file : files) expected += file.bytes.size();
        if (read_bare(bare_folder + "/" + name, files) != expected) {
          throw std::runtime_error("a step written by system calls is not whole");
        }
      },
      "cpu_retrieve",
      [&](std::size_t i, const std::string& name) {
        const stepstore::Step step = store.retrieve_step_data("session", name);
        if (step.screenshot_bytes()->size() != steps[i].screenshot.size()) {
          throw std::runtime_error("a stored step is not whole");
        }
      });
}

int run(int argc, char** argv) {
  const bool over_s3 = argc == 4 && std::string_view(argv[2]).starts_with("s3://");
  const int rounds = argc > 1 ? std::atoi(argv[argc - 1]) : 0;
  if ((argc != 5 && !over_s3) || rounds < 1) {
    std::fputs(
        "usage: stepstore_bench RECORDING DISK MEMORY ROUNDS\n"
        "       stepstore_bench RECORDING s3://... ROUNDS\n",
        stderr);
    return 2;
  }
  const std::vector<RecordedStep> steps = read_recording(argv[1]);
  if (over_s3) {
    s3_rows(steps, argv[2], rounds);
    return 0;
  }
  durable(steps, argv[2], rounds);
  cpu(steps, argv[3], rounds);
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
