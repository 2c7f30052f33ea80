// Threads and processes store, store again, read, list and delete the same few steps and sessions,
// as fast as they can; each thread also stores a step that is its own.
//
//   storm [--store URI | --servers] SECONDS [PROCESSES=4] [THREADS=16] [SEED]
//
// The store is a temporary directory; with --store a new prefix below an S3 URI; with --servers a
// new prefix on each server of STEPSTORE_TEST_SERVERS in turn, also in its bucket that keeps
// versions (tests/servers/servers.py run NAME... -- storm --servers 10).
//
// No read may see half a step, what a thread has stored alone is what it reads, no call may end
// with an error outside those that its documentation names, and at the end `check` finds every live
// step whole. Where the bucket does not enforce conditions, the store must have said so: then what
// is broken is counted, and not held against it. Prints what was done; the exit code is 0 when all
// held.
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
const std::string kOwnSession = "own";

struct Counts {
  std::atomic<std::uint64_t> stores{0}, own{0}, reads{0}, absent{0}, lists{0}, deletes{0},
      refused{0};
  std::atomic<std::uint64_t> violations{0};
};

class Worker {
 public:
  Worker(StorageManager& manager, Counts& counts, std::uint64_t seed)
      : manager_(manager), counts_(counts), own_step_(std::to_string(seed)), dice_(seed) {}

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
    try {
      read_own();
    } catch (const StorageManagerError& error) {
      violation(kOwnSession + "/" + own_step_ + ": " + error.what());
    }
  }

 private:
  void act(const std::string& session, const std::string& step) {
    const auto choice = dice_() % 100;
    if (choice < 8) {
      store_own();
    } else if (choice < 12) {
      read_own();
    } else if (choice < 40) {
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

  void store_own() {
    own_value_ = std::to_string(dice_());
    manager_.store_step_data(kOwnSession, own_step_, {.html_content = *own_value_});
    ++counts_.own;
  }

  void read_own() {
    if (!own_value_) return;
    const Step found = manager_.retrieve_step_data(kOwnSession, own_step_);
    if (found.html_content()->text() != *own_value_) {
      violation(kOwnSession + "/" + own_step_ + ": not what was stored last");
    }
  }

  void violation(const std::string& what) {
    ++counts_.violations;
    std::cerr << "VIOLATION: " << what << std::endl;
  }

  StorageManager& manager_;
  Counts& counts_;
  const std::string own_step_;
  std::optional<std::string> own_value_{};  // the last that was acknowledged, or whose store failed
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
  std::cout << counts.stores << " stores, " << counts.own << " of one's own, " << counts.refused
            << " refused, " << counts.reads << " reads, " << counts.absent << " absent, "
            << counts.lists << " lists, " << counts.deletes << " deletes" << std::endl;
  return static_cast<int>(std::min<std::uint64_t>(100, counts.violations));
}

// Whether the store says that two writers may harm each other there.
bool says_it_is_weak(const std::string& uri) {
  StorageManager manager(uri, {.fsync = false});
  manager.store_step_data("before", "1", {.html_content = "the first write looks at the bucket"});
  bool weak = false;
  for (const std::string& note : manager.get_storage_info().notes) {
    std::cout << "the store says: " << note << std::endl;
    weak = weak || note.starts_with("The bucket does not enforce");
  }
  return weak;
}

// Whether everything held that the store promises there.
bool storm(const std::string& uri, const Settings& settings) {
  const bool weak = says_it_is_weak(uri);
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
  const bool held = violations == 0 && report.healthy();
  if (!held && weak) std::cout << "broken, as the store has said" << std::endl;
  return held || weak;
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
  for (const auto& each : nlohmann::json::parse(text)) {
    const std::string uri = each.at("uri"), bucket = "s3://" + each.at("bucket").get<std::string>();
    uris.push_back(uri);
    if (each.contains("versioned_bucket") && each.at("versioned_bucket").is_string()) {
      uris.push_back("s3://" + each.at("versioned_bucket").get<std::string>() +
                     uri.substr(bucket.size()));
    }
  }
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
