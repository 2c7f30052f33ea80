// Many threads at once: conditions have one winner, and no reader sees half of anything.
#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

// Every handle of a race in turn, so that stores with several handles are raced across them.
std::vector<std::shared_ptr<ObjectStore>> handles(ObjectStore& store, Context& context) {
  std::vector<std::shared_ptr<ObjectStore>> all;
  for (int i = 0; i < 3; ++i) all.push_back(context.reopen(store));
  return all;
}

void create_race(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  for (std::size_t round = 0; round < context.rounds() / 5 + 1; ++round) {
    const ObjectKey key = context.key("object" + std::to_string(round));
    std::mutex mutex;
    std::vector<std::string> winners;
    race(context.threads(), [&](std::size_t i) {
      const std::string body = "by thread " + std::to_string(i);
      const auto outcome = try_put(*open[i % open.size()], key, body, Condition::absent());
      if (!outcome) {
        expect_lost(outcome, ErrorCode::AlreadyExists, "a lost create");
        expect(exists(*open[i % open.size()], key), "a create was refused, and nothing is there");
        return;
      }
      const std::lock_guard lock(mutex);
      winners.push_back(body);
    });
    expect_number(winners.size(), 1, "threads that created one object");
    expect_text(text_of(store, key), winners[0], "the object");
  }
}

void swap_race(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  const ObjectKey key = context.key("counter");
  put(store, key, "0");
  std::atomic<std::uint64_t> successes = 0;
  std::atomic<std::uint64_t> open_questions = 0;
  race(context.threads(), [&](std::size_t i) {
    ObjectStore& mine = *open[i % open.size()];
    for (std::size_t round = 0; round < context.rounds(); ++round) {
      const Object read = need(get_one(mine, key), "get of the counter");
      const auto next = std::to_string(std::stoull(std::string(read.body.text())) + 1);
      const auto outcome = try_put(mine, key, next, Condition::unchanged(read.info.etag));
      if (outcome) {
        ++successes;
      } else if (outcome.error().outcome_unknown()) {
        ++open_questions;  // some servers answer 500 to the losers
      } else {
        expect_code(outcome, ErrorCode::Conflict, "a lost swap");
      }
    }
  });
  expect(successes > 0, "no swap succeeded");
  const std::uint64_t counted = std::stoull(text_of(store, key));
  expect(counted >= successes && counted <= successes + open_questions,
         "a counter that is only swapped: " + std::to_string(counted) + " after " +
             std::to_string(successes) + " swaps and " + std::to_string(open_questions) +
             " that may have happened");
}

void publish_race(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  for (std::size_t round = 0; round < context.rounds() / 5 + 1; ++round) {
    const std::string folder = "s/" + std::to_string(round) + "/";
    const ObjectKey commit_key = context.key(folder + "step.json");
    std::mutex mutex;
    std::vector<std::size_t> winners;
    race(context.threads(), [&](std::size_t i) {
      const std::string id = std::to_string(i);
      const std::vector<PutRequest> parts = {
          request(context.key(folder + "a." + id), id, Condition::absent()),
          request(context.key(folder + "b." + id), id, Condition::absent())};
      const PutRequest commit = request(commit_key, id, Condition::absent());
      const auto result = open[i % open.size()]->publish(
          {.parts = parts, .guard = Guard{context.key("roots/s"), {}}, .commit = commit}, {});
      for (const auto& part : result.parts) need(part, "a part with a name of its own");
      expect(result.commit.has_value(), "a commit was not tried");
      if (!*result.commit) {
        expect_code(*result.commit, ErrorCode::AlreadyExists, "a lost commit");
        return;
      }
      const std::lock_guard lock(mutex);
      winners.push_back(i);
    });
    expect_number(winners.size(), 1, "threads that committed one step");
    const std::string winner = std::to_string(winners[0]);
    expect_text(text_of(store, commit_key), winner, "the commit");
    expect_text(text_of(store, context.key(folder + "a." + winner)), winner, "the winner's part");
    expect_text(text_of(store, context.key(folder + "b." + winner)), winner, "the winner's part");
  }
}

// Runs `write` until it returns while three threads run `read` again and again.
void read_while(const std::vector<std::shared_ptr<ObjectStore>>& open,
                const std::function<void()>& write, const std::function<void(ObjectStore&)>& read) {
  std::atomic<bool> done = false;
  race(4, [&](std::size_t i) {
    if (i > 0) {
      do read(*open[i % open.size()]);
      while (!done);
      return;
    }
    struct Finish {
      std::atomic<bool>& flag;
      ~Finish() { flag = true; }
    } finish{done};
    write();
  });
}

void overwrite_is_atomic(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  const ObjectKey key = context.key("object");
  const auto size = [](std::size_t letter) { return 100'000 + letter % 7 * 10'000; };
  const auto body = [&](std::size_t i) {
    return std::string(size(i % 26), static_cast<char>('a' + i % 26));
  };
  put(store, key, body(0));
  read_while(
      open,
      [&] {
        for (std::size_t i = 0; i < context.rounds() * 4; ++i) put(store, key, body(i));
      },
      [&](ObjectStore& mine) {
        const Object object = need(get_one(mine, key), "get while others write");
        const std::string_view text = object.body.text();
        expect(!text.empty() && text.find_first_not_of(text[0]) == text.npos,
               "a reader saw a mixture of two bodies");
        expect_number(text.size(), size(static_cast<std::size_t>(text[0] - 'a')), "size of a body");
        expect_number(object.info.size, text.size(), "size told with the body");
      });
}

void commit_comes_last(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  const std::size_t steps = context.rounds() * 2;
  std::atomic<std::size_t> begun = 0;
  const auto name = [](std::size_t i, const char* part) {
    return "s/" + std::to_string(i) + "/" + part;
  };
  read_while(
      open,
      [&] {
        for (std::size_t i = 0; i < steps; ++i) {
          begun = i;
          const std::string text = std::to_string(i);
          const std::vector<PutRequest> parts = {
              request(context.key(name(i, "a")), text, Condition::absent()),
              request(context.key(name(i, "d/b")), text, Condition::absent())};
          const PutRequest commit =
              request(context.key(name(i, "step.json")), text, Condition::absent());
          const auto result = store.publish({.parts = parts, .guard = {}, .commit = commit}, {});
          expect(result.commit && result.commit->ok(), "a publish failed");
        }
      },
      [&](ObjectStore& mine) {
        const std::size_t i = begun;
        if (!exists(mine, context.key(name(i, "step.json")))) return;
        for (const char* const part : {"a", "d/b"}) {
          expect_text(text_of(mine, context.key(name(i, part))), std::to_string(i),
                      "a part of a step whose commit was seen");
        }
      });
}

// A listing sees the commit only with its parts too.
void listed_commit_is_whole(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  std::atomic<std::size_t> begun = 0;
  read_while(
      open,
      [&] {
        for (std::size_t i = 0; i < context.rounds() * 2; ++i) {
          begun = i;
          const std::string folder = "s/" + std::to_string(i);
          const PutRequest part = request(context.key(folder + "/z"), "z", Condition::absent());
          const PutRequest commit =
              request(context.key(folder + "/step.json"), "root", Condition::absent());
          const PublishRequest step{.parts = {&part, 1}, .guard = {}, .commit = commit};
          expect(store.publish(step, {}).commit.has_value(), "a commit was not tried");
        }
      },
      [&](ObjectStore& mine) {
        const std::string folder = context.path("s/" + std::to_string(begun.load()) + "/");
        const ListRequest below{
            .prefix = folder, .delimited = false, .start_after = {}, .limit = 0};
        const auto listed = mine.list(below, {}).objects;
        // "step.json" comes before "z" in the listing, and after it in time.
        if (!listed.empty() && listed[0].key.text() == folder + "step.json") {
          expect(exists(mine, ObjectKey(folder + "z")), "a listed commit lacks its part");
        }
      });
}

std::vector<std::string> committed(ObjectStore& store, Context& context, std::size_t generation) {
  auto names = list(store, context, {.prefix = "s~" + std::to_string(generation) + "/"}).objects;
  std::erase_if(names, [](const std::string& name) { return !name.ends_with("/step.json"); });
  return names;
}

void guard_swap_race(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  const ObjectKey root = context.key("roots/s");
  constexpr std::size_t kGenerations = 6;
  std::atomic<std::size_t> current = 0;
  std::atomic<std::size_t> commits = 0;
  std::atomic<bool> broken = false;  // a thread has failed, and race() will tell why
  ETag etag = put(store, root, "0");
  std::vector<std::vector<std::string>> at_swap;
  race(9, [&](std::size_t i) {
    struct Watch {
      std::atomic<bool>& flag;
      int before = std::uncaught_exceptions();
      ~Watch() {
        if (std::uncaught_exceptions() > before) flag = true;
      }
    } watch{broken};
    if (i == 0) {
      std::size_t before = 0;
      while (current < kGenerations) {
        // Some commits must happen in each generation, else nothing is raced.
        while (commits < before + 5 && !broken) std::this_thread::yield();
        if (broken) return;
        const std::size_t next = current + 1;
        etag = put(store, root, std::to_string(next), Condition::unchanged(etag));
        at_swap.push_back(committed(store, context, next - 1));
        before = commits;  // before any of the next generation
        current = next;
      }
      return;
    }
    struct Mine {
      std::size_t generation = 0, commits = 0;
    } mine;
    for (std::size_t n = 0; current < kGenerations && !broken; ++n) {
      // Enough to be in the middle of one when the guard is swapped; more would only pile up.
      const bool stale = mine.generation != current;
      if (!stale && mine.commits == 40) {
        std::this_thread::yield();
        continue;
      }
      // The first publish after a swap is made under the old guard on purpose.
      const std::size_t now = mine.generation;
      if (stale) mine = {.generation = current};
      const std::string generation = std::to_string(now);
      const std::string folder =
          "s~" + generation + "/" + std::to_string(i) + "-" + std::to_string(n);
      const PutRequest part = request(context.key(folder + "/a"), "a", Condition::absent());
      const PutRequest commit =
          request(context.key(folder + "/step.json"), "", Condition::absent());
      const auto holds = [&](const Object* found) {
        return found && found->body.text() == generation;
      };
      const auto result = open[i % open.size()]->publish(
          {.parts = {&part, 1}, .guard = Guard{root, holds}, .commit = commit}, {});
      if (result.commit) {
        need(*result.commit, "a commit under its own name");
        ++commits;
        if (!stale) ++mine.commits;
      }
    }
  });
  for (std::size_t generation = 0; generation < kGenerations; ++generation) {
    expect_names(
        committed(store, context, generation), at_swap[generation],
        "commits under guard " + std::to_string(generation) + " after its swap was acknowledged");
  }
}

void list_during_changes(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  std::vector<std::string> stay;
  for (int i = 10; i < 40; ++i) {
    stay.push_back(std::to_string(i) + "/stays");
    put(store, context.key(stay.back()), "x");
  }
  read_while(
      open,
      [&] {
        for (std::size_t i = 0; i < context.rounds() * 4; ++i) {
          const ObjectKey guest = context.key(std::to_string(10 + i % 30) + "/guest");
          put(store, guest, "x");
          put(store, context.key(stay[i % stay.size()]), "again");
          remove(store, guest);
        }
      },
      [&](ObjectStore& mine) {
        auto names = list(mine, context, {.limit = 7}).objects;
        std::erase_if(names, [](const std::string& name) { return name.ends_with("guest"); });
        expect_names(names, stay, "what stays during a listing");
      });
}

// Emptying a folder must not take along what another thread is putting into it.
void remove_and_put_race(ObjectStore& store, Context& context) {
  const auto open = handles(store, context);
  race(8, [&](std::size_t i) {
    ObjectStore& mine = *open[i % open.size()];
    const ObjectKey key = context.key("d/e/" + std::to_string(i));
    for (std::size_t round = 0; round < context.rounds() * 4; ++round) {
      put(mine, key, "x");
      expect_text(text_of(mine, key), "x", "an object whose neighbours come and go");
      remove(mine, key);
      expect(!exists(mine, key), "a removed object is there");
    }
  });
  expect_names(list(store, context, {}).all, {}, "after all has been removed");
}

}  // namespace

Cases race_cases() {
  return {
      {"RaceCreate", "Of many creators one wins", Needs::create_if_absent, create_race},
      {"RaceSwap", "Every swap that succeeded counts", Needs::swap_if_unchanged, swap_race},
      {"RacePublish", "Of many commits one wins", Needs::create_if_absent, publish_race},
      {"RaceOverwrite", "Readers see one body or the other", Needs::nothing, overwrite_is_atomic},
      {"RaceCommitComesLast", "Who sees a commit finds its parts", Needs::create_if_absent,
       commit_comes_last},
      {"RaceListedCommit", "A listed commit has its parts", Needs::create_if_absent,
       listed_commit_is_whole},
      {"RaceGuardSwap", "No commit follows the swap of its guard", Needs::atomic_guard,
       guard_swap_race},
      {"RaceList", "What stays is listed once during changes", Needs::nothing, list_during_changes},
      {"RaceRemoveAndPut", "Emptied folders take no newcomer along", Needs::nothing,
       remove_and_put_race},
  };
}

}  // namespace stepstore::conformance
