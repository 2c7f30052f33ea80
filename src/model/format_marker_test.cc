// format.json keeps what was found out about a bucket, and what this release does not know.
#include "model/format_marker.h"

#include <gtest/gtest.h>

#include "stepstore/error.h"

namespace stepstore {
namespace {

BucketProbe some_probe() {
  return {.probed_at = Timestamp(std::chrono::milliseconds(1'795'000'000'125)),
          .versioning = BucketProbe::Versioning::suspended,
          .create_if_absent = false,
          .bare_etags = true,
          .complete_if_absent = false};
}

TEST(FormatMarker, ComesBackAsItWasWritten) {
  EXPECT_EQ(to_json(FormatMarker{}),
            "{\n\"format\":\"1.0\",\n\"reader_min\":1,\n\"writer_min\":1\n}\n");
  EXPECT_FALSE(parse_format_marker(to_json(FormatMarker{}), "k").probe.has_value());
  const FormatMarker again = parse_format_marker(to_json({.probe = some_probe()}), "k");
  EXPECT_EQ(again.reader_min, 1U);
  EXPECT_EQ(again.probe, some_probe());
}

TEST(FormatMarker, TakesANewProbeAndKeepsTheRest) {
  const std::string before = R"({"format":"1.7","reader_min":1,"writer_min":2,"later":{"a":[1]}})";
  const std::string after = with_probe(before, some_probe(), "k");
  EXPECT_NE(after.find(R"("later":{"a":[1]})"), std::string::npos) << after;
  const FormatMarker marker = parse_format_marker(after, "k");
  EXPECT_EQ(marker.writer_min, 2U);
  EXPECT_EQ(marker.probe, some_probe());
  EXPECT_EQ(with_probe(after, some_probe(), "k"), after);
  EXPECT_THROW((void)with_probe("[1]", some_probe(), "k"), Corrupt);
}

TEST(FormatMarker, TakesAProbeThatItCannotReadForNone) {
  for (const char* const probe :
       {"null", "1", "{}", R"({"probed_at":"yesterday","versioning":"off"})",
        R"({"probed_at":"2026-11-23T09:30:00.125Z","versioning":"off","create_if_absent":1})"}) {
    const std::string json =
        R"({"format":"1.0","reader_min":1,"writer_min":1,"probe":)" + std::string(probe) + "}";
    EXPECT_FALSE(parse_format_marker(json, "k").probe.has_value()) << probe;
  }
}

}  // namespace
}  // namespace stepstore
