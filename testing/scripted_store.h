// ScriptedStore: another store whose requests wait, fail, get lost or come late as a test's script
// says. For interleavings and for the faults of a network.
//
//   Script script;
//   auto gate = script.on(ScriptedOperation::commit, "step.json").nth(2).block();
//   ... start a thread that stores ...
//   gate->wait_until_reached();
//   ... do what shall happen in between ...
//   gate->open();
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stepstore/object_store.h"

namespace stepstore {

// `commit` and `guard` are the requests that publish() makes beside the `put`s of its parts;
// `publish` is one that goes through whole; `upload` is the finish of an upload.
enum class ScriptedOperation : std::uint8_t {
  put,
  get,
  head,
  remove,
  list,
  commit,
  guard,
  publish,
  upload
};

struct ScriptedRequest {
  ScriptedOperation operation = ScriptedOperation::put;
  std::string key{};  // for list: the prefix
  Condition::Kind condition = Condition::Kind::none;
  friend bool operator==(const ScriptedRequest&, const ScriptedRequest&) = default;
};
void PrintTo(const ScriptedRequest& request, std::ostream* out);

// A place where requests wait until the test lets them go. Waiting for more than a minute throws
// std::runtime_error: the test is wrong then.
class Gate {
 public:
  void wait_until_reached(std::size_t requests = 1);
  void open();  // for good
  void pass();  // what a request does: it arrives, and waits

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t reached_ = 0;
  bool open_ = false;
};

// A request whose effect the test brings about later, or never.
class Late {
 public:
  bool sent();   // the request has been made
  void apply();  // does it now; once for each call, as a network may. Throws when nothing was sent.
  void send(std::function<void()> effect);

 private:
  std::mutex mutex_;
  std::function<void()> effect_{};
};

struct ScriptedAction {
  enum class Kind : std::uint8_t {
    pass,
    lost_answer,  // done, and told as Unavailable with an unknown outcome
    late,         // told so at once, and done when the test says; a read just fails
    fail,         // not done, and told as `code`
    duplicate     // done twice; the second answer is told
  };
  Kind kind = Kind::pass;
  std::shared_ptr<Gate> gate{};  // waited at before anything is done
  std::shared_ptr<Late> late{};
  ErrorCode code = ErrorCode::Unavailable;
  bool definite = true;  // false: the failure says that its outcome is unknown
};

// Rules that say what happens to which requests. Thread-safe; copies share their rules.
class Script {
 public:
  class Rule {
   public:
    Rule& nth(std::size_t number);  // only the number-th request that matches, counted from 1
    std::shared_ptr<Gate> block();
    void block(std::shared_ptr<Gate> gate);
    void lose_answer();
    std::shared_ptr<Late> make_late();
    void fail(ErrorCode code, bool definite = true);
    void duplicate();

   private:
    friend class Script;
    struct State;
    explicit Rule(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void act(ScriptedAction action);
    std::shared_ptr<State> state_;
  };

  Script();
  // Requests of this operation whose key ends in `suffix`. Of the rules that fire for a request the
  // first to block and the first to do something else count.
  Rule on(ScriptedOperation operation, std::string suffix);
  ScriptedAction operator()(const ScriptedRequest& request);

 private:
  struct Rules;
  std::shared_ptr<Rules> rules_;
};

// Batches are made item by item in their order, publish() as puts of the parts, a get of the guard
// and a put of the commit; so each request can be scripted, and the guard is judged before the
// commit, as on S3.
class ScriptedStore final : public ObjectStore {
 public:
  using Hook = std::function<ScriptedAction(const ScriptedRequest&)>;
  enum class Publish : std::uint8_t { by_requests, whole };

  ScriptedStore(std::shared_ptr<ObjectStore> inner, Hook hook,
                Publish publish = Publish::by_requests);

  std::vector<ScriptedRequest> requests() const;  // all so far, in the order of their beginning
  std::size_t count(ScriptedOperation operation, std::string_view suffix = {}) const;
  void forget_requests();

  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override;
  PublishResult publish(const PublishRequest& request, const CallLimits& limits) override;
  std::vector<Result<Object>> get(std::span<const GetRequest> items,
                                  const CallLimits& limits) override;
  std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                       const CallLimits& limits) override;
  ListPage list(const ListRequest& request, const CallLimits& limits) override;
  std::vector<Result<Done>> remove(std::span<const ObjectKey> keys,
                                   const CallLimits& limits) override;
  std::unique_ptr<Upload> start_upload(const ObjectKey& key, const std::string& content_type,
                                       const CallLimits& limits) override;
  Capabilities capabilities() const override;

 private:
  struct State;
  PublishResult publish_whole(const PublishRequest& request, const CallLimits& limits);

  std::shared_ptr<State> state_;
  Publish publish_;
};

}  // namespace stepstore
