#include "tests/s3/fault_sweep/acts.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace stepstore::sweep {
namespace {

// What is stored under a label: a page and a picture that differ by it, and a HAR that does not, so
// that a second version shares it.
struct Content {
  explicit Content(std::string_view label)
      : html("<p>" + std::string(label) + std::string(3'000, '.') + std::string(label)),
        screenshot("\x89PNG\r\n\x1a\n" + std::string(label) + std::string(20'000, '#')),
        action("{\"label\":\"" + std::string(label) + "\"}") {}

  StepData data() const {
    return {.html_content = html,
            .screenshot_bytes = screenshot,
            .action_data = action,
            .metadata = action,
            .components = {{.name = "network.har", .data = har}}};
  }
  bool is(const Step& step) const {
    return step.html_content() && step.html_content()->text() == html && step.screenshot_bytes() &&
           step.screenshot_bytes()->text() == screenshot && step.action_data() &&
           step.action_data()->text() == action && step.metadata() &&
           step.metadata()->text() == action && step.find("network.har") &&
           step.find("network.har")->text() == har;
  }

  std::string html, screenshot, action;
  std::string har = std::string(500, 'h');
};

const Content& old_content() {
  static const Content content("old");
  return content;
}
const Content& new_content() {
  static const Content content("new");
  return content;
}

// A file beyond the threshold above which components are streamed, in two parts.
class LargeFile {
 public:
  LargeFile()
      : path_(std::filesystem::temp_directory_path() /
              ("stepstore-sweep-" + std::to_string(::getpid()))) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(i * 31 % 251);
    std::ofstream(path_, std::ios::binary) << bytes_;
  }
  LargeFile(const LargeFile&) = delete;
  LargeFile& operator=(const LargeFile&) = delete;
  ~LargeFile() { std::filesystem::remove(path_); }

  const std::filesystem::path& path() const { return path_; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_ = std::string(6 << 20, ' ');
  const std::filesystem::path path_;
};

const LargeFile& large_file() {
  static const LargeFile file;
  return file;
}

void store(StorageManager& manager, const std::string& session, const std::string& step,
           const Content& content, const Call& call = {}) {
  manager.store_step_data(session, step, content.data(), {.call = call});
}

// "absent", "old", "new", or what must not be.
std::string seen(StorageManager& manager, const std::string& session, const std::string& step) {
  std::string found = "absent";
  try {
    const Step there = manager.retrieve_step_data(session, step);
    found = old_content().is(there) ? "old" : new_content().is(there) ? "new" : "of two stores";
  } catch (const NotFound&) {
    // It is absent.
  } catch (const StorageManagerError& failed) {
    found = std::string("unreadable: ") + failed.what();
  }
  const auto listed = manager.list_steps_for_session(session).ids;
  if ((std::ranges::count(listed, step) == 1) != (found != "absent")) found += ", listed otherwise";
  return found;
}

// Steps that nobody touches must be there in any case.
void store_neighbours(StorageManager& manager) {
  store(manager, "s", "neighbour", old_content());
  store(manager, "t", "neighbour", old_content());
}
std::string neighbours(StorageManager& manager) {
  const std::string beside = seen(manager, "s", "neighbour"),
                    apart = seen(manager, "t", "neighbour");
  return beside == "old" && apart == "old" ? "" : "; neighbours are " + beside + " and " + apart;
}

std::string look_at_step(StorageManager& manager) {
  return seen(manager, "s", "1") + neighbours(manager);
}

void prepare_old_step(StorageManager& manager) {
  store_neighbours(manager);
  store(manager, "s", "1", old_content());
}

void expect(bool right, const char* what) {
  if (!right) throw std::logic_error(what);
}

const std::set<ErrorCode> kStoreErrors{ErrorCode::InvalidArgument, ErrorCode::TooLarge,
                                       ErrorCode::NoSpace, ErrorCode::AlreadyExists,
                                       ErrorCode::Conflict};

Act store_act() {
  return {.name = "store",
          .prepare = store_neighbours,
          .run = [](StorageManager& manager,
                    const Call& call) { store(manager, "s", "1", new_content(), call); },
          .look = look_at_step,
          .before = "absent",
          .after = "new",
          .errors = kStoreErrors};
}

Act store_again_act() {
  Act act = store_act();
  act.name = "store_again";
  act.prepare = prepare_old_step;
  act.before = "old";
  return act;
}

Act store_large_act() {
  const auto look = [](StorageManager& manager) {
    std::string found = "absent";
    try {
      const Bytes video = manager.retrieve_step_data("s", "1").component("video.webm");
      found = video.text() == large_file().bytes() ? "new" : "other bytes";
    } catch (const NotFound&) {
      // It is absent.
    } catch (const StorageManagerError& failed) {
      found = std::string("unreadable: ") + failed.what();
    }
    return found + neighbours(manager);
  };
  return {
      .name = "store_large",
      .prepare = store_neighbours,
      .run =
          [](StorageManager& manager, const Call& call) {
            manager.store_step_data(
                "s", "1",
                {.html_content = "<p>",
                 .components = {{.name = "video.webm", .data = Source::file(large_file().path())}}},
                {.call = call});
          },
      .look = look,
      .before = "absent",
      .after = "new",
      .errors = kStoreErrors};
}

Act retrieve_act() {
  return {.name = "retrieve",
          .prepare = prepare_old_step,
          .run =
              [](StorageManager& manager, const Call& call) {
                expect(old_content().is(manager.retrieve_step_data("s", "1", {.call = call})),
                       "the step that was read is not the one that was stored");
              },
          .look = look_at_step,
          .before = "old",
          .after = "old",
          .reads = true};
}

// Each first answer about the picture is cut off, so that the rest of it is asked for.
Act retrieve_resumed_act() {
  Act act = retrieve_act();
  act.name = "retrieve_resumed";
  act.weather = [](fault::FaultPlan& plan, const std::string& bucket) {
    plan.on("GET", "s/1/screenshot")
        .when([bucket](const fault::Call& call) {
          return call.bucket == bucket && call.header("Range") == nullptr;
        })
        .nth(1)
        .fault("cut_answer");
  };
  return act;
}

// More objects than one page of a list has.
constexpr int kManySteps = 260;

Act list_steps_act() {
  const auto right = [](const std::vector<std::string>& ids) {
    if (ids.size() != kManySteps || !std::ranges::is_sorted(ids)) return false;
    return ids.front() == "1000" && ids.back() == std::to_string(1'000 + kManySteps - 1);
  };
  return {.name = "list_steps",
          .prepare =
              [](StorageManager& manager) {
                for (int i = 0; i < kManySteps; ++i) {
                  manager.store_step_data("many", std::to_string(1'000 + i),
                                          {.html_content = "a",
                                           .screenshot_bytes = "b",
                                           .action_data = "{}",
                                           .metadata = "{}"});
                }
              },
          .run =
              [right](StorageManager& manager, const Call& call) {
                expect(right(manager.list_steps_for_session("many", {.call = call}).ids),
                       "the list is not that of the steps");
              },
          .look =
              [right](StorageManager& manager) {
                return right(manager.list_steps_for_session("many").ids) ? "all" : "others";
              },
          .before = "all",
          .after = "all",
          .reads = true};
}

// One of them was deleted and recorded again, so that its folder has another name than it has.
Act list_sessions_act() {
  const std::vector<std::string> all{"a", "b", "c"};
  return {.name = "list_sessions",
          .prepare =
              [all](StorageManager& manager) {
                for (const std::string& each : all) store(manager, each, "1", old_content());
                manager.delete_session("b");
                store(manager, "b", "1", old_content());
              },
          .run =
              [all](StorageManager& manager, const Call& call) {
                expect(manager.list_sessions({.call = call}).ids == all,
                       "the list is not that of the sessions");
              },
          .look =
              [all](StorageManager& manager) {
                return manager.list_sessions().ids == all ? "all" : "others";
              },
          .before = "all",
          .after = "all",
          .reads = true};
}

Act delete_step_act() {
  return {.name = "delete_step",
          .prepare = prepare_old_step,
          .run = [](StorageManager& manager,
                    const Call& call) { manager.delete_step("s", "1", {.call = call}); },
          .look = look_at_step,
          .before = "old",
          .after = "absent",
          .errors = {ErrorCode::Held}};
}

Act delete_session_act() {
  const auto look = [](StorageManager& manager) {
    return seen(manager, "s", "1") + ' ' + seen(manager, "s", "neighbour") + ' ' +
           seen(manager, "t", "neighbour");
  };
  return {.name = "delete_session",
          .prepare = prepare_old_step,
          .run = [](StorageManager& manager,
                    const Call& call) { manager.delete_session("s", {.call = call}); },
          .look = look,
          .before = "old old old",
          .after = "absent absent old",
          .errors = {ErrorCode::Held, ErrorCode::PartialFailure}};
}

}  // namespace

const std::vector<Act>& acts() {
  static const std::vector<Act> all{
      store_act(),         store_again_act(),      store_large_act(),
      retrieve_act(),      retrieve_resumed_act(), list_steps_act(),
      list_sessions_act(), delete_step_act(),      delete_session_act()};
  return all;
}

const Act& act_named(const std::string& name) {
  const auto found = std::ranges::find(acts(), name, &Act::name);
  if (found == acts().end()) throw std::invalid_argument("there is no act " + name);
  return *found;
}

}  // namespace stepstore::sweep
