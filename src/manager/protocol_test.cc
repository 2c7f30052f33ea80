// The storage protocol under every kind of race: writers, deleters, readers and a collector on one
// step, in thousands of orders of their single requests, with lost answers, late effects and
// clients that die. In every run
//   - at no moment does a root name an object that is missing,
//   - every read sees one whole state, and all that was seen and acknowledged fits into one order
//   (linearizability),
//   - nothing that was acknowledged is lost.
// The cases are those that broke earlier drafts of the protocol; leaving out any of its rules
// breaks one of them (tests/mutants shows that).
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "base/crc64.h"
#include "base/ulid.h"
#include "layout/keys.h"
#include "manager/manager_fixture.h"
#include "testing/interleaver.h"
#include "testing/linearizability.h"
#include "testing/orphan_collector.h"

namespace stepstore {
namespace {

using Value = std::optional<std::string>;

// What the states of the step consist of. W shares its page with V, so that a store over V has
// something to share.
struct Content {
  std::string html, screenshot;
};
Content content_of(const std::string& value) {
  if (value == "W") return {"V.html", kPng + "W"};
  return {value + ".html", kPng + value};
}

// One run: a store, clients with managers of their own, and the history of the step s/1.
class Scenario {
 public:
  Scenario(std::shared_ptr<ObjectStore> store, SetClock& clock, std::uint64_t seed, Faults faults)
      : store_(std::move(store)), clock_(clock), random_(seed), interleaver_(store_, seed, faults) {
    interleaver_.after_each([this] { check_roots(); });
  }

  std::uint64_t now() { return interleaver_.now(); }
  SetClock& clock() { return clock_; }
  std::shared_ptr<ObjectStore> plain_store() { return store_; }

  StorageManager manager(std::shared_ptr<ObjectStore> store) {
    return ManagerCore::manage(
        std::make_shared<ManagerCore>(std::move(store), Options{}, StorageInfo{}, clock_, random_));
  }

  // A client whose calls share one manager, as those of one process do.
  void client(const std::string& name,
              const std::function<void(Scenario&, StorageManager&, ObjectStore&)>& body) {
    interleaver_.add(name, [this, body](const std::shared_ptr<ObjectStore>& store) {
      StorageManager manager = this->manager(store);
      body(*this, manager, *store);
    });
  }

  // --- What clients do; each keeps its place in the history ---

  void store(StorageManager& manager, const std::string& value, StoreOptions options = {}) {
    const Content content = content_of(value);
    options.call.timeout = kLong;
    act(HistoryEntry::Kind::store, value, [&](HistoryEntry&) {
      manager.store_step_data(
          "s", "1", {.html_content = content.html, .screenshot_bytes = content.screenshot},
          options);
    });
  }

  void read(StorageManager& manager) {
    act(HistoryEntry::Kind::read, {}, [&](HistoryEntry& entry) { entry.value = see(manager); });
  }

  void remove(StorageManager& manager) {
    act(HistoryEntry::Kind::remove, {}, [&](HistoryEntry& entry) {
      // A delete that found nothing says that the step was absent at some moment.
      const auto result = manager.delete_step("s", "1", {.call = {.timeout = kLong}});
      if (result.steps == 0) entry.kind = HistoryEntry::Kind::read;
    });
  }

  void remove_session(StorageManager& manager) {
    act(HistoryEntry::Kind::remove, {},
        [&](HistoryEntry&) { manager.delete_session("s", {.call = {.timeout = kLong}}); });
  }

  // --- The whole run ---

  void begin_with(const std::string& value, const std::function<void(StorageManager&)>& more = {}) {
    StorageManager setup = manager(store_);
    const Content content = content_of(value);
    setup.store_step_data("s", "1",
                          {.html_content = content.html, .screenshot_bytes = content.screenshot});
    if (more) more(setup);
    initial_ = value;
  }

  void finish() {
    interleaver_.run();
    check_roots();
    StorageManager last = manager(store_);
    read(last);
    if (!is_linearizable(history_, initial_)) {
      throw std::logic_error("no order explains the history:\n" + to_text(history_));
    }
    for (const Finding& finding : last.check({.data = true}).findings) {
      if (finding.kind == Finding::Kind::missing || finding.kind == Finding::Kind::corrupt) {
        throw std::logic_error("check: " + finding.key + ": " + finding.message);
      }
    }
  }

  std::string trace() const { return interleaver_.trace(); }

 private:
  static constexpr std::chrono::hours kLong{1000};

  template <class Work>
  void act(HistoryEntry::Kind kind, Value value, Work&& work) {
    const std::size_t index = history_.size();
    history_.push_back({.kind = kind, .value = std::move(value), .begun = now()});
    HistoryEntry entry = history_[index];
    try {
      work(entry);
      entry.ended = now();
    } catch (const StorageManagerError& failure) {
      // Nothing but a lost answer explains a failure here.
      if (failure.code() != ErrorCode::Unavailable) throw;
      if (kind == HistoryEntry::Kind::read) throw;
    }
    history_[index] = entry;
  }

  Value see(StorageManager& manager) {
    try {
      const Step step = manager.retrieve_step_data("s", "1", {.call = {.timeout = kLong}});
      const std::string html = text(step.html_content());
      const std::string screenshot = text(step.screenshot_bytes());
      for (const char* value : {"A", "B", "V", "W"}) {
        const Content whole = content_of(value);
        if (html == whole.html && screenshot == whole.screenshot) return value;
      }
      throw std::logic_error("half a step was read: " + html + " with " + screenshot);
    } catch (const NotFound&) {
      return std::nullopt;
    }
  }

  // No root of a living generation names what is missing.
  void check_roots() {
    const auto session = get_one(*store_, session_root_key("s"));
    const std::uint64_t generation =
        session.ok() ? parse_session_root(session->body.text(), "").generation : 0;
    const std::string folder = step_folder("s", generation, "1");
    const auto object = get_one(*store_, manifest_key(folder));
    if (!object.ok()) return;
    const Manifest root = parse_manifest(object->body.text(), "");
    if (root.state != RootState::live) return;
    check_named(folder, root);
    for (const KeptVersion& kept : root.kept_versions) {
      const auto copy = get_one(*store_, in_folder(folder, kept.location));
      if (!copy.ok()) throw std::logic_error("the copy of a kept version is missing");
      const Manifest version = parse_manifest(copy->body.text(), "");
      if (version.commit_id != kept.commit_id) throw std::logic_error("a kept version is another");
      check_named(folder, version);
    }
  }

  void check_named(const std::string& folder, const Manifest& manifest) {
    for (const ManifestComponent& component : manifest.components) {
      const auto body = get_one(*store_, in_folder(folder, component.location));
      if (!body.ok()) {
        throw std::logic_error(component.location + " is named by the root and missing");
      }
      if (crc64(body->body.view()) != component.crc64) {
        throw std::logic_error(component.location + " is not what the root names");
      }
    }
  }

  std::shared_ptr<ObjectStore> store_;
  SetClock& clock_;
  SeededRandom random_;
  Interleaver interleaver_;
  std::vector<HistoryEntry> history_;
  Value initial_;
};

struct Case {
  std::string name;
  Faults faults;
  std::function<void(Scenario&)> set_up;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

using Client = std::function<void(Scenario&, StorageManager&, ObjectStore&)>;
Client stores(const std::string& value, const StoreOptions& options = {}) {
  return [value, options](Scenario& run, StorageManager& manager, ObjectStore&) {
    run.store(manager, value, options);
  };
}
Client deletes() {
  return [](Scenario& run, StorageManager& manager, ObjectStore&) { run.remove(manager); };
}
Client deletes_session() {
  return [](Scenario& run, StorageManager& manager, ObjectStore&) { run.remove_session(manager); };
}
Client reads(int times = 2) {
  return [times](Scenario& run, StorageManager& manager, ObjectStore&) {
    for (int i = 0; i < times; ++i) run.read(manager);
  };
}
Client collects() {
  return [](Scenario& run, StorageManager&, ObjectStore& store) {
    collect_orphans(store, "s", "1", run.clock(), system_random());
  };
}
Client one_after_the_other(const std::vector<Client>& clients) {
  return [clients](Scenario& run, StorageManager& manager, ObjectStore& store) {
    for (const Client& client : clients) client(run, manager, store);
  };
}

void orphan(Scenario& run, const std::string& value) {
  const std::string body = content_of(value).html;
  put_one(*run.plain_store(), {.key = ObjectKey("s/1/observation.html"), .body = body}).value();
}

const StoreOptions kKeepAll{.keep_versions = Keep::all()};

// One entry a case, so its length is the number of cases. NOLINTNEXTLINE(readability-function-size)
std::vector<Case> cases() {
  return {
      {"two_first_stores",
       {},
       [](Scenario& run) {
         run.client("w1", stores("A"));
         run.client("w2", stores("B"));
         run.client("r", reads());
       }},
      {"two_first_stores_with_faults",
       {.lost = 1, .late = 1, .crashes = 1},
       [](Scenario& run) {
         run.client("w1", stores("A"));
         run.client("w2", stores("B"));
         run.client("r", reads());
       }},
      // Trace 1: equal bytes of a dead writer are adopted while the collector takes them.
      {"adoption_against_the_collector",
       {.lost = 1, .crashes = 1},
       [](Scenario& run) {
         orphan(run, "A");
         run.client("w1", stores("A"));
         run.client("k", collects());
       }},
      {"orphan_of_other_bytes_and_the_collector",
       {.lost = 1, .late = 1, .crashes = 1},
       [](Scenario& run) {
         orphan(run, "B");
         run.client("w1", stores("A"));
         run.client("k", collects());
       }},
      // Trace 2: the collector counts everything as old, so every writer has slept past its grace.
      {"slow_writer_and_the_collector",
       {.lost = 1, .late = 1},
       [](Scenario& run) {
         run.client("w1", stores("A"));
         run.client("k", collects());
       }},
      {"two_slow_writers_and_two_collectors",
       {},
       [](Scenario& run) {
         orphan(run, "B");
         run.client("w1", stores("A"));
         run.client("w2", stores("B"));
         run.client("k1", collects());
         run.client("k2", collects());
       }},
      // Trace 3: a delete against a store of the same bytes.
      {"delete_against_a_store_of_the_same_bytes",
       {.lost = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("w1", stores("V"));
         run.client("x", deletes());
         run.client("r", reads());
       }},
      {"delete_against_a_store_of_other_bytes",
       {.lost = 1, .late = 1, .crashes = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("w1", stores("A"));
         run.client("x", deletes());
         run.client("r", reads());
       }},
      {"delete_against_a_store_that_shares",
       {.lost = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("w1", stores("W"));
         run.client("x", deletes());
         run.client("r", reads());
       }},
      // Trace 4: two deleters and a re-store.
      {"two_deleters_and_a_re_store",
       {.lost = 1, .late = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("x", deletes());
         run.client("y", one_after_the_other({deletes(), stores("A")}));
         run.client("r", reads());
       }},
      // Trace 5: a delete or create that lands after its retry succeeded.
      {"delete_then_store_with_late_effects",
       {.lost = 1, .late = 2},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("x", one_after_the_other({deletes(), stores("A")}));
         run.client("k", collects());
       }},
      {"store_then_delete_with_late_effects",
       {.lost = 1, .late = 2},
       [](Scenario& run) {
         run.client("w1", one_after_the_other({stores("A"), deletes()}));
         run.client("r", reads());
       }},
      // Trace 6: a session's deletion against its writers and other sweepers, and recording under
      // the same id again.
      {"delete_session_against_a_first_store",
       {.lost = 1, .crashes = 1},
       [](Scenario& run) {
         run.client("w1", stores("A"));
         run.client("x", deletes_session());
         run.client("r", reads());
       }},
      {"delete_session_then_store_and_another_sweeper",
       {.lost = 1, .late = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("x", one_after_the_other({deletes_session(), stores("A")}));
         run.client("y", deletes_session());
       }},
      {"delete_session_then_store_and_a_writer_of_before",
       {},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("w1", stores("B"));
         run.client("x", one_after_the_other({deletes_session(), stores("A"), reads(1)}));
       }},
      {"delete_session_and_a_reader_of_before",
       {},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("r", reads(3));
         run.client("x", one_after_the_other({deletes_session(), stores("A"), reads(1)}));
       }},
      // Trace 7: an answer is lost, another stores on top, the first tries again: readers must not
      // see A, B, A.
      {"lost_answer_overwritten_and_tried_again",
       {.lost = 2},
       [](Scenario& run) {
         run.client("w1", stores("A"));
         run.client("w2", one_after_the_other({reads(1), stores("B"), reads(1)}));
         run.client("r", reads(3));
       }},
      // Trace 9: two writers compute the same version number.
      {"two_stores_over_one_version",
       {.lost = 1, .late = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("w1", stores("W"));
         run.client("w2", stores("B"));
         run.client("r", reads());
       }},
      {"versions_are_kept_by_both",
       {.lost = 2, .late = 1, .crashes = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("w1", stores("W", kKeepAll));
         run.client("w2", stores("B", kKeepAll));
       }},
      {"versions_are_kept_and_the_collector_comes",
       {.lost = 1, .late = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("w1", stores("W", kKeepAll));
         run.client("k", collects());
       }},
      {"one_keeps_versions_and_one_does_not",
       {.lost = 1},
       [](Scenario& run) {
         run.begin_with("V", [](StorageManager& setup) {
           setup.store_step_data("s", "1", {.html_content = "x"}, kKeepAll);
           setup.store_step_data(
               "s", "1", {.html_content = "V.html", .screenshot_bytes = kPng + "V"}, kKeepAll);
         });
         run.client("w1", stores("W", kKeepAll));
         run.client("w2", stores("B"));
         run.client("x", deletes());
       }},
      {"everybody_at_once",
       {.lost = 1, .late = 1, .crashes = 1},
       [](Scenario& run) {
         run.begin_with("V");
         run.client("w1", stores("A"));
         run.client("x", deletes());
         run.client("s", deletes_session());
         run.client("r", reads());
         run.client("k", collects());
       }},
  };
}

// How many orders of each case. A directory is a thousand times slower than memory, and keeps the
// same rules.
std::uint64_t schedules(const ManagerStore& store) {
  const char* const text = std::getenv("STEPSTORE_SCHEDULES");
  const std::uint64_t count = text != nullptr ? std::strtoull(text, nullptr, 10) : 300;
  return store.name == "memory" ? count : std::max<std::uint64_t>(1, count / 30);
}

// Runs one order of a case; what went wrong, or nothing.
std::string fault_of(const ManagerStore& maker, const Case& what, std::uint64_t seed) {
  SetClock clock;
  Scenario scenario(maker.make(clock), clock, seed, what.faults);
  try {
    what.set_up(scenario);
    scenario.finish();
    return {};
  } catch (const std::exception& failure) {
    return what.name + ", seed " + std::to_string(seed) + ": " + failure.what() + "\n" +
           scenario.trace();
  }
}

class Protocol : public testing::TestWithParam<std::tuple<ManagerStore, Case>> {};

TEST_P(Protocol, HoldsInEveryOrder) {
  const auto& [maker, what] = GetParam();
  for (std::uint64_t seed = 1; seed <= schedules(maker); ++seed) {
    const std::string fault = fault_of(maker, what, seed);
    ASSERT_EQ(fault, "");
  }
}

// N1: a collector that does not swap the root before it removes anything breaks a promise within a
// few hundred orders, so the search does see such things.
TEST(ProtocolSearch, CatchesACollectorWithoutAFence) {
  const Case unfenced{"slow_writer_and_a_collector_without_a_fence", {}, [](Scenario& scenario) {
                        scenario.client("w1", stores("A"));
                        scenario.client("k", [](Scenario& s, StorageManager&, ObjectStore& store) {
                          collect_orphans(store, "s", "1", s.clock(), system_random(), Fence::none);
                        });
                      }};
  std::uint64_t seed = 1;
  while (seed <= 2000 && fault_of(quick_manager_stores().front(), unfenced, seed).empty()) ++seed;
  EXPECT_LE(seed, 2000U);
}

std::string protocol_name(const testing::TestParamInfo<std::tuple<ManagerStore, Case>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param).name;
}

INSTANTIATE_TEST_SUITE_P(Stores, Protocol,
                         testing::Combine(testing::ValuesIn(quick_manager_stores()),
                                          testing::ValuesIn(cases())),
                         protocol_name);

}  // namespace
}  // namespace stepstore
