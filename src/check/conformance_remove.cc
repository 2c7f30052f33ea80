// Removing: repeatable, exact, and seen at once everywhere.
#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

void missing(ObjectStore& store, Context& context) {
  remove(store, context.key("never"));
  remove(store, context.key("no/such/folder/at/all"));
}

void twice(ObjectStore& store, Context& context) {
  put(store, context.key("a"), "x");
  remove(store, context.key("a"));
  remove(store, context.key("a"));
  expect(!exists(store, context.key("a")), "a removed object is there");
}

void gone_everywhere(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("d/a");
  put(store, key, "x");
  remove(store, key);
  expect_code(get_one(store, key), ErrorCode::NotFound, "get of a removed object");
  expect_code(head_one(store, key), ErrorCode::NotFound, "head of a removed object");
  expect_names(list(store, context, {}).all, {}, "listing");
  expect_names(list(store, context, {.delimited = true}).all, {}, "delimited listing");
}

void batch(ObjectStore& store, Context& context) {
  std::vector<ObjectKey> keys;
  for (const char* const name : {"a", "d/b", "missing", "d/c", "a"}) {
    keys.push_back(context.key(name));
  }
  for (const char* const name : {"a", "d/b", "d/c", "kept"}) put(store, context.key(name), "x");
  const auto outcomes = store.remove(keys, {});
  expect_number(outcomes.size(), keys.size(), "outcomes");
  for (const auto& outcome : outcomes) need(outcome, "remove in a batch");
  expect_names(list(store, context, {}).objects, {"kept"}, "what is left");
}

void neighbours_stay(ObjectStore& store, Context& context) {
  const std::vector<std::string> kept = {"d/a-", "d/a.x", "d/a0", "d/aa", "e/a"};
  for (const std::string& name : kept) put(store, context.key(name), name);
  put(store, context.key("d/a"), "goes");
  remove(store, context.key("d/a"));
  expect_names(list(store, context, {}).objects, kept, "what is left");
  for (const std::string& name : kept) expect_text(text_of(store, context.key(name)), name, name);
}

void folder_name(ObjectStore& store, Context& context) {
  put(store, context.key("d/a"), "x");
  remove(store, context.key("d"));
  expect(exists(store, context.key("d/a")), "removing 'd' removed 'd/a'");
}

void again(ObjectStore& store, Context& context) {
  for (const char* const name : {"a", "d/e/a"}) {
    const ObjectKey key = context.key(name);
    for (int i = 0; i < 5; ++i) {
      put(store, key, std::to_string(i));
      expect_text(text_of(store, key), std::to_string(i), "an object made again");
      remove(store, key);
    }
  }
}

void create_again(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("d/a");
  for (int i = 0; i < 3; ++i) {
    put(store, key, std::to_string(i), Condition::absent());
    remove(store, key);
  }
}

}  // namespace

Cases remove_cases() {
  return {
      {"RemoveMissing", "Removing what is not there succeeds", Needs::nothing, missing},
      {"RemoveTwice", "Removing is repeatable", Needs::nothing, twice},
      {"RemoveGoneEverywhere", "No call sees a removed object", Needs::nothing, gone_everywhere},
      {"RemoveBatch", "A batch may name missing and equal keys", Needs::nothing, batch},
      {"RemoveNeighboursStay", "Only the key itself goes", Needs::nothing, neighbours_stay},
      {"RemoveFolderName", "A folder's name is not its objects", Needs::nothing, folder_name},
      {"RemoveThenPut", "A key can be used again", Needs::nothing, again},
      {"RemoveThenCreate", "A removed key is absent", Needs::create_if_absent, create_again},
  };
}

}  // namespace stepstore::conformance
