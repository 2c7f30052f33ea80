// A request that was sent to the wrong region finds the right one, which the client then remembers;
// it never goes where it was not meant to, and never goes round.
#include "s3/places.h"

#include <gmock/gmock.h>

#include <thread>

#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using ::testing::HasSubstr;

Place at(const std::string& host, const std::string& region, bool tls = true) {
  return {
      .endpoint = {.tls = tls, .host = host, .port = static_cast<std::uint16_t>(tls ? 443 : 80)},
      .region = region,
      .style = AddressStyle::path};
}

struct Leads {
  const char* from;  // host; "http:host" for plain
  const char* region;
  Elsewhere to;
  std::string host;  // where it goes then; empty: nowhere
  std::string region_then;
};

TEST(S3Places, FollowOnlyToWhatWasMeant) {
  const std::vector<Leads> rows = {
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.region = "eu-west-1"},
       "s3.eu-west-1.amazonaws.com",
       "eu-west-1"},
      {"s3.amazonaws.com",
       "us-east-1",
       {.region = "eu-west-1"},
       "s3.eu-west-1.amazonaws.com",
       "eu-west-1"},
      {"s3-us-west-2.amazonaws.com",
       "us-west-2",
       {.region = "eu-west-1"},
       "s3.eu-west-1.amazonaws.com",
       "eu-west-1"},
      {"s3-fips.dualstack.us-east-1.amazonaws.com",
       "us-east-1",
       {.region = "us-west-2"},
       "s3-fips.dualstack.us-west-2.amazonaws.com",
       "us-west-2"},
      {"s3.cn-north-1.amazonaws.com.cn",
       "cn-north-1",
       {.region = "cn-northwest-1"},
       "s3.cn-northwest-1.amazonaws.com.cn",
       "cn-northwest-1"},
      // [G14] The body's <Endpoint> alone.
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.location = "steps.s3-eu-west-1.amazonaws.com"},
       "s3.eu-west-1.amazonaws.com",
       "eu-west-1"},
      // [G15] A host for this once.
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.location = "https://steps.s3-us-west-2.amazonaws.com/a/b", .lasting = false},
       "s3-us-west-2.amazonaws.com",
       "us-west-2"},
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.location = "https://STEPS.s3.amazonaws.com/a", .lasting = false},
       "s3.amazonaws.com",
       "us-east-1"},
      // Another server keeps its host.
      {"s3.example.com", "us-east-1", {.region = "garage"}, "s3.example.com", "garage"},
      {"bucket.vpce-1a.s3.us-east-1.vpce.amazonaws.com",
       "us-east-1",
       {.region = "eu-west-1"},
       "bucket.vpce-1a.s3.us-east-1.vpce.amazonaws.com",
       "eu-west-1"},
      {"s3.example.com",
       "r",
       {.location = "https://s3.example.com/steps/a", .lasting = false},
       "s3.example.com",
       "r"},

      // Nowhere: another partition, host, port or scheme.
      {"s3.us-east-1.amazonaws.com", "us-east-1", {.region = "us-gov-west-1"}, "", ""},
      {"s3.us-east-1.amazonaws.com", "us-east-1", {.region = "cn-north-1"}, "", ""},
      {"s3.us-east-1.amazonaws.com", "us-east-1", {.region = "evil.example.com/"}, "", ""},
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.region = "eu-west-1", .location = "https://s3.eu-west-1.amazonaws.com.evil.com/"},
       "",
       ""},
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.region = "eu-west-1", .location = "https://evil.com/amazonaws.com"},
       "",
       ""},
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.location = "http://steps.s3.eu-west-1.amazonaws.com/", .lasting = false},
       "",
       ""},
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.location = "https://s3.eu-west-1.amazonaws.com:8443/", .lasting = false},
       "",
       ""},
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.location = "https://ec2.eu-west-1.amazonaws.com/", .lasting = false},
       "",
       ""},
      {"s3.us-east-1.amazonaws.com",
       "us-east-1",
       {.location = "https://key:secret@s3.eu-west-1.amazonaws.com/", .lasting = false},
       "",
       ""},
      {"s3.us-east-1.amazonaws.com", "us-east-1", {.lasting = true}, "", ""},
      {"s3.example.com", "r", {.location = "https://other.example.com/", .lasting = false}, "", ""},
      {"s3.example.com", "r", {.location = "http://s3.example.com/", .lasting = false}, "", ""},
      {"s3.example.com",
       "r",
       {.location = "https://s3.example.com:444/", .lasting = false},
       "",
       ""},
      {"s3.example.com", "r", {.region = "r"}, "", ""},
      {"http:s3.example.com", "r", {.location = "https://evil.example.com/"}, "", ""},
  };
  for (const Leads& row : rows) {
    std::string host = row.from;
    const bool plain = host.starts_with("http:");
    if (plain) host.erase(0, 5);
    const Place from = at(host, row.region, !plain);
    const NextPlace next = follow(from, from, "steps", row.to);
    const std::string which =
        host + " -> " + row.to.region + ' ' + row.to.location + ": " + next.why_not;
    ASSERT_EQ(next.place.has_value(), !row.host.empty()) << which;
    if (!next.place) {
      EXPECT_FALSE(next.why_not.empty() && row.to.told()) << which;
      continue;
    }
    EXPECT_EQ(next.place->endpoint.host, row.host) << which;
    EXPECT_EQ(next.place->region, row.region_then) << which;
    EXPECT_EQ(next.place->endpoint.tls, from.endpoint.tls) << which;
  }
}

class S3ClientRegion : public ClientFixture {
 protected:
  static ClientOptions on_aws() {
    ClientOptions options = default_options();
    options.endpoint.host = "s3.us-east-1.amazonaws.com";
    options.style = AddressStyle::virtual_host;
    return options;
  }
  static Play malformed(const std::string& region) {
    return {.status = 400,
            .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>" + region +
                    "</Region></Error>"};
  }
  void expect_sent(std::size_t request, const std::string& host, const std::string& region) {
    EXPECT_EQ(transport->to().at(request).host, host);
    EXPECT_EQ(transport->header(request, "Host"), host);
    EXPECT_THAT(transport->header(request, "Authorization"),
                HasSubstr("/20260101/" + region + "/s3/"));
  }
};

// [G14] 301 comes without Location; [G13] each send is signed for the host it goes to.
TEST_F(S3ClientRegion, MovesToTheRegionThatA301NamesAndStaysThere) {
  transport->plays(
      {refusal(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-west-1"}}), {}, {}});
  Client& one = client(on_aws());
  const auto answer = one.send_one(put(Condition::absent()), {});
  ASSERT_TRUE(answer.ok()) << answer.error().what();
  EXPECT_FALSE(answer->maybe_applied_before) << "a redirection does nothing";
  expect_sent(0, "steps.s3.us-east-1.amazonaws.com", "us-east-1");
  expect_sent(1, "steps.s3.eu-west-1.amazonaws.com", "eu-west-1");
  EXPECT_EQ(transport->bodies().at(1), "body");
  EXPECT_EQ(elapsed().count(), 0) << "there is nothing to wait for";
  ASSERT_TRUE(one.send_one(get(), {}).ok());
  expect_sent(2, "steps.s3.eu-west-1.amazonaws.com", "eu-west-1");
}

TEST_F(S3ClientRegion, AllThreadsProfitFromWhatOneFoundOut) {
  transport->plays({malformed("eu-west-1")});
  Client& one = client(on_aws());
  ASSERT_TRUE(one.send_one(get(), {}).ok());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&one] { EXPECT_TRUE(one.send_one(get(), {}).ok()); });
    }
  }
  for (std::size_t i = 1; i < 6; ++i) {
    expect_sent(i, "steps.s3.eu-west-1.amazonaws.com", "eu-west-1");
  }
}

// [G16] 400 with <Region>; HEAD shows only the status and a header.
TEST_F(S3ClientRegion, TakesTheRegionFromBodiesAndFromHeadersOfHead) {
  const Play bare400{.status = 400, .headers = {{"x-amz-bucket-region", "eu-north-1"}}};
  const Play bare301{.status = 301, .headers = {{"x-amz-bucket-region", "eu-north-1"}}};
  const Play constraint =
      refusal(400, "IllegalLocationConstraintException", {{"x-amz-bucket-region", "eu-north-1"}});
  for (const Play& play : {bare400, bare301, malformed("eu-north-1"), constraint}) {
    const std::size_t before = transport->sent().size();
    transport->plays({play, {}});
    const auto answer = client(on_aws()).send_one(head_bucket(), {});
    ASSERT_TRUE(answer.ok()) << answer.error().what();
    expect_sent(before + 1, "steps.s3.eu-north-1.amazonaws.com", "eu-north-1");
  }
}

// [G15] 307 with Location: the same method and body go there, and only this once.
TEST_F(S3ClientRegion, FollowsA307ForOneRequestOnly) {
  transport->plays(
      {{.status = 307, .headers = {{"Location", "https://steps.s3-us-west-2.amazonaws.com/a/b?x"}}},
       {},
       {}});
  Client& one = client(on_aws());
  ASSERT_TRUE(one.send_one(put(), {}).ok());
  expect_sent(1, "steps.s3-us-west-2.amazonaws.com", "us-west-2");
  EXPECT_EQ(transport->sent().at(1).request.method, "PUT");
  EXPECT_EQ(transport->bodies().at(1), "body");
  ASSERT_TRUE(one.send_one(put(), {}).ok());
  expect_sent(2, "steps.s3.us-east-1.amazonaws.com", "us-east-1");
}

// [G17] Garage and others have one host and a region of their own naming.
TEST_F(S3ClientRegion, AnotherServerKeepsItsHost) {
  transport->plays({malformed("garage"), {}});
  ASSERT_TRUE(client().send_one(get(), {}).ok());
  expect_sent(1, "s3.example.com", "garage");
}

TEST_F(S3ClientRegion, MovesOnlyWhatIsSentElsewhere) {
  const std::vector<Operation> operations = {get(), put(), head_object(ObjectKey("c"))};
  transport->plays(
      {refusal(500, "InternalError"),
       {.status = 307, .headers = {{"Location", "https://steps.s3-us-west-2.amazonaws.com/a/b"}}},
       refusal(500, "InternalError")});
  for (const auto& answer : client(on_aws()).send(operations, {})) EXPECT_TRUE(answer.ok());
  EXPECT_EQ(transport->sent().size(), 6U);
  std::size_t moved = 0;
  for (std::size_t i = 3; i < 6; ++i) {
    const bool there = transport->to().at(i).host == "steps.s3-us-west-2.amazonaws.com";
    EXPECT_EQ(there, transport->sent().at(i).request.method == "PUT");
    moved += there ? 1 : 0;
  }
  EXPECT_EQ(moved, 1U);
}

TEST_F(S3ClientRegion, EndsCircles) {
  const auto to = [](const std::string& region) {
    return refusal(301, "PermanentRedirect", {{"x-amz-bucket-region", region}});
  };
  transport->plays({to("eu-west-1"), to("us-east-1")});
  const auto circle = client(on_aws()).send_one(get(), {});
  ASSERT_TRUE(circle.is(ErrorCode::ConfigError));
  EXPECT_EQ(transport->calls().size(), 2U);
  EXPECT_THAT(circle.error().what(), HasSubstr("us-east-1 at https://s3.us-east-1.amazonaws.com, "
                                               "eu-west-1 at https://s3.eu-west-1.amazonaws.com"));
  EXPECT_THAT(circle.error().advice(), HasSubstr("Set the region of the bucket"));

  transport->plays({to("eu-west-1"), to("eu-west-2"), to("eu-west-3")});
  const auto chase = client(on_aws()).send_one(get(), {});
  ASSERT_TRUE(chase.is(ErrorCode::ConfigError));
  EXPECT_EQ(transport->calls().size(), 5U) << "two hops, and no more";
  EXPECT_THAT(chase.error().advice(), HasSubstr("eu-west-3"));
  EXPECT_EQ(chase.error().attempts().size(), 3U);
}

TEST_F(S3ClientRegion, SaysWhyItDoesNotFollow) {
  transport->plays({{.status = 307, .headers = {{"Location", "https://evil.example.com/a"}}},
                    {.status = 307, .headers = {{"Location", "http://s3.example.com/a"}}}});
  const auto other = client().send_one(put(), {});
  ASSERT_TRUE(other.is(ErrorCode::ConfigError));
  EXPECT_THAT(other.error().what(), HasSubstr("no request with credentials is sent"));
  const auto plain = client().send_one(put(), {});
  ASSERT_TRUE(plain.is(ErrorCode::ConfigError));
  EXPECT_THAT(plain.error().what(), HasSubstr("from https to http"));
  EXPECT_EQ(transport->calls().size(), 2U);
}

}  // namespace
}  // namespace stepstore::s3
