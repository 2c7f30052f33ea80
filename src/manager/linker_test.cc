// A link is to the object that a manifest names, or to a plain name that no manifest can name yet;
// everything else is refused before a link is made.
#include <gmock/gmock.h>

#include "manager/manager_fixture.h"
#include "store/memory_store.h"
#include "store/observe_store.h"
#include "store/prefix_store.h"
#include "testing/fakes.h"

namespace stepstore {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Memory whose links say what they were asked for.
class LinkedStore final : public ObjectStore, public LinkMaker {
 public:
  std::vector<LinkRequest> asked;

  PresignedUrl link(const LinkRequest& request, const CallLimits&) override {
    asked.push_back(request);
    return {.url = "https://example.com/" + request.key.text(),
            .method = request.method == LinkMethod::get ? "GET" : "PUT",
            .expires_at = Timestamp(request.expires),
            .key = request.key.text()};
  }

  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override {
    return memory_.put(items, limits);
  }
  PublishResult publish(const PublishRequest& request, const CallLimits& limits) override {
    return memory_.publish(request, limits);
  }
  std::vector<Result<Object>> get(std::span<const GetRequest> items,
                                  const CallLimits& limits) override {
    return memory_.get(items, limits);
  }
  std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                       const CallLimits& limits) override {
    return memory_.head(keys, limits);
  }
  ListPage list(const ListRequest& request, const CallLimits& limits) override {
    return memory_.list(request, limits);
  }
  std::vector<Result<Done>> remove(std::span<const ObjectKey> keys,
                                   const CallLimits& limits) override {
    return memory_.remove(keys, limits);
  }
  std::unique_ptr<Upload> start_upload(const ObjectKey& key, const std::string& content_type,
                                       const CallLimits& limits) override {
    return memory_.start_upload(key, content_type, limits);
  }
  Capabilities capabilities() const override { return memory_.capabilities(); }

 private:
  MemoryStore memory_;
};

class LinkerTest : public testing::Test {
 protected:
  PresignedUrl link(const std::string& component, PresignOptions options = {},
                    const std::string& step = "1") {
    return manager.presign("s", step, component, options);
  }
  PresignedUrl upload(const std::string& component, const std::string& content_type = {},
                      const std::string& step = "new") {
    return link(component, {.method = LinkMethod::put, .content_type = content_type}, step);
  }
  template <class Error>
  std::string refusal(const std::function<void()>& call) {
    const std::size_t before = store->asked.size();
    try {
      call();
    } catch (const Error& refused) {
      EXPECT_EQ(store->asked.size(), before) << "a link was made";
      EXPECT_EQ(refused.operation(), "presign");
      return std::string(refused.what());
    }
    return "nothing was thrown";
  }

  std::shared_ptr<LinkedStore> store = std::make_shared<LinkedStore>();
  StorageManager manager{store};
};

TEST_F(LinkerTest, LinksToTheObjectThatTheManifestNames) {
  manager.store_step_data("s", "1",
                          {.html_content = "<p>",
                           .screenshot_bytes = kPng,
                           .components = {{.name = "h a r", .data = "{}"}}});
  EXPECT_EQ(link("html").key, "s/1/observation.html");
  EXPECT_EQ(link("screenshot").key, "s/1/screenshot.png");
  const PresignedUrl har = link(
      "h a r",
      {.expires = hours(2), .content_type = "text/plain", .content_disposition = "attachment"});
  EXPECT_EQ(har.key, "s/1/h%20a%20r");
  EXPECT_EQ(har.expires_at, Timestamp(hours(2)));
  EXPECT_EQ(store->asked.back().content_type, "text/plain");
  EXPECT_EQ(store->asked.back().content_disposition, "attachment");
  EXPECT_EQ(store->asked.front().expires, hours(1));
  EXPECT_EQ(store->asked.front().content_type, "") << "the object's own";
}

TEST_F(LinkerTest, LinksToTheCurrentVersionOrToOneThatIsKept) {
  manager.store_step_data("s", "1", {.html_content = "first"});
  manager.store_step_data("s", "1", {.html_content = "second"}, {.keep_versions = Keep{2}});
  const std::string now = link("html").key;
  const std::string before = link("html", {.version = 1}).key;
  EXPECT_EQ(get_one(*store, ObjectKey(now)).value().body.text(), "second");
  EXPECT_EQ(get_one(*store, ObjectKey(before)).value().body.text(), "first");
  EXPECT_THAT(refusal<NotFound>([&] { link("html", {.version = 3}); }), HasSubstr("version 3"));
}

TEST_F(LinkerTest, LinksToNothingThatIsNotThere) {
  EXPECT_THAT(refusal<NotFound>([&] { link("html"); }), HasSubstr("no such step"));
  manager.store_step_data("s", "1", {.html_content = "<p>", .metadata = "{}"});
  EXPECT_THAT(refusal<NotFound>([&] { link("action"); }), HasSubstr("no component 'action'"));
  EXPECT_THAT(refusal<NotFound>([&] { link("metadata"); }), HasSubstr("no object of its own"));
  manager.delete_step("s", "1");
  EXPECT_THAT(refusal<NotFound>([&] { link("html"); }), HasSubstr("no such step"));
}

TEST_F(LinkerTest, UploadsGoUnderThePlainNamesThatAdoptKnows) {
  EXPECT_EQ(upload("html").key, "s/new/observation.html");
  EXPECT_EQ(store->asked.back().content_type, "text/html");
  EXPECT_EQ(upload("action").key, "s/new/action.json");
  EXPECT_EQ(upload("metadata").key, "s/new/metadata.json");
  EXPECT_EQ(upload("screenshot").key, "s/new/screenshot.png");
  EXPECT_EQ(store->asked.back().content_type, "image/png");
  EXPECT_EQ(upload("screenshot", "image/webp").key, "s/new/screenshot.webp");
  EXPECT_EQ(upload("html", "text/html; charset=utf-16").key, "s/new/observation.html");
  EXPECT_EQ(store->asked.back().content_type, "text/html; charset=utf-16");
  EXPECT_EQ(store->asked.back().method, LinkMethod::put);
}

// A folder with a manifest is never adopted, whatever the manifest says.
TEST_F(LinkerTest, NobodyUploadsIntoAStepThatIsThereOrWas) {
  manager.store_step_data("s", "1", {.html_content = "<p>"});
  EXPECT_THAT(refusal<AlreadyExists>([&] { upload("action", "", "1"); }), HasSubstr("is there"));
  manager.delete_step("s", "1");
  EXPECT_THAT(refusal<AlreadyExists>([&] { upload("html", "", "1"); }), HasSubstr("was deleted"));
  manager.delete_session("s");
  EXPECT_EQ(upload("html", "", "1").key, "s~1/1/observation.html") << "recorded again";
}

// What an untrusted recorder has put there is a step once somebody has looked at it.
TEST_F(LinkerTest, WhatWasUploadedIsAdoptedADayLater) {
  SetClock clock(system_clock().now_ms() + hours(25));
  clock.set_steady(system_clock().steady_now());
  put_one(*store, {.key = ObjectKey(upload("html").key), .body = "<p>theirs"}).value();
  StorageManager later = ManagerCore::manage(
      std::make_shared<ManagerCore>(store, Options{}, StorageInfo{.backend = "test"}, clock));
  EXPECT_EQ(later.adopt({.dry_run = false}).adopted.size(), 1U);
  EXPECT_EQ(later.retrieve_step_data("s", "new").html_content()->text(), "<p>theirs");
  EXPECT_THROW((void)upload("html"), AlreadyExists);
}

TEST_F(LinkerTest, RefusesWhatCannotBeBeforeItAsksAnybody) {
  manager.store_step_data("s", "1", {.html_content = "<p>"});
  const auto wrong = [&](PresignOptions options, const std::string& component = "html",
                         const std::string& step = "1") {
    return refusal<InvalidArgument>([&] { link(component, std::move(options), step); });
  };
  for (const auto expires : {seconds(0), seconds(-5), seconds(604'801), seconds::max()}) {
    EXPECT_THAT(wrong({.expires = expires}), HasSubstr("at most 7 days"));
  }
  EXPECT_NO_THROW((void)link("html", {.expires = hours(7 * 24)}));
  EXPECT_THAT(wrong({.content_type = "html"}), HasSubstr("no content type"));
  EXPECT_THAT(wrong({.content_disposition = "a\r\nb: c"}), HasSubstr("printable ASCII"));
  EXPECT_THAT(wrong({}, "html", ""), HasSubstr("step_id"));
  const auto put = LinkMethod::put;
  EXPECT_THAT(wrong({.method = put, .version = 1}), HasSubstr("no version"));
  EXPECT_THAT(wrong({.method = put, .content_disposition = "attachment"}), HasSubstr("is read"));
  EXPECT_THAT(wrong({.method = put}, "har", "new"), HasSubstr("no step could be made"));
  EXPECT_THAT(wrong({.method = put, .content_type = "image/gif"}, "screenshot", "new"),
              HasSubstr("image/webp"));
}

TEST_F(LinkerTest, WrappersLinkToWhereTheirObjectsLie) {
  const auto prefixed = std::make_shared<PrefixStore>(store, "team/a");
  std::vector<std::string> seen;
  const auto observed = std::make_shared<ObserveStore>(
      prefixed, [&](const Observation& each) { seen.emplace_back(each.operation); });
  StorageManager wrapped{observed};
  wrapped.store_step_data("s", "1", {.html_content = "<p>"});
  const PresignedUrl made = wrapped.presign("s", "1", "html");
  EXPECT_EQ(made.url, "https://example.com/team/a/s/1/observation.html");
  EXPECT_EQ(made.key, "s/1/observation.html");
  EXPECT_EQ(seen.back(), "link");
}

TEST(Linker, OtherStoresHaveNone) {
  const std::vector<std::shared_ptr<ObjectStore>> stores = {
      std::make_shared<MemoryStore>(),
      std::make_shared<PrefixStore>(std::make_shared<MemoryStore>(), "p"),
      std::make_shared<ObserveStore>(std::make_shared<MemoryStore>(), nullptr)};
  for (const auto& store : stores) {
    StorageManager manager{store};
    manager.store_step_data("s", "1", {.html_content = "<p>"});
    for (const LinkMethod method : {LinkMethod::get, LinkMethod::put}) {
      try {
        (void)manager.presign("s", method == LinkMethod::get ? "1" : "2", "html",
                              {.method = method});
        FAIL();
      } catch (const Unsupported& refused) {
        EXPECT_THAT(refused.what(), HasSubstr("only a store in S3"));
        EXPECT_FALSE(refused.advice().empty());
      }
    }
  }
}

}  // namespace
}  // namespace stepstore
