// A request is taken apart as S3 does it: buckets in the path or in the host's name, and names of
// any bytes.
#include "testing/fault_server/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepstore::fault {
namespace {

std::optional<Call> parsed(std::string target, std::string host = "127.0.0.1:9000") {
  return parse_call({.method = "GET", .target = std::move(target), .headers = {{"host", host}}},
                    "localhost");
}

TEST(FaultCall, HasItsBucketInThePath) {
  EXPECT_EQ(parsed("/")->bucket, "");
  EXPECT_EQ(parsed("/b")->bucket, "b");
  EXPECT_EQ(parsed("/b/")->bucket, "b");
  EXPECT_EQ(parsed("/b/")->key, "");
  EXPECT_EQ(parsed("/b/k")->key, "k");
  EXPECT_EQ(parsed("/b/k/")->key, "k/");
  EXPECT_EQ(parsed("/b//k/../x")->key, "/k/../x") << "keys are no paths";
}

TEST(FaultCall, HasItsBucketInTheName) {
  const auto call = parsed("/k/x", "b.c.localhost:9000");
  EXPECT_EQ(call->bucket, "b.c");
  EXPECT_EQ(call->key, "k/x");
  EXPECT_EQ(parsed("/b/k", "localhost:9000")->bucket, "b");
  EXPECT_EQ(parsed("/b/k", "notlocalhost")->bucket, "b");
}

TEST(FaultCall, DecodesNames) {
  EXPECT_EQ(parsed("/b/a%20b+c%2Bd%25%C3%A4%0A")->key, "a b+c+d%\xc3\xa4\n");
  EXPECT_EQ(parsed("/b/k%3Fx?a=1")->key, "k?x");
  const auto call = parsed("/b?list-type=2&prefix=a+b%26c%2F&delete&start-after=");
  EXPECT_EQ(*call->parameter("list-type"), "2");
  EXPECT_EQ(*call->parameter("prefix"), "a b&c/");
  EXPECT_EQ(*call->parameter("delete"), "");
  EXPECT_EQ(*call->parameter("start-after"), "");
  EXPECT_EQ(call->parameter("absent"), nullptr);
}

TEST(FaultCall, RefusesWhatCannotBeDecoded) {
  for (const char* const target : {"/b/%", "/b/%4", "/b/%zz", "/b?a=%", "/b?%=a", "b", "", "*"}) {
    EXPECT_FALSE(parsed(target)) << target;
  }
}

TEST(FaultCall, AnswersErrorsInXml) {
  const http::Response response = error_answer(404, "NoSuchKey", "It's gone", "a<&b");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(*http::find_header(response.headers, "Content-Type"), "application/xml");
  EXPECT_EQ(response.body.text(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>"
            "It&apos;s gone</Message><Resource>a&lt;&amp;b</Resource></Error>");
}

}  // namespace
}  // namespace stepstore::fault
