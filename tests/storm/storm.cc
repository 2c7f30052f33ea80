// Threads and processes store, store again, read, list and delete the same few steps, as fast as
// they can.
//
//   storm [--store URI | --servers] SECONDS [PROCESSES=4] [THREADS=16] [SEED]
//
// The store is a temporary directory; with --store a new prefix below an S3 URI; with --servers a
// new prefix on each server of STEPSTORE_TEST_SERVERS in turn (tests/servers/servers.py run NAME...
// -- storm --servers 10).
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
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
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

struct Settings {
  double seconds = 5;
  int processes = 4, threads = 16;
  std::uint64_t seed = 0;
};

// One process: its exit code is the number of violations, at most 100.
int run_process(const std::string& uri, const Settings& settings, std::uint64_t seed) {
  StorageManager manager(uri, {.fsync = false});
  Counts counts;
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::duration<double>(settings.seconds));
  std::vector<std::thread> workers;
  for (int i = 0; i < settings.threads; ++i) {
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

// Whether everything held.
bool storm(const std::string& uri, const Settings& settings) {
  int violations = 0;
  for (int i = 0; i < settings.processes; ++i) {
    if (::fork() == 0) {
      ::_exit(run_process(uri, settings, settings.seed + static_cast<std::uint64_t>(i)));
    }
  }
  for (int i = 0; i < settings.processes; ++i) {
    int status = 0;
    ::wait(&status);
    violations += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  }
  const CheckReport report = StorageManager(uri).check({.data = true});
  std::map<std::string_view, int> kinds;
  for (const Finding& finding : report.findings) {
    ++kinds[name_of(finding.kind)];
    if (report.healthy()) continue;
    std::cerr << name_of(finding.kind) << " " << finding.key << ": " << finding.message << "\n";
  }
  std::cout << "check: " << report.steps << " steps";
  for (const auto& [kind, count] : kinds) std::cout << ", " << count << " " << kind;
  std::cout << std::endl;
  return violations == 0 && report.healthy();
}

bool storm_in_directory(const Settings& settings) {
  const auto path =
      std::filesystem::temp_directory_path() / ("stepstore-storm-" + std::to_string(::getpid()));
  const bool held = storm(path.string(), settings);
  std::filesystem::remove_all(path);
  return held;
}

// A prefix below the URI's that nobody has used.
std::string with_fresh_prefix(const std::string& uri) {
  const std::size_t end = std::min(uri.find('?'), uri.size());
  const std::string slash = uri[end - 1] == '/' ? "" : "/";
  std::random_device device;
  return uri.substr(0, end) + slash + "storm-" + std::to_string(device()) +
         std::to_string(device()) + uri.substr(end);
}

bool storm_on_server(const std::string& uri, const Settings& settings) {
  const std::string fresh = with_fresh_prefix(uri);
  std::cout << fresh << std::endl;
  return storm(fresh, settings);
}

std::vector<std::string> servers() {
  const char* const text = std::getenv("STEPSTORE_TEST_SERVERS");
  if (text == nullptr) {
    throw std::runtime_error("--servers: run this by tests/servers/servers.py run NAME... --");
  }
  std::vector<std::string> uris;
  for (const auto& each : nlohmann::json::parse(text)) uris.push_back(each.at("uri"));
  return uris;
}

Settings settings_from(const std::vector<std::string>& words) {
  const auto number = [&](std::size_t index, double fallback) {
    return words.size() > index ? std::stod(words[index]) : fallback;
  };
  return {.seconds = number(0, 5),
          .processes = static_cast<int>(number(1, 4)),
          .threads = static_cast<int>(number(2, 16)),
          .seed = static_cast<std::uint64_t>(number(3, std::random_device()() % 1'000'000))};
}

// The number of stores where a promise was broken, and of those that were tried.
std::pair<int, int> run(std::vector<std::string> words) {
  std::optional<std::vector<std::string>> uris;
  if (!words.empty() && words[0] == "--servers") {
    uris = servers();
    words.erase(words.begin());
  } else if (words.size() > 1 && words[0] == "--store") {
    uris = {words[1]};
    words.erase(words.begin(), words.begin() + 2);
  }
  const Settings settings = settings_from(words);
  std::cout << "seed " << settings.seed << std::endl;
  if (!uris) return {storm_in_directory(settings) ? 0 : 1, 1};
  int failed = 0;
  for (const std::string& uri : *uris) failed += storm_on_server(uri, settings) ? 0 : 1;
  return {failed, static_cast<int>(uris->size())};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto [failed, tried] = run({argv + 1, argv + argc});
    std::cout << "storm: " << tried - failed << " passed, " << failed << " failed" << std::endl;
    return failed == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "storm: " << error.what() << std::endl;
    return 2;
  }
}
