// Threads and processes store, store again, read, list and delete the same few steps, as fast as
// they can.
//
//   storm SECONDS [PROCESSES=4] [THREADS=16] [SEED]
//
// No read may see half a step, no call may end with an error outside those that its documentation
// names, and at the end `check` finds every live step whole. Prints what was done; the exit code is
// 0 when all held.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "stepstore/stepstore.h"

namespace {

using namespace stepstore;

constexpr int kSessions = 2, kSteps = 6;

struct Counts {
  std::atomic<std::uint64_t> stores{0}, reads{0}, absent{0}, lists{0}, deletes{0}, refused{0};
  std::atomic<std::uint64_t> violations{0};
};

class Worker {
 public:
  Worker(StorageManager& manager, Counts& counts, std::uint64_t seed)
      : manager_(manager), counts_(counts), dice_(seed) {}

  void run_until(std::chrono::steady_clock::time_point end) {
    while (std::chrono::steady_clock::now() < end) {
      const std::string session = "s" + std::to_string(dice_() % kSessions);
      const std::string step = std::to_string(dice_() % kSteps);
      try {
        act(session, step);
      } catch (const StorageManagerError& error) {
        violation(session + "/" + step + ": " + error.what());
      }
    }
  }

 private:
  void act(const std::string& session, const std::string& step) {
    const auto choice = dice_() % 100;
    if (choice < 40) {
      store(session, step);
    } else if (choice < 80) {
      read(session, step);
    } else if (choice < 90) {
      ++counts_.lists;
      for (const std::string& id : manager_.list_steps_for_session(session).ids) {
        if (id.size() != 1) violation("a step was listed that nobody stored: " + id);
      }
    } else if (choice < 99) {
      ++counts_.deletes;
      manager_.delete_step(session, step);
    } else {
      ++counts_.deletes;
      manager_.delete_session(session);
    }
  }

  // Page and picture say the same number, so that a mixture of two stores shows.
  void store(const std::string& session, const std::string& step) {
    const std::string value = std::to_string(dice_());
    const std::string page = "<p>" + value + std::string(dice_() % 20'000, 'x');
    StoreOptions options;
    options.if_exists = static_cast<IfExists>(dice_() % 3);
    if (dice_() % 4 == 0) options.keep_versions = Keep{3};
    try {
      manager_.store_step_data(session, step,
                               {.html_content = page,
                                .screenshot_bytes = "\x89PNG\r\n\x1a\n" + value,
                                .metadata = "\"" + value + "\""},
                               options);
      ++counts_.stores;
    } catch (const AlreadyExists&) {
      if (options.if_exists != IfExists::fail) throw;
      ++counts_.refused;
    }
  }

  void read(const std::string& session, const std::string& step) {
    try {
      const Step found = manager_.retrieve_step_data(session, step);
      ++counts_.reads;
      const std::string value(found.screenshot_bytes()->text().substr(8));
      if (!found.html_content()->text().substr(3).starts_with(value) ||
          found.metadata()->text() != "\"" + value + "\"") {
        violation("half a step was read");
      }
    } catch (const NotFound&) {
      ++counts_.absent;
    }
  }

  void violation(const std::string& what) {
    ++counts_.violations;
    std::cerr << "VIOLATION: " << what << std::endl;
  }

  StorageManager& manager_;
  Counts& counts_;
  std::mt19937_64 dice_;
};

// One process: its exit code is the number of violations, at most 100.
int run_process(const std::string& path, double seconds, int threads, std::uint64_t seed) {
  StorageManager manager(path, {.fsync = false});
  Counts counts;
  const auto end =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] {
      Worker(manager, counts, seed * 1000 + static_cast<std::uint64_t>(i)).run_until(end);
    });
  }
  for (std::thread& worker : workers) worker.join();
  std::cout << counts.stores << " stores, " << counts.refused << " refused, " << counts.reads
            << " reads, " << counts.absent << " absent, " << counts.lists << " lists, "
            << counts.deletes << " deletes" << std::endl;
  return static_cast<int>(std::min<std::uint64_t>(100, counts.violations));
}

double number(int argc, char** argv, int index, double fallback) {
  return argc > index ? std::strtod(argv[index], nullptr) : fallback;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = number(argc, argv, 1, 5);
  const int processes = static_cast<int>(number(argc, argv, 2, 4));
  const int threads = static_cast<int>(number(argc, argv, 3, 16));
  const auto seed =
      static_cast<std::uint64_t>(number(argc, argv, 4, std::random_device()() % 1'000'000));
  std::cout << "seed " << seed << std::endl;
  const auto path =
      std::filesystem::temp_directory_path() / ("stepstore-storm-" + std::to_string(::getpid()));
  int violations = 0;
  for (int i = 0; i < processes; ++i) {
    if (::fork() == 0)
      ::_exit(run_process(path, seconds, threads, seed + static_cast<std::uint64_t>(i)));
  }
  for (int i = 0; i < processes; ++i) {
    int status = 0;
    ::wait(&status);
    violations += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  }
  const CheckReport report = StorageManager(path.string()).check({.data = true});
  if (!report.healthy()) {
    ++violations;
    for (const Finding& finding : report.findings) {
      std::cerr << name_of(finding.kind) << " " << finding.key << ": " << finding.message << "\n";
    }
  }
  std::filesystem::remove_all(path);
  std::cout << "check: " << report.steps << " steps, " << report.findings.size()
            << " findings\nstorm: "
            << (violations == 0 ? "1 passed, 0 failed" : "0 passed, 1 failed") << std::endl;
  return violations == 0 ? 0 : 1;
}
