// Keys are injective, reversible, stay where they belong, and are plain where the ids are plain.
#include "layout/keys.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "model/text.h"

namespace stepstore {
namespace {

const std::string kUlid = "01ARYZ6S410000000000000000";

// Ids that have broken other stores: separators, dots, control characters, 4-byte UTF-8, case
// twins, reserved names.
const std::vector<std::string> kOddIds = {"a/b",
                                          "a\\b",
                                          "/",
                                          "..",
                                          ".",
                                          ".hidden",
                                          "a..b",
                                          "a.",
                                          "-",
                                          "_",
                                          "~",
                                          "a~1",
                                          "%",
                                          "%2F",
                                          "%2f",
                                          "a b",
                                          " ",
                                          "+",
                                          "a?b#c&d=e",
                                          "\x01",
                                          "\x7f",
                                          "\n",
                                          "\r\n",
                                          "\t",
                                          "login",
                                          "LOGIN",
                                          "Login",
                                          "\xc3\xa4",
                                          "a\xcc\x88",
                                          "\xf0\x9f\x98\x80",
                                          "\xef\xbf\xbf",
                                          "step.json",
                                          ".stepstore",
                                          "versions",
                                          "con",
                                          "nul",
                                          "a:b",
                                          "*",
                                          "\"",
                                          "'",
                                          "<a>",
                                          "|",
                                          std::string("a\0b", 3),
                                          "observation.html"};

// Any valid UTF-8 text, with a liking for the odd ones.
rc::Gen<std::string> any_id() {
  const auto odd = rc::gen::elementOf(kOddIds);
  const auto plain =
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("abzAZ019._-~%/ \n\x01")));
  return rc::gen::suchThat(
      rc::gen::apply([](const std::string& a, const std::string& b) { return a + b; },
                     rc::gen::oneOf(odd, plain), rc::gen::oneOf(odd, plain)),
      [](const std::string& id) { return !id.empty() && id.size() < 60; });
}

bool is_safe_segment(const std::string& segment) {
  return !segment.empty() && segment[0] != '.' && segment.size() <= 255 &&
         segment.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             "._-%") == std::string::npos;
}

TEST(EncodeId, LeavesPlainIdsAsTheyAre) {
  for (const char* id : {"login-test", "0001", "step_0000", "v1.2", "A-Z.a_z", "a..b"}) {
    EXPECT_EQ(encode_id(id, "session_id"), id);
  }
}

TEST(EncodeId, WritesEverythingElseAsBytes) {
  EXPECT_EQ(encode_id("a/b", "x"), "a%2Fb");
  EXPECT_EQ(encode_id("..", "x"), "%2E.");
  EXPECT_EQ(encode_id(".stepstore", "x"), "%2Estepstore");
  EXPECT_EQ(encode_id("a~1", "x"), "a%7E1");
  EXPECT_EQ(encode_id("100%", "x"), "100%25");
  EXPECT_EQ(encode_id("\xf0\x9f\x98\x80", "x"), "%F0%9F%98%80");
}

// [G60]
RC_GTEST_PROP(EncodeId, IsReversibleAndSafe, ()) {
  const std::string id = *any_id();
  const std::string segment = encode_id(id, "session_id");
  RC_ASSERT(is_safe_segment(segment));
  RC_ASSERT(decode_id(segment) == id);
}

RC_GTEST_PROP(EncodeId, IsInjective, ()) {
  const std::string a = *any_id();
  const std::string b = *any_id();
  RC_ASSERT((a == b) == (encode_id(a, "x") == encode_id(b, "x")));
}

TEST(EncodeId, TellsTheOddIdsApart) {
  std::set<std::string> segments;
  for (const std::string& id : kOddIds) {
    EXPECT_TRUE(segments.insert(encode_id(id, "x")).second) << id;
    EXPECT_TRUE(is_safe_segment(encode_id(id, "x"))) << id;
    EXPECT_EQ(decode_id(encode_id(id, "x")), id);
  }
}

RC_GTEST_PROP(EncodeId, KeepsPrefixes, ()) {
  const std::string id = *any_id();
  const std::string prefix = *any_id();
  const bool begins = id.starts_with(prefix);
  RC_ASSERT(begins == encode_id(id, "x").starts_with(encode_id_prefix(prefix, "prefix")));
}

TEST(EncodeId, AllowsTwoHundredBytesAndNoMore) {
  EXPECT_EQ(encode_id(std::string(200, 'a'), "x").size(), 200U);
  EXPECT_THROW(encode_id(std::string(201, 'a'), "x"), InvalidArgument);
  EXPECT_NO_THROW(encode_id(std::string(66, '/'), "x"));
  EXPECT_THROW(encode_id(std::string(67, '/'), "x"), InvalidArgument);
}

TEST(EncodeId, RefusesWhatIsNoId) {
  for (const char* bad : {"", "\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"}) {
    EXPECT_THROW(encode_id(bad, "session_id"), InvalidArgument) << bad;
  }
}

TEST(DecodeId, AcceptsOnlyWhatEncodeMakes) {
  for (const char* segment :
       {"", ".", "..", ".hidden", "a b", "%2f", "%41", "%", "%2", "a%FF", "a~1", "\xc3\xa4"}) {
    EXPECT_FALSE(decode_id(segment)) << segment;
  }
}

// Goal: no name that a user gives takes the place of a file that stepstore writes, of any
// component.
TEST(ComponentNames, CannotTakeThePlaceOfOurFiles) {
  std::set<std::string> ours = {"step.json", "versions"};
  for (const auto& [name, type] :
       std::vector<std::pair<std::string, std::string>>{{"html", "text/html"},
                                                        {"screenshot", "image/png"},
                                                        {"screenshot", "image/jpeg"},
                                                        {"screenshot", "image/webp"},
                                                        {"screenshot", ""},
                                                        {"action", ""},
                                                        {"metadata", ""}}) {
    ours.insert(plain_file(name, type));
    ours.insert(unique_file(plain_file(name, type), kUlid));
  }
  for (const std::string& file : ours) {
    const std::string encoded = encode_component_name(file);
    EXPECT_FALSE(ours.contains(encoded)) << file;
    EXPECT_EQ(decode_component_name(encoded), file);
  }
  for (const char* name : {"html", "screenshot", "action", "metadata", ""}) {
    EXPECT_THROW(encode_component_name(name), InvalidArgument) << name;
  }
}

RC_GTEST_PROP(ComponentNames, AreReversibleAndSafe, ()) {
  const std::string name = *any_id();
  RC_PRE(!is_reserved_name(name) && name.size() < 50);
  const std::string file = encode_component_name(name);
  RC_ASSERT(is_safe_segment(file));
  RC_ASSERT(decode_component_name(file) == name);
}

TEST(ComponentNames, AllowOneHundredAndFiftyBytes) {
  EXPECT_NO_THROW(encode_component_name(std::string(150, 'a')));
  EXPECT_THROW(encode_component_name(std::string(151, 'a')), InvalidArgument);
  EXPECT_LE(unique_file(encode_component_name(std::string(150, 'a')), kUlid).size(), 255U);
}

TEST(Folders, CarryTheGenerationBehindATilde) {
  EXPECT_EQ(session_folder("login", 0), "login");
  EXPECT_EQ(session_folder("login", 12), "login~12");
  EXPECT_EQ(step_folder("log/in", 1, ".x"), "log%2Fin~1/%2Ex");
  const auto folder = parse_session_folder("log%2Fin~12");
  ASSERT_TRUE(folder);
  EXPECT_EQ(folder->session_id, "log/in");
  EXPECT_EQ(folder->generation, 12U);
  for (const char* bad : {"login~", "login~0", "login~01", "login~-1", "login~1x", "login~1~2",
                          "~1", "login~99999999999999999999", ".stepstore"}) {
    EXPECT_FALSE(parse_session_folder(bad)) << bad;
  }
}

TEST(Keys, AreSpelledAsTheFormatSays) {
  EXPECT_EQ(manifest_key("s/1").text(), "s/1/step.json");
  EXPECT_EQ(session_root_key("log/in").text(), ".stepstore/sessions/log%2Fin.json");
  EXPECT_EQ(format_marker_key().text(), ".stepstore/format.json");
  EXPECT_EQ(unique_file("observation.html", kUlid), "observation." + kUlid + ".html");
  EXPECT_EQ(unique_file("har", kUlid), "har." + kUlid);
  EXPECT_EQ(version_copy_file(3, kUlid), "versions/3-" + kUlid + ".json");
}

TEST(ParseKey, TellsWhatAnObjectIs) {
  EXPECT_EQ(parse_key("s/1/step.json").role, FileRole::manifest);
  EXPECT_EQ(parse_key("s~2/1/observation.html").role, FileRole::component);
  EXPECT_EQ(parse_key("s/1/observation." + kUlid + ".html").role, FileRole::component);
  EXPECT_EQ(parse_key("s/1/trace.zip").role, FileRole::component);
  EXPECT_EQ(parse_key("s/1/versions/3-" + kUlid + ".json").role, FileRole::version_copy);
  for (const char* key : {"x", "s/x", "s/1/versions/3.json", "s/1/.t-x", "s/1/a/b",
                          "s/1/step.other", "a b/1/step.json", "s/a b/step.json"}) {
    EXPECT_EQ(parse_key(key).role, FileRole::foreign) << key;
  }
}

// No key is a "/"-prefix of another: several servers and every file system break otherwise.
RC_GTEST_PROP(Keys, AreNoPrefixOfEachOther, ()) {
  const std::string folder =
      step_folder(*any_id(), *rc::gen::inRange<std::uint64_t>(0, 3), *any_id());
  const std::vector<std::string> keys = {
      manifest_key(folder).text(), in_folder(folder, plain_file("html", "")).text(),
      in_folder(folder, version_copy_file(1, kUlid)).text(), session_root_key(*any_id()).text()};
  for (const std::string& a : keys) {
    for (const std::string& b : keys) RC_ASSERT(!b.starts_with(a + "/"));
  }
}

}  // namespace
}  // namespace stepstore
