// A body that was cut off is read on from where it ended, and never glued to bytes that belong to
// another object or another place.
#include "s3/rest.h"

#include <gmock/gmock.h>

#include "s3/content_range.h"
#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using ::testing::HasSubstr;

class S3ClientRest : public ClientFixture {
 protected:
  static Play cut(std::size_t at, const std::string& body = "0123456789",
                  const std::string& etag = "\"e1\"") {
    return {.body = body, .headers = {{"ETag", etag}, {"x-first", "yes"}}, .cut_at = at};
  }
  static Play part(const std::string& body, const std::string& range,
                   const std::string& etag = "\"e1\"") {
    return {.status = 206, .body = body, .headers = {{"Content-Range", range}, {"ETag", etag}}};
  }
  static Play cut_part(std::size_t at, const std::string& body, const std::string& range) {
    Play play = part(body, range);
    play.cut_at = at;
    return play;
  }
  std::string ranges() {
    std::string text;
    for (std::size_t i = 0; i < transport->sent().size(); ++i) {
      text += '[' + transport->header(i, "Range") + ' ' + transport->header(i, "If-Match") + ']';
    }
    return text;
  }
};

// [G39] Range from the byte that is missing, If-Match with the ETag of what has come.
TEST_F(S3ClientRest, AsksForWhatIsMissingAndPutsItTogether) {
  transport->plays({cut(4), cut_part(3, "456789", "bytes 4-9/10"), part("789", "bytes 7-9/10")});
  const auto answer = client().send_one(get(), {});
  ASSERT_TRUE(answer.ok()) << answer.error().what();
  EXPECT_EQ(answer->response.body.text(), "0123456789");
  EXPECT_EQ(answer->response.status, 200);
  EXPECT_NE(http::find_header(answer->response.headers, "x-first"), nullptr);
  EXPECT_EQ(answer->attempts, 3);
  EXPECT_EQ(ranges(), "[ ][bytes=4- \"e1\"][bytes=7- \"e1\"]");
}

TEST_F(S3ClientRest, GoesOnWithAPartOfAnObject) {
  const Operation range = get_object(
      {.key = ObjectKey("a/b"), .range = ObjectRange{.offset = 2, .size = 6}, .if_match = {}}, 100);
  transport->plays({cut_part(1, "234567", "bytes 2-7/10"), part("34567", "bytes 3-7/10")});
  const auto answer = client().send_one(range, {});
  ASSERT_TRUE(answer.ok()) << answer.error().what();
  EXPECT_EQ(answer->response.body.text(), "234567");
  EXPECT_EQ(answer->response.status, 206);
  EXPECT_EQ(content_range_in(answer->response.headers)->first, 2U);
  EXPECT_EQ(ranges(), "[bytes=2-7 ][bytes=3-7 \"e1\"]");
}

TEST_F(S3ClientRest, KeepsWhatItHasWhileTheServerRests) {
  transport->plays({cut(4), refusal(503, "SlowDown"), no_answer(ErrorCode::Unavailable),
                    part("456789", "bytes 4-9/10")});
  const auto answer = client().send_one(get(), {});
  ASSERT_TRUE(answer.ok()) << answer.error().what();
  EXPECT_EQ(answer->response.body.text(), "0123456789");
}

// The object was replaced between the halves: it is read again, from its first byte, once.
TEST_F(S3ClientRest, BeginsAnewWhenTheObjectHasChanged) {
  for (const Play& changed :
       {refusal(412, "PreconditionFailed"), refusal(416, "InvalidRange"),
        part("defghi", "bytes 4-9/10", "\"e2\""), cut_part(2, "xxxxxx", "bytes 4-9/11")}) {
    transport->plays({cut(4), changed, {.body = "abcdefghij"}});
    const auto answer = client().send_one(get(), {});
    ASSERT_TRUE(answer.ok()) << answer.error().what();
    EXPECT_EQ(answer->response.body.text(), "abcdefghij");
    EXPECT_EQ(transport->header(transport->sent().size() - 1, "Range"), "");
    EXPECT_EQ(transport->header(transport->sent().size() - 1, "If-Match"), "");
  }
}

TEST_F(S3ClientRest, ACallersOwnConditionIsItsOwnAnswer) {
  const Operation own =
      get_object({.key = ObjectKey("a/b"), .range = {}, .if_match = ETag("e1")}, 100);
  transport->plays({cut(4), refusal(412, "PreconditionFailed")});
  EXPECT_TRUE(client().send_one(own, {}).is(ErrorCode::Conflict));
  EXPECT_EQ(ranges(), "[ \"e1\"][bytes=4- \"e1\"]");
}

// [G40] A server that ignores ranges gives the whole: that is an answer in itself.
TEST_F(S3ClientRest, TakesTheWholeInsteadOfTheRest) {
  transport->plays({cut(4), {.body = "ABCDEFGHIJ"}});
  const auto answer = client().send_one(get(), {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->response.body.text(), "ABCDEFGHIJ");
}

// [G40]
TEST_F(S3ClientRest, NoticesOtherBytesThanItAskedFor) {
  for (const Play& wrong : {part("56789", "bytes 5-9/10"), part("45678", "bytes 4-8/10"),
                            part("456789", "bytes 4-9/99"), part("4567", "bytes 4-9/10"),
                            part("456789", "bytes */10"), part("456789", "")}) {
    transport->plays({cut(4), wrong, {.body = "0123456789"}});
    const auto answer = client().send_one(get(), {});
    ASSERT_TRUE(answer.ok()) << answer.error().what();
    EXPECT_EQ(answer->response.body.text(), "0123456789");
    EXPECT_EQ(answer->attempts, 3) << "from zero";
  }
}

// [G42]
TEST_F(S3ClientRest, BeginsAnewWhereNothingNamesTheVersion) {
  for (const std::string etag : {"", "W/\"e1\""}) {
    transport->plays({cut(4, "0123456789", etag), {.body = "0123456789"}});
    ASSERT_TRUE(client().send_one(get(), {}).ok());
    EXPECT_EQ(transport->header(transport->sent().size() - 1, "Range"), "");
  }
}

}  // namespace
}  // namespace stepstore::s3
