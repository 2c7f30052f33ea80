// Threads and processes store, store again, read, list, delete and collect the same few steps and
// sessions, as fast as they can; each thread also stores a step that is its own.
//
//   storm [--store URI | --servers] SECONDS [PROCESSES=4] [THREADS=16] [SEED]
//
// The store is a temporary directory; with --store a new prefix below an S3 URI; with --servers a
// new prefix on each server of STEPSTORE_TEST_SERVERS in turn, also in its bucket that keeps
// versions (tests/servers/servers.py run NAME... -- storm --servers 10).
//
// No read may see half a step, what a thread has stored alone is what it reads, of all creates of a
// step one wins, each store makes a version of its own, no call may end with an error outside those
// that its documentation names, and at the end `check` finds every live step whole. The collector
// of orphans takes part with no grace at all, and at the end it leaves none.
//
// Where the bucket does not enforce conditions, the store must have said so (or the server be known
// for letting two writers win): then nothing is collected (protocol.md, "Stores that enforce
// less"), and creates that both win, lost updates and damaged kept versions are counted by name and
// excused; half a step, or a damaged current version, never is. Prints what was done; the exit code
// is 0 when all held.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "stepstore/stepstore.h"
#include "tests/storm/aftermath.h"
#include "tests/storm/place.h"
#include "tests/storm/tally.h"
#include "tests/storm/worker.h"

namespace stepstore::storm {
namespace {

struct Settings {
  double seconds = 5;
  int processes = 4, threads = 16;
  std::uint64_t seed = 0;
};

void run_process(const std::string& uri, const Settings& settings, std::uint64_t seed, bool collect,
                 Tally& tally) {
  StorageManager manager(uri, {.fsync = false});
  const auto objects = collect ? open_objects(uri) : nullptr;
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::duration<double>(settings.seconds));
  std::vector<std::thread> workers;
  for (int i = 0; i < settings.threads; ++i) {
    workers.emplace_back([&, i] {
      Worker(manager, objects.get(), tally, seed * 1000 + static_cast<std::uint64_t>(i))
          .run_until(end);
    });
  }
  for (std::thread& worker : workers) worker.join();
}

// What the store says about two writers at the same moment, and what is known of its server.
Weakness weakness_of(const Place& place) {
  StorageManager manager(place.uri, {.fsync = false});
  manager.store_step_data("before", "1", {.html_content = "the first write looks at the bucket"});
  Weakness weakness{.two_winners = place.two_winners};
  for (const std::string& note : manager.get_storage_info().notes) {
    std::cout << "the store says: " << note << std::endl;
    weakness.creates = weakness.creates || note.starts_with("The bucket does not enforce If-None");
    weakness.swaps = weakness.swaps || note.starts_with("The bucket does not enforce If-Match");
  }
  return weakness;
}

// Whether everything held that the store promises there.
bool storm(const Place& place, const Settings& settings) {
  const std::string& uri = place.uri;
  const Weakness weakness = weakness_of(place);
  const bool collect = !weakness.any();
  Tally& tally = Tally::shared();
  for (int i = 0; i < settings.processes; ++i) {
    if (::fork() == 0) {
      run_process(uri, settings, settings.seed + static_cast<std::uint64_t>(i), collect, tally);
      ::_exit(0);
    }
  }
  for (int i = 0; i < settings.processes; ++i) {
    int status = 0;
    ::wait(&status);
    if (status != 0) tally.broken(Broken::dead_process, "status " + std::to_string(status));
  }
  look_at_what_is_left(uri, collect, tally);
  return tally.judge(weakness, std::cout);
}

bool storm_in_directory(const Settings& settings) {
  const auto path =
      std::filesystem::temp_directory_path() / ("stepstore-storm-" + std::to_string(::getpid()));
  const bool held = storm({.uri = path.string()}, settings);
  std::filesystem::remove_all(path);
  return held;
}

bool storm_on_server(const Place& place, const Settings& settings) {
  const std::string fresh = with_fresh_prefix(place.uri);
  std::cout << fresh << std::endl;
  return storm({fresh, place.two_winners}, settings);
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
  std::optional<std::vector<Place>> places;
  if (!words.empty() && words[0] == "--servers") {
    places = server_places();
    words.erase(words.begin());
  } else if (words.size() > 1 && words[0] == "--store") {
    places = {{.uri = words[1]}};
    words.erase(words.begin(), words.begin() + 2);
  }
  const Settings settings = settings_from(words);
  std::cout << "seed " << settings.seed << std::endl;
  if (!places) return {storm_in_directory(settings) ? 0 : 1, 1};
  int failed = 0;
  for (const Place& place : *places) failed += storm_on_server(place, settings) ? 0 : 1;
  return {failed, static_cast<int>(places->size())};
}

}  // namespace
}  // namespace stepstore::storm

int main(int argc, char** argv) {
  try {
    const auto [failed, tried] = stepstore::storm::run({argv + 1, argv + argc});
    std::cout << "storm: " << tried - failed << " passed, " << failed << " failed" << std::endl;
    return failed == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "storm: " << error.what() << std::endl;
    return 2;
  }
}
