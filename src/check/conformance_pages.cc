// Pages: whatever their size, and whatever happens between them, together they are the listing.
#include <algorithm>

#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

const std::vector<std::string> kTree = {"a-", "a/1", "a/2", "a/b/3", "a0", "b/1", "b0/1", "c/d/1"};

void put_tree(ObjectStore& store, Context& context) {
  for (const std::string& name : kTree) put(store, context.key(name), "x");
}

void any_size(ObjectStore& store, Context& context) {
  put_tree(store, context);
  for (const bool delimited : {false, true}) {
    const auto whole = list(store, context, {.delimited = delimited}).all;
    for (const std::size_t limit : {1U, 2U, 3U, 5U, 8U, 1'000U, 1'000'000U}) {
      expect_names(list(store, context, {.delimited = delimited, .limit = limit}).all, whole,
                   "pages of " + std::to_string(limit) + (delimited ? ", delimited" : ""));
    }
  }
}

void limit_counts_both(ObjectStore& store, Context& context) {
  put_tree(store, context);
  const Names names = list(store, context, {.delimited = true, .limit = 1});
  expect_names(names.all, {"a-", "a/", "a0", "b/", "b0/", "c/"}, "listing");
  expect(names.pages >= 6, "a page of at most one has more than one object or prefix");
}

void below_a_prefix(ObjectStore& store, Context& context) {
  put_tree(store, context);
  for (const std::size_t limit : {1U, 2U}) {
    expect_names(list(store, context, {.prefix = "a/", .delimited = true, .limit = limit}).all,
                 {"a/1", "a/2", "a/b/"}, "below a/");
    expect_names(list(store, context, {.prefix = "a", .delimited = true, .limit = limit}).all,
                 {"a-", "a/", "a0"}, "beginning with a");
  }
}

// Keys that are there all the time are told exactly once, though others come and go.
void changes_between(ObjectStore& store, Context& context, bool delimited) {
  std::vector<std::string> stay;
  for (int i = 10; i < 26; ++i) {
    const std::string folder = std::to_string(i) + "/";
    put(store, context.key(folder + "stays"), "x");
    stay.push_back(delimited ? folder : folder + "stays");
  }
  int guest = 0;
  for (const std::size_t limit : {1U, 2U, 3U}) {
    std::vector<ObjectKey> guests;
    const auto between = [&] {
      const std::string number = std::to_string(10 + context.below(16));
      guests.push_back(context.key(number + "-guest/" + std::to_string(guest++)));
      put(store, guests.back(), "x");
      if (guests.size() < 3) return;
      remove(store, guests.front());
      guests.erase(guests.begin());
    };
    auto told = list(store, context, {.delimited = delimited, .limit = limit}, between).all;
    std::erase_if(told, [](const std::string& name) { return name.find("guest") != name.npos; });
    expect_names(told, stay, "what stays, in pages of " + std::to_string(limit));
    for (const ObjectKey& key : guests) remove(store, key);
  }
}

void changes_between_plain(ObjectStore& store, Context& context) {
  changes_between(store, context, false);
}

void changes_between_delimited(ObjectStore& store, Context& context) {
  changes_between(store, context, true);
}

// The page's last key may be gone when the next page is asked for: a sweep does just that.
void removed_behind(ObjectStore& store, Context& context) {
  for (int i = 10; i < 20; ++i) put(store, context.key(std::to_string(i) + "/a"), "x");
  ListRequest next{.prefix = context.path(""), .delimited = false, .start_after = {}, .limit = 3};
  std::size_t seen = 0;
  do {
    const ListPage page = store.list(next, {});
    for (const ObjectInfo& object : page.objects) remove(store, object.key);
    seen += page.objects.size();
    next.start_after = page.next;
  } while (!next.start_after.empty());
  expect_number(seen, 10, "objects told by a sweep");
  expect_names(list(store, context, {}).all, {}, "after the sweep");
}

void many(ObjectStore& store, Context& context) {
  // More than any store gives at once.
  constexpr std::size_t kCount = 1'100;
  std::vector<PutRequest> items;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kCount; ++i) {
    names.push_back(std::to_string(10'000 + i));
    items.push_back(request(context.key(names.back()), ""));
  }
  for (auto& outcome : store.put(items, {})) need(std::move(outcome), "put");
  expect_names(list(store, context, {}).objects, names, "listing of 1100 objects");
  expect_names(list(store, context, {.delimited = true, .limit = 1'050}).objects, names,
               "listing in pages of 1050");
  std::vector<ObjectKey> keys;
  for (const std::string& name : names) keys.push_back(context.key(name));
  for (auto& outcome : store.remove(keys, {})) need(std::move(outcome), "remove");
  expect_names(list(store, context, {}).objects, {}, "listing after removing all");
}

}  // namespace

Cases page_cases() {
  return {
      {"PagesOfAnySize", "Pages together are the listing", Needs::nothing, any_size},
      {"PageLimitCountsBoth", "Objects and prefixes share the limit", Needs::nothing,
       limit_counts_both},
      {"PagesBelowAPrefix", "Pages work below a prefix too", Needs::nothing, below_a_prefix},
      {"PagesWithChanges", "What stays is told once, whatever comes and goes", Needs::nothing,
       changes_between_plain},
      {"PagesWithChangesDelimited", "The same for prefixes", Needs::nothing,
       changes_between_delimited},
      {"PagesRemovedBehind", "A sweep meets every object", Needs::nothing, removed_behind},
      {"PagesOfMany", "More than a thousand objects are listed", Needs::nothing, many},
  };
}

}  // namespace stepstore::conformance
