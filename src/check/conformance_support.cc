#include "check/conformance_support.h"

#include <algorithm>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>

namespace stepstore::conformance {
namespace {

constexpr std::size_t kPagesMax = 10'000;

std::string joined(const std::vector<std::string>& names) {
  std::string line;
  for (const std::string& name : names) line += (line.empty() ? "" : " ") + name;
  return "[" + line + "]";
}

// Adds one page to the names, and fails when it breaks the contract by itself.
void add_page(Names& names, const ListPage& page, const std::string& folder,
              const Listing& listing) {
  const std::size_t size = page.objects.size() + page.prefixes.size();
  expect(listing.limit == 0 || size <= listing.limit,
         "a page of at most " + std::to_string(listing.limit) + " has " + std::to_string(size));
  std::vector<std::string> told;
  const auto take = [&](const std::string& text, std::vector<std::string>& into) {
    expect(text.starts_with(folder + listing.prefix),
           "the listing of '" + listing.prefix + "' tells '" + text + "'");
    into.push_back(text.substr(folder.size()));
    told.push_back(into.back());
  };
  for (const ObjectInfo& object : page.objects) take(object.key.text(), names.objects);
  expect(std::ranges::is_sorted(told), "the objects of a page are not in order: " + joined(told));
  for (const std::string& prefix : page.prefixes) take(prefix, names.prefixes);
  expect(std::ranges::is_sorted(page.prefixes), "the prefixes of a page are not in order");
  std::ranges::sort(told);
  for (const std::string& name : told) {
    expect(names.all.empty() || names.all.back() < name,
           "the listing is not in order, or repeats a name, at '" + name + "' after '" +
               (names.all.empty() ? "" : names.all.back()) + "'");
    names.all.push_back(name);
  }
}

}  // namespace

void fail(const std::string& message) { throw ConformanceFailure(message); }

void expect(bool holds, const std::string& otherwise) {
  if (!holds) fail(otherwise);
}

std::string shown(std::string_view text) {
  if (text.size() <= 60) return "'" + std::string(text) + "'";
  return std::to_string(text.size()) + " bytes beginning '" + std::string(text.substr(0, 30)) + "'";
}

void expect_text(std::string_view actual, std::string_view expected, const std::string& what) {
  if (actual != expected) fail(what + ": expected " + shown(expected) + ", got " + shown(actual));
}

void expect_number(std::uint64_t actual, std::uint64_t expected, const std::string& what) {
  if (actual == expected) return;
  fail(what + ": expected " + std::to_string(expected) + ", got " + std::to_string(actual));
}

void expect_names(const std::vector<std::string>& actual, const std::vector<std::string>& expected,
                  const std::string& what) {
  if (actual == expected) return;
  fail(what + ": expected " + joined(expected) + ", got " + joined(actual));
}

PutRequest request(const ObjectKey& key, BytesView body, Condition condition) {
  return {.key = key,
          .body = body,
          .content_type = "text/plain",
          .condition = std::move(condition),
          .crc64 = {}};
}

Result<ETag> try_put(ObjectStore& store, const ObjectKey& key, BytesView body,
                     Condition condition) {
  return put_one(store, request(key, body, std::move(condition)));
}

ETag put(ObjectStore& store, const ObjectKey& key, BytesView body, Condition condition) {
  ETag etag = need(try_put(store, key, body, std::move(condition)), "put of " + key.text());
  expect(!etag.empty(), "put of " + key.text() + " gave an empty ETag");
  return etag;
}

Result<Object> try_read(ObjectStore& store, const ObjectKey& key, std::optional<ObjectRange> range,
                        ETag if_match) {
  const GetRequest item{.key = key, .range = range, .if_match = std::move(if_match)};
  auto outcomes = store.get({&item, 1}, {});
  expect_number(outcomes.size(), 1, "outcomes of a get of one object");
  return std::move(outcomes.front());
}

std::string text_of(ObjectStore& store, const ObjectKey& key) {
  return std::string(need(get_one(store, key), "get of " + key.text()).body.text());
}

bool exists(ObjectStore& store, const ObjectKey& key) {
  const Result<ObjectInfo> found = head_one(store, key);
  if (found || found.is(ErrorCode::NotFound)) return found.ok();
  fail("head of " + key.text() + ": " + found.error().what());
}

void remove(ObjectStore& store, const ObjectKey& key) {
  need(remove_one(store, key), "remove of " + key.text());
}

Names list(ObjectStore& store, Context& context, const Listing& listing,
           const std::function<void()>& between) {
  const std::string folder = context.path("");
  ListRequest next{.prefix = folder + listing.prefix,
                   .delimited = listing.delimited,
                   .start_after = {},
                   .limit = listing.limit};
  if (!listing.start_after.empty()) next.start_after = folder + listing.start_after;
  Names names;
  do {
    const ListPage page = store.list(next, {});
    expect(page.next.empty() || page.next >= next.start_after, "a listing goes backwards");
    expect(++names.pages < kPagesMax, "a listing does not end");
    add_page(names, page, folder, listing);
    next.start_after = page.next;
    if (between) between();
  } while (!next.start_after.empty());
  return names;
}

void race(std::size_t threads, const std::function<void(std::size_t)>& body) {
  std::latch start(static_cast<std::ptrdiff_t>(threads));
  std::mutex mutex;
  std::exception_ptr first;
  {
    std::vector<std::jthread> running;
    running.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) {
      running.emplace_back([&, i] {
        start.arrive_and_wait();
        try {
          body(i);
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!first) first = std::current_exception();
        }
      });
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace stepstore::conformance
