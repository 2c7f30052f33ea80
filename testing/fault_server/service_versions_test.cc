// Buckets that keep versions: each write is one, a deletion leaves a marker, and conditions look at
// the newest.
#include "testing/fault_server/service_fixture.h"

namespace stepstore::fault {
namespace {

class FaultVersions : public FaultService {
 protected:
  void versioning(const std::string& status) {
    EXPECT_EQ(
        ask("PUT", "/b?versioning", {},
            "<VersioningConfiguration><Status>" + status + "</Status></VersioningConfiguration>")
            .status,
        200);
  }
  std::string version_of(const http::Response& response) {
    return header(response, "x-amz-version-id");
  }
  http::Response remove(const std::string& key) { return ask("DELETE", "/b/" + key); }
  // "k:2*" for the newest version of k with 2 bytes, "k:marker" for a marker.
  std::vector<std::string> listed(const std::string& query = {}) {
    const http::Response answer = ask("GET", "/b?versions" + query);
    std::vector<std::string> all;
    for (const std::string& each : elements(answer, "Version")) all.push_back(each);
    for (const std::string& each : elements(answer, "DeleteMarker")) all.push_back(each);
    for (std::string& each : all) {
      const http::Response inside = xml_answer(200, each);
      const std::string size = element(inside, "Size");
      each = element(inside, "Key") + ':' + (size == "(none)" ? "marker" : size) +
             (element(inside, "IsLatest") == "true" ? "*" : "");
    }
    return all;
  }
};

TEST_F(FaultVersions, AreKeptWhenAskedFor) {
  EXPECT_EQ(element(ask("GET", "/b?versioning"), "Status"), "(none)");
  versioning("Enabled");
  EXPECT_EQ(element(ask("GET", "/b?versioning"), "Status"), "Enabled");
  versioning("Suspended");
  EXPECT_EQ(element(ask("GET", "/b?versioning"), "Status"), "Suspended");
  for (const char* const bad :
       {"", "<VersioningConfiguration/>", "<a><Status>Enabled</Status></a>"}) {
    EXPECT_EQ(told(ask("PUT", "/b?versioning", {}, bad)), "400 MalformedXML");
  }
}

TEST_F(FaultVersions, AreReadById) {
  put("k", "0");
  versioning("Enabled");
  const std::string first = version_of(put("k", "1"));
  const std::string second = version_of(put("k", "22"));
  EXPECT_NE(first, second);
  EXPECT_EQ(body_of("k"), "22");
  EXPECT_EQ(version_of(get("k")), second);
  EXPECT_EQ(body_of("k?versionId=" + first), "1");
  EXPECT_EQ(body_of("k?versionId=null"), "0") << "what was there before";
  EXPECT_EQ(told(get("k?versionId=none")), "404 NoSuchVersion");
  EXPECT_EQ(told(get("other?versionId=" + first)), "404 NoSuchVersion");
  EXPECT_THAT(listed(), testing::ElementsAre("k:2*", "k:1", "k:1"));
}

TEST_F(FaultVersions, SurviveADeletion) {
  versioning("Enabled");
  const std::string first = version_of(put("k", "1"));
  const http::Response removed = remove("k");
  const std::string marker = version_of(removed);
  EXPECT_EQ(removed.status, 204);
  EXPECT_EQ(header(removed, "x-amz-delete-marker"), "true");
  const http::Response gone = get("k");
  EXPECT_EQ(told(gone), "404 NoSuchKey");
  EXPECT_EQ(header(gone, "x-amz-delete-marker"), "true");
  EXPECT_EQ(told(get("k?versionId=" + marker)), "405 MethodNotAllowed");
  EXPECT_EQ(body_of("k?versionId=" + first), "1");
  EXPECT_THAT(listed(), testing::ElementsAre("k:1", "k:marker*"));
  EXPECT_THAT(elements(ask("GET", "/b?list-type=2"), "Key"), testing::IsEmpty());
  EXPECT_EQ(told(ask("DELETE", "/b")), "409 BucketNotEmpty");

  const http::Response undone = remove("k?versionId=" + marker);
  EXPECT_EQ(header(undone, "x-amz-delete-marker"), "true");
  EXPECT_EQ(version_of(undone), marker);
  EXPECT_EQ(body_of("k"), "1");
  EXPECT_EQ(remove("k?versionId=none").status, 204);
  EXPECT_EQ(remove("k?versionId=" + first).status, 204);
  EXPECT_EQ(told(get("k")), "404 NoSuchKey");
  EXPECT_THAT(listed(), testing::IsEmpty());
  EXPECT_EQ(ask("DELETE", "/b").status, 204);
}

TEST_F(FaultVersions, AreOneWhileSuspended) {
  versioning("Enabled");
  const std::string first = version_of(put("k", "1"));
  versioning("Suspended");
  EXPECT_EQ(version_of(put("k", "22")), "null");
  EXPECT_EQ(version_of(put("k", "333")), "null");
  EXPECT_THAT(listed(), testing::ElementsAre("k:3*", "k:1"));
  EXPECT_EQ(version_of(remove("k")), "null");
  EXPECT_THAT(listed(), testing::ElementsAre("k:1", "k:marker*"));
  EXPECT_EQ(body_of("k?versionId=" + first), "1");
}

TEST_F(FaultVersions, AreWhatConditionsLookAt) {
  versioning("Enabled");
  const std::string etag = header(put("k", "1", {{"If-None-Match", "*"}}), "ETag");
  EXPECT_EQ(told(put("k", "2", {{"If-None-Match", "*"}})), "412 PreconditionFailed");
  remove("k");
  EXPECT_EQ(told(put("k", "2", {{"If-Match", etag}})), "404 NoSuchKey");
  EXPECT_EQ(told(put("k", "2", {{"If-None-Match", "*"}})), "200") << "over a marker";

  become({.marker_refuses_create = true});
  versioning("Enabled");
  EXPECT_EQ(told(put("k", "1", {{"If-None-Match", "*"}})), "200");
  remove("k");
  EXPECT_EQ(told(put("k", "2", {{"If-None-Match", "*"}})), "412 PreconditionFailed");
  EXPECT_EQ(told(put("k", "2")), "200");

  become({.no_conditions_when_versioned = true});
  EXPECT_EQ(told(put("k", "1")), "200");
  EXPECT_EQ(told(put("k", "2", {{"If-None-Match", "*"}})), "412 PreconditionFailed");
  versioning("Enabled");
  EXPECT_EQ(told(put("k", "2", {{"If-None-Match", "*"}})), "200");
  EXPECT_EQ(told(put("k", "3", {{"If-Match", header(get("k"), "ETag")}})),
            "412 PreconditionFailed");
}

TEST_F(FaultVersions, AreListedInPages) {
  versioning("Enabled");
  for (const char* const key : {"a", "b/1", "b/2", "c"}) {
    put(key, "1");
    put(key, "22");
  }
  remove("c");
  EXPECT_THAT(listed("&prefix=b"), testing::ElementsAre("b/1:2*", "b/1:1", "b/2:2*", "b/2:1"));
  EXPECT_THAT(elements(ask("GET", "/b?versions&delimiter=/"), "CommonPrefixes"),
              testing::ElementsAre("<Prefix>b/</Prefix>"));
  EXPECT_THAT(listed("&delimiter=/"),
              testing::ElementsAre("a:2*", "a:1", "c:2", "c:1", "c:marker*"));
  for (const int size : {1, 2, 3, 100}) {
    std::vector<std::string> ids;
    std::string next;
    for (int page = 0; page < 20; ++page) {
      const std::string query = "&max-keys=" + std::to_string(size) + next;
      const http::Response one = ask("GET", "/b?versions" + query);
      for (const std::string& id : elements(one, "VersionId")) ids.push_back(id);
      if (element(one, "IsTruncated") == "false") break;
      next = "&key-marker=" + element(one, "NextKeyMarker") +
             "&version-id-marker=" + element(one, "NextVersionIdMarker");
    }
    EXPECT_EQ(ids.size(), 9U) << size;
    EXPECT_EQ(ids, elements(ask("GET", "/b?versions"), "VersionId")) << size;
  }
}

TEST_F(FaultVersions, AreOneWhereNoneAreKept) {
  put("k", "1");
  EXPECT_EQ(version_of(get("k")), "(none)");
  EXPECT_EQ(body_of("k?versionId=null"), "1");
  EXPECT_THAT(listed(), testing::ElementsAre("k:1*"));
  EXPECT_EQ(remove("k?versionId=none").status, 204);
  EXPECT_EQ(body_of("k"), "1");
  EXPECT_EQ(remove("k?versionId=null").status, 204);
  EXPECT_EQ(body_of("k"), "404");
}

TEST_F(FaultVersions, AreRemovedManyAtOnce) {
  versioning("Enabled");
  const std::string first = version_of(put("k", "1"));
  put("l", "1");
  const std::string body = "<Delete><Object><Key>k</Key><VersionId>" + first +
                           "</VersionId></Object><Object><Key>l</Key></Object></Delete>";
  become({.ignores_checksums = true});
  versioning("Enabled");
  const std::string again = version_of(put("k", "1"));
  ASSERT_EQ(again, first) << "ids are counted";
  put("l", "1");
  const http::Response answer = ask("POST", "/b?delete", {{"Content-MD5", "any"}}, body);
  EXPECT_EQ(element(answer, "VersionId"), first);
  EXPECT_THAT(elements(answer, "DeleteMarker"), testing::ElementsAre("true"));
  EXPECT_THAT(listed(), testing::ElementsAre("l:1", "l:marker*"));
}

}  // namespace
}  // namespace stepstore::fault
