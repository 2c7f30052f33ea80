// Whole objects: what was put is what is read, and ETags say which bytes a key holds.
#include <numeric>
#include <set>

#include "base/crc64.h"
#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

void same_bytes(ObjectStore& store, Context& context) {
  for (const std::size_t size : {1U, 7U, 4'095U, 4'096U, 4'097U, 65'536U, 100'001U}) {
    const std::string body = context.bytes(size);
    const ObjectKey key = context.key(std::to_string(size));
    put(store, key, body);
    expect_text(text_of(store, key), body, "an object of " + std::to_string(size) + " bytes");
  }
}

void empty_object(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("empty");
  put(store, key, "");
  const Object read = need(get_one(store, key), "get");
  expect_number(read.body.size(), 0, "bytes read");
  expect_number(read.info.size, 0, "size told");
  expect(!read.info.etag.empty(), "an empty object has no ETag");
}

void five_megabytes(ObjectStore& store, Context& context) {
  const std::string body = context.bytes(5'000'001);
  put(store, context.key("large"), body);
  expect_text(text_of(store, context.key("large")), body, "5 MB read back");
}

void every_byte_value(ObjectStore& store, Context& context) {
  std::string body(512, '\0');
  std::iota(body.begin(), body.end(), '\0');
  put(store, context.key("bytes"), body + "\r\n\n");
  expect_text(text_of(store, context.key("bytes")), body + "\r\n\n", "bytes of every value");
}

void head_agrees(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  put(store, key, "twelve bytes");
  const ObjectInfo head = need(head_one(store, key), "head");
  const ObjectInfo get = need(get_one(store, key), "get").info;
  expect_text(head.key.text(), key.text(), "key told by head");
  expect_text(get.key.text(), key.text(), "key told by get");
  expect_number(head.size, 12, "size told by head");
  expect_number(get.size, 12, "size told by get");
  expect(head.modified == get.modified, "head and get tell different times");
}

void batch_order(ObjectStore& store, Context& context) {
  constexpr std::size_t kCount = 40;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < kCount; ++i) bodies.push_back("body " + std::to_string(i));
  std::vector<PutRequest> puts;
  std::vector<GetRequest> gets;
  std::vector<ObjectKey> keys;
  for (std::size_t i = 0; i < kCount; ++i) {
    // Against the order of the keys, so that a store that sorts is seen.
    keys.push_back(context.key(std::to_string(99 - i)));
    puts.push_back(request(keys.back(), bodies[i]));
    gets.push_back({.key = keys.back(), .range = {}, .if_match = {}});
  }
  const auto put_outcomes = store.put(puts, {});
  const auto get_outcomes = store.get(gets, {});
  const auto head_outcomes = store.head(keys, {});
  expect_number(put_outcomes.size(), kCount, "outcomes of put");
  expect_number(get_outcomes.size(), kCount, "outcomes of get");
  expect_number(head_outcomes.size(), kCount, "outcomes of head");
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::string what = "item " + std::to_string(i);
    expect_text(need(get_outcomes[i], what).body.text(), bodies[i], "body of " + what);
    const ObjectInfo head = need(head_outcomes[i], what);
    expect_text(head.key.text(), keys[i].text(), "key of " + what);
    expect(head.etag == need(put_outcomes[i], what), "the ETag of " + what + " is another item's");
  }
}

void empty_batches(ObjectStore& store, Context&) {
  expect_number(store.put({}, {}).size(), 0, "outcomes of put");
  expect_number(store.get({}, {}).size(), 0, "outcomes of get");
  expect_number(store.head({}, {}).size(), 0, "outcomes of head");
  expect_number(store.remove({}, {}).size(), 0, "outcomes of remove");
}

void one_missing_item(ObjectStore& store, Context& context) {
  put(store, context.key("a"), "A");
  put(store, context.key("c"), "C");
  const std::vector<ObjectKey> keys = {context.key("a"), context.key("b"), context.key("c")};
  std::vector<GetRequest> gets;
  for (const ObjectKey& key : keys) gets.push_back({.key = key, .range = {}, .if_match = {}});
  const auto read = store.get(gets, {});
  const auto heads = store.head(keys, {});
  expect_text(need(read.at(0), "get of a").body.text(), "A", "first item");
  expect_code(read.at(1), ErrorCode::NotFound, "get of b");
  expect_text(need(read.at(2), "get of c").body.text(), "C", "third item");
  need(heads.at(0), "head of a");
  expect_code(heads.at(1), ErrorCode::NotFound, "head of b");
  need(heads.at(2), "head of c");
}

void missing_is_not_found(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("no/such/object");
  const auto got = get_one(store, key);
  const auto head = head_one(store, key);
  expect_code(got, ErrorCode::NotFound, "get");
  expect_code(head, ErrorCode::NotFound, "head");
  expect_text(got.error().key(), key.text(), "the key that get's error names");
  expect_text(head.error().key(), key.text(), "the key that head's error names");
  put(store, context.key("folder/object"), "x");
  expect_code(get_one(store, context.key("folder")), ErrorCode::NotFound, "get of a folder's name");
  expect_code(head_one(store, context.key("folder")), ErrorCode::NotFound, "head of a folder");
}

void overwrite_replaces(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  for (const std::string_view body : {"a long first body", "short", "", "and longer again"}) {
    put(store, key, body);
    expect_text(text_of(store, key), body, "after an overwrite");
    expect_number(need(head_one(store, key), "head").size, body.size(), "size after an overwrite");
  }
}

void etag_changes(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    // A root carries a fresh id at each write, so the same bytes need no new ETag; a time stamp
    // alone must not be the ETag either.
    const ETag etag = put(store, key, "version " + std::to_string(100 + i));
    expect(seen.insert(etag.text()).second, "an ETag came back: " + etag.text());
  }
}

void etag_after_remove(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  const ETag before = put(store, key, "first");
  remove(store, key);
  const ETag after = put(store, key, "other");
  expect(before != after, "another object under the same key has the ETag of the first");
}

void etag_agrees(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  const ETag told = put(store, key, "body");
  expect_text(need(get_one(store, key), "get").info.etag.text(), told.text(), "ETag told by get");
  expect_text(need(head_one(store, key), "head").etag.text(), told.text(), "ETag told by head");
  const ListRequest all{
      .prefix = context.path(""), .delimited = false, .start_after = {}, .limit = 0};
  const auto listed = list_all(store, all);
  expect_number(listed.size(), 1, "objects listed");
  expect_text(listed[0].etag.text(), told.text(), "ETag told by list");
  expect_text(need(head_one(store, key), "head").etag.text(), told.text(), "ETag told again");
}

void crc_is_taken(ObjectStore& store, Context& context) {
  const std::string body = context.bytes(10'000);
  PutRequest item = request(context.key("object"), body);
  item.crc64 = crc64(body);
  need(put_one(store, item), "put with the right checksum");
  expect_text(text_of(store, item.key), body, "read back");
}

void bytes_stay(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("object");
  const std::string body = context.bytes(300'000);
  put(store, key, body);
  const Object read = need(get_one(store, key), "get");
  put(store, key, context.bytes(300'000));
  expect_text(read.body.text(), body, "bytes read before an overwrite");
  remove(store, key);
  expect_text(read.body.text(), body, "bytes read before a remove");
}

void other_handle_sees(ObjectStore& store, Context& context) {
  const auto other = context.reopen(store);
  const ObjectKey key = context.key("object");
  const ETag first = put(store, key, "one");
  expect_text(text_of(*other, key), "one", "read by another handle");
  expect_text(need(head_one(*other, key), "head").etag.text(), first.text(), "ETag told there");
  put(*other, key, "two");
  expect_text(text_of(store, key), "two", "read after another handle's put");
  remove(store, key);
  expect(!exists(*other, key), "another handle still sees a removed object");
}

}  // namespace

Cases object_cases() {
  return {
      {"SameBytes", "What was put is what is read", Needs::nothing, same_bytes},
      {"EmptyObject", "An object may be empty", Needs::nothing, empty_object},
      {"FiveMegabytes", "A large object is whole", Needs::nothing, five_megabytes},
      {"EveryByteValue", "Bytes are not text", Needs::nothing, every_byte_value},
      {"HeadAgreesWithGet", "Both tell the same object", Needs::nothing, head_agrees},
      {"BatchOrder", "Outcomes stand in the order of the items", Needs::nothing, batch_order},
      {"EmptyBatches", "A batch may be empty", Needs::nothing, empty_batches},
      {"OneMissingItem", "A missing item spoils no other", Needs::nothing, one_missing_item},
      {"MissingIsNotFound", "The error has its code and key", Needs::nothing, missing_is_not_found},
      {"OverwriteReplaces", "Nothing of the old body stays", Needs::nothing, overwrite_replaces},
      {"ETagChanges", "Each write of other bytes has another ETag", Needs::nothing, etag_changes},
      {"ETagAfterRemove", "A key made again has another ETag", Needs::nothing, etag_after_remove},
      {"ETagAgrees", "put, get, head and list tell the same ETag", Needs::nothing, etag_agrees},
      {"ChecksumIsTaken", "A put may bring its checksum", Needs::nothing, crc_is_taken},
      {"BytesStay", "Bytes that were read do not change", Needs::nothing, bytes_stay},
      {"OtherHandleSees", "Handles on one store agree", Needs::nothing, other_handle_sees},
  };
}

}  // namespace stepstore::conformance
