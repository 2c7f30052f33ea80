// The StorageManager as the Python layer sees it: plain values in, plain values out. Every call is
// made here and waited for, without the GIL; or, with a ticket, begun on the manager's threads.
#pragma once

#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "port.h"

namespace stepstore::python {

// A step that was read; its bytes become Python's when they are asked for.
struct RawStep {
  Step step;

  nb::object bytes(const std::string& name) const;
  // None also for what is no UTF-8.
  nb::object text(const std::string& name) const;
  std::optional<Bytes> part(const std::string& name) const;
  nb::dict info() const { return to_python(step.info()); }
};

// The steps of a session one by one. Calls of several threads come one after the other.
class RawCursor {
 public:
  explicit RawCursor(StepCursor cursor) : state_(new State{{}, std::move(cursor)}) {}

  std::function<std::optional<Step>(const Call&)> reader() const;

 private:
  struct State {
    std::mutex mutex;
    StepCursor cursor;
  };
  std::shared_ptr<State> state_;
};

// Given with the reads of one batch.
struct Together {
  std::shared_ptr<ReadsTogether> reads = reads_together();
};

class Manager {
 public:
  using Names = std::array<std::optional<std::string>, 4>;  // bucket, region, endpoint, profile
  // Key, secret, token; when they expire, in milliseconds.
  using Signer = std::tuple<std::string, std::string, std::string, std::optional<std::int64_t>>;
  using MaybeText = std::optional<std::string>;
  using Times = std::array<std::optional<double>, 4>;  // connect, first byte, stall, total
  // Anonymous, plain HTTP, CA file, proxy, no proxy, times in seconds, attempts.
  using Network = std::tuple<bool, bool, std::optional<nb::bytes>, MaybeText, MaybeText, Times,
                             std::optional<int>>;
  using MaybeVersion = std::optional<std::uint64_t>;
  using MaybeCount = std::optional<std::uint32_t>;

  // Paths are bytes, since a file name need not be text.
  Manager(const nb::bytes& uri, std::optional<nb::bytes> local_base_path, std::optional<bool> fsync,
          std::uint32_t keep_versions, std::size_t concurrency, std::uint64_t in_flight_bytes_max,
          const Names& s3_names, const std::optional<Signer>& credentials, const Network& network,
          bool prefer_s3, bool renewed, const nb::tuple& s3_objects);
  // Stops the calls on its threads. They end in the background, since this may be the thread of an
  // event loop; exit waits for them.
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Who signs from now on, of a manager whose credentials are `renewed`.
  void set_credentials(const Signer& credentials);

  nb::object store(nb::handle fields, int if_exists, MaybeVersion if_version,
                   MaybeCount keep_versions, double timeout, Ticket* ticket);
  nb::object retrieve(const std::string& session, const std::string& step, MaybeVersion version,
                      bool legacy, const Together* together, double timeout, Ticket* ticket);
  nb::object stat(const std::string& session, const std::string& step, MaybeVersion version,
                  bool legacy, double timeout, Ticket* ticket);
  nb::object sessions(std::string prefix, std::string after, std::size_t limit, double timeout,
                      Ticket* ticket);
  nb::object steps(const std::string& session, std::string prefix, std::string after,
                   std::size_t limit, bool legacy, double timeout, Ticket* ticket);
  nb::object delete_step(const std::string& session, const std::string& step, double timeout,
                         Ticket* ticket);
  nb::object delete_session(const std::string& session, double timeout, Ticket* ticket);
  nb::object doctor(bool thorough, double timeout, Ticket* ticket);
  nb::object check(std::optional<std::string> session, bool data, double timeout, Ticket* ticket);
  nb::object adopt(std::optional<std::string> session, bool dry_run, double timeout,
                   Ticket* ticket);
  nb::object iterate(const std::string& session, std::string prefix, std::string after,
                     std::size_t limit, bool legacy, double step_timeout, double timeout,
                     Ticket* ticket);
  // None at the end.
  nb::object next(const RawCursor& cursor, double timeout, Ticket* ticket);
  nb::object presign(const std::string& session, const std::string& step,
                     const std::string& component, bool put, std::int64_t expires,
                     MaybeVersion version, const std::string& content_type,
                     const std::string& content_disposition, double timeout, Ticket* ticket);
  nb::dict info() const;
  void close();

 private:
  // Runs `work(manager, call)` now or, with a ticket, later; `convert` makes an object of its
  // value.
  template <class Work, class Convert>
  nb::object perform(std::string_view operation, Ticket* ticket, double timeout, Work work,
                     Convert convert) {
    if (ticket != nullptr) {
      begin(ticket->op(operation), *ticket, timeout, std::move(work), convert);
      return nb::none();
    }
    const Entry entry(operation);
    auto value = run(operation, timeout, [&](const Call& call) { return work(*manager_, call); });
    return convert(value);
  }

  template <class Work, class Convert>
  void begin(std::unique_ptr<Op> op, Ticket& ticket, double timeout, Work work, Convert convert) {
    using Value = std::invoke_result_t<Work&, StorageManager&, const Call&>;
    start(std::move(op), ticket, timeout,
          [manager = manager_.get(), work = std::move(work), convert](Op& to,
                                                                      const Call& call) mutable {
            auto value = std::make_shared<Value>(work(*manager, call));
            to.value = [value = std::move(value), convert] { return convert(*value); };
          });
  }
  void start(std::unique_ptr<Op> op, Ticket& ticket, double timeout, Ticket::Work work);

  std::unique_ptr<StorageManager> manager_;
  // Stops what was begun in this process. A forked child gets one of its own: what listens to its
  // parent's stands on stacks of threads that are not here.
  std::stop_source stop_;
  std::shared_ptr<S3CredentialsSlot> slot_{};  // null: the credentials are not renewed
  pid_t process_;
  bool has_threads_ = false;
};

}  // namespace stepstore::python
