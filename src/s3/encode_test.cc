// Names are encoded as S3 signs them; hashes, checksums and times are spelled as it spells them.
#include "s3/encode.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "s3/digest.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

// [G3] [G1]
TEST(Encode, KeepsOnlyTheUnreservedBytes) {
  EXPECT_EQ(uri_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(uri_encode(" +/%&=?#"), "%20%2B%2F%25%26%3D%3F%23");
  EXPECT_EQ(uri_encode("\xC3\xA4\x01\x7F"), "%C3%A4%01%7F");
  EXPECT_EQ(uri_encode_path("a/b c//d"), "a/b%20c//d");
}

RC_GTEST_PROP(Encode, DecodingGivesTheTextBack, (const std::string& text)) {
  RC_ASSERT(url_decode(uri_encode(text)) == text);
  RC_ASSERT(url_decode(uri_encode_path(text)) == text);
}

TEST(Encode, DecodesAsServersEncode) {
  EXPECT_EQ(url_decode("a+b%20c%2bd"), "a b c+d");
  EXPECT_EQ(url_decode("%"), std::nullopt);
  EXPECT_EQ(url_decode("a%2"), std::nullopt);
  EXPECT_EQ(url_decode("%2G"), std::nullopt);
  EXPECT_EQ(url_decode(""), "");
}

// [G5] [G58]
TEST(Encode, SortsQueriesByTheEncodedNameThenValue) {
  EXPECT_EQ(encode_query({}), "");
  EXPECT_EQ(encode_query({{"uploads", ""}}), "uploads=");
  EXPECT_EQ(encode_query({{"b", "2"}, {"a", "2"}, {"B", "x"}, {"a", "1"}}), "B=x&a=1&a=2&b=2");
  // '%' comes before every letter: by plain bytes, the umlaut would come last.
  EXPECT_EQ(encode_query({{"a", ""}, {"\xC3\xA4", ""}}), "%C3%A4=&a=");
  EXPECT_EQ(encode_query({{"token", "1/a+b=="}}), "token=1%2Fa%2Bb%3D%3D");
}

// [G5]
TEST(Encode, AddressesByPathAndByHost) {
  using enum AddressStyle;
  EXPECT_EQ(target_of("my.bucket", path, "a/b c", {}).text(), "/my.bucket/a/b%20c");
  EXPECT_EQ(target_of("b", path, "", {}).text(), "/b");
  EXPECT_EQ(target_of("b", path, "", {{"delete", ""}}).text(), "/b?delete=");
  EXPECT_EQ(target_of("b", virtual_host, "a/b", {}).text(), "/a/b");
  EXPECT_EQ(target_of("b", virtual_host, "", {{"x", "y"}}).text(), "/?x=y");
}

// [G60]
TEST(Encode, EscapesWhatXmlWouldChange) {
  EXPECT_EQ(xml_escape("a<b>&\"'\r\n\t\xC3\xA4"),
            "a&lt;b&gt;&amp;&quot;&apos;&#13;&#10;&#9;\xC3\xA4");
}

// RFC 4231, case 2; the others are the common values of empty and short texts.
TEST(Digest, GivesTheKnownValues) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(hex(sha256(BytesView())),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::vector<BytesView> pieces = {"a", "", "bc"};
  EXPECT_EQ(hex(sha256(pieces)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(md5_base64(""), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("ab"), "YWI=");
  // crc64("123456789"), big-endian.
  EXPECT_EQ(crc64_base64(0xae8b14860a799888), "rosUhgp5mIg=");
}

constexpr std::chrono::sys_seconds at(std::int64_t seconds) {
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

TEST(Times, AreSpelledAsS3SpellsThem) {
  EXPECT_EQ(amz_date(at(1'369'353'600)), "20130524T000000Z");
  EXPECT_EQ(plain_time(at(1'369'353'661)), "2013-05-24 00:01:01 UTC");
  EXPECT_EQ(parse_http_date("Fri, 24 May 2013 00:01:01 GMT"), at(1'369'353'661));
  EXPECT_EQ(parse_iso_time("2013-05-24T00:01:01Z"), Timestamp(at(1'369'353'661)));
  EXPECT_EQ(parse_iso_time("2013-05-24T00:01:01.25Z"),
            Timestamp(at(1'369'353'661)) + std::chrono::milliseconds(250));
  EXPECT_EQ(parse_iso_time("2013-05-24T00:01:01.123999999Z"),
            Timestamp(at(1'369'353'661)) + std::chrono::milliseconds(123));
}

TEST(Times, RefuseWhatIsNone) {
  for (const char* const text :
       {"", "Fri", "Fri, 24 May 2013 00:01:01", "Fri, 24 Mai 2013 00:01:01 GMT",
        "Fri, 31 Feb 2013 00:01:01 GMT", "Fri, 24 May 2013 24:01:01 GMT",
        "Fri, 24 May 2013 0:01:01 GMT", "Friday, 24-May-13 00:01:01 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
  for (const char* const text :
       {"", "2013-05-24", "2013-05-24T00:01:01", "2013-13-24T00:01:01Z", "2013-05-24T00:01:01.Z",
        "2013-05-24T00:61:01Z", "2013-05-24 00:01:01Z", "2013-05-24T00:01:01Zx"}) {
    EXPECT_EQ(parse_iso_time(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Times, ComeBack, ()) {
  const auto time = at(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000));
  std::string text = amz_date(time);
  for (const std::size_t place : {4U, 7U}) text.insert(place, "-");
  for (const std::size_t place : {13U, 16U}) text.insert(place, ":");
  RC_ASSERT(parse_iso_time(text) == Timestamp(time));
}

}  // namespace
}  // namespace stepstore::s3
