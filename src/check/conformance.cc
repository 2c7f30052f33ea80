#include "check/conformance.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "check/conformance_support.h"

namespace stepstore {
namespace {

// A store that outlives the pointer.
std::shared_ptr<ObjectStore> borrowed(ObjectStore& store) {
  return std::shared_ptr<ObjectStore>(&store, [](ObjectStore*) {});
}

void remove_all(ObjectStore& store, const std::string& folder) {
  const ListRequest below{.prefix = folder, .delimited = false, .start_after = {}, .limit = 0};
  std::vector<ObjectKey> keys;
  for (const ObjectInfo& object : list_all(store, below)) keys.push_back(object.key);
  for (const auto& outcome : store.remove(keys, {})) (void)outcome.value();
}

}  // namespace

ConformanceContext::ConformanceContext(std::string prefix, const ConformanceOptions& options)
    : prefix_(std::move(prefix)),
      thorough_(options.thorough),
      key_bytes_max_(options.key_bytes_max),
      rounds_(options.rounds),
      reopen_(options.reopen),
      random_(options.seed) {}

std::string ConformanceContext::bytes(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random_();
    text.replace(at, std::min(sizeof(word), size - at), reinterpret_cast<const char*>(&word),
                 std::min(sizeof(word), size - at));
  }
  return text;
}

std::size_t ConformanceContext::below(std::size_t bound) { return random_() % bound; }

std::shared_ptr<ObjectStore> ConformanceContext::reopen(ObjectStore& store) const {
  return reopen_ ? reopen_() : borrowed(store);
}

const std::vector<ConformanceCase>& conformance_cases() {
  static const std::vector<ConformanceCase> all = [] {
    using namespace conformance;
    std::vector<ConformanceCase> cases;
    for (auto list :
         {object_cases, range_cases, condition_cases, key_cases, list_cases, page_cases,
          remove_cases, publish_cases, guard_cases, race_cases, limit_cases, upload_cases}) {
      std::ranges::move(list(), std::back_inserter(cases));
    }
    return cases;
  }();
  return all;
}

const ConformanceCase& conformance_case(std::string_view name) {
  const auto& all = conformance_cases();
  const auto found = std::ranges::find(all, name, &ConformanceCase::name);
  if (found == all.end()) {
    throw std::out_of_range("there is no conformance case " + std::string(name));
  }
  return *found;
}

bool applies(const ConformanceCase& which, const ObjectStore& store,
             const ConformanceOptions& options) {
  switch (which.needs) {
    case ConformanceCase::Needs::nothing:
      return true;
    case ConformanceCase::Needs::create_if_absent:
      return store.capabilities().create_if_absent;
    case ConformanceCase::Needs::swap_if_unchanged:
      return store.capabilities().swap_if_unchanged;
    case ConformanceCase::Needs::atomic_guard:
      return options.guard_is_atomic && store.capabilities().swap_if_unchanged;
  }
  return true;
}

void run_conformance_case(const ConformanceCase& which, ObjectStore& store,
                          const ConformanceOptions& options) {
  const std::string seed = std::to_string(options.seed);
  const std::string folder = options.folder.empty() ? "conformance-" + seed : options.folder;
  ConformanceContext context(folder + "/" + which.name, options);
  const std::string head = which.name + " (seed " + seed + "): ";
  const ListRequest any{
      .prefix = context.path(""), .delimited = false, .start_after = {}, .limit = 1};
  if (!store.list(any, {}).objects.empty()) {
    // They are somebody's, so nothing is removed.
    throw ConformanceFailure(head + "there are objects below " + context.path("") + " already");
  }
  std::string failure;
  try {
    which.check(store, context);
  } catch (const std::exception& broken) {
    failure = broken.what();
  }
  try {
    remove_all(store, context.path(""));
  } catch (const std::exception& broken) {
    if (failure.empty()) failure = std::string("removing what the case wrote: ") + broken.what();
  }
  if (!failure.empty()) throw ConformanceFailure(head + failure);
}

}  // namespace stepstore
