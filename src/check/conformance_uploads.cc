// Uploads: pieces become one object at finish(), and nothing before it.
#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

std::unique_ptr<Upload> begun(ObjectStore& store, const ObjectKey& key,
                              const std::vector<std::string>& pieces) {
  auto upload = store.start_upload(key, "application/octet-stream", {});
  for (const std::string& piece : pieces) upload->write(piece, {});
  return upload;
}

void pieces_join(ObjectStore& store, Context& context) {
  std::vector<std::string> pieces;
  std::string whole;
  for (const std::size_t size : {1U, 0U, 70'000U, 13U, 300'000U, 1U}) {
    pieces.push_back(context.bytes(size));
    whole += pieces.back();
  }
  const ObjectKey key = context.key("large");
  const ETag etag = need(begun(store, key, pieces)->finish({}, {}), "finish");
  expect_text(text_of(store, key), whole, "the pieces together");
  expect_text(need(head_one(store, key), "head").etag.text(), etag.text(), "ETag told by head");
}

void without_pieces(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("empty");
  need(begun(store, key, {})->finish({}, {}), "finish");
  expect_number(need(head_one(store, key), "head").size, 0, "size");
}

void large(ObjectStore& store, Context& context) {
  constexpr std::size_t kPiece = 1'000'003;
  const std::string piece = context.bytes(kPiece);
  const ObjectKey key = context.key("large");
  const auto upload = store.start_upload(key, "", {});
  for (int i = 0; i < 20; ++i) upload->write(piece, {});
  need(upload->finish(Condition{}, {}), "finish");
  expect_number(need(head_one(store, key), "head").size, 20 * kPiece, "size");
  const ObjectRange seam{.offset = 13 * kPiece - 5, .size = kPiece + 10, .from_end = false};
  const std::string expected = piece.substr(kPiece - 5) + piece + piece.substr(0, 5);
  expect_text(need(try_read(store, key, seam), "get").body.text(), expected, "two seams");
}

void invisible_before(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("d/large");
  const auto upload = begun(store, key, {"one", "two"});
  expect(!exists(store, key), "an unfinished upload is there");
  expect_names(list(store, context, {}).all, {}, "listing during an upload");
  expect_names(list(store, context, {.delimited = true}).all, {}, "delimited listing");
  need(upload->finish({}, {}), "finish");
  expect_names(list(store, context, {}).all, {"d/large"}, "listing after the upload");
}

void old_stays_until_finish(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("large");
  put(store, key, "old");
  const auto upload = begun(store, key, {"new"});
  expect_text(text_of(store, key), "old", "during the upload");
  need(upload->finish({}, {}), "finish");
  expect_text(text_of(store, key), "new", "after the upload");
}

void abandoned(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("d/large");
  begun(store, key, {context.bytes(200'000)}).reset();
  expect(!exists(store, key), "an abandoned upload is there");
  expect_names(list(store, context, {.delimited = true}).all, {}, "after an abandoned upload");
  put(store, key, "old");
  begun(store, key, {"new"}).reset();
  expect_text(text_of(store, key), "old", "after an abandoned overwrite");
}

void create_once(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("large");
  need(begun(store, key, {"first"})->finish(Condition::absent(), {}), "finish");
  expect_code(begun(store, key, {"second"})->finish(Condition::absent(), {}),
              ErrorCode::AlreadyExists, "an upload that creates what is there");
  expect_text(text_of(store, key), "first", "after the refusal");
}

void created_meanwhile(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("large");
  const auto upload = begun(store, key, {"late"});
  put(store, key, "early", Condition::absent());
  expect_code(upload->finish(Condition::absent(), {}), ErrorCode::AlreadyExists,
              "an upload whose key was taken meanwhile");
  expect_text(text_of(store, key), "early", "after the refusal");
}

void swaps(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("large");
  const ETag first = put(store, key, "first");
  const ETag second =
      need(begun(store, key, {"sec", "ond"})->finish(Condition::unchanged(first), {}), "swap");
  expect(first != second, "a swap by an upload left the ETag");
  expect_code(begun(store, key, {"third"})->finish(Condition::unchanged(first), {}),
              ErrorCode::Conflict, "a stale swap by an upload");
  expect_text(text_of(store, key), "second", "after the refusal");
  expect_code(begun(store, context.key("none"), {"x"})->finish(Condition::unchanged(first), {}),
              ErrorCode::Conflict, "a swap of a missing object by an upload");
  expect(!exists(store, context.key("none")), "a refused upload made the object");
}

void two_of_one_key(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("large");
  const auto one = begun(store, key, {"one "});
  const auto two = begun(store, key, {"two "});
  one->write("one", {});
  two->write("two", {});
  need(one->finish(Condition::absent(), {}), "the first to finish");
  expect_code(two->finish(Condition::absent(), {}), ErrorCode::AlreadyExists, "the second");
  expect_text(text_of(store, key), "one one", "the object");
}

}  // namespace

Cases upload_cases() {
  return {
      {"UploadPieces", "Pieces join in order", Needs::nothing, pieces_join},
      {"UploadWithoutPieces", "An upload may be empty", Needs::nothing, without_pieces},
      {"UploadLarge", "Twenty megabytes arrive whole", Needs::nothing, large},
      {"UploadInvisibleBefore", "Nothing is there before finish", Needs::nothing, invisible_before},
      {"UploadOldStays", "The old object stays until finish", Needs::nothing,
       old_stays_until_finish},
      {"UploadAbandoned", "An abandoned upload leaves nothing", Needs::nothing, abandoned},
      {"UploadCreateOnce", "An upload may create", Needs::create_if_absent, create_once},
      {"UploadCreatedMeanwhile", "The condition is judged at finish", Needs::create_if_absent,
       created_meanwhile},
      {"UploadSwaps", "An upload may swap", Needs::swap_if_unchanged, swaps},
      {"UploadTwoOfOneKey", "Uploads do not mix", Needs::create_if_absent, two_of_one_key},
  };
}

}  // namespace stepstore::conformance
