#include "manager.h"

#include <unistd.h>

#include <system_error>
#include <thread>
#include <utility>

#include "text.h"

namespace stepstore::python {
namespace {

StoreOptions store_options(int if_exists, std::optional<std::uint64_t> if_version,
                           std::optional<std::uint32_t> keep_versions) {
  StoreOptions options;
  options.if_exists = static_cast<IfExists>(if_exists);
  options.if_version = if_version;
  if (keep_versions) options.keep_versions = Keep{*keep_versions};
  return options;
}

ListOptions list_options(std::string prefix, std::string after, std::size_t limit, bool legacy,
                         const Call& call) {
  return {.prefix = std::move(prefix),
          .after = std::move(after),
          .limit = limit,
          .legacy = legacy,
          .call = call};
}

ReadOptions read_options(std::optional<std::uint64_t> version, bool legacy, const Call& call) {
  return {.version = version, .legacy = legacy, .call = call};
}

nb::list findings_to_python(const std::vector<Finding>& findings) {
  nb::list out;
  for (const Finding& finding : findings) {
    out.append(nb::make_tuple(to_str(name_of(finding.kind)), to_str(finding.key),
                              to_str(finding.message)));
  }
  return out;
}

nb::object page_to_python(const Listing& page) {
  return nb::make_tuple(to_list(page.ids), to_str(page.next));
}

nb::object deleted_to_python(const DeleteResult& result) {
  return nb::make_tuple(result.steps, result.objects);
}

nb::object check_to_python(const CheckReport& report) {
  nb::dict out;
  out["sessions"] = report.sessions;
  out["steps"] = report.steps;
  out["legacy_steps"] = report.legacy_steps;
  out["components"] = report.components;
  out["bytes"] = report.bytes;
  out["data_verified"] = report.data_verified;
  out["healthy"] = report.healthy();
  out["findings"] = findings_to_python(report.findings);
  return out;
}

nb::object doctor_to_python(const DoctorReport& report) {
  nb::list rows;
  for (const DoctorRow& row : report.rows) {
    rows.append(nb::make_tuple(to_str(row.area), to_str(row.name), to_str(row.tried),
                               to_str(name_of(row.verdict)), to_str(row.seen), to_str(row.advice),
                               row.needed));
  }
  nb::dict out;
  out["location"] = to_str(report.location);
  out["server"] = to_str(report.server);
  out["fit"] = report.fit();
  out["rows"] = rows;
  out["notes"] = to_list(report.notes);
  out["left_behind"] = to_list(report.left_behind);
  return out;
}

nb::object adopted_to_python(const AdoptReport& report) {
  nb::list adopted;
  for (const StepName& name : report.adopted) {
    adopted.append(nb::make_tuple(to_str(name.session_id), to_str(name.step_id)));
  }
  return nb::make_tuple(adopted, findings_to_python(report.skipped));
}

// For the time of a call, the texts are there as UTF-8.
class Filled {
 public:
  Filled(Buffers& buffers, StepData& data) : buffers_(buffers) { buffers.fill(data); }
  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;
  ~Filled() { buffers_.empty(); }

 private:
  Buffers& buffers_;
};

nb::object step_to_python(const Step& step) { return nb::cast(RawStep{step}); }
nb::object info_to_python(const StepInfo& info) { return to_python(info); }
nb::object receipt_to_python(const Receipt& receipt) { return to_python(receipt); }

}  // namespace

std::optional<Bytes> RawStep::part(const std::string& name) const {
  return name == "metadata" ? step.metadata() : step.find(name);
}

nb::object RawStep::bytes(const std::string& name) const {
  const std::optional<Bytes> found = part(name);
  if (!found) return nb::none();
  return nb::bytes(found->text().data(), found->size());
}

// Straight from where it was received: a bytes object in between would cost as much again.
nb::object RawStep::text(const std::string& name) const {
  const std::optional<Bytes> found = part(name);
  if (!found) return nb::none();
  return str_of_utf8(found->view());
}

std::function<std::optional<Step>(const Call&)> RawCursor::reader() const {
  return [state = state_](const Call& call) {
    const std::lock_guard guard(state->mutex);
    return state->cursor.next(call);
  };
}

namespace {

S3Credentials to_credentials(const Manager::Signer& signer) {
  const auto& [key, secret, token, expires_ms] = signer;
  S3Credentials out{.access_key_id = key, .secret_access_key = secret, .session_token = token};
  if (expires_ms) out.expires_at = Timestamp(std::chrono::milliseconds(*expires_ms));
  return out;
}

void set_network(Options& options, const Manager::Network& network) {
  std::optional<nb::bytes> ca_file;
  Manager::Times times;
  std::tie(options.s3_anonymous, options.allow_http, ca_file, options.proxy, options.no_proxy,
           times, options.attempts_max) = network;
  if (ca_file) options.ca_file = std::string(ca_file->c_str());
  const std::array to = {&options.connect_timeout, &options.first_byte_timeout,
                         &options.stall_timeout, &options.total_timeout};
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!times[i]) continue;
    *to[i] = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(*times[i]));
  }
}

}  // namespace

void Manager::set_credentials(const Signer& credentials) {
  if (slot_) slot_->set(to_credentials(credentials));
}

Manager::Manager(const nb::bytes& uri, std::optional<nb::bytes> local_base_path,
                 std::optional<bool> fsync, std::uint32_t keep_versions, std::size_t concurrency,
                 std::uint64_t in_flight_bytes_max, const Names& s3_names,
                 const std::optional<Signer>& credentials, const Network& network, bool prefer_s3,
                 bool renewed, const nb::tuple& s3_objects)
    : process_(::getpid()) {
  const Entry entry("StorageManager");
  release_undelivered();
  Options options;
  if (local_base_path) options.local_base_path = std::string(local_base_path->c_str());
  options.fsync = fsync;
  options.keep_versions = Keep{keep_versions};
  options.concurrency = concurrency;
  options.in_flight_bytes_max = in_flight_bytes_max;
  std::tie(options.s3_bucket_name, options.s3_region_name, options.s3_endpoint_url,
           options.s3_profile) = std::tuple_cat(s3_names);
  if (credentials) options.s3_credentials = to_credentials(*credentials);
  if (renewed) options.s3_credentials_slot = slot_ = std::make_shared<S3CredentialsSlot>();
  set_network(options, network);
  options.prefer_s3 = prefer_s3;
  options.s3_objects = to_object_settings(s3_objects);
  const std::string location = uri.c_str();
  manager_ = run("StorageManager", 1e9,
                 [&](const Call&) { return std::make_unique<StorageManager>(location, options); });
}

Manager::~Manager() {
  if (process_ != ::getpid()) {
    // The threads and what they use are the parent's. A child that used it ends its own threads
    // when it exits.
    [[maybe_unused]] const auto* const left_behind = manager_.release();
    return;
  }
  stop_.request_stop();
  if (!has_threads_) return;
  manager_->close();
  auto entry = std::make_unique<Entry>("StorageManager", true);
  StorageManager* const manager = manager_.release();
  const nb::gil_scoped_release released;
  try {
    std::thread([manager, entry = std::move(entry)] { delete manager; }).detach();
  } catch (const std::system_error&) {  // no more threads: it has to be this one
    delete manager;
  }
}

void Manager::start(std::unique_ptr<Op> op, Ticket& ticket, double timeout, Ticket::Work work) {
  if (process_ != ::getpid()) {
    [[maybe_unused]] const auto* const parents = new std::stop_source(std::move(stop_));
    stop_ = std::stop_source();
    process_ = ::getpid();
  }
  has_threads_ = true;
  const auto post = [this](std::function<void()> task) { manager_->post(std::move(task)); };
  try {
    ticket.start(std::move(op), timeout, stop_.get_token(), post, std::move(work));
  } catch (const StorageManagerError& error) {
    raise(error);
  }
}

nb::object Manager::store(nb::handle fields, int if_exists, MaybeVersion if_version,
                          MaybeCount keep_versions, double timeout, Ticket* ticket) {
  const StoreOptions options = store_options(if_exists, if_version, keep_versions);
  const auto work = [&options](StepRequest request, Buffers& buffers) {
    return [options, &buffers, request = std::move(request)](StorageManager& manager,
                                                             const Call& call) mutable {
      const Filled filled(buffers, request.data);
      StoreOptions with_call = options;
      with_call.call = call;
      return manager.store_step_data(request.session_id, request.step_id, request.data, with_call);
    };
  };
  if (ticket != nullptr) {
    auto op = ticket->op("store_step_data");
    Buffers& buffers = op->buffers;
    auto request = to_request(fields, buffers);
    begin(std::move(op), *ticket, timeout, work(std::move(request), buffers), receipt_to_python);
    return nb::none();
  }
  Buffers buffers;
  return perform("store_step_data", nullptr, timeout, work(to_request(fields, buffers), buffers),
                 receipt_to_python);
}

nb::object Manager::retrieve(const std::string& session, const std::string& step,
                             MaybeVersion version, bool legacy, const Together* together,
                             double timeout, Ticket* ticket) {
  ReadOptions options = read_options(version, legacy, {});
  if (together != nullptr) options.together = together->reads;
  auto work = [session, step, options](StorageManager& manager, const Call& call) {
    ReadOptions with_call = options;
    with_call.call = call;
    return manager.retrieve_step_data(session, step, with_call);
  };
  return perform("retrieve_step_data", ticket, timeout, std::move(work), step_to_python);
}

nb::object Manager::stat(const std::string& session, const std::string& step, MaybeVersion version,
                         bool legacy, double timeout, Ticket* ticket) {
  auto work = [session, step, version, legacy](StorageManager& manager, const Call& call) {
    return manager.stat_step(session, step, read_options(version, legacy, call));
  };
  return perform("stat_step", ticket, timeout, std::move(work), info_to_python);
}

nb::object Manager::sessions(std::string prefix, std::string after, std::size_t limit,
                             double timeout, Ticket* ticket) {
  const ListOptions list = list_options(std::move(prefix), std::move(after), limit, false, {});
  auto work = [list](StorageManager& manager, const Call& call) {
    ListOptions with_call = list;
    with_call.call = call;
    return manager.list_sessions(with_call);
  };
  return perform("list_sessions", ticket, timeout, std::move(work), page_to_python);
}

nb::object Manager::steps(const std::string& session, std::string prefix, std::string after,
                          std::size_t limit, bool legacy, double timeout, Ticket* ticket) {
  const ListOptions list = list_options(std::move(prefix), std::move(after), limit, legacy, {});
  auto work = [session, list](StorageManager& manager, const Call& call) {
    ListOptions with_call = list;
    with_call.call = call;
    return manager.list_steps_for_session(session, with_call);
  };
  return perform("list_steps_for_session", ticket, timeout, std::move(work), page_to_python);
}

nb::object Manager::delete_step(const std::string& session, const std::string& step, double timeout,
                                Ticket* ticket) {
  auto work = [session, step](StorageManager& manager, const Call& call) {
    return manager.delete_step(session, step, {.call = call});
  };
  return perform("delete_step", ticket, timeout, std::move(work), deleted_to_python);
}

nb::object Manager::delete_session(const std::string& session, double timeout, Ticket* ticket) {
  auto work = [session](StorageManager& manager, const Call& call) {
    return manager.delete_session(session, {.call = call});
  };
  return perform("delete_session", ticket, timeout, std::move(work), deleted_to_python);
}

nb::object Manager::check(std::optional<std::string> session, bool data, double timeout,
                          Ticket* ticket) {
  auto work = [session = std::move(session), data](StorageManager& manager, const Call& call) {
    return manager.check({.session = session, .data = data, .call = call});
  };
  return perform("check", ticket, timeout, std::move(work), check_to_python);
}

nb::object Manager::doctor(bool thorough, double timeout, Ticket* ticket) {
  auto work = [thorough](StorageManager& manager, const Call& call) {
    return manager.doctor({.thorough = thorough, .call = call});
  };
  return perform("doctor", ticket, timeout, std::move(work), doctor_to_python);
}

nb::object Manager::adopt(std::optional<std::string> session, bool dry_run, double timeout,
                          Ticket* ticket) {
  auto work = [session = std::move(session), dry_run](StorageManager& manager, const Call& call) {
    return manager.adopt({.session = session, .dry_run = dry_run, .call = call});
  };
  return perform("adopt", ticket, timeout, std::move(work), adopted_to_python);
}

nb::object Manager::iterate(const std::string& session, std::string prefix, std::string after,
                            std::size_t limit, bool legacy, double step_timeout, double timeout,
                            Ticket* ticket) {
  has_threads_ = true;
  const ListOptions list = list_options(std::move(prefix), std::move(after), limit, legacy, {});
  auto work = [session, list, legacy, step_timeout](StorageManager& manager, const Call&) {
    // What the cursor keeps must not ask Python about signals, nor be stopped with this call.
    const Call kept{.timeout = call_of(step_timeout).timeout, .stop = stop_at_exit()};
    ListOptions with_call = list;
    with_call.call = kept;
    return manager.iter_steps(session, with_call, read_options({}, legacy, kept));
  };
  return perform("iter_steps", ticket, timeout, std::move(work),
                 [](StepCursor& cursor) { return nb::cast(RawCursor(std::move(cursor))); });
}

nb::object Manager::next(const RawCursor& cursor, double timeout, Ticket* ticket) {
  auto work = [next = cursor.reader()](StorageManager&, const Call& call) { return next(call); };
  return perform("iter_steps", ticket, timeout, std::move(work),
                 [](const std::optional<Step>& step) {
                   return step ? step_to_python(*step) : nb::object(nb::none());
                 });
}

nb::object Manager::presign(const std::string& session, const std::string& step,
                            const std::string& component, bool put, std::int64_t expires,
                            MaybeVersion version, const std::string& content_type,
                            const std::string& content_disposition, double timeout,
                            Ticket* ticket) {
  const PresignOptions options{.method = put ? LinkMethod::put : LinkMethod::get,
                               .expires = std::chrono::seconds(expires),
                               .version = version,
                               .content_type = content_type,
                               .content_disposition = content_disposition};
  auto work = [session, step, component, options](StorageManager& manager, const Call& call) {
    PresignOptions with_call = options;
    with_call.call = call;
    return manager.presign(session, step, component, with_call);
  };
  return perform("presign", ticket, timeout, std::move(work),
                 [](const PresignedUrl& link) -> nb::object { return to_python(link); });
}

nb::dict Manager::info() const {
  const StorageInfo info = manager_->get_storage_info();
  nb::dict out;
  out["backend"] = to_str(info.backend);
  out["location"] = to_str(info.location);
  out["stack"] = to_str(info.stack);
  out["format"] = to_str(info.format);
  out["reason"] = to_str(info.reason);
  out["durable"] = info.durable;
  out["fsync"] = info.fsync;
  out["notes"] = to_list(info.notes);
  return out;
}

void Manager::close() {
  const Entry entry("close", true);
  const nb::gil_scoped_release released;
  manager_->close();
}

}  // namespace stepstore::python
