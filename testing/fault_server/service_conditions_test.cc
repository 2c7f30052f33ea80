// Writes and reads happen only under their conditions; and each dialect is weak in the one way that
// it is named for.
#include "testing/fault_server/service_fixture.h"

namespace stepstore::fault {
namespace {

const http::Headers kAbsent{{"If-None-Match", "*"}};

http::Headers matching(std::string etag) { return {{"If-Match", std::move(etag)}}; }

std::string without_quotes(const std::string& etag) { return etag.substr(1, etag.size() - 2); }

TEST_F(FaultService, CreatesOnlyWhatIsAbsent) {
  EXPECT_EQ(put("k", "1", kAbsent).status, 200);
  EXPECT_EQ(told(put("k", "2", kAbsent)), "412 PreconditionFailed");
  EXPECT_EQ(body_of("k"), "1");
  ask("DELETE", "/b/k");
  EXPECT_EQ(put("k", "3", kAbsent).status, 200);
  EXPECT_EQ(told(put("k", "4", {{"If-None-Match", "\"an etag\""}})), "501 NotImplemented");
}

TEST_F(FaultService, SwapsOnlyWhatIsUnchanged) {
  EXPECT_EQ(told(put("k", "0", matching("\"none\""))), "404 NoSuchKey");
  const std::string first = header(put("k", "1"), "ETag");
  EXPECT_EQ(put("k", "2", matching(first)).status, 200);
  EXPECT_EQ(told(put("k", "3", matching(first))), "412 PreconditionFailed");
  EXPECT_EQ(body_of("k"), "2");
  const std::string second = header(get("k"), "ETag");
  EXPECT_EQ(put("k", "4", matching(without_quotes(second))).status, 200);
  EXPECT_EQ(put("k", "5", matching("*")).status, 200);
  EXPECT_EQ(body_of("k"), "5");
}

TEST_F(FaultService, RemovesOnlyWhatIsUnchanged) {
  const std::string old = header(put("k", "1"), "ETag");
  const std::string now = header(put("k", "2"), "ETag");
  EXPECT_EQ(told(ask("DELETE", "/b/k", matching(old))), "412 PreconditionFailed");
  EXPECT_EQ(body_of("k"), "2");
  EXPECT_EQ(ask("DELETE", "/b/k", matching(now)).status, 204);
  EXPECT_EQ(body_of("k"), "404");
}

TEST_F(FaultService, ReadsUnderConditions) {
  const std::string etag = header(put("k", "1"), "ETag");
  for (const std::string& spelled : {etag, without_quotes(etag)}) {
    EXPECT_EQ(get("k", matching(spelled)).body.text(), "1");
    const http::Response same = get("k", {{"If-None-Match", spelled}});
    EXPECT_EQ(same.status, 304);
    EXPECT_TRUE(same.body.empty());
    EXPECT_EQ(header(same, "ETag"), etag);
  }
  EXPECT_EQ(told(get("k", matching("\"other\""))), "412 PreconditionFailed");
  EXPECT_EQ(get("k", {{"If-None-Match", "\"other\""}}).body.text(), "1");
  EXPECT_EQ(told(get("none", matching(etag))), "404 NoSuchKey");
}

// What a server tells about each kind of condition, in turn: creating over something, swaps by a
// stale ETag, by the right one quoted and without quotes, and a deletion by a stale one.
class FaultDialect : public FaultService {
 protected:
  std::string answers() {
    const std::string stale = header(put("k", "1"), "ETag");
    put("k", "2");
    clock.advance(std::chrono::seconds(1));
    std::string all = std::to_string(put("k", "3", kAbsent).status);
    all += ' ' + std::to_string(put("k", "4", matching(without_quotes(stale))).status);
    all += ' ' + std::to_string(put("k", "5", matching(header(get("k"), "ETag"))).status);
    const std::string now = without_quotes(header(get("k"), "ETag"));
    all += ' ' + std::to_string(put("k", "6", matching(now)).status);
    all += ' ' + std::to_string(ask("DELETE", "/b/k", matching(stale)).status);
    return all;
  }
};

TEST_F(FaultDialect, IsWeakInOneWayOnly) {
  EXPECT_EQ(answers(), "412 412 200 200 412");
  become({.ignores_if_none_match = true});
  EXPECT_EQ(answers(), "200 412 200 200 412");
  become({.ignores_if_match = true});
  EXPECT_EQ(answers(), "412 200 200 200 204");
  become({.bare_if_match_only = true});
  EXPECT_EQ(answers(), "412 412 412 200 412");
  become({.ignores_conditional_delete = true});
  EXPECT_EQ(answers(), "412 412 200 200 204");
  become({.ignores_completion_conditions = true,
          .no_conditions_when_versioned = true,
          .marker_refuses_create = true,
          .ignores_encoding_type = true,
          .no_bulk_delete = true,
          .ignores_checksums = true});
  EXPECT_EQ(answers(), "412 412 200 200 412");
}

TEST_F(FaultDialect, AnswersLosersOfARaceWith500) {
  become({.losers_get_500 = true});
  const std::string etag = header(put("k", "1"), "ETag");
  EXPECT_EQ(put("k", "2", matching(etag)).status, 200);
  EXPECT_EQ(told(put("k", "3", matching(etag))), "500 UnknownError");
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(told(put("k", "4", matching(etag))), "412 PreconditionFailed") << "this is no race";
  EXPECT_EQ(body_of("k"), "2");
}

}  // namespace
}  // namespace stepstore::fault
