// Every form of STORE is understood; everything else is refused with what to write instead and
// without repeating a secret.
#include "open/uri.h"

#include <gtest/gtest.h>

#include <string>

#include "stepstore/error.h"

namespace stepstore {
namespace {

TEST(StoreUri, TakesPathsAsTheyAre) {
  for (const char* path : {"/data", "./x", "x", "a b", "C:", "dir/with:colon", "~"}) {
    const StoreUri uri = parse_store_uri(path);
    EXPECT_EQ(uri.scheme, StoreUri::Scheme::local) << path;
    EXPECT_EQ(uri.path, path);
  }
  EXPECT_EQ(parse_store_uri("file:///data/x").path, "/data/x");
}

TEST(StoreUri, NamesMemoryStores) {
  EXPECT_EQ(parse_store_uri("memory:").path, "");
  EXPECT_EQ(parse_store_uri("memory:tests").path, "tests");
  EXPECT_EQ(parse_store_uri("memory:tests").scheme, StoreUri::Scheme::memory);
}

TEST(StoreUri, RefusesTheRest) {
  for (const char* bad : {"", "http://x", "ftp://x/y", "file://relative", "file:x", "file:///x?y=z",
                          "memory:a/b", "memory:?x", "s3://key:secret@bucket"}) {
    EXPECT_THROW(parse_store_uri(bad), ConfigError) << bad;
  }
}

TEST(StoreUri, NeverRepeatsASecret) {
  try {
    parse_store_uri("s3://AKIA:hunter2@bucket/prefix");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace stepstore
