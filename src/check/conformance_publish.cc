// publish(): all parts, then the commit, and what it tells when something is in the way.
#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

struct Step {
  std::vector<PutRequest> parts;
  PutRequest commit;
  std::optional<Guard> guard{};

  PublishResult publish(ObjectStore& store) const {
    PublishResult result =
        store.publish({.parts = parts, .guard = guard, .commit = commit}, CallLimits{});
    expect_number(result.parts.size(), parts.size(), "outcomes of the parts");
    return result;
  }
};

Step step(Context& context, const std::string& folder, const char* text) {
  return {.parts = {request(context.key(folder + "/observation.html"), text, Condition::absent()),
                    request(context.key(folder + "/screenshot.png"), text, Condition::absent()),
                    request(context.key(folder + "/action.json"), text, Condition::absent())},
          .commit = request(context.key(folder + "/step.json"), text, Condition::absent())};
}

void expect_done(const PublishResult& result, const std::string& what) {
  for (const auto& part : result.parts) need(part, "a part of " + what);
  expect(result.guard_held, "the guard of " + what + " did not hold");
  expect(result.commit.has_value(), "the commit of " + what + " was not tried");
  need(*result.commit, "the commit of " + what);
}

const std::vector<std::string> kStepNames = {"s/1/action.json", "s/1/observation.html",
                                             "s/1/screenshot.png", "s/1/step.json"};

void everything_is_there(ObjectStore& store, Context& context) {
  const Step first = step(context, "s/1", "bytes");
  const PublishResult result = first.publish(store);
  expect_done(result, "a first step");
  expect_names(list(store, context, {}).objects, kStepNames, "listing");
  for (const std::string& name : kStepNames) {
    expect_text(text_of(store, context.key(name)), "bytes", name);
  }
  for (std::size_t i = 0; i < first.parts.size(); ++i) {
    expect_text(need(head_one(store, first.parts[i].key), "head").etag.text(),
                need(result.parts[i], "part").text(), "ETag told of a part");
  }
  expect_text(need(head_one(store, first.commit.key), "head").etag.text(),
              need(*result.commit, "commit").text(), "ETag told of the commit");
}

void one_part_or_none(ObjectStore& store, Context& context) {
  Step one = step(context, "s/1", "x");
  one.parts.resize(1, one.commit);
  expect_done(one.publish(store), "a step of one part");
  Step none = step(context, "s/2", "x");
  none.parts.clear();
  expect_done(none.publish(store), "a step without parts");
  expect_names(list(store, context, {}).objects,
               {"s/1/observation.html", "s/1/step.json", "s/2/step.json"}, "listing");
}

void large_and_empty_parts(ObjectStore& store, Context& context) {
  const std::string large = context.bytes(2'000'000);
  Step mixed = step(context, "s/1", "");
  mixed.parts[1].body = large;
  mixed.commit.body = "root";
  expect_done(mixed.publish(store), "a step with a large and empty parts");
  expect_text(text_of(store, mixed.parts[0].key), "", "the empty part");
  expect_text(text_of(store, mixed.parts[1].key), large, "the large part");
}

void taken_part(ObjectStore& store, Context& context) {
  put(store, context.key("s/1/screenshot.png"), "older");
  const Step late = step(context, "s/1", "newer");
  const PublishResult result = late.publish(store);
  need(result.parts[0], "the first part");
  expect_code(result.parts[1], ErrorCode::AlreadyExists, "the taken part");
  need(result.parts[2], "the third part");
  expect(!result.commit.has_value(), "the commit was tried though a part was refused");
  expect(!exists(store, late.commit.key), "there is a commit though a part was refused");
  expect_text(text_of(store, late.parts[1].key), "older", "the taken part's object");
}

void taken_commit(ObjectStore& store, Context& context) {
  put(store, context.key("s/1/step.json"), "older");
  const PublishResult result = step(context, "s/1", "newer").publish(store);
  for (const auto& part : result.parts) need(part, "a part");
  expect(result.commit.has_value(), "the commit was not tried");
  expect_code(*result.commit, ErrorCode::AlreadyExists, "the commit");
  expect_text(text_of(store, context.key("s/1/step.json")), "older", "the commit that was there");
}

void into_a_folder(ObjectStore& store, Context& context) {
  put(store, context.key("s/1/other"), "stays");
  put(store, context.key("s/0/step.json"), "stays");
  expect_done(step(context, "s/1", "new").publish(store), "a step in a folder that is there");
  expect_text(text_of(store, context.key("s/1/other")), "stays", "what was there");
  expect_text(text_of(store, context.key("s/0/step.json")), "stays", "the neighbour");
}

void after_a_remove(ObjectStore& store, Context& context) {
  for (int i = 0; i < 3; ++i) {
    expect_done(step(context, "s/1", "x").publish(store), "a step made again");
    for (const std::string& name : kStepNames) remove(store, context.key(name));
    expect_names(list(store, context, {}).all, {}, "after removing the step");
  }
}

void part_below(ObjectStore& store, Context& context) {
  Step deep = step(context, "s/1", "x");
  deep.parts.push_back(request(context.key("s/1/versions/1-a.json"), "v", Condition::absent()));
  deep.parts.push_back(request(context.key("s/1/a/b/c"), "c", Condition::absent()));
  expect_done(deep.publish(store), "a step with folders");
  expect_text(text_of(store, context.key("s/1/versions/1-a.json")), "v", "a part below");
  expect_text(text_of(store, context.key("s/1/a/b/c")), "c", "a part far below");
}

void part_elsewhere(ObjectStore& store, Context& context) {
  Step far = step(context, "s/1", "x");
  far.parts.push_back(request(context.key("due/2026/s~1"), "mark"));
  far.parts.push_back(request(context.key("s/other"), "o", Condition::absent()));
  expect_done(far.publish(store), "a step with parts in other folders");
  expect_text(text_of(store, context.key("due/2026/s~1")), "mark", "the part elsewhere");
  expect_text(text_of(store, context.key("s/other")), "o", "the part above");
}

void swap_commit(ObjectStore& store, Context& context) {
  const ETag old = need(*step(context, "s/1", "one").publish(store).commit, "first commit");
  Step next{.parts = {request(context.key("s/1/observation.2.html"), "two", Condition::absent())},
            .commit = request(context.key("s/1/step.json"), "two", Condition::unchanged(old))};
  expect_done(next.publish(store), "a swap");
  expect_text(text_of(store, next.commit.key), "two", "the swapped commit");
  Step late{.parts = {request(context.key("s/1/observation.3.html"), "3", Condition::absent())},
            .commit = request(context.key("s/1/step.json"), "three", Condition::unchanged(old))};
  const PublishResult refused = late.publish(store);
  need(refused.parts[0], "the part of a refused swap");
  expect(refused.commit.has_value(), "the stale swap was not tried");
  expect_code(*refused.commit, ErrorCode::Conflict, "a stale swap");
  expect_text(text_of(store, late.commit.key), "two", "after the refusal");
}

void swap_missing_commit(ObjectStore& store, Context& context) {
  const ETag etag = put(store, context.key("s/0"), "x");
  Step late = step(context, "s/1", "x");
  late.commit.condition = Condition::unchanged(etag);
  const PublishResult refused = late.publish(store);
  expect(refused.commit.has_value(), "the swap was not tried");
  expect_code(*refused.commit, ErrorCode::Conflict, "a swap of a missing commit");
  expect(!exists(store, late.commit.key), "a refused swap made the commit");
}

void conditional_parts(ObjectStore& store, Context& context) {
  const ETag etag = put(store, context.key("s/1/observation.html"), "old");
  put(store, context.key("s/1/screenshot.png"), "old");
  Step mixed = step(context, "s/1", "new");
  mixed.parts[0].condition = Condition::unchanged(etag);
  mixed.parts[1].condition = {};
  expect_done(mixed.publish(store), "a step with parts of every condition");
  expect_text(text_of(store, mixed.parts[0].key), "new", "the swapped part");
  expect_text(text_of(store, mixed.parts[1].key), "new", "the overwritten part");

  Step stale{
      .parts = {request(context.key("s/1/observation.html"), "3", Condition::unchanged(etag))},
      .commit = request(context.key("s/1/other.json"), "3")};
  const PublishResult refused = stale.publish(store);
  expect_code(refused.parts[0], ErrorCode::Conflict, "a stale part");
  expect(!refused.commit.has_value(), "the commit was tried though a part was stale");
}

void unconditional_commit(ObjectStore& store, Context& context) {
  for (const char* const text : {"one", "two"}) {
    Step plain = step(context, "s/1", text);
    for (PutRequest& part : plain.parts) part.condition = {};
    plain.commit.condition = {};
    expect_done(plain.publish(store), "an unconditional step");
    expect_text(text_of(store, plain.parts[2].key), text, "a part");
    expect_text(text_of(store, plain.commit.key), text, "the commit");
  }
}

}  // namespace

Cases publish_cases() {
  return {
      {"PublishEverything", "All objects are there, with their ETags", Needs::create_if_absent,
       everything_is_there},
      {"PublishFewParts", "A step may have one part or none", Needs::create_if_absent,
       one_part_or_none},
      {"PublishLargeAndEmptyParts", "Parts have any size", Needs::create_if_absent,
       large_and_empty_parts},
      {"PublishTakenPart", "A taken part is told and stops the commit", Needs::create_if_absent,
       taken_part},
      {"PublishTakenCommit", "A taken commit is refused", Needs::create_if_absent, taken_commit},
      {"PublishIntoAFolder", "Other objects of the folder stay", Needs::create_if_absent,
       into_a_folder},
      {"PublishAfterARemove", "A removed step can be made again", Needs::create_if_absent,
       after_a_remove},
      {"PublishPartBelow", "Parts may lie in folders of the step", Needs::create_if_absent,
       part_below},
      {"PublishPartElsewhere", "Parts may lie anywhere", Needs::create_if_absent, part_elsewhere},
      {"PublishSwap", "A commit may be a swap", Needs::swap_if_unchanged, swap_commit},
      {"PublishSwapMissing", "A missing commit is not swapped", Needs::swap_if_unchanged,
       swap_missing_commit},
      {"PublishConditionalParts", "Each part has its condition", Needs::swap_if_unchanged,
       conditional_parts},
      {"PublishUnconditional", "A commit may have no condition", Needs::nothing,
       unconditional_commit},
  };
}

}  // namespace stepstore::conformance
