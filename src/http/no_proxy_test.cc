// [G36] NO_PROXY names hosts as people write it for other tools.
#include "http/no_proxy.h"

#include <gtest/gtest.h>

namespace stepstore::http {
namespace {

Endpoint at(const std::string& host, std::uint16_t port = 443) {
  return {.tls = true, .host = host, .port = port};
}

struct Row {
  const char* list;
  Endpoint server;
  bool direct;
};
class NoProxyTable : public testing::TestWithParam<Row> {};

TEST_P(NoProxyTable, SaysWhoIsReachedDirectly) {
  const Row& row = GetParam();
  EXPECT_EQ(NoProxy(row.list).has(row.server), row.direct) << row.list << ": " << row.server.text();
}

INSTANTIATE_TEST_SUITE_P(
    Names, NoProxyTable,
    testing::Values(Row{"", at("s3.example.com"), false}, Row{",, ,", at("s3.example.com"), false},
                    Row{"*", at("s3.example.com"), true}, Row{"*", at("10.1.2.3"), true},
                    Row{"a, * ,b", at("10.1.2.3"), true},
                    Row{"example.com", at("example.com"), true},
                    Row{"example.com", at("s3.example.com"), true},
                    Row{"example.com", at("bucket.s3.example.com"), true},
                    Row{"example.com", at("badexample.com"), false},
                    Row{"example.com", at("example.com.evil.org"), false},
                    Row{"s3.example.com", at("example.com"), false},
                    Row{".example.com", at("s3.example.com"), true},
                    Row{".example.com", at("example.com"), true},
                    Row{"*.example.com", at("s3.example.com"), true},
                    Row{"*example.com", at("s3.example.com"), false},
                    Row{"EXAMPLE.com.", at("S3.Example.COM"), true},
                    Row{"example.com", at("s3.example.com."), true},
                    Row{"a.org example.com\tb.org", at("s3.example.com"), true},
                    Row{"example.com:8443", at("s3.example.com", 8443), true},
                    Row{"example.com:8443", at("s3.example.com", 443), false},
                    Row{"example.com:x", at("s3.example.com"), false},
                    Row{"example.com:0", at("s3.example.com"), false},
                    Row{"http://example.com", at("example.com"), false},
                    Row{".", at("s3.example.com"), false}, Row{"com", at("example.com"), true}));

INSTANTIATE_TEST_SUITE_P(
    Addresses, NoProxyTable,
    testing::Values(
        Row{"10.1.2.3", at("10.1.2.3"), true}, Row{"10.1.2.3", at("10.1.2.30"), false},
        Row{"1.2.3", at("10.1.2.3"), false}, Row{"2.3", at("10.1.2.3"), false},
        Row{"10.1.2.3:9000", at("10.1.2.3", 9000), true},
        Row{"10.1.2.3:9000", at("10.1.2.3", 9001), false},
        Row{"10.0.0.0/8", at("10.255.0.1"), true}, Row{"10.0.0.0/8", at("11.0.0.1"), false},
        Row{"192.168.4.0/22", at("192.168.7.255"), true},
        Row{"192.168.4.0/22", at("192.168.8.0"), false}, Row{"10.1.2.3/32", at("10.1.2.3"), true},
        Row{"0.0.0.0/0", at("8.8.8.8"), true}, Row{"0.0.0.0/0", at("s3.example.com"), false},
        Row{"0.0.0.0/0", at("2001:db8::1"), false}, Row{"10.0.0.0/33", at("10.0.0.1"), false},
        Row{"10.0.0.0/", at("10.0.0.0"), false}, Row{"10.0.0.0/8x", at("10.0.0.0"), false},
        Row{"2001:db8::1", at("2001:db8::1"), true},
        Row{"2001:db8::1", at("2001:db8:0:0::1"), true},
        Row{"[2001:db8::1]", at("2001:db8::1"), true},
        Row{"[2001:db8::1]:443", at("2001:db8::1"), true},
        Row{"[2001:db8::1]:80", at("2001:db8::1"), false},
        Row{"[2001:db8::1", at("2001:db8::1"), false},
        Row{"2001:db8::/33", at("2001:db8:7fff::1"), true},
        Row{"2001:db8::/33", at("2001:db8:8000::1"), false},
        Row{"10.0.0.0/8", at("::ffff:10.1.2.3"), true}));

}  // namespace
}  // namespace stepstore::http
