// The guard of publish(): what is found is told and judged, and the commit depends on it.
#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

PublishResult publish(ObjectStore& store, Context& context, Guard guard) {
  const PutRequest part = request(context.key("s/1/part"), "part");
  const PutRequest commit = request(context.key("s/1/step.json"), "root");
  return store.publish({.parts = {&part, 1}, .guard = std::move(guard), .commit = commit}, {});
}

void expect_committed(ObjectStore& store, Context& context, const PublishResult& result) {
  expect(result.guard_held, "the guard did not hold");
  expect(result.commit.has_value(), "the commit was not tried");
  need(*result.commit, "the commit");
  expect_text(text_of(store, context.key("s/1/step.json")), "root", "the commit");
}

void expect_refused(ObjectStore& store, Context& context, const PublishResult& result) {
  expect(!result.guard_held, "the guard held");
  expect(!result.commit.has_value(), "the commit was tried though the guard did not hold");
  expect(!exists(store, context.key("s/1/step.json")), "there is a commit");
}

void absent(ObjectStore& store, Context& context) {
  const auto result = publish(store, context, {.key = context.key("roots/s"), .holds = {}});
  expect_committed(store, context, result);
  expect(!result.guard.has_value(), "an absent guard was found");
}

void absent_but_there(ObjectStore& store, Context& context) {
  const ETag etag = put(store, context.key("roots/s"), "held");
  const auto result = publish(store, context, {.key = context.key("roots/s"), .holds = {}});
  expect_refused(store, context, result);
  expect(result.guard.has_value(), "the guard's object is not told");
  expect_text(result.guard->body.text(), "held", "the guard's bytes");
  expect_text(result.guard->info.key.text(), context.path("roots/s"), "the guard's key");
  expect_text(result.guard->info.etag.text(), etag.text(), "the guard's ETag");
  expect_number(result.guard->info.size, 4, "the guard's size");
}

void judged(ObjectStore& store, Context& context) {
  const ETag etag = put(store, context.key("roots/s"), "generation 3");
  std::string seen;
  const auto holds = [&](const Object* found) {
    seen = found ? found->info.key.text() + ": " + std::string(found->body.text()) : "nothing";
    return found && found->body.text() == "generation 3" && found->info.etag == etag;
  };
  const auto result = publish(store, context, {.key = context.key("roots/s"), .holds = holds});
  expect_text(seen, context.path("roots/s") + ": generation 3", "what the judgement was given");
  expect_committed(store, context, result);
  expect(result.guard.has_value(), "the guard's object is not told");
  expect_text(result.guard->body.text(), "generation 3", "the guard's bytes");
}

void judged_false(ObjectStore& store, Context& context) {
  put(store, context.key("roots/s"), "generation 4");
  const auto holds = [](const Object* found) {
    return found && found->body.text() == "generation 3";
  };
  const auto result = publish(store, context, {.key = context.key("roots/s"), .holds = holds});
  expect_refused(store, context, result);
  expect(result.guard.has_value(), "the guard's object is not told");
  expect_text(result.guard->body.text(), "generation 4", "the guard's bytes");
}

void judged_missing(ObjectStore& store, Context& context) {
  bool asked = false, given = false;
  const auto tolerant = [&](const Object* found) {
    asked = true;
    given = found != nullptr;
    return true;
  };
  expect_committed(store, context,
                   publish(store, context, {.key = context.key("roots/s"), .holds = tolerant}));
  expect(asked, "the judgement was not asked");
  expect(!given, "the judgement was given an object that is not there");
  remove(store, context.key("s/1/step.json"));
  const auto strict = [](const Object* found) { return found != nullptr; };
  expect_refused(store, context,
                 publish(store, context, {.key = context.key("roots/s"), .holds = strict}));
}

void as_it_is_now(ObjectStore& store, Context& context) {
  const ObjectKey key = context.key("roots/s");
  const auto open = [](const Object* found) { return !found || found->body.text() == "open"; };
  expect_committed(store, context, publish(store, context, {.key = key, .holds = open}));
  remove(store, context.key("s/1/step.json"));
  put(store, key, "shut");
  expect_refused(store, context, publish(store, context, {.key = key, .holds = open}));
  put(store, key, "open");
  expect_committed(store, context, publish(store, context, {.key = key, .holds = open}));
  remove(store, context.key("s/1/step.json"));
  put(*context.reopen(store), key, "shut");
  expect_refused(store, context, publish(store, context, {.key = key, .holds = open}));
}

void left_alone(ObjectStore& store, Context& context) {
  const ETag etag = put(store, context.key("roots/s"), "root");
  const auto any = [](const Object*) { return true; };
  expect_committed(store, context,
                   publish(store, context, {.key = context.key("roots/s"), .holds = any}));
  expect(need(head_one(store, context.key("roots/s")), "head").etag == etag,
         "publishing changed its guard");
}

}  // namespace

Cases guard_cases() {
  return {
      {"GuardAbsent", "An absent guard holds when absence is asked for", Needs::nothing, absent},
      {"GuardAbsentButThere", "An object where there should be none stops the commit",
       Needs::nothing, absent_but_there},
      {"GuardJudged", "The judgement is given the guard's object", Needs::nothing, judged},
      {"GuardJudgedFalse", "A guard that does not hold stops the commit", Needs::nothing,
       judged_false},
      {"GuardJudgedMissing", "The judgement is given null for a missing object", Needs::nothing,
       judged_missing},
      {"GuardAsItIsNow", "The guard is read anew by each publish", Needs::nothing, as_it_is_now},
      {"GuardLeftAlone", "Publishing does not touch its guard", Needs::nothing, left_alone},
  };
}

}  // namespace stepstore::conformance
