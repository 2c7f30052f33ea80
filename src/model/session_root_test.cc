// A session root keeps what this release does not know, so that an older release cannot wipe out a
// newer one's settings.
#include "model/session_root.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "stepstore/error.h"

namespace stepstore {
namespace {

TEST(SessionRoot, ComesBackAsItWasWritten) {
  SessionRoot root;
  root.generation = 7;
  root.held = true;
  root.held_steps = {"a", "b\"c"};
  root.write_id = "01ARYZ6S410000000000000000";
  const SessionRoot again = parse_session_root(to_json(root, "s"), "k");
  EXPECT_EQ(again.generation, 7U);
  EXPECT_TRUE(again.held);
  EXPECT_EQ(again.held_steps, root.held_steps);
  EXPECT_EQ(again.write_id, root.write_id);
  EXPECT_EQ(again.others, "");
}

TEST(SessionRoot, HoldsTheWholeSessionOrSingleSteps) {
  SessionRoot root;
  EXPECT_FALSE(root.holds_anything());
  root.held_steps = {"a"};
  EXPECT_TRUE(root.holds_step("a"));
  EXPECT_FALSE(root.holds_step("b"));
  EXPECT_TRUE(root.holds_anything());
  root.held = true;
  EXPECT_TRUE(root.holds_step("b"));
}

TEST(SessionRoot, KeepsMembersThatItDoesNotKnow) {
  const std::string text =
      R"({"format":"1.4","session":"s","generation":1,"write":"w","tags":{"a":[1,2]},"sealed":true})";
  const SessionRoot root = parse_session_root(text, "k");
  const auto again = nlohmann::json::parse(to_json(root, "s"));
  EXPECT_EQ(again["tags"], nlohmann::json::parse(R"({"a":[1,2]})"));
  EXPECT_EQ(again["sealed"], true);
}

TEST(SessionRoot, RefusesDamageAndNewerFormats) {
  EXPECT_THROW(parse_session_root("{}", "k"), Corrupt);
  EXPECT_THROW(parse_session_root("nonsense", "k"), Corrupt);
  EXPECT_THROW(parse_session_root(R"({"format":"1.0","generation":"1","write":"w"})", "k"),
               Corrupt);
  EXPECT_THROW(
      parse_session_root(R"({"format":"1.0","generation":1,"write":"w","holds":[1]})", "k"),
      Corrupt);
  EXPECT_THROW(parse_session_root(R"({"format":"2.0","generation":1,"write":"w"})", "k"),
               Unsupported);
}

}  // namespace
}  // namespace stepstore
