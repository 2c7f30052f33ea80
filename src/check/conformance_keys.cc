// Odd keys: whatever the layout can spell is stored under exactly that name.
#include <algorithm>

#include "check/conformance_support.h"

namespace stepstore::conformance {
namespace {

// Puts an object under each name, then finds every one by get, head and list.
void all_distinct(ObjectStore& store, Context& context, std::vector<std::string> names) {
  for (const std::string& name : names) {
    put(store, context.key(name), "body of " + name, Condition{});
  }
  for (const std::string& name : names) {
    expect_text(text_of(store, context.key(name)), "body of " + name, "object " + name);
    expect_text(need(head_one(store, context.key(name)), "head").key.text(), context.path(name),
                "key told by head");
  }
  std::ranges::sort(names);
  expect_names(list(store, context, {}).objects, names, "listing");
}

void alphabet(ObjectStore& store, Context& context) {
  const std::string plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-%~";
  std::vector<std::string> names = {plain};
  for (const char c : plain) {
    if (c != '.') names.push_back(std::string(1, c));
    names.push_back(std::string("x") + c);
    names.push_back(std::string(1, c) + "x");
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  // Case twins have a case of their own.
  all_distinct(store, context, names);
}

void percent_is_plain(ObjectStore& store, Context& context) {
  all_distinct(store, context,
               {"%2F", "%2f", "%252F", "a%2Fb", "%", "%%", "%zz", "a%20b", "%2E%2E", "+", "a+b"});
}

void odd_names(ObjectStore& store, Context& context) {
  all_distinct(
      store, context,
      {"two words", "50%", "a+b", "umlaut \u00e4", "emoji \U0001F600", "a&b", "what?", "h#1",
       "q=\"1\"", "<tag>", "semi;colon", "co:lon", "at@", "d,o", "back\\slash", "$", "'"});
}

void case_twins(ObjectStore& store, Context& context) {
  all_distinct(store, context, {"Step", "step", "STEP", "sTep/a", "Step.d/a", "STEP.D/a"});
}

void leading_dots(ObjectStore& store, Context& context) {
  all_distinct(store, context, {".a", "..a", "...", ".-", "a.", "a..", ".d/.e/.f", "-a", "~a"});
}

void long_segments(ObjectStore& store, Context& context) {
  const std::string a(254, 'a');
  all_distinct(store, context, {a + "x", a + "y", a, std::string(255, '~'), "d/" + a + "z"});
}

void long_keys(ObjectStore& store, Context& context) {
  const std::size_t room = context.key_bytes_max() - context.path("").size();
  std::string name;
  while (name.size() < room) name += std::string(49, 'k') + "/";
  name.resize(room);
  if (name.back() == '/') name.back() = 'k';
  std::string other = name;
  other.back() = 'm';
  all_distinct(store, context, {name, other});
}

void deep_keys(ObjectStore& store, Context& context) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "d/";
  all_distinct(store, context, {deep + "a", deep + "b", deep + "c/a", "d/a"});
}

void own_folder(ObjectStore& store, Context& context) {
  all_distinct(store, context, {".stepstore/x", ".stepstore/sessions/a.json", "s/.stepstore/x"});
}

// The layout keeps the session roots at the top of the store, where a store may keep files too.
void own_folder_at_the_top(ObjectStore& store, Context& context) {
  const std::string folder = ".stepstore/" + context.prefix();
  const ObjectKey key(folder + "/a.json");
  struct Remove {
    ObjectStore& store;
    const ObjectKey& key;
    ~Remove() {
      try {
        (void)remove_one(store, key);
      } catch (const StorageManagerError&) {
        // What the case found counts more.
      }
    }
  } afterwards{store, key};
  put(store, key, "root");
  expect_text(text_of(store, key), "root", "an object below .stepstore");
  const ListRequest below{
      .prefix = folder + "/", .delimited = false, .start_after = {}, .limit = 0};
  const auto listed = list_all(store, below);
  expect_number(listed.size(), 1, "objects listed below " + folder);
  expect_text(listed[0].key.text(), key.text(), "the key listed");
}

void bad_keys(ObjectStore&, Context&) {
  const std::vector<std::string> bad = {"",
                                        "/",
                                        "a/",
                                        "/a",
                                        "a//b",
                                        ".",
                                        "..",
                                        "a/./b",
                                        "../a",
                                        "a/..",
                                        "a\nb",
                                        std::string("a\0b", 3),
                                        "a\x7F",
                                        std::string(256, 'a'),
                                        std::string(1'025, 'a')};
  for (const std::string& text : bad) {
    bool refused = false;
    try {
      const ObjectKey key(text);
    } catch (const InvalidArgument&) {
      refused = true;
    }
    expect(refused, "this can be a key: " + shown(text));
  }
}

}  // namespace

Cases key_cases() {
  return {
      {"KeyAlphabet", "Every byte of the layout's alphabet is kept", Needs::nothing, alphabet},
      {"KeyPercent", "Percent signs are not decoded", Needs::nothing, percent_is_plain},
      {"KeyOdd", "Blanks, marks and letters of any script are kept", Needs::nothing, odd_names},
      {"KeyCaseTwins", "Keys that differ in case are different", Needs::nothing, case_twins},
      {"KeyDots", "Names may begin with a dot", Needs::nothing, leading_dots},
      {"KeyLongSegments", "Segments may have 255 bytes", Needs::nothing, long_segments},
      {"KeyLong", "Keys may be as long as they can be", Needs::nothing, long_keys},
      {"KeyDeep", "Keys may have a hundred segments", Needs::nothing, deep_keys},
      {"KeyOwnFolder", "Names below .stepstore are plain names", Needs::nothing, own_folder},
      {"KeyOwnFolderAtTheTop", "Session roots have room beside the store's own files",
       Needs::nothing, own_folder_at_the_top},
      {"KeyRefused", "Nobody can make a key that breaks a store", Needs::nothing, bad_keys},
  };
}

}  // namespace stepstore::conformance
