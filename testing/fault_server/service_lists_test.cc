// Lists tell every key once, in the order of its bytes, however they are cut into pages.
#include <algorithm>
#include <random>
#include <set>

#include "s3/encode.h"
#include "testing/fault_server/service_fixture.h"

namespace stepstore::fault {
namespace {

class FaultLists : public FaultService {
 protected:
  http::Response list(const std::string& query) { return ask("GET", "/b?list-type=2&" + query); }

  // Keys and common prefixes, each kind in its order.
  static std::vector<std::string> names(const http::Response& page) {
    std::vector<std::string> all = elements(page, "Key");
    // The first prefix is what was asked for.
    const auto prefixes = elements(page, "CommonPrefixes");
    for (const std::string& each : prefixes) all.push_back(each.substr(8, each.size() - 17));
    return all;
  }

  // All pages of a list, by tokens or by markers.
  std::vector<std::string> paged(const std::string& query, std::size_t size, bool second) {
    std::vector<std::string> all;
    std::string next;
    for (int page = 0; page < 1'000; ++page) {
      const std::string more = "&encoding-type=url&max-keys=" + std::to_string(size) + next;
      const http::Response answer = second ? list(query + more) : ask("GET", "/b?" + query + more);
      const auto told = names(answer);
      EXPECT_LE(told.size(), size);
      for (const std::string& each : told) all.push_back(*s3::url_decode(each));
      const std::string token = element(answer, second ? "NextContinuationToken" : "NextMarker");
      EXPECT_EQ(element(answer, "IsTruncated"), token == "(none)" ? "false" : "true");
      if (token == "(none)") return all;
      next = second ? "&continuation-token=" + s3::uri_encode(token) : "&marker=" + token;
    }
    ADD_FAILURE() << "the pages do not end";
    return all;
  }
};

TEST_F(FaultLists, TellAllOfAnObject) {
  const std::string etag = header(put("a", "12345"), "ETag");
  const http::Response page = list("");
  EXPECT_EQ(element(page, "Key"), "a");
  EXPECT_EQ(element(page, "Size"), "5");
  EXPECT_EQ("&quot;" + etag.substr(1, 32) + "&quot;", element(page, "ETag"));
  EXPECT_EQ(element(page, "LastModified"), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(element(page, "KeyCount"), "1");
  EXPECT_EQ(element(page, "IsTruncated"), "false");
  EXPECT_EQ(element(page, "Name"), "b");
}

TEST_F(FaultLists, KeepToPrefixAndStart) {
  for (const char* const key : {"a", "a/1", "a/2", "b", "%C3%A4"}) put(key);
  EXPECT_THAT(names(list("")), testing::ElementsAre("a", "a/1", "a/2", "b", "\xc3\xa4"));
  EXPECT_THAT(names(list("prefix=a/")), testing::ElementsAre("a/1", "a/2"));
  EXPECT_THAT(names(list("prefix=c")), testing::IsEmpty());
  EXPECT_THAT(names(list("start-after=a/1")), testing::ElementsAre("a/2", "b", "\xc3\xa4"));
  EXPECT_THAT(names(list("prefix=a/&start-after=a/1")), testing::ElementsAre("a/2"));
  EXPECT_THAT(names(list("prefix=b&start-after=a")), testing::ElementsAre("b"));
  EXPECT_THAT(names(list("prefix=a&start-after=z")), testing::IsEmpty());
}

TEST_F(FaultLists, TellFoldersOnce) {
  for (const char* const key : {"a/1", "a/2", "b", "c/d/1", "c/e"}) put(key);
  EXPECT_THAT(names(list("delimiter=/")), testing::ElementsAre("b", "a/", "c/"));
  EXPECT_THAT(names(list("delimiter=/&prefix=c/")), testing::ElementsAre("c/e", "c/d/"));
  EXPECT_THAT(names(list("delimiter=/&prefix=c")), testing::ElementsAre("c/"));
  EXPECT_EQ(element(list("delimiter=/"), "KeyCount"), "3");
  EXPECT_EQ(element(list("delimiter=/"), "Delimiter"), "/");
}

TEST_F(FaultLists, EncodeNamesOnlyWhenAsked) {
  put("a%20b%26%01");
  EXPECT_EQ(element(list("encoding-type=url"), "Key"), "a%20b%26%01");
  EXPECT_EQ(element(list("encoding-type=url"), "EncodingType"), "url");
  EXPECT_EQ(element(list(""), "Key"), "a b&amp;\x01");
  EXPECT_EQ(element(list(""), "EncodingType"), "(none)");
  become({.ignores_encoding_type = true});
  put("a%20b%26");
  EXPECT_EQ(element(list("encoding-type=url"), "Key"), "a b&amp;");
  EXPECT_EQ(element(list("encoding-type=url"), "EncodingType"), "(none)");
}

TEST_F(FaultLists, KeepToTheSizeOfAPage) {
  for (int i = 0; i < 1'001; ++i) put("k" + std::to_string(i));
  EXPECT_EQ(names(list("")).size(), 1'000U);
  EXPECT_EQ(names(list("max-keys=5000")).size(), 1'000U);
  EXPECT_EQ(element(list("max-keys=1000"), "IsTruncated"), "true");
  EXPECT_EQ(names(list("max-keys=0")).size(), 0U);
  EXPECT_EQ(element(list("max-keys=0"), "IsTruncated"), "false") << "it would be asked for ever";
  for (const char* const bad : {"-1", "x", "", "1x"}) {
    EXPECT_EQ(told(list(std::string("max-keys=") + bad)), "400 InvalidArgument") << bad;
  }
  EXPECT_EQ(told(list("continuation-token=mine")), "400 InvalidArgument");
}

// Against a plain computation over the same keys.
TEST_F(FaultLists, TellEveryNameOnceWhateverThePages) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string alphabet = "ab/\xff\x01";
  std::set<std::string> keys;
  while (keys.size() < 60) {
    std::string key;
    for (std::size_t left = 1 + random() % 5; left > 0; --left) {
      key += alphabet[random() % alphabet.size()];
    }
    if (keys.insert(key).second) put(s3::uri_encode_path(key));
  }
  for (const std::string prefix : {"", "a", "a/", "/", "zz"}) {
    for (const bool delimited : {false, true}) {
      std::set<std::string> expected;
      for (const std::string& key : keys) {
        if (!key.starts_with(prefix)) continue;
        const std::size_t cut = delimited ? key.find('/', prefix.size()) : std::string::npos;
        expected.insert(cut == std::string::npos ? key : key.substr(0, cut + 1));
      }
      const std::string query = "prefix=" + prefix + (delimited ? "&delimiter=/" : "");
      for (const std::size_t size : {1U, 2U, 7U, 1'000U}) {
        for (const bool second : {false, true}) {
          const auto told = paged(query, size, second);
          EXPECT_EQ(std::set(told.begin(), told.end()), expected) << query << ' ' << size;
          EXPECT_EQ(told.size(), expected.size()) << query << ' ' << size << ": names came twice";
          EXPECT_TRUE(delimited || std::ranges::is_sorted(told)) << query << ' ' << size;
        }
      }
    }
  }
}

}  // namespace
}  // namespace stepstore::fault
