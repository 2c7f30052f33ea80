// Content-Range is read where it says what can be, and nowhere else.
#include "s3/content_range.h"

#include <gtest/gtest.h>

namespace stepstore::s3 {
namespace {

std::optional<ContentRange> read(const std::string& text) {
  return content_range_in({{"Content-Range", text}});
}

// [G40]
TEST(S3ContentRange, SaysWhichBytesTheyAre) {
  EXPECT_EQ(read("bytes 5-9/10"), (ContentRange{.first = 5, .last = 9, .total = 10}));
  EXPECT_EQ(read("bytes 5-9/10")->size(), 5U);
  EXPECT_EQ(read("bytes 5-9/*"), (ContentRange{.first = 5, .last = 9, .total = {}}));
  EXPECT_EQ(read("bytes 0-0/1")->size(), 1U);
  EXPECT_EQ(read("bytes 0-18446744073709551614/18446744073709551615")->size(),
            18'446'744'073'709'551'615U);
  EXPECT_EQ(content_range_in({{"content-range", "bytes 0-0/1"}})->last, 0U);
  EXPECT_EQ(content_range_in({{"Content-Length", "5"}}), std::nullopt);
}

TEST(S3ContentRange, IsNoneWhereItCannotBe) {
  for (const char* bad : {"",
                          "bytes",
                          "bytes 5-9",
                          "bytes 9-5/10",
                          "bytes */10",
                          "5-9/10",
                          "bytes 5-9/x",
                          "bytes 5/9-10",
                          "bytes -5-9/10",
                          "bytes 5-9/9",
                          "bytes 5-9/ 10",
                          "bytes 5 - 9/10",
                          "bytes 5-/10",
                          "bytes -9/10",
                          "bytes 5-9/10/11",
                          "bytes 0x5-9/10",
                          "items 5-9/10",
                          "bytes 0-18446744073709551615/*",
                          "bytes 0-18446744073709551616/*",
                          "bytes 5-9/-1"}) {
    EXPECT_EQ(read(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace stepstore::s3
