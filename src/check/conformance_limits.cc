// Deadlines and stops: the call ends with the right code, and nothing was written.
#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

using Clock = std::chrono::steady_clock;

// Before any clock's present, and not so far that a difference overflows.
CallLimits late() { return {.deadline = Clock::time_point{} - std::chrono::hours(1)}; }

CallLimits stopped() {
  std::stop_source source;
  source.request_stop();
  return {.stop = source.get_token()};
}

CallLimits interrupted() {
  return {.interrupted = [] { return true; }};
}

// Being late may be told by an item's outcome or end the call; anything else is a fault.
template <class T, class Call>
void expect_ended(ErrorCode code, const std::string& what, Call&& call) {
  try {
    const std::vector<Result<T>> outcomes = call();
    expect_number(outcomes.size(), 1, "outcomes of " + what);
    expect_code(outcomes[0], code, what);
  } catch (const StorageManagerError& error) {
    expect(error.code() == code,
           what + ": expected " + std::string(name_of(code)) + ", thrown: " + error.what());
    expect(!error.outcome_unknown(), what + " says that its outcome is unknown");
  }
}

template <class Call>
void expect_thrown(ErrorCode code, const std::string& what, Call&& call) {
  try {
    call();
  } catch (const StorageManagerError& error) {
    expect(error.code() == code,
           what + ": expected " + std::string(name_of(code)) + ", thrown: " + error.what());
    return;
  }
  fail(what + ": not ended, expected " + std::string(name_of(code)));
}

void items_end(ObjectStore& store, Context& context, const CallLimits& limits, ErrorCode code) {
  const ObjectKey key = context.key("there");
  const ETag etag = put(store, key, "there");
  const PutRequest fresh = request(context.key("fresh"), "x");
  const PutRequest over = request(key, "over");
  const GetRequest read{.key = key, .range = {}, .if_match = {}};
  expect_ended<ETag>(code, "put", [&] { return store.put({&fresh, 1}, limits); });
  expect_ended<ETag>(code, "overwrite", [&] { return store.put({&over, 1}, limits); });
  expect_ended<Object>(code, "get", [&] { return store.get({&read, 1}, limits); });
  expect_ended<ObjectInfo>(code, "head", [&] { return store.head({&key, 1}, limits); });
  expect_ended<Done>(code, "remove", [&] { return store.remove({&key, 1}, limits); });
  const ListRequest all{
      .prefix = context.path(""), .delimited = false, .start_after = {}, .limit = 0};
  expect_thrown(code, "list", [&] { store.list(all, limits); });
  expect_names(list(store, context, {}).objects, {"there"}, "what is there afterwards");
  expect(need(head_one(store, key), "head").etag == etag, "a call that ended early wrote");
}

void publish_ends(ObjectStore& store, Context& context, const CallLimits& limits, ErrorCode code) {
  const PutRequest part = request(context.key("s/1/a"), "a", Condition::absent());
  const PutRequest commit = request(context.key("s/1/step.json"), "root", Condition::absent());
  const PublishRequest step{
      .parts = {&part, 1}, .guard = Guard{context.key("roots/s"), {}}, .commit = commit};
  try {
    const PublishResult result = store.publish(step, limits);
    expect_number(result.parts.size(), 1, "outcomes of the parts");
    expect_code(result.parts[0], code, "the part");
    expect(!result.commit || !result.commit->ok(), "the commit was made");
  } catch (const StorageManagerError& error) {
    expect(error.code() == code, std::string("publish: thrown: ") + error.what());
  }
  expect_names(list(store, context, {}).objects, {}, "what is there afterwards");
}

void upload_ends(ObjectStore& store, Context& context, const CallLimits& limits, ErrorCode code) {
  const ObjectKey key = context.key("large");
  expect_thrown(code, "start_upload", [&] { store.start_upload(key, "", limits); });
  {
    const auto upload = store.start_upload(key, "", {});
    expect_thrown(code, "write", [&] { upload->write("piece", limits); });
  }
  {
    const auto upload = store.start_upload(key, "", {});
    upload->write("piece", {});
    expect_ended<ETag>(code, "finish", [&] {
      std::vector<Result<ETag>> outcome;
      outcome.push_back(upload->finish({}, limits));
      return outcome;
    });
  }
  expect_names(list(store, context, {}).objects, {}, "what is there afterwards");
}

void all_end(ObjectStore& store, Context& context, const CallLimits& limits, ErrorCode code) {
  publish_ends(store, context, limits, code);
  upload_ends(store, context, limits, code);
  items_end(store, context, limits, code);
}

void deadline(ObjectStore& store, Context& context) {
  all_end(store, context, late(), ErrorCode::Timeout);
}

void stop(ObjectStore& store, Context& context) {
  all_end(store, context, stopped(), ErrorCode::Cancelled);
}

void interrupt(ObjectStore& store, Context& context) {
  all_end(store, context, interrupted(), ErrorCode::Cancelled);
}

// Stopped means thrown: an item that says Cancelled could be taken for one that failed.
void stop_is_thrown(ObjectStore& store, Context& context) {
  const PutRequest item = request(context.key("a"), "x");
  expect_thrown(ErrorCode::Cancelled, "put", [&] { store.put({&item, 1}, stopped()); });
  const GetRequest read{.key = item.key, .range = {}, .if_match = {}};
  expect_thrown(ErrorCode::Cancelled, "get", [&] { store.get({&read, 1}, stopped()); });
}

void room_enough(ObjectStore& store, Context& context) {
  int asked = 0;
  std::stop_source source;
  // No deadline, so that a store with a clock of its own can be tested too.
  const CallLimits limits{.stop = source.get_token(), .interrupted = [&] { return ++asked < 0; }};
  const PutRequest item = request(context.key("a"), "x");
  need(std::move(store.put({&item, 1}, limits).at(0)), "put within its limits");
  expect_text(need(get_one(store, item.key, limits), "get").body.text(), "x", "read");
}

}  // namespace

Cases limit_cases() {
  return {
      {"LimitDeadline", "A call that is late ends with Timeout", Needs::create_if_absent, deadline},
      {"LimitStop", "A call that is stopped ends with Cancelled", Needs::create_if_absent, stop},
      {"LimitInterrupt", "A call that is interrupted ends with Cancelled", Needs::create_if_absent,
       interrupt},
      {"LimitStopIsThrown", "Being stopped ends the whole call", Needs::nothing, stop_is_thrown},
      {"LimitRoomEnough", "Limits that hold change nothing", Needs::nothing, room_enough},
  };
}

}  // namespace stepstore::conformance
