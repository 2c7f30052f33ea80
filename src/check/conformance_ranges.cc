// Parts of objects: what a range gives at its edges, and when it is refused.
#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

constexpr std::string_view kDigits = "0123456789";

std::string read(ObjectStore& store, const ObjectKey& key, const ObjectRange& range) {
  const Object object = need(try_read(store, key, range), "get of a range");
  expect_number(object.info.size, kDigits.size(), "size of the whole object");
  return std::string(object.body.text());
}

ObjectRange span(std::uint64_t offset, std::optional<std::uint64_t> size) {
  return {.offset = offset, .size = size, .from_end = false};
}

ObjectRange tail(std::uint64_t size) { return {.offset = 0, .size = size, .from_end = true}; }

void inside(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("digits");
  put(store, key, kDigits);
  expect_text(read(store, key, span(0, 1)), "0", "the first byte");
  expect_text(read(store, key, span(9, 1)), "9", "the last byte");
  expect_text(read(store, key, span(3, 4)), "3456", "four bytes");
  expect_text(read(store, key, span(0, 10)), kDigits, "the whole object");
}

void to_the_end(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("digits");
  put(store, key, kDigits);
  expect_text(read(store, key, span(0, {})), kDigits, "from the first byte on");
  expect_text(read(store, key, span(4, {})), "456789", "from the fifth byte on");
  expect_text(read(store, key, span(9, {})), "9", "from the last byte on");
}

void beyond_the_end(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("digits");
  put(store, key, kDigits);
  expect_text(read(store, key, span(8, 5)), "89", "a range that ends beyond the end");
  expect_text(read(store, key, span(0, 1'000'000'000'000)), kDigits, "a huge range");
  expect_text(read(store, key, span(9, UINT64_MAX)), "9", "the largest size there is");
}

void outside(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("digits");
  put(store, key, kDigits);
  for (const std::uint64_t offset : std::vector<std::uint64_t>{10, 11, 1'000'000'000'000}) {
    const std::string what = "a range at offset " + std::to_string(offset);
    expect_code(try_read(store, key, span(offset, 1)), ErrorCode::InvalidArgument, what);
    expect_code(try_read(store, key, span(offset, {})), ErrorCode::InvalidArgument, what);
  }
}

void from_end(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("digits");
  put(store, key, kDigits);
  expect_text(read(store, key, tail(1)), "9", "the last byte");
  expect_text(read(store, key, tail(3)), "789", "the last three bytes");
  expect_text(read(store, key, tail(10)), kDigits, "as many as there are");
  expect_text(read(store, key, tail(11)), kDigits, "more than there are");
}

void of_empty_object(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("empty");
  put(store, key, "");
  expect_code(try_read(store, key, span(0, 1)), ErrorCode::InvalidArgument, "a range of nothing");
  expect_code(try_read(store, key, span(0, {})), ErrorCode::InvalidArgument, "all of nothing");
}

void that_make_no_sense(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("digits");
  put(store, key, kDigits);
  // HTTP cannot ask for no bytes, so no store may.
  expect_code(try_read(store, key, span(2, 0)), ErrorCode::InvalidArgument, "a range of no bytes");
  expect_code(try_read(store, key, tail(0)), ErrorCode::InvalidArgument, "the last no bytes");
  expect_code(try_read(store, key, ObjectRange{.offset = 2, .size = 2, .from_end = true}),
              ErrorCode::InvalidArgument, "an offset from the end");
}

void if_match(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("digits");
  const ETag old = put(store, key, "other");
  const ETag now = put(store, key, kDigits);
  expect_text(need(try_read(store, key, span(2, 2), now), "get").body.text(), "23", "unchanged");
  expect_code(try_read(store, key, span(2, 2), old), ErrorCode::Conflict, "a stale ETag");
  expect_text(need(try_read(store, key, {}, now), "get").body.text(), kDigits, "whole, unchanged");
  expect_code(try_read(store, key, {}, old), ErrorCode::Conflict, "whole, with a stale ETag");
  remove(store, key);
  expect_code(try_read(store, key, span(2, 2), now), ErrorCode::NotFound, "a removed object");
}

void of_missing_object(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("none");
  expect_code(try_read(store, key, span(0, 1)), ErrorCode::NotFound, "a range");
  expect_code(try_read(store, key, tail(1)), ErrorCode::NotFound, "a range from the end");
}

void in_large_object(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("large");
  const std::string body = context.bytes(1'500'000);
  put(store, key, body);
  for (int i = 0; i < 20; ++i) {
    const std::size_t offset = context.below(body.size());
    const std::size_t size = 1 + context.below(400'000);
    const Object part = need(try_read(store, key, span(offset, size)), "get of a range");
    expect_text(part.body.text(), std::string_view(body).substr(offset, size),
                std::to_string(size) + " bytes at " + std::to_string(offset));
  }
}

}  // namespace

Cases range_cases() {
  return {
      {"RangeInside", "A range gives its bytes", Needs::nothing, inside},
      {"RangeToTheEnd", "A range without a size goes to the end", Needs::nothing, to_the_end},
      {"RangeBeyondTheEnd", "A range gives what there is", Needs::nothing, beyond_the_end},
      {"RangeOutside", "A range behind the object is refused", Needs::nothing, outside},
      {"RangeFromEnd", "The last bytes can be asked for", Needs::nothing, from_end},
      {"RangeOfEmptyObject", "An empty object has no range", Needs::nothing, of_empty_object},
      {"RangeWithoutSense", "A range of no bytes is refused", Needs::nothing, that_make_no_sense},
      {"ReadIfMatch", "A read can insist on an ETag", Needs::nothing, if_match},
      {"RangeOfMissingObject", "Missing comes before the range", Needs::nothing, of_missing_object},
      {"RangeInLargeObject", "Ranges at random places are right", Needs::nothing, in_large_object},
  };
}

}  // namespace stepstore::conformance
