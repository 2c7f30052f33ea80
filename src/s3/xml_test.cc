// S3's XML is read whatever its spelling, and whatever is hostile or broken ends in a clear error.
#include "s3/xml.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "s3/encode.h"

namespace stepstore::s3 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string object(const std::string& key) {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;abc&quot;</ETag>"
         "<Size>42</Size><StorageClass>STANDARD</StorageClass></Contents>";
}

std::string list(const std::string& inside) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
         inside + "</ListBucketResult>";
}

// [G58]
TEST(S3Xml, ReadsAList) {
  const auto page = parse_list(
      list("<Name>b</Name><Prefix>p</Prefix><IsTruncated>true</IsTruncated>" + object("p/a") +
           object("p/b") + "<CommonPrefixes><Prefix>p/c/</Prefix></CommonPrefixes>" +
           "<CommonPrefixes><Prefix>p/d/</Prefix></CommonPrefixes>"
           "<NextContinuationToken>1+/=&amp;</NextContinuationToken>"));
  ASSERT_TRUE(page.ok()) << page.error().what();
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].key, "p/a");
  EXPECT_EQ(page->objects[0].size, 42U);
  EXPECT_EQ(page->objects[0].etag, "\"abc\"");
  EXPECT_EQ(page->objects[0].modified.time_since_epoch().count(), 1'767'323'045'678);
  EXPECT_THAT(page->prefixes, ElementsAre("p/c/", "p/d/"));
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->next_token, "1+/=&");
}

TEST(S3Xml, AnEmptyListIsOne) {
  for (const std::string& body : {list(""), std::string("<ListBucketResult/>")}) {
    const auto page = parse_list(body);
    ASSERT_TRUE(page.ok());
    EXPECT_TRUE(page->objects.empty());
    EXPECT_FALSE(page->truncated);
    EXPECT_EQ(page->next_token, "");
  }
}

// [G59] Some servers ignore the wish for encoded keys.
TEST(S3Xml, DecodesKeysOnlyIfTheAnswerSaysSo) {
  const std::string odd = object("a%20b+c%2Fd");
  EXPECT_EQ(parse_list(list(odd))->objects[0].key, "a%20b+c%2Fd");
  EXPECT_EQ(parse_list(list("<EncodingType>url</EncodingType>" + odd))->objects[0].key, "a b c/d");
  // Wherever it stands.
  EXPECT_EQ(parse_list(list(odd + "<EncodingType>url</EncodingType>"))->objects[0].key, "a b c/d");
  const auto prefixes = parse_list(list(
      "<EncodingType>url</EncodingType><CommonPrefixes><Prefix>%C3%A4/</Prefix></CommonPrefixes>"));
  EXPECT_THAT(prefixes->prefixes, ElementsAre("\xC3\xA4/"));
}

// [G61]
TEST(S3Xml, ReadsNamesWithNamespacePrefixes) {
  const auto page = parse_list(
      "<s:ListBucketResult xmlns:s=\"x\"><s:IsTruncated>true</s:IsTruncated><s:Contents>"
      "<s:Key>k</s:Key><s:Size>1</s:Size><s:ETag>e</s:ETag>"
      "<s:LastModified>2026-01-02T03:04:05Z</s:LastModified></s:Contents></s:ListBucketResult>");
  ASSERT_TRUE(page.ok()) << page.error().what();
  EXPECT_EQ(page->objects.at(0).key, "k");
  EXPECT_TRUE(page->truncated);
}

TEST(S3Xml, KeepsBlanksAndReferencesInKeys) {
  EXPECT_EQ(parse_list(list(object(" ")))->objects[0].key, " ");
  EXPECT_EQ(parse_list(list(object(" a ")))->objects[0].key, " a ");
  EXPECT_EQ(parse_list(list(object("&amp;&lt;&gt;&quot;&apos;&#13;&#x2603;")))->objects[0].key,
            "&<>\"'\r\xE2\x98\x83");
  EXPECT_EQ(parse_list(list(object("<![CDATA[a&b]]>")))->objects[0].key, "a&b");
}

// [G60] What XML can carry survives our escaping and its parsing.
RC_GTEST_PROP(S3Xml, EscapedTextComesBack, ()) {
  const std::string text = *rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::inRange<char>(0x20, 0x7F), rc::gen::element('\t', '\n', '\r'))));
  const auto failures = parse_delete("<DeleteResult><Error><Key>" + xml_escape(text) +
                                     "</Key></Error></DeleteResult>");
  RC_ASSERT(failures.ok());
  RC_ASSERT(failures->at(0).key == text);
}

TEST(S3Xml, ReadsErrors) {
  const auto found = parse_error(
      "\n\n<Error><Code>RequestTimeTooSkewed</Code><Message>m &amp; n</Message>"
      "<Region>eu-west-1</Region><Endpoint>b.s3.example.com</Endpoint>"
      "<ServerTime>2026-01-02T03:04:05Z</ServerTime><RequestId>R</RequestId></Error>");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->code, "RequestTimeTooSkewed");
  EXPECT_EQ(found->message, "m & n");
  EXPECT_EQ(found->region, "eu-west-1");
  EXPECT_EQ(found->endpoint, "b.s3.example.com");
  EXPECT_EQ(found->server_time, "2026-01-02T03:04:05Z");
  EXPECT_EQ(found->request_id, "R");
  EXPECT_EQ(parse_error("<ErrorResponse><Error><Code>C</Code></Error></ErrorResponse>")->code, "C");
  for (const char* const other :
       {"", "<html/>", "<Error><Code>x", "nonsense", "<ErrorResponse/>"}) {
    EXPECT_FALSE(parse_error(other).has_value()) << other;
  }
}

TEST(S3Xml, ReadsWhatWasNotDeleted) {
  const auto failures = parse_delete(
      "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code>"
      "<Message>m</Message></Error></DeleteResult>");
  ASSERT_TRUE(failures.ok());
  ASSERT_EQ(failures->size(), 1U);
  EXPECT_EQ(failures->at(0).key, "b");
  EXPECT_EQ(failures->at(0).code, "AccessDenied");
  EXPECT_EQ(failures->at(0).message, "m");
  EXPECT_TRUE(parse_delete("<DeleteResult/>")->empty());
}

TEST(S3Xml, ReadsUploads) {
  EXPECT_EQ(*parse_create_upload("<InitiateMultipartUploadResult><Bucket>b</Bucket>"
                                 "<UploadId>U1</UploadId></InitiateMultipartUploadResult>"),
            "U1");
  EXPECT_EQ(*parse_complete_upload("  \n<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag>"
                                   "</CompleteMultipartUploadResult>"),
            "\"e-2\"");
  const auto uploads = parse_uploads(
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType><NextKeyMarker>k%2B</"
      "NextKeyMarker><NextUploadIdMarker>M</NextUploadIdMarker><IsTruncated>true</IsTruncated>"
      "<Upload><Key>a%20b</Key><UploadId>U</UploadId><Initiated>2026-01-02T03:04:05.000Z"
      "</Initiated></Upload></ListMultipartUploadsResult>");
  ASSERT_TRUE(uploads.ok()) << uploads.error().what();
  EXPECT_EQ(uploads->uploads.at(0).key, "a b");
  EXPECT_EQ(uploads->uploads.at(0).id, "U");
  EXPECT_EQ(uploads->next_key, "k+");
  EXPECT_EQ(uploads->next_upload, "M");
  EXPECT_TRUE(uploads->truncated);
}

TEST(S3Xml, ReadsVersions) {
  const auto list = parse_versions(
      "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
      "<NextKeyMarker>a%20b</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>"
      "<Version><Key>a%20b</Key><VersionId>v2</VersionId></Version>"
      "<DeleteMarker><Key>a%20b</Key><VersionId>v1</VersionId></DeleteMarker>"
      "<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes></ListVersionsResult>");
  ASSERT_TRUE(list.ok()) << list.error().what();
  ASSERT_EQ(list->versions.size(), 2U);
  EXPECT_EQ(list->versions[0].key, "a b");
  EXPECT_EQ(list->versions[0].id, "v2");
  EXPECT_FALSE(list->versions[0].marker);
  EXPECT_EQ(list->versions[1].id, "v1");
  EXPECT_TRUE(list->versions[1].marker);
  EXPECT_EQ(list->next_key, "a b");
  EXPECT_EQ(list->next_version, "v1");
  EXPECT_TRUE(list->truncated);
}

TEST(S3Xml, ReadsVersioning) {
  const auto status = [](const std::string& inside) {
    return parse_versioning("<VersioningConfiguration>" + inside + "</VersioningConfiguration>")
        .value();
  };
  EXPECT_EQ(status(""), Versioning::never);
  EXPECT_EQ(status("<Status>Enabled</Status>"), Versioning::enabled);
  EXPECT_EQ(status("<Status>Suspended</Status>"), Versioning::suspended);
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

// [G61]
TEST(S3Xml, RefusesWhatIsHostileOrBroken) {
  struct Row {
    std::string body;
    const char* says;
  };
  const std::string whole = list(object("a"));
  std::vector<Row> rows = {
      {"", "it is empty"},
      {"   ", "not well-formed"},
      {"not XML at all", "not well-formed"},
      {"<html><body>Sign in</body></html>", "its root is another element"},
      {"<Error><Code>InternalError</Code></Error>", "its root is another element"},
      {"<!DOCTYPE a [<!ENTITY x \"y\">]><ListBucketResult/>", "it has a document type"},
      {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><ListBucketResult/>", "it has a document type"},
      {list(repeated("<a>", 70) + repeated("</a>", 70)), "nested too deeply"},
      {list(repeated("<a>", 100'000) + repeated("</a>", 100'000)), "nested too deeply"},
      {list(repeated("<a/>", 400'001)), "too many elements"},
      {list(std::string(17U << 20, ' ')), "larger than 16 MiB"},
      {list(object("")), "an object has no key"},
      {list("<EncodingType>url</EncodingType>" + object("%zz")), "not encoded as the answer says"},
      {list("<EncodingType>url</EncodingType>" + object("%2")), "not encoded as the answer says"},
      {list("<Contents><Key>k</Key></Contents>"), "an object has no size"},
      {list("<Contents><Key>k</Key><Size>-1</Size></Contents>"), "an object has no size"},
      {list("<Contents><Key>k</Key><Size>1e3</Size></Contents>"), "an object has no size"},
      {list("<Contents><Key>k</Key><Size>1</Size></Contents>"), "an object has no ETag"},
      {list("<Contents><Key>k</Key><Size>1</Size><ETag>e</ETag></Contents>"),
       "an object has no time"},
      {std::string("\0\0\0\0", 4), "not well-formed"},
  };
  for (std::size_t cut = 60; cut < whole.size(); cut += 7) {
    rows.push_back({whole.substr(0, cut), "not well-formed"});
  }
  for (const Row& row : rows) {
    const auto page = parse_list(row.body);
    ASSERT_TRUE(page.is(ErrorCode::Io)) << row.body.substr(0, 100);
    EXPECT_THAT(page.error().what(), HasSubstr(row.says)) << row.body.substr(0, 100);
    EXPECT_THAT(page.error().what(), HasSubstr("no ListBucketResult"));
  }
  EXPECT_TRUE(parse_create_upload("<InitiateMultipartUploadResult/>").is(ErrorCode::Io));
  EXPECT_TRUE(parse_complete_upload("<CompleteMultipartUploadResult/>").is(ErrorCode::Io));
  EXPECT_TRUE(parse_versions("<ListVersionsResult><Version><Key>k</Key></Version>"
                             "</ListVersionsResult>")
                  .is(ErrorCode::Io));
  EXPECT_TRUE(parse_uploads("<ListMultipartUploadsResult><Upload/></ListMultipartUploadsResult>")
                  .is(ErrorCode::Io));
}

// Any bytes at all: an error or a value, never a crash (run with sanitizers).
RC_GTEST_PROP(S3Xml, SurvivesAnyDamage, ()) {
  std::string body = list("<EncodingType>url</EncodingType>" + object("a") + object("b"));
  const int changes = *rc::gen::inRange(1, 8);
  for (int i = 0; i < changes; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, body.size());
    body[at] = static_cast<char>(*rc::gen::inRange(0, 256));
  }
  body.resize(*rc::gen::inRange<std::size_t>(0, body.size() + 1));
  (void)parse_list(body).ok();
  (void)parse_error(body).has_value();
  (void)outline(body).whole;
}

TEST(S3Xml, OutlineTellsTheRootAndWhetherItIsClosed) {
  struct Row {
    const char* body;
    const char* root;
    bool whole;
  };
  for (const Row& row : {
           Row{"<A><B/></A>", "A", true},
           Row{"<A/>", "A", true},
           Row{"  \n<?xml version=\"1.0\"?>\n   <A x='1'>t</A >\n ", "A", true},
           Row{"<n:A xmlns:n='u'></n:A>", "A", true},
           Row{"<!-- <B> --><A></A>", "A", true},
           Row{"<A><B></A", "A", false},
           Row{"<A>", "A", false},
           Row{"<A><B></B>", "A", false},
           Row{"<A></AA>", "A", false},
           Row{"<A", "", false},
           Row{"<", "", false},
           Row{"<!-- <A></A>", "", false},
           Row{"text", "", false},
           Row{" \n ", "", false},
           Row{"", "", false},
       }) {
    const XmlOutline found = outline(row.body);
    EXPECT_EQ(found.root, row.root) << row.body;
    EXPECT_EQ(found.whole, row.whole) << row.body;
  }
}

}  // namespace
}  // namespace stepstore::s3
