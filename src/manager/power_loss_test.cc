// The power goes before each change that a local store makes, and what was not fsynced is lost,
// kept or torn: what was acknowledged is there afterwards, and nothing is there by half.
#include <gtest/gtest.h>

#include <cstdlib>

#include "manager/manager_core.h"
#include "store/local/local_store.h"
#include "testing/crash_files.h"
#include "testing/fakes.h"

namespace stepstore {
namespace {

using Survives = CrashFiles::Survives;

StorageManager open_on(CrashFiles& files, Clock& clock) {
  auto store = std::make_shared<LocalStore>("/store", LocalStoreOptions{}, files, clock);
  return ManagerCore::manage(std::make_shared<ManagerCore>(std::move(store), Options{},
                                                           StorageInfo{.backend = "test"}, clock));
}

// What a reader may find under each step: its page, or nothing.
using Pages = std::map<std::pair<std::string, std::string>, std::optional<std::string>>;

struct Act {
  std::string name;
  std::function<void(StorageManager&)> run;
  std::function<void(Pages&)> effect;
};

Act store(const std::string& session_id, const std::string& step_id, const std::string& html,
          const StoreOptions& options = {}) {
  return {"store " + session_id + '/' + step_id,
          [=](StorageManager& manager) {
            manager.store_step_data(session_id, step_id,
                                    {.html_content = html, .action_data = "{}"}, options);
          },
          [=](Pages& pages) { pages[{session_id, step_id}] = html; }};
}

Act remove_step(const std::string& session_id, const std::string& step_id) {
  return {"delete " + session_id + '/' + step_id,
          [=](StorageManager& manager) { manager.delete_step(session_id, step_id); },
          [=](Pages& pages) { pages[{session_id, step_id}].reset(); }};
}

Act remove_session(const std::string& session_id) {
  return {"delete " + session_id,
          [=](StorageManager& manager) { manager.delete_session(session_id); },
          [=](Pages& pages) {
            for (auto& [step, page] : pages) {
              if (step.first == session_id) page.reset();
            }
          }};
}

std::vector<Act> acts() {
  return {store("s", "1", "first"),
          store("s", "2", "second"),
          store("s", "1", "first again"),
          store("s", "2", "second, the old one kept", {.keep_versions = Keep{2}}),
          remove_step("s", "2"),
          store("s", "2", "after its deletion"),
          store("t", "1", "another session"),
          remove_session("s"),
          store("s", "1", "recorded again"),
          remove_session("t")};
}

std::optional<std::string> page_of(StorageManager& manager, const std::string& session_id,
                                   const std::string& step_id) {
  try {
    return std::string(manager.retrieve_step_data(session_id, step_id).html_content()->text());
  } catch (const NotFound&) {
    return std::nullopt;
  }
}

// Empty when what the manager finds is what was, or, for what the unfinished act is about, what it
// would have made.
std::string compare(StorageManager& manager, const Pages& before, const Pages& after) {
  for (const auto& [step, page] : after) {
    const auto old = before.find(step);
    const std::optional<std::string> was = old == before.end() ? std::nullopt : old->second;
    const std::optional<std::string> found = page_of(manager, step.first, step.second);
    if (found == was || found == page) continue;
    return step.first + '/' + step.second + " is " + found.value_or("gone");
  }
  for (const std::string& session_id : manager.list_sessions().ids) {
    for (const std::string& step_id : manager.list_steps_for_session(session_id).ids) {
      if (!page_of(manager, session_id, step_id)) return "listed, but gone: " + step_id;
    }
  }
  const CheckReport report = manager.check();
  return report.healthy() ? "" : "check finds " + report.findings.front().message;
}

struct Lies {
  bool files = false;
  bool directories = false;
};

// The first violation when the power goes at the given change; `more` tells whether it went.
std::string run_until(std::uint64_t change, Survives survives, std::uint64_t seed, Lies lies,
                      bool& more) {
  SetClock clock;
  CrashFiles files;
  files.lie_about_fsync(lies.files, lies.directories);
  files.lose_power_at(change);
  Pages before;
  Pages after;
  std::string act_name = "the end";
  std::size_t done = 0;
  const std::vector<Act> all = acts();
  {
    StorageManager manager = open_on(files, clock);
    for (; done < all.size(); ++done) {
      after = before;
      all[done].effect(after);
      try {
        all[done].run(manager);
      } catch (const StorageManagerError&) {
        act_name = all[done].name;
        break;
      }
      before = after;
    }
  }
  more = done < all.size();
  SeededRandom random(seed);
  const std::unique_ptr<CrashFiles> found = files.after_crash(survives, random);
  const auto told = [&](const std::string& what) {
    return what.empty() ? what
                        : what + " (power lost at change " + std::to_string(change) + ", in \"" +
                              act_name + "\", seed " + std::to_string(seed) + ")";
  };
  try {
    StorageManager manager = open_on(*found, clock);
    if (std::string wrong = compare(manager, before, after); !wrong.empty()) return told(wrong);
    // What was not finished can be done again, and then all is as if nothing had happened.
    for (; done < all.size(); ++done) {
      all[done].run(manager);
      all[done].effect(after);
    }
    return told(compare(manager, after, after));
  } catch (const StorageManagerError& failed) {
    return told(failed.what());
  }
}

// Sweeps all moments; the first violation of each kind of crash.
std::vector<std::string> sweep(Survives survives, std::uint64_t seeds, Lies lies = {}) {
  std::vector<std::string> violations;
  bool more = true;
  for (std::uint64_t change = 1; more; ++change) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      const std::string wrong = run_until(change, survives, seed, lies, more);
      if (!wrong.empty()) violations.push_back(wrong);
    }
  }
  return violations;
}

std::string first_of(const std::vector<std::string>& violations) {
  return violations.empty() ? "" : violations.front();
}

TEST(PowerLoss, KeepsWhatWasAcknowledgedWhenNothingElseSurvives) {
  EXPECT_EQ(first_of(sweep(Survives::nothing, 1)), "");
}

TEST(PowerLoss, LeavesNothingByHalfWhenEverythingSurvives) {
  EXPECT_EQ(first_of(sweep(Survives::everything, 1)), "");
}

TEST(PowerLoss, HoldsForAnyPartThatSurvives) {
  const char* const wanted = std::getenv("STEPSTORE_TEST_SEEDS");
  EXPECT_EQ(first_of(sweep(Survives::some, wanted ? std::stoull(wanted) : 10)), "");
}

TEST(PowerLoss, WouldShowAMissingFsync) {
  EXPECT_FALSE(sweep(Survives::nothing, 1, {.files = true}).empty());
  EXPECT_FALSE(sweep(Survives::nothing, 1, {.directories = true}).empty());
}

// A process made the session's directory and died before it was durable; another one stores there.
TEST(PowerLoss, TakesNoOtherProcessesDirectoryForDurable) {
  for (std::uint64_t change = 1;; ++change) {
    SetClock clock;
    CrashFiles files;
    files.lose_power_at(change);
    bool stored = true;
    try {
      open_on(files, clock).store_step_data("s", "1", {.html_content = "a"});
    } catch (const StorageManagerError&) {
      stored = false;
    }
    files.lose_power_at(0);  // only that process died
    open_on(files, clock).store_step_data("s", "2", {.html_content = "b"});
    SeededRandom random(change);
    const auto found = files.after_crash(Survives::nothing, random);
    StorageManager manager = open_on(*found, clock);
    EXPECT_EQ(page_of(manager, "s", "2"), "b") << "first process died at change " << change;
    if (stored) break;
  }
}

}  // namespace
}  // namespace stepstore
