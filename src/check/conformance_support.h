// What the conformance cases share: expectations that throw, short forms of calls, races.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check/conformance.h"

namespace stepstore::conformance {

using Context = ConformanceContext;
using Needs = ConformanceCase::Needs;
using Cases = std::vector<ConformanceCase>;

// One list per file.
Cases object_cases();
Cases range_cases();
Cases condition_cases();
Cases key_cases();
Cases list_cases();
Cases page_cases();
Cases remove_cases();
Cases publish_cases();
Cases guard_cases();
Cases race_cases();
Cases limit_cases();
Cases upload_cases();

[[noreturn]] void fail(const std::string& message);
void expect(bool holds, const std::string& otherwise);
void expect_text(std::string_view actual, std::string_view expected, const std::string& what);
void expect_number(std::uint64_t actual, std::uint64_t expected, const std::string& what);
void expect_names(const std::vector<std::string>& actual, const std::vector<std::string>& expected,
                  const std::string& what);
// The text, or for long ones its size and beginning.
std::string shown(std::string_view text);

// The code, whether or not the store knows that nothing was written. A server that fails where it
// should refuse (Ceph's losers of a race) leaves that open.
template <class T>
void expect_lost(const Result<T>& outcome, ErrorCode code, const std::string& what) {
  if (outcome.ok()) {
    fail(what + ": succeeded, expected " + std::string(name_of(code)));
  }
  if (outcome.error().code() != code) {
    fail(what + ": expected " + std::string(name_of(code)) + ", got: " + outcome.error().what());
  }
}

template <class T>
void expect_code(const Result<T>& outcome, ErrorCode code, const std::string& what) {
  expect_lost(outcome, code, what);
  expect(!outcome.error().outcome_unknown(), what + ": a refusal says that its outcome is unknown");
}

template <class T>
T need(Result<T> outcome, const std::string& what) {
  if (!outcome.ok()) fail(what + ": " + outcome.error().what());
  return std::move(outcome).value();
}

// Short forms; those that return a plain value fail when the store refuses.
PutRequest request(const ObjectKey& key, BytesView body, Condition condition = {});
ETag put(ObjectStore& store, const ObjectKey& key, BytesView body, Condition condition = {});
Result<ETag> try_put(ObjectStore& store, const ObjectKey& key, BytesView body, Condition condition);
std::string text_of(ObjectStore& store, const ObjectKey& key);
Result<Object> try_read(ObjectStore& store, const ObjectKey& key, std::optional<ObjectRange> range,
                        ETag if_match = {});
bool exists(ObjectStore& store, const ObjectKey& key);
void remove(ObjectStore& store, const ObjectKey& key);

// A listing of the case's own objects: names and prefixes relative to the case's folder, in order.
struct Names {
  std::vector<std::string> objects{}, prefixes{}, all{};  // `all`: both, merged by bytes
  std::size_t pages = 0;
};
struct Listing {
  std::string prefix{};
  bool delimited = false;
  std::string start_after{};
  std::size_t limit = 0;
};
// All pages; fails when a page breaks the order, repeats a name, is too large, or never ends.
// `between` is called after each page.
Names list(ObjectStore& store, Context& context, const Listing& listing,
           const std::function<void()>& between = {});

// Runs body(0) to body(threads - 1) at the same moment, each on its own thread, and throws the
// first thing that one of them threw.
void race(std::size_t threads, const std::function<void(std::size_t)>& body);

}  // namespace stepstore::conformance
