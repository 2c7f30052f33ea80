// Conditional puts: judged by the store, told by the right code, and a refusal changes nothing.
#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

void create_once(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  const ETag first = put(store, key, "first", Condition::absent());
  expect_code(try_put(store, key, "second", Condition::absent()), ErrorCode::AlreadyExists,
              "creating what is there");
  expect_text(text_of(store, key), "first", "after the refusal");
  expect(need(head_one(store, key), "head").etag == first, "a refused create changed the ETag");
}

void create_empty_once(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  put(store, key, "", Condition::absent());
  expect_code(try_put(store, key, "x", Condition::absent()), ErrorCode::AlreadyExists,
              "creating over an empty object");
}

void create_same_bytes(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  put(store, key, "bytes", Condition::absent());
  expect_code(try_put(store, key, "bytes", Condition::absent()), ErrorCode::AlreadyExists,
              "creating the same bytes again");
}

void swap_right(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  ETag etag = put(store, key, "0");
  for (int i = 1; i <= 5; ++i) {
    const ETag next = put(store, key, std::to_string(i), Condition::unchanged(etag));
    expect(next != etag, "a swap left the ETag as it was");
    etag = next;
  }
  expect_text(text_of(store, key), "5", "after five swaps");
}

void swap_stale(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  const ETag old = put(store, key, "old");
  const ETag now = put(store, key, "now");
  expect_code(try_put(store, key, "lost", Condition::unchanged(old)), ErrorCode::Conflict,
              "a swap with a stale ETag");
  expect_text(text_of(store, key), "now", "after the refusal");
  expect(need(head_one(store, key), "head").etag == now, "a refused swap changed the ETag");
}

void swap_missing(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  const ETag etag = put(store, key, "body");
  remove(store, key);
  expect_code(try_put(store, key, "x", Condition::unchanged(etag)), ErrorCode::Conflict,
              "a swap of a removed object");
  expect(!exists(store, key), "a refused swap made the object");
  expect_code(try_put(store, context.key("never"), "x", Condition::unchanged(etag)),
              ErrorCode::Conflict, "a swap of an object that never was");
  expect(!exists(store, context.key("never")), "a refused swap made an object");
}

void swap_made_again(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  const ETag etag = put(store, key, "first life");
  remove(store, key);
  put(store, key, "second life");
  expect_code(try_put(store, key, "x", Condition::unchanged(etag)), ErrorCode::Conflict,
              "a swap of an object that was made again");
  expect_text(text_of(store, key), "second life", "after the refusal");
}

void swap_foreign_etag(ObjectStore& store, Context& context) {
  const ETag other = put(store, context.key("a"), "A");
  put(store, context.key("b"), "B");
  expect_code(try_put(store, context.key("b"), "x", Condition::unchanged(other)),
              ErrorCode::Conflict, "a swap with the ETag of another object");
  expect_text(text_of(store, context.key("b")), "B", "after the refusal");
}

void batch_judged_by_item(ObjectStore& store, Context& context) {
  put(store, context.key("taken"), "old");
  const ETag etag = put(store, context.key("swap"), "old");
  const std::vector<PutRequest> items = {
      request(context.key("new"), "new", Condition::absent()),
      request(context.key("taken"), "new", Condition::absent()),
      request(context.key("swap"), "new", Condition::unchanged(etag)),
      request(context.key("gone"), "new", Condition::unchanged(etag)),
      request(context.key("plain"), "new"),
  };
  const auto outcomes = store.put(items, {});
  expect_number(outcomes.size(), items.size(), "outcomes");
  need(outcomes[0], "create of a new object");
  expect_code(outcomes[1], ErrorCode::AlreadyExists, "create of a taken key");
  need(outcomes[2], "swap with the right ETag");
  expect_code(outcomes[3], ErrorCode::Conflict, "swap of a missing object");
  need(outcomes[4], "plain put");
  expect_text(outcomes[1].error().key(), items[1].key.text(), "the key that the error names");
  expect_text(text_of(store, context.key("taken")), "old", "the taken object");
  expect_text(text_of(store, context.key("swap")), "new", "the swapped object");
}

}  // namespace

Cases condition_cases() {
  return {
      {"CreateOnce", "A taken key is refused", Needs::create_if_absent, create_once},
      {"CreateEmptyOnce", "An empty object takes its key", Needs::create_if_absent,
       create_empty_once},
      {"CreateSameBytes", "Equal bytes are no excuse", Needs::create_if_absent, create_same_bytes},
      {"SwapRight", "Swaps follow each other", Needs::swap_if_unchanged, swap_right},
      {"SwapStale", "A changed object is not swapped", Needs::swap_if_unchanged, swap_stale},
      {"SwapMissing", "A missing object is not swapped", Needs::swap_if_unchanged, swap_missing},
      {"SwapMadeAgain", "An object made again is another one", Needs::swap_if_unchanged,
       swap_made_again},
      {"SwapForeignETag", "An ETag counts for its own object", Needs::swap_if_unchanged,
       swap_foreign_etag},
      {"BatchJudgedByItem", "Each item of a batch has its own condition", Needs::swap_if_unchanged,
       batch_judged_by_item},
  };
}

}  // namespace stepstore::conformance
