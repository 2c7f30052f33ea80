// Text that people hand in is judged exactly: UTF-8, JSON, content types, times, and images by
// their first bytes.
#include "model/text.h"

#include <gtest/gtest.h>

#include <string>

#include "model/content_type.h"

namespace stepstore {
namespace {

using namespace std::string_literals;

TEST(Utf8, AcceptsEveryLengthAndRefusesEveryMalformedKind) {
  for (const std::string& good :
       {""s, "a"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
        "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s, "a\0b"s}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const std::string& bad :
       {"\x80"s, "\xbf"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc2"s, "\xc2\x41"s, "\xe0\x9f\xbf"s,
        "\xe2\x82"s, "\xed\xa0\x80"s, "\xed\xbf\xbf"s, "\xf0\x8f\xbf\xbf"s, "\xf0\x9f\x98"s,
        "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xff"s, "a\xfe"s}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(JsonFault, AcceptsEveryKindOfDocument) {
  for (const char* good : {"{}", "[]", "null", "true", "0", "-1.5e3", "\"x\"", " {\"a\":[1,{}]} \n",
                           "\"\\ud83d\\ude00\"", "{\"a\":1,\"a\":2}"}) {
    EXPECT_EQ(json_fault(good), std::nullopt) << good;
  }
}

TEST(JsonFault, SaysWhereItIsWrong) {
  for (const char* bad :
       {"", " ", "{", "[1,]", "{'a':1}", "{\"a\":}", "NaN", "Infinity", "01", "1 2", "\"\xff\"",
        "\"\\ud800\"", "{\"a\":1}}", "// x\n1", "\"\n\"", "nul"}) {
    const auto fault = json_fault(bad);
    ASSERT_TRUE(fault) << bad;
    EXPECT_NE(fault->find("byte"), std::string::npos) << *fault;
    EXPECT_TRUE(is_utf8(*fault));
  }
}

TEST(JsonFault, BoundsTheDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(json_fault(nested(kJsonDepthMax)), std::nullopt);
  EXPECT_TRUE(json_fault(nested(kJsonDepthMax + 1)));
  EXPECT_TRUE(json_fault(std::string(1'000'000, '[')));
}

TEST(ContentType, NeedsATypeAndASubtype) {
  for (const char* good : {"text/html", "text/html; charset=utf-8", "application/x-a+b"}) {
    EXPECT_TRUE(is_content_type(good)) << good;
  }
  for (const std::string& bad : {""s, "text"s, "/html"s, "text/"s, "text/h\ntml"s, "text/\xc3\xa4"s,
                                 "text/" + std::string(200, 'a')}) {
    EXPECT_FALSE(is_content_type(bad)) << bad;
  }
}

TEST(Time, IsWrittenAndReadInUtcToTheMillisecond) {
  const Timestamp time(std::chrono::milliseconds(1'763'890'200'125));
  EXPECT_EQ(time_text(time), "2025-11-23T09:30:00.125Z");
  EXPECT_EQ(parse_time("2025-11-23T09:30:00.125Z"), time);
  EXPECT_EQ(parse_time("1969-12-31T23:59:59.999Z"), Timestamp(std::chrono::milliseconds(-1)));
  EXPECT_EQ(time_text(Timestamp(std::chrono::milliseconds(-1))), "1969-12-31T23:59:59.999Z");
  for (const char* bad : {"", "2025-11-23", "2025-11-23T09:30:00Z", "2025-02-30T09:30:00.125Z",
                          "2025-11-23T24:30:00.125Z", "2025-11-23T09:30:00.125+",
                          "2025-11-23 09:30:00.125Z", "-025-11-23T09:30:00.125Z"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(SniffImage, KnowsTheThreeKindsOfScreenshots) {
  EXPECT_EQ(sniff_image("\x89PNG\r\n\x1a\n\0\0"s), "image/png");
  EXPECT_EQ(sniff_image("\xff\xd8\xff\xe0"s), "image/jpeg");
  EXPECT_EQ(sniff_image("RIFF\x10\0\0\0WEBPVP8 "s), "image/webp");
  for (const std::string& other : {""s, "\x89PNG"s, "RIFF\x10\0\0\0WAVE"s, "RIFF"s, "GIF89a"s}) {
    EXPECT_EQ(sniff_image(other), kUnknownType);
  }
}

TEST(ContentTypeOf, GoesByTheEnding) {
  EXPECT_EQ(content_type_of("trace.zip"), "application/zip");
  EXPECT_EQ(content_type_of("A.JPEG"), "image/jpeg");
  EXPECT_EQ(content_type_of("har"), kUnknownType);
  EXPECT_EQ(content_type_of("x.unknown"), kUnknownType);
}

}  // namespace
}  // namespace stepstore
