// Every fault of the catalogue does to a request what its name says, is found by that name, and is
// told in the README.
#include "testing/fault_server/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>

#include "testing/fakes.h"
#include "testing/fault_server/plan.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

using http::Delivery;
using testing::AnyOf;
using testing::HasSubstr;

const std::string kAll = "0123456789abcdef";

// A request of each sort that the client makes, over a bucket that has what they ask for.
class FaultCatalogue : public testing::Test {
 protected:
  FaultCatalogue() {
    service.make_bucket("b");
    for (const char* const key : {"k", "x", "y"}) (void)ask(put(key, kAll));
  }

  static Call put(const std::string& key, std::string_view body, http::Headers headers = {}) {
    return {.method = "PUT",
            .bucket = "b",
            .key = key,
            .headers = std::move(headers),
            .body = Bytes::copy(body)};
  }
  static Call get(const std::string& key, http::Headers headers = {}) {
    headers.emplace_back("Host", "127.0.0.1:9000");
    return {.method = "GET", .bucket = "b", .key = key, .headers = std::move(headers)};
  }
  static Call list(std::map<std::string, std::string, std::less<>> query = {}) {
    query["list-type"] = "2";
    return {.method = "GET", .bucket = "b", .query = std::move(query)};
  }
  static Call bulk_delete() {
    return {.method = "POST",
            .bucket = "b",
            .query = {{"delete", ""}},
            .headers = {{"Content-MD5", "lPGMeAUFHPVTVVt9gvRAEw=="}},
            .body = Bytes::copy("<Delete><Object><Key>x</Key></Object><Object><Key>y</Key></Object>"
                                "</Delete>")};
  }

  http::Response ask(const Call& call) { return service.answer(call); }
  http::Reply send(const Call& call) {
    return plan.carry_out(call, [this](const Call& each) { return service.answer(each); });
  }
  http::Reply send_with(std::string_view kind, const Call& call,
                        const FaultSettings& settings = {}) {
    plan.clear();
    plan.on("").fault(kind, settings);
    return send(call);
  }
  std::string body_of(const std::string& key) { return std::string(ask(get(key)).body.text()); }
  static std::string header(const http::Reply& reply, std::string_view name) {
    const std::string* const found = http::find_header(reply.response.headers, name);
    return found != nullptr ? *found : "(none)";
  }
  static std::string text(const http::Reply& reply) {
    return std::string(reply.response.body.text());
  }

  SetClock clock;
  Service service{{.dialect = {.ignores_checksums = true}}, clock};
  FaultPlan plan{true, clock};
};

TEST_F(FaultCatalogue, IsKnownByName) {
  std::set<std::string_view> names;
  for (const Kind& kind : catalogue()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_EQ(find_kind(kind.name), &kind);
    EXPECT_NO_THROW((void)make_fault(kind.name));
  }
  EXPECT_GE(names.size(), 45U);
  EXPECT_EQ(find_kind("none"), nullptr);
  try {
    (void)make_fault("none");
    FAIL();
  } catch (const std::invalid_argument& wrong) {
    EXPECT_THAT(wrong.what(), HasSubstr("'none'; there are: answer, empty_503"));
  }
}

TEST_F(FaultCatalogue, StandsInTheReadme) {
  std::ifstream in(STEPSTORE_SOURCE_DIR "/testing/fault_server/README.md");
  const std::string readme{std::istreambuf_iterator<char>(in), {}};
  for (const Kind& kind : catalogue()) {
    const std::string line =
        "| `" + std::string(kind.name) + "` | " + std::string(kind.what) + " |";
    EXPECT_THAT(readme, HasSubstr(line));
  }
}

TEST_F(FaultCatalogue, FitsWhereItMakesSense) {
  const Call create = put("k", "x", {{"If-None-Match", "*"}});
  const auto fits = [](std::string_view kind, const Call& call) {
    return find_kind(kind)->fits(call);
  };
  EXPECT_TRUE(fits("slow_down", list()));
  EXPECT_TRUE(fits("late", create));
  EXPECT_FALSE(fits("late", get("k")));
  EXPECT_TRUE(fits("raced", create));
  EXPECT_FALSE(fits("raced", put("k", "x")));
  EXPECT_TRUE(fits("flipped_bit", get("k")));
  EXPECT_FALSE(fits("flipped_bit", list()));
  EXPECT_TRUE(fits("same_page", list()));
  EXPECT_FALSE(fits("same_page", get("k")));
  EXPECT_TRUE(fits("whole_for_range", get("k", {{"Range", "bytes=0-1"}})));
  EXPECT_FALSE(fits("whole_for_range", get("k")));
  EXPECT_TRUE(fits("delete_error", bulk_delete()));
  EXPECT_FALSE(fits("error_in_200", create));
  EXPECT_TRUE(fits("garbage", bulk_delete()));
}

TEST_F(FaultCatalogue, AnswersInPlaceOfTheRequest) {
  struct Case {
    std::string_view kind;
    int status;
    std::string says;
  };
  for (const Case& each :
       {Case{"answer", 500, "<Code>InternalError</Code>"}, Case{"empty_503", 503, ""},
        Case{"html_503", 503, "<html>"}, Case{"slow_down", 503, "<Code>SlowDown</Code>"},
        Case{"error_500", 500, "<Code>InternalError</Code>"},
        Case{"error_in_200", 200, "<Error><Code>InternalError</Code>"},
        Case{"denied", 403, "<Code>AccessDenied</Code>"},
        Case{"expired_token", 400, "<Code>ExpiredToken</Code>"},
        Case{"clock_skew", 403, "<Code>RequestTimeTooSkewed</Code>"},
        Case{"garbage", 200, "no XML"}, Case{"huge_head", 200, ""},
        Case{"moved", 301, "<Code>PermanentRedirect</Code>"},
        Case{"redirect", 307, "<Code>TemporaryRedirect</Code>"},
        Case{"wrong_region", 400, "<Region>eu-west-1</Region>"},
        Case{"conflict", 409, "<Code>ConditionalRequestConflict</Code>"}}) {
    const http::Reply reply = send_with(each.kind, put("new", "x"));
    EXPECT_EQ(reply.response.status, each.status) << each.kind;
    EXPECT_THAT(text(reply), HasSubstr(each.says)) << each.kind;
    EXPECT_EQ(reply.delivery, Delivery::send);
    EXPECT_EQ(ask(get("new")).status, 404) << each.kind << ": it was done";
  }
  EXPECT_EQ(header(send_with("html_503", get("k")), "Content-Type"), "text/html");
  EXPECT_EQ(header(send_with("slow_down", get("k")), "Retry-After"), "1");
  EXPECT_GT(header(send_with("huge_head", get("k")), "x-filler").size(), 60'000U);
  EXPECT_EQ(send_with("done_500", put("new", "x")).response.status, 500);
  EXPECT_EQ(body_of("new"), "x");
}

TEST_F(FaultCatalogue, AnswersAsTheSettingsSay) {
  const http::Reply teapot = send_with(
      "answer", get("k"),
      {.status = 418, .body = "tea", .headers = {{"X-Pot", "round"}}, .retry_after_s = 7});
  EXPECT_EQ(teapot.response.status, 418);
  EXPECT_EQ(text(teapot), "tea");
  EXPECT_EQ(header(teapot, "x-pot"), "round");
  EXPECT_EQ(header(teapot, "retry-after"), "7");
  const http::Reply worded = send_with(
      "answer", put("new", "x"), {.status = 507, .code = "Full", .message = "a<b", .done = true});
  EXPECT_THAT(text(worded), HasSubstr("<Code>Full</Code><Message>a&lt;b</Message>"));
  EXPECT_EQ(body_of("new"), "x") << "done, whatever the answer says";
}

TEST_F(FaultCatalogue, BreaksAnswersOff) {
  for (const auto& [kind, delivery] :
       {std::pair("cut_answer", Delivery::drop), std::pair("reset_answer", Delivery::reset),
        std::pair("stall_answer", Delivery::stall)}) {
    const http::Reply half = send_with(kind, get("k"));
    EXPECT_EQ(half.delivery, delivery);
    EXPECT_FALSE(half.until->in_head);
    EXPECT_EQ(half.until->number, kAll.size() / 2);
    const http::Reply there = send_with(kind, get("k"), {.at_byte = 3});
    EXPECT_EQ(there.until->number, 3U);
    const http::Reply head = send_with(kind, put("new", "x"));
    EXPECT_TRUE(head.until->in_head) << "there is no body to be cut";
    EXPECT_EQ(body_of("new"), "x");
  }
  const http::Reply silence =
      send_with("silence", get("k"), {.stall_max = std::chrono::seconds(2)});
  EXPECT_EQ(silence.delivery, Delivery::stall);
  EXPECT_EQ(silence.until->number, 0U);
  EXPECT_TRUE(silence.until->in_head);
  EXPECT_EQ(silence.stall_max, std::chrono::seconds(2));
  EXPECT_EQ(send_with("drip_answer", get("k")).drip_bytes, 16U);
  EXPECT_EQ(send_with("lose_answer", get("k")).delivery, Delivery::drop);
  EXPECT_EQ(send_with("lose_request", put("lost", "x")).delivery, Delivery::drop);
  EXPECT_EQ(ask(get("lost")).status, 404);
}

TEST_F(FaultCatalogue, KeepsConnectionsAliveWithSpaces) {
  const http::Reply good = send_with("spaces_then_answer", bulk_delete(), {.spaces = 5});
  EXPECT_EQ(good.framing, http::Framing::chunked);
  EXPECT_EQ(good.spaces, 5U);
  EXPECT_THAT(text(good), HasSubstr("<Deleted><Key>x</Key></Deleted>"));
  const http::Reply bad = send_with("spaces_then_error", bulk_delete());
  EXPECT_EQ(bad.spaces, 3U);
  EXPECT_EQ(bad.response.status, 200);
  EXPECT_THAT(text(bad), HasSubstr("<Error>"));
}

TEST_F(FaultCatalogue, LiesAboutObjects) {
  const http::Headers range{{"Range", "bytes=2-5"}};
  EXPECT_EQ(text(send_with("short_body", get("k"))), kAll.substr(0, 8));
  std::string flipped = kAll;
  flipped[8] ^= 1;
  EXPECT_EQ(text(send_with("flipped_bit", get("k"))), flipped);
  EXPECT_EQ(text(send_with("flipped_bit", get("k"), {.at_byte = 0})), "1" + kAll.substr(1));
  EXPECT_EQ(header(send_with("wrong_content_range", get("k", range)), "Content-Range"),
            "bytes 1000000-1000001/1000002");
  const http::Reply whole = send_with("whole_for_range", get("k", range));
  EXPECT_EQ(whole.response.status, 200);
  EXPECT_EQ(text(whole), kAll);
  EXPECT_EQ(header(send_with("wrong_checksum", get("k")), "x-amz-checksum-crc64nvme"),
            "AAAAAAAAAAA=");
  const std::string right = header({.response = ask(get("k"))}, "ETag");
  EXPECT_NE(header(send_with("wrong_etag", get("k")), "ETag"), right);
  EXPECT_EQ(header(send_with("no_etag", get("k")), "ETag"), "(none)");
  EXPECT_EQ(body_of("k"), kAll);
}

TEST_F(FaultCatalogue, ListsWithoutEnd) {
  const http::Reply first = send_with("endless_list", list({{"start-after", "z"}}));
  const http::Reply second = send(list());
  EXPECT_THAT(text(first), HasSubstr("<IsTruncated>true</IsTruncated>"));
  EXPECT_THAT(text(first), testing::Not(HasSubstr("<Key>")));
  EXPECT_THAT(text(first), HasSubstr(">1.page-1<"));
  EXPECT_THAT(text(second), HasSubstr(">1.page-2<"));
  const http::Reply again = send_with("same_page", list({{"start-after", "z"}}));
  EXPECT_THAT(text(again), HasSubstr("<Key>k</Key>")) << "it begins at the first key";
  EXPECT_THAT(text(again), HasSubstr(">again<"));
  const http::Reply cut = send_with("same_page", list({{"max-keys", "1"}}));
  EXPECT_THAT(text(cut), HasSubstr("<NextContinuationToken>again</NextContinuationToken>"));
  EXPECT_EQ(text(cut).find("NextContinuationToken", text(cut).find("again") + 30),
            std::string::npos)
      << "and the server's own token is gone";
}

TEST_F(FaultCatalogue, LeadsElsewhere) {
  EXPECT_EQ(header(send_with("moved", get("k")), "x-amz-bucket-region"), "eu-west-1");
  EXPECT_EQ(header(send_with("moved", get("k")), "Location"), "(none)");
  EXPECT_EQ(header(send_with("redirect", get("a b")), "Location"), "http://127.0.0.1:9000/b/a%20b");
  EXPECT_EQ(header(send_with("redirect", get("k"), {.location = "http://there/"}), "Location"),
            "http://there/");
  EXPECT_EQ(header(send_with("redirect_host", get("k")), "Location"), "http://elsewhere.invalid/");
  Call secure = get("k");
  secure.tls = true;
  EXPECT_EQ(header(send_with("redirect", secure), "Location"), "https://127.0.0.1:9000/b/k");
  EXPECT_EQ(header(send_with("redirect_http", secure), "Location"), "http://127.0.0.1:9000/b/k");
}

TEST_F(FaultCatalogue, WritesBetween) {
  const Call create = put("new", "mine", {{"If-None-Match", "*"}});
  EXPECT_EQ(send_with("raced", create, {.body = "theirs"}).response.status, 412);
  EXPECT_EQ(body_of("new"), "theirs");
  EXPECT_EQ(send_with("raced", put("own", "mine", {{"If-None-Match", "*"}})).response.status, 412);
  EXPECT_EQ(body_of("own"), "mine") << "as if it had been sent before";
  const std::string etag = header({.response = ask(get("k"))}, "ETag");
  EXPECT_EQ(send_with("raced", put("k", "mine", {{"If-Match", etag}})).response.status, 412);
  EXPECT_EQ(body_of("k"), kAll) << "the same bytes, with another ETag";
  EXPECT_EQ(send_with("no_conditions", create).response.status, 200);
  EXPECT_EQ(body_of("new"), "mine");
}

TEST_F(FaultCatalogue, FailsKeysOfABulkDeletion) {
  const http::Reply one = send_with("delete_error", bulk_delete());
  EXPECT_EQ(one.response.status, 200);
  EXPECT_THAT(text(one), HasSubstr("<Error><Key>x</Key><Code>InternalError</Code>"));
  EXPECT_THAT(text(one), HasSubstr("<Deleted><Key>y</Key></Deleted>"));
  EXPECT_EQ(body_of("x"), kAll);
  EXPECT_EQ(ask(get("y")).status, 404);
  const http::Reply both = send_with("delete_denied", bulk_delete(), {.keys = 9});
  EXPECT_THAT(text(both), HasSubstr("<Key>x</Key><Code>AccessDenied</Code>"));
  EXPECT_THAT(text(both), HasSubstr("<Key>y</Key><Code>AccessDenied</Code>"));
  EXPECT_EQ(body_of("x"), kAll);
}

TEST_F(FaultCatalogue, CutsRequests) {
  struct Case {
    std::string_view kind;
    Delivery delivery;
    int status;
  };
  for (const Case& each :
       {Case{"cut_request", Delivery::drop, 0}, Case{"reset_request", Delivery::reset, 0},
        Case{"stall_request", Delivery::stall, 0}, Case{"answer_early", Delivery::send, 503}}) {
    plan.clear();
    EXPECT_FALSE(plan.judges_heads());
    plan.on("PUT").nth(2).fault(each.kind, {.at_byte = 4});
    EXPECT_TRUE(plan.judges_heads());
    EXPECT_FALSE(plan.at_head(put("k", "")).has_value()) << "it is the first";
    const auto early = plan.at_head(put("k", ""));
    ASSERT_TRUE(early.has_value());
    EXPECT_EQ(early->body_bytes, 4U);
    EXPECT_EQ(early->reply.delivery, each.delivery);
    EXPECT_EQ(early->reply.response.status, each.status);
    EXPECT_EQ(plan.journal().back().fate, Fate::cut_request);
    // Rules about beginnings count no whole requests.
    EXPECT_EQ(send(put("k", kAll)).response.status, 200);
  }
}

TEST_F(FaultCatalogue, NamesEachFate) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Fate::cut_request); ++i) {
    names.insert(name_of(static_cast<Fate>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Fate::cut_request) + 1);
}

}  // namespace
}  // namespace stepstore::fault
