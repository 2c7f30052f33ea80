// Storing: what goes in comes back to the byte; what is wrong is refused before anything is
// written; versions count up.
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/ulid.h"
#include "manager/manager_fixture.h"

namespace stepstore {
namespace {

class StoreStep : public ManagerTest {};

TEST_P(StoreStep, ComesBackToTheByte) {
  const std::string html = "<p>\xff\0\r\n</p>";
  const auto receipt = manager->store_step_data("login", "0001",
                                                {.html_content = html,
                                                 .screenshot_bytes = kPng,
                                                 .action_data = " {\"a\": 1.50} ",
                                                 .metadata = "{\n \"url\": \"x\" }"});
  EXPECT_EQ(receipt.state, Receipt::State::committed);
  EXPECT_EQ(receipt.version, 1U);
  EXPECT_EQ(receipt.paths.at("html"), "login/0001/observation.html");

  const Step step = manager->retrieve_step_data("login", "0001");
  const auto [got_html, screenshot, action] = step;
  EXPECT_EQ(text(got_html), html);
  EXPECT_EQ(text(screenshot), kPng);
  EXPECT_EQ(text(action), " {\"a\": 1.50} ");
  EXPECT_EQ(text(step.metadata()), "{\n \"url\": \"x\" }");
  EXPECT_EQ(step.info().commit_id, receipt.commit_id);
  EXPECT_EQ(step.info().created_at, clock.now_ms());
  EXPECT_EQ(step.info().path, "login/0001");
  EXPECT_EQ(keys(),
            (std::vector<std::string>{".stepstore/format.json", "login/0001/action.json",
                                      "login/0001/observation.html", "login/0001/screenshot.png",
                                      "login/0001/step.json"}));
}

TEST_P(StoreStep, TellsAbsentFromEmpty) {
  manager->store_step_data("s", "1", {.html_content = ""});
  const Step step = manager->retrieve_step_data("s", "1");
  EXPECT_EQ(text(step.html_content()), "");
  EXPECT_EQ(text(step.screenshot_bytes()), "<absent>");
  EXPECT_EQ(text(step.action_data()), "<absent>");
  EXPECT_EQ(text(step.metadata()), "<absent>");
  manager->store_step_data("s", "nothing", {});
  EXPECT_TRUE(manager->retrieve_step_data("s", "nothing").info().components.empty());
}

TEST_P(StoreStep, NamesScreenshotsByTheirContent) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"\xff\xd8\xff\xe0 jpeg", "screenshot.jpg"},
      {std::string("RIFF\0\0\0\0WEBPVP8 ", 16), "screenshot.webp"},
      {kPng, "screenshot.png"},
      {"no picture", "screenshot.bin"}};
  for (const auto& [bytes, file] : kinds) {
    manager->store_step_data("s", file, {.screenshot_bytes = bytes});
    const Step step = manager->retrieve_step_data("s", file);
    EXPECT_EQ(step.info().find("screenshot")->path, file);
    EXPECT_EQ(text(step.screenshot_bytes()), bytes);
  }
}

TEST_P(StoreStep, KeepsAnyNumberOfNamedComponents) {
  StepData data{.html_content = "h"};
  for (const char* name : {"trace.zip", "a/b", "..", "step.json", "observation.html",
                           "metadata.json", "versions", "\xc3\xa4", "har"}) {
    data.components.push_back({name, Bytes::copy(name), {}});
  }
  data.components.push_back({"typed", "x", "text/x-note"});
  manager->store_step_data("s", "1", data);
  const Step step = manager->retrieve_step_data("s", "1");
  EXPECT_EQ(step.info().components.size(), 11U);
  for (const Component& component : data.components) {
    EXPECT_EQ(step.component(component.name), component.data.view()) << component.name;
  }
  EXPECT_EQ(step.info().find("trace.zip")->content_type, "application/zip");
  EXPECT_EQ(step.info().find("typed")->content_type, "text/x-note");
  EXPECT_THROW(step.component("other"), NotFound);
  EXPECT_TRUE(manager->check({.data = true}).findings.empty());
}

TEST_P(StoreStep, KeepsLargeMetadataAsAComponentOfItsOwn) {
  const std::string large = "[\"" + std::string(300 * 1024, 'm') + "\"]";
  manager->store_step_data("s", "1", {.html_content = "h", .metadata = large});
  const Step step = manager->retrieve_step_data("s", "1");
  EXPECT_EQ(text(step.metadata()), large);
  EXPECT_EQ(step.info().find("metadata"), nullptr);
  EXPECT_LT(body_of("s/1/step.json").size(), 4096U);
  // The next step of the session is read in the same way.
  manager->store_step_data("s", "2", {.html_content = "h", .metadata = large});
  EXPECT_EQ(text(manager->retrieve_step_data("s", "2").metadata()), large);
}

TEST_P(StoreStep, TakesAnyIds) {
  for (const char* id :
       {"a/b", "..", ".stepstore", "~", "a~1", "\xf0\x9f\x98\x80", "%2F", "A", "a"}) {
    manager->store_step_data(id, id, {.html_content = id});
    EXPECT_EQ(text(manager->retrieve_step_data(id, id).html_content()), id);
    EXPECT_EQ(manager->list_steps_for_session(id).ids, std::vector<std::string>{id});
  }
  EXPECT_EQ(manager->list_sessions().ids.size(), 9U);
}

// Goal: nothing is written when an argument is wrong, not even the format marker's folder of a
// step.
TEST_P(StoreStep, RefusesBadInputBeforeAnythingIsWritten) {
  manager->store_step_data("s", "there", {});
  const auto before = keys();
  const StepData good{.html_content = "x"};
  EXPECT_THROW(manager->store_step_data("", "1", good), InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "", good), InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "\xff", good), InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", std::string(201, 'x'), good), InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", {.action_data = "{"}), InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", {.action_data = ""}), InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", {.metadata = "{'a':1}"}), InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", {.components = {{"", "x"}}}), InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", {.components = {{"html", "x"}}}),
               InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", {.components = {{"a", "x"}, {"a", "y"}}}),
               InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", {.components = {{"a", "x", "no type"}}}),
               InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", good, {.keep_versions = Keep{0}}),
               InvalidArgument);
  EXPECT_THROW(manager->store_step_data("s", "1", {.html_content = Source::file("/no/such/file")}),
               NotFound);
  EXPECT_THROW(manager->store_step_data("s", "1", {.html_content = Source::file("/dev/null")}),
               InvalidArgument);
  EXPECT_THROW(open({.component_bytes_max = 10})
                   ->store_step_data("s", "1", {.html_content = "eleven chars"}),
               TooLarge);
  EXPECT_EQ(keys(), before);
}

TEST_P(StoreStep, SaysInAnErrorWhatWasDoneToWhatAndWhatToDo) {
  try {
    manager->store_step_data("log/in", "1", {.action_data = "{"});
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_EQ(error.operation(), "store_step_data");
    EXPECT_EQ(error.key(), "log/in/1");
    EXPECT_NE(std::string(error.what()).find("action_data is not valid JSON"), std::string::npos);
    EXPECT_FALSE(error.advice().empty());
    EXPECT_FALSE(error.retryable());
  }
}

// --- Again
// ----------------------------------------------------------------------------------------------------------

TEST_P(StoreStep, MakesTheNextVersionByDefault) {
  for (std::uint64_t version = 1; version <= 20; ++version) {
    const std::string html = "version " + std::to_string(version);
    EXPECT_EQ(manager->store_step_data("s", "1", {.html_content = html, .screenshot_bytes = kPng})
                  .version,
              version);
    const Step step = open()->retrieve_step_data("s", "1");
    EXPECT_EQ(text(step.html_content()), html);
    EXPECT_EQ(step.info().version, version);
  }
  // What is unchanged is shared, what was replaced is gone.
  EXPECT_EQ(keys().size(), 4U);
  EXPECT_TRUE(manager->check({.data = true}).findings.empty());
}

TEST_P(StoreStep, CanDropAndAddComponentsInTheNextVersion) {
  manager->store_step_data("s", "1", {.html_content = "h", .screenshot_bytes = kPng});
  manager->store_step_data("s", "1", {.html_content = "h", .components = {{"har", "x"}}});
  const Step step = open()->retrieve_step_data("s", "1");
  EXPECT_EQ(text(step.screenshot_bytes()), "<absent>");
  EXPECT_EQ(text(step.find("har")), "x");
  EXPECT_TRUE(manager->check({.data = true}).findings.empty());
}

TEST_P(StoreStep, FailsOnRequestWhenTheStepIsThere) {
  const StoreOptions fail{.if_exists = IfExists::fail};
  manager->store_step_data("s", "1", {.html_content = "a"}, fail);
  for (const auto& other : {open(), std::move(manager)}) {
    EXPECT_THROW(other->store_step_data("s", "1", {.html_content = "a"}, fail), AlreadyExists);
    EXPECT_THROW(other->store_step_data("s", "1", {.html_content = "b"}, fail), AlreadyExists);
  }
  EXPECT_EQ(text(open()->retrieve_step_data("s", "1").html_content()), "a");
}

TEST_P(StoreStep, SkipsOnRequestWhatIsIdentical) {
  const StoreOptions skip{.if_exists = IfExists::skip_identical};
  const StepData data{.html_content = "a", .screenshot_bytes = kPng, .metadata = "{}"};
  EXPECT_FALSE(manager->store_step_data("s", "1", data, skip).skipped);
  const auto before = body_of("s/1/step.json");
  EXPECT_TRUE(open()->store_step_data("s", "1", data, skip).skipped);
  EXPECT_TRUE(manager->store_step_data("s", "1", data, skip).skipped);
  EXPECT_EQ(body_of("s/1/step.json"), before);
  for (const StepData& other : std::vector<StepData>{
           {.html_content = "b", .screenshot_bytes = kPng, .metadata = "{}"},
           {.html_content = "b", .screenshot_bytes = kPng, .metadata = "{ }"},
           {.html_content = "b", .screenshot_bytes = kPng},
           {.html_content = "b", .screenshot_bytes = kPng, .components = {{"x", ""}}},
           {.html_content = "b"}}) {
    EXPECT_FALSE(manager->store_step_data("s", "1", other, skip).skipped);
  }
}

// Goal: a refusal never rests on what this process remembers of a step that another one has changed
// since.
TEST_P(StoreStep, JudgesByWhatIsThereNow) {
  const auto other = open();
  const StepData data{.html_content = "a"};
  manager->store_step_data("s", "1", data);
  other->delete_step("s", "1");
  EXPECT_NO_THROW(manager->store_step_data("s", "1", data, {.if_exists = IfExists::fail}));
  other->store_step_data("s", "1", {.html_content = "b"});
  EXPECT_FALSE(
      manager->store_step_data("s", "1", data, {.if_exists = IfExists::skip_identical}).skipped);
  EXPECT_EQ(text(other->retrieve_step_data("s", "1").html_content()), "a");
}

TEST_P(StoreStep, StoresOverTheGivenVersionOnly) {
  EXPECT_THROW(manager->store_step_data("s", "1", {.html_content = "a"}, {.if_version = 1}),
               Conflict);
  EXPECT_EQ(manager->store_step_data("s", "1", {.html_content = "a"}, {.if_version = 0}).version,
            1U);
  EXPECT_THROW(manager->store_step_data("s", "1", {.html_content = "b"}, {.if_version = 0}),
               Conflict);
  EXPECT_EQ(open()->store_step_data("s", "1", {.html_content = "b"}, {.if_version = 1}).version,
            2U);
  EXPECT_THROW(manager->store_step_data("s", "1", {.html_content = "c"}, {.if_version = 1}),
               Conflict);
  EXPECT_EQ(text(manager->retrieve_step_data("s", "1").html_content()), "b");
}

TEST_P(StoreStep, KeepsOlderVersionsOnRequest) {
  const StoreOptions keep3{.keep_versions = Keep{3}};
  for (int i = 1; i <= 5; ++i) {
    manager->store_step_data(
        "s", "1", {.html_content = "v" + std::to_string(i), .screenshot_bytes = kPng}, keep3);
  }
  const auto reader = open();
  for (const std::uint64_t version : {3, 4, 5}) {
    const Step step = reader->retrieve_step_data("s", "1", {.version = version});
    EXPECT_EQ(text(step.html_content()), "v" + std::to_string(version));
    EXPECT_EQ(text(step.screenshot_bytes()), kPng);
    EXPECT_EQ(reader->stat_step("s", "1", {.version = version}).version, version);
  }
  EXPECT_THROW(reader->retrieve_step_data("s", "1", {.version = 2}), NotFound);
  EXPECT_THROW(reader->retrieve_step_data("s", "1", {.version = 6}), NotFound);
  EXPECT_TRUE(manager->check({.data = true}).findings.empty());
  // The next store asks for the current version only: the others go, with everything that only they
  // named.
  manager->store_step_data("s", "1", {.html_content = "v6", .screenshot_bytes = kPng});
  EXPECT_EQ(keys().size(), 4U);
  EXPECT_TRUE(manager->check({.data = true}).findings.empty());
}

TEST_P(StoreStep, KeepsAllVersionsWhenAskedTo) {
  const auto keeper = open({.keep_versions = Keep::all()});
  for (int i = 1; i <= 30; ++i) {
    keeper->store_step_data("s", "1", {.html_content = "v" + std::to_string(i)});
  }
  for (std::uint64_t i = 1; i <= 30; ++i) {
    EXPECT_EQ(text(open()->retrieve_step_data("s", "1", {.version = i}).html_content()),
              "v" + std::to_string(i));
  }
  EXPECT_TRUE(manager->check({.data = true}).findings.empty());
}

// --- Sources
// --------------------------------------------------------------------------------------------------------

class TemporaryPath {
 public:
  explicit TemporaryPath(std::string_view content)
      : path(std::filesystem::temp_directory_path() /
             ("stepstore-test-" + make_ulid(system_clock(), system_random()))) {
    std::ofstream(path, std::ios::binary) << content;
  }
  ~TemporaryPath() { std::filesystem::remove(path); }
  const std::filesystem::path path;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

Source::Reader reader_of(const std::string& content, std::size_t piece) {
  return [&content, piece, at = std::size_t{0}](std::span<std::byte> out) mutable {
    const std::size_t size = std::min({out.size(), content.size() - at, piece});
    std::memcpy(out.data(), content.data() + at, size);
    at += size;
    return size;
  };
}

TEST_P(StoreStep, TakesFilesAndReadersOfAnySize) {
  const auto streaming = open({.stream_threshold = 100'000});
  for (const std::size_t size : {0UL, 1UL, 99'999UL, 100'000UL, 100'001UL, 6'000'000UL}) {
    const std::string content = pattern(size);
    const TemporaryPath file(content);
    const std::string id = std::to_string(size);
    for (int again = 0; again < 2; ++again) {
      streaming->store_step_data(
          "s", id,
          {.html_content = Source::file(file.path),
           .components = {{"pulled.bin", Source::reader(reader_of(content, 777))}}});
      const Step step = streaming->retrieve_step_data("s", id);
      EXPECT_EQ(step.html_content()->text(), content);
      EXPECT_EQ(step.component("pulled.bin").text(), content);
    }
  }
  EXPECT_TRUE(streaming->check({.data = true}).findings.empty());
}

// Goal: bytes that are handed in as a temporary live as long as the source that took them.
TEST_P(StoreStep, TakesOverTemporaries) {
  const std::string tail(100, 'x');
  const StepData data{.html_content = "page " + tail,
                      .screenshot_bytes = std::vector<unsigned char>(50, 'y'),
                      .components = {{"view", std::string_view(tail)}, {"named", tail}}};
  manager->store_step_data("s", "1", data);
  const Step step = manager->retrieve_step_data("s", "1");
  EXPECT_EQ(text(step.html_content()), "page " + tail);
  EXPECT_EQ(text(step.screenshot_bytes()), std::string(50, 'y'));
  EXPECT_EQ(step.component("view").text(), tail);
  EXPECT_EQ(data.components[1].data.view().data(), BytesView(tail).data());
}

TEST_P(StoreStep, FailsWithTheReadersErrorAndStoresNothing) {
  const auto before = keys();
  const Source bad = Source::reader(
      [](std::span<std::byte>) -> std::size_t { throw std::runtime_error("the camera is gone"); });
  try {
    manager->store_step_data("s", "1", {.html_content = "a", .components = {{"video", bad}}});
    FAIL();
  } catch (const Io& error) {
    EXPECT_NE(std::string(error.what()).find("the camera is gone"), std::string::npos);
    EXPECT_THROW(std::rethrow_exception(error.cause()), std::runtime_error);
  }
  EXPECT_THROW(manager->retrieve_step_data("s", "1"), NotFound);
}

// --- Batches
// --------------------------------------------------------------------------------------------------------

TEST_P(StoreStep, InABatchGivesAResultPerStep) {
  std::vector<StepRequest> steps;
  for (int i = 0; i < 100; ++i) {
    StepData data{.html_content = Bytes::copy("html " + std::to_string(i))};
    if (i % 10 == 3) data.action_data = "{";
    steps.push_back({"batch", std::to_string(1000 + i), data});
  }
  // Threads that wait for each other's locks move the test's clock, by minutes.
  const auto results =
      manager->store_steps(steps, {.call = {.timeout = std::chrono::hours(10'000)}});
  ASSERT_EQ(results.size(), 100U);
  std::vector<StepName> names;
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(results[i].ok(), i % 10 != 3) << i;
    if (i % 10 == 3) {
      EXPECT_TRUE(results[i].is(ErrorCode::InvalidArgument));
      EXPECT_EQ(results[i].error().key(), "batch/" + steps[i].step_id);
    }
    names.push_back({"batch", steps[i].step_id});
  }
  const auto read = manager->retrieve_steps(names);
  for (std::size_t i = 0; i < 100; ++i) {
    if (i % 10 == 3) {
      EXPECT_TRUE(read[i].is(ErrorCode::NotFound));
    } else {
      EXPECT_EQ(text(read[i].value().html_content()), "html " + std::to_string(i));
    }
  }
  EXPECT_TRUE(manager->store_steps({}).empty());
  EXPECT_TRUE(manager->retrieve_steps({}).empty());
}

TEST_P(StoreStep, InABatchStopsWhenAsked) {
  std::stop_source stop;
  std::vector<StepRequest> steps;
  for (int i = 0; i < 50; ++i) {
    const Source source = Source::reader([&stop, i, done = false](std::span<std::byte>) mutable {
      if (i == 5 && !std::exchange(done, true)) stop.request_stop();
      return std::size_t{0};
    });
    steps.push_back({"s", std::to_string(i), {.html_content = source}});
  }
  const auto results = manager->store_steps(steps, {.call = {.stop = stop.get_token()}});
  std::size_t stored = 0;
  std::size_t unknown = 0;  // stopped while a server had the request already
  for (const auto& result : results) {
    if (result.ok()) {
      ++stored;
    } else {
      EXPECT_TRUE(result.is(ErrorCode::Cancelled));
      unknown += result.error().outcome_unknown() ? 1 : 0;
    }
  }
  EXPECT_LT(stored, 50U);
  const auto there = open()->list_steps_for_session("s").ids;
  EXPECT_GE(there.size(), stored);
  EXPECT_LE(there.size(), stored + unknown);
  for (const std::string& step_id : there)
    EXPECT_NO_THROW(open()->retrieve_step_data("s", step_id));
}

TEST_P(StoreStep, AnswersTheInterruptQuestionOnTheCallersThread) {
  const auto caller = std::this_thread::get_id();
  int asked = 0;
  std::vector<StepRequest> steps(64, StepRequest{"s", "x", {.html_content = "a"}});
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i].step_id = std::to_string(i);
  const Call call{.interrupted = [&] {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    return ++asked > 1;
  }};
  std::size_t cancelled = 0;
  try {
    for (const auto& result : open({.concurrency = 2})->store_steps(steps, {.call = call})) {
      cancelled += result.is(ErrorCode::Cancelled) ? 1 : 0;
    }
  } catch (const Cancelled&) {
    cancelled = steps.size();
  }
  EXPECT_GT(cancelled, 0U);
}

// What readers would refuse is refused before anything is sent.
TEST_P(StoreStep, AManifestThatNobodyCouldReadIsTooLarge) {
  manager->store_step_data("s", "0", {});
  StepData data{.html_content = "a"};
  for (int i = 0; i < 60'000; ++i) {
    data.components.push_back({.name = std::to_string(i) + std::string(140, 'n'), .data = ""});
  }
  const auto before = keys();
  EXPECT_THROW(manager->store_step_data("s", "1", data), TooLarge);
  EXPECT_EQ(keys(), before);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreStep, testing::ValuesIn(manager_stores()), store_name);

}  // namespace
}  // namespace stepstore
