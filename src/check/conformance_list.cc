// Listings: which names are told, in which order, and from where.
#include <algorithm>
#include <set>

#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

void put_all(ObjectStore& store, Context& context, const std::vector<std::string>& names) {
  std::vector<PutRequest> items;
  for (const std::string& name : names) items.push_back(request(context.key(name), "x"));
  for (auto& outcome : store.put(items, {})) need(std::move(outcome), "put");
}

void order_by_bytes(ObjectStore& store, Context& context) {
  // '-' and '.' come before '/', '0' comes after it; a directory tree sorts otherwise.
  put_all(store, context, {"b", "a/x", "a0", "a.x", "a-x", "a/-", "B", "a~", "_", "a-/y", "%41"});
  expect_names(list(store, context, {}).objects,
               {"%41", "B", "_", "a-/y", "a-x", "a.x", "a/-", "a/x", "a0", "a~", "b"}, "listing");
}

void order_of_prefixes(ObjectStore& store, Context& context) {
  put_all(store, context, {"a/x", "a-/x", "a.d/x", "a0b/x", "a-b", "a.x", "a0", "ab"});
  const Names names = list(store, context, {.delimited = true});
  expect_names(names.all, {"a-/", "a-b", "a.d/", "a.x", "a/", "a0", "a0b/", "ab"}, "listing");
}

void by_prefix(ObjectStore& store, Context& context) {
  put_all(store, context, {"a/1", "a/2", "ab/1", "b/1"});
  expect_names(list(store, context, {.prefix = "a/"}).objects, {"a/1", "a/2"}, "prefix 'a/'");
  expect_names(list(store, context, {.prefix = "a/2"}).objects, {"a/2"}, "a whole key");
}

void prefix_inside_a_segment(ObjectStore& store, Context& context) {
  put_all(store, context, {"step-1/a", "step-10/a", "step-2/a", "step", "other"});
  expect_names(list(store, context, {.prefix = "step-1"}).objects, {"step-1/a", "step-10/a"},
               "prefix 'step-1'");
  expect_names(list(store, context, {.prefix = "step-1", .delimited = true}).prefixes,
               {"step-1/", "step-10/"}, "prefix 'step-1', delimited");
  expect_names(list(store, context, {.prefix = "step", .delimited = true}).all,
               {"step", "step-1/", "step-10/", "step-2/"}, "prefix 'step', delimited");
}

void prefix_without_match(ObjectStore& store, Context& context) {
  put_all(store, context, {"a/1", "c/1"});
  for (const char* const prefix : {"b", "b/", "a/1/", "a/10", "a/1/2/3", "zz/top"}) {
    const std::string what = std::string("prefix '") + prefix + "'";
    expect_names(list(store, context, {.prefix = prefix}).all, {}, what);
    expect_names(list(store, context, {.prefix = prefix, .delimited = true}).all, {}, what);
  }
}

void delimited(ObjectStore& store, Context& context) {
  put_all(store, context, {"a", "b/1", "b/2", "b/c/3", "d/e/f/4", "g"});
  const Names top = list(store, context, {.delimited = true});
  expect_names(top.objects, {"a", "g"}, "objects at the top");
  expect_names(top.prefixes, {"b/", "d/"}, "prefixes at the top");
  const Names below = list(store, context, {.prefix = "b/", .delimited = true});
  expect_names(below.objects, {"b/1", "b/2"}, "objects below b/");
  expect_names(below.prefixes, {"b/c/"}, "prefixes below b/");
}

void start_after(ObjectStore& store, Context& context) {
  put_all(store, context, {"b", "d", "f"});
  const auto from = [&](const char* start) {
    return list(store, context, {.start_after = start}).objects;
  };
  expect_names(from("a"), {"b", "d", "f"}, "before all");
  expect_names(from("b"), {"d", "f"}, "at a key");
  expect_names(from("c"), {"d", "f"}, "between keys");
  expect_names(from("b0"), {"d", "f"}, "just behind a key");
  expect_names(from("f"), {}, "at the last key");
  expect_names(from("g"), {}, "behind all");
}

void start_after_and_prefix(ObjectStore& store, Context& context) {
  put_all(store, context, {"a/1", "b/1", "b/2", "b/3", "c/1"});
  const auto from = [&](const char* start) {
    return list(store, context, {.prefix = "b/", .start_after = start}).objects;
  };
  expect_names(from("a/1"), {"b/1", "b/2", "b/3"}, "a start before the prefix");
  expect_names(from("b/"), {"b/1", "b/2", "b/3"}, "a start at the prefix");
  expect_names(from("b/1"), {"b/2", "b/3"}, "a start below the prefix");
  expect_names(from("b/3/x"), {}, "a start behind the last key");
  expect_names(from("c"), {}, "a start behind the prefix");
}

void start_after_delimited(ObjectStore& store, Context& context) {
  put_all(store, context, {"a/1", "a/2", "b", "c/1", "c0", "d/1"});
  const auto from = [&](const char* start) {
    return list(store, context, {.delimited = true, .start_after = start}).all;
  };
  expect_names(from("a"), {"a/", "b", "c/", "c0", "d/"}, "before a prefix");
  expect_names(from("a/"), {"b", "c/", "c0", "d/"}, "at a prefix");
  expect_names(from("a/1"), {"b", "c/", "c0", "d/"}, "below a prefix, which is not greater");
  expect_names(from("a0"), {"b", "c/", "c0", "d/"}, "just behind a prefix");
  expect_names(from("c/"), {"c0", "d/"}, "at a prefix with a neighbour");
  expect_names(from("d0"), {}, "behind all");
}

void sizes_are_told(ObjectStore& store, Context& context) {
  put(store, context.key("a"), "");
  put(store, context.key("b"), "12345");
  put(store, context.key("c/d"), std::string(70'000, 'x'));
  const ListRequest all{
      .prefix = context.path(""), .delimited = false, .start_after = {}, .limit = 0};
  for (const ObjectInfo& listed : list_all(store, all)) {
    const ObjectInfo head = need(head_one(store, listed.key), "head");
    expect_number(listed.size, head.size, "size listed of " + listed.key.text());
    expect_text(listed.etag.text(), head.etag.text(), "ETag listed of " + listed.key.text());
    expect(listed.modified == head.modified, "list and head tell different times");
  }
}

void immediate(ObjectStore& store, Context& context) {
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) {
    names.push_back("d" + std::to_string(i / 7) + "/" + std::to_string(100 + i));
    put(store, context.key(names.back()), "x");
    expect_names(list(store, context, {}).objects, names, "listing after a put");
  }
  while (!names.empty()) {
    remove(store, context.key(names.front()));
    names.erase(names.begin());
    expect_names(list(store, context, {}).objects, names, "listing after a remove");
  }
}

void no_empty_folders(ObjectStore& store, Context& context) {
  put_all(store, context, {"a/b/c/1", "a/b/2", "d/1"});
  remove(store, context.key("a/b/c/1"));
  expect_names(list(store, context, {.prefix = "a/b/", .delimited = true}).all, {"a/b/2"},
               "below a/b/ after its folder c has been emptied");
  remove(store, context.key("a/b/2"));
  expect_names(list(store, context, {.delimited = true}).all, {"d/"}, "at the top");
  expect_names(list(store, context, {.prefix = "a/", .delimited = true}).all, {}, "below a/");
}

// What a listing of the names must tell, by the contract's words.
std::vector<std::string> told(const std::set<std::string>& names, const Listing& listing) {
  std::set<std::string> all;
  for (const std::string& name : names) {
    if (!name.starts_with(listing.prefix)) continue;
    const std::size_t slash =
        listing.delimited ? name.find('/', listing.prefix.size()) : std::string::npos;
    std::string entry = slash == std::string::npos ? name : name.substr(0, slash + 1);
    if (entry > listing.start_after) all.insert(std::move(entry));
  }
  return {all.begin(), all.end()};
}

void random_trees(ObjectStore& store, Context& context) {
  const std::vector<std::string> folders = {"a/", "a-/", "a./", "a0/", "b/a/", "b/a-/", ""};
  const std::vector<std::string> leaves = {"x", "x-", "x.y", "x0", "y", "z~"};
  const auto name = [&] {
    return folders[context.below(folders.size())] + leaves[context.below(leaves.size())];
  };
  std::set<std::string> names;
  for (std::size_t i = 0; i < 20; ++i) names.insert(name());
  put_all(store, context, {names.begin(), names.end()});
  for (std::size_t i = 0; i < context.rounds() * 4; ++i) {
    const std::string prefix = name();
    Listing listing{.prefix = prefix.substr(0, context.below(prefix.size())),
                    .delimited = context.below(2) == 0,
                    .start_after = context.below(2) == 0 ? "" : name(),
                    .limit = context.below(4)};
    if (context.below(4) == 0) listing.start_after += "/";
    expect_names(list(store, context, listing).all, told(names, listing),
                 "prefix '" + listing.prefix + "', start '" + listing.start_after + "', limit " +
                     std::to_string(listing.limit) + (listing.delimited ? ", delimited" : ""));
  }
}

}  // namespace

Cases list_cases() {
  return {
      {"ListOrder", "Keys are told by their bytes", Needs::nothing, order_by_bytes},
      {"ListOrderOfPrefixes", "Prefixes have their place among the keys", Needs::nothing,
       order_of_prefixes},
      {"ListPrefix", "Only what begins with the prefix is told", Needs::nothing, by_prefix},
      {"ListPrefixInsideSegment", "A prefix may end in a name", Needs::nothing,
       prefix_inside_a_segment},
      {"ListPrefixWithoutMatch", "Nothing there is no error", Needs::nothing, prefix_without_match},
      {"ListDelimited", "What lies deeper is told once", Needs::nothing, delimited},
      {"ListStartAfter", "A listing starts anywhere", Needs::nothing, start_after},
      {"ListStartAfterAndPrefix", "The start may lie outside", Needs::nothing,
       start_after_and_prefix},
      {"ListStartAfterDelimited", "A start at or in a prefix leaves it out", Needs::nothing,
       start_after_delimited},
      {"ListTellsInfo", "list and head tell the same", Needs::nothing, sizes_are_told},
      {"ListIsImmediate", "Puts and removes are listed at once", Needs::nothing, immediate},
      {"ListNoEmptyFolders", "Emptied folders are gone", Needs::nothing, no_empty_folders},
      {"ListRandomTrees", "Listings agree with the contract's words", Needs::nothing, random_trees},
  };
}

}  // namespace stepstore::conformance
