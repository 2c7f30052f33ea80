// stepstore._core: the library for Python's own layer in python/stepstore/, which gives it Python's
// idiom. Plain values in, plain values out; not for users.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>

#include <array>
#include <memory>
#include <tuple>

#include "call.h"

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

// One item of a batch: its value, or its exception as an object.
template <class T, class Convert>
nb::list each(const std::vector<Result<T>>& results, Convert&& convert) {
  nb::list out;
  for (const Result<T>& result : results) {
    out.append(result.ok() ? nb::object(convert(*result)) : to_exception(result.error()));
  }
  return out;
}

ListOptions list_options(std::string prefix, std::string after, std::size_t limit, bool legacy,
                         const Call& call) {
  return {.prefix = std::move(prefix),
          .after = std::move(after),
          .limit = limit,
          .legacy = legacy,
          .call = call};
}

nb::list to_python(const std::vector<Finding>& findings) {
  nb::list out;
  for (const Finding& finding : findings) {
    out.append(nb::make_tuple(to_str(name_of(finding.kind)), to_str(finding.key),
                              to_str(finding.message)));
  }
  return out;
}

// A step that was read; its bytes become Python's when they are asked for.
struct RawStep {
  Step step;

  nb::object bytes(const std::string& name) const {
    return to_bytes(name == "metadata" ? step.metadata() : step.find(name));
  }
  static nb::object to_bytes(const std::optional<Bytes>& bytes) {
    if (!bytes) return nb::none();
    return nb::bytes(bytes->text().data(), bytes->size());
  }
};

struct RawCursor {
  StepCursor cursor;
};

class Manager {
 public:
  using Names = std::array<std::optional<std::string>, 4>;  // bucket, region, endpoint, profile
  using Signer = std::tuple<std::string, std::string, std::string>;  // key, secret, token

  // Paths are bytes, since a file name need not be text.
  Manager(const nb::bytes& uri, std::optional<nb::bytes> local_base_path, std::optional<bool> fsync,
          std::uint32_t keep_versions, std::size_t concurrency, const Names& s3_names,
          const std::optional<Signer>& credentials, bool prefer_s3) {
    const Entry entry("StorageManager");
    Options options;
    if (local_base_path) options.local_base_path = std::string(local_base_path->c_str());
    options.fsync = fsync;
    options.keep_versions = Keep{keep_versions};
    options.concurrency = concurrency;
    std::tie(options.s3_bucket_name, options.s3_region_name, options.s3_endpoint_url,
             options.s3_profile) = std::tuple_cat(s3_names);
    if (credentials) {
      const auto& [key, secret, token] = *credentials;
      options.s3_credentials = {
          .access_key_id = key, .secret_access_key = secret, .session_token = token};
    }
    options.prefer_s3 = prefer_s3;
    const std::string location = uri.c_str();
    manager_ =
        run(1e9, [&](const Call&) { return std::make_unique<StorageManager>(location, options); });
  }

  nb::object store(nb::handle fields, int if_exists, std::optional<std::uint64_t> if_version,
                   std::optional<std::uint32_t> keep_versions, double timeout) {
    const Entry entry("store_step_data");
    Buffers buffers;
    const StepRequest request = to_request(fields, buffers);
    StoreOptions options = store_options(if_exists, if_version, keep_versions);
    return python::to_python(run(timeout, [&](const Call& call) {
      options.call = call;
      return manager_->store_step_data(request.session_id, request.step_id, request.data, options);
    }));
  }

  nb::list store_many(nb::handle steps, int if_exists, std::optional<std::uint64_t> if_version,
                      std::optional<std::uint32_t> keep_versions, double timeout) {
    const Entry entry("store_steps");
    Buffers buffers;
    std::vector<StepRequest> requests;
    for (const nb::handle fields : steps) requests.push_back(to_request(fields, buffers));
    StoreOptions options = store_options(if_exists, if_version, keep_versions);
    return each(run(timeout,
                    [&](const Call& call) {
                      options.call = call;
                      return manager_->store_steps(requests, options);
                    }),
                [](const Receipt& receipt) { return python::to_python(receipt); });
  }

  RawStep retrieve(const std::string& session, const std::string& step,
                   std::optional<std::uint64_t> version, bool legacy, double timeout) {
    const Entry entry("retrieve_step_data");
    return {run(timeout, [&](const Call& call) {
      return manager_->retrieve_step_data(session, step, read_options(version, legacy, call));
    })};
  }

  nb::list retrieve_many(const std::vector<std::pair<std::string, std::string>>& names, bool legacy,
                         double timeout) {
    const Entry entry("retrieve_steps");
    std::vector<StepName> steps;
    for (const auto& [session, step] : names) steps.push_back({session, step});
    return each(run(timeout,
                    [&](const Call& call) {
                      return manager_->retrieve_steps(steps, read_options({}, legacy, call));
                    }),
                [](const Step& step) { return nb::cast(RawStep{step}); });
  }

  nb::dict stat(const std::string& session, const std::string& step,
                std::optional<std::uint64_t> version, bool legacy, double timeout) {
    const Entry entry("stat_step");
    return python::to_python(run(timeout, [&](const Call& call) {
      return manager_->stat_step(session, step, read_options(version, legacy, call));
    }));
  }

  nb::tuple sessions(const std::string& prefix, const std::string& after, std::size_t limit,
                     double timeout) {
    const Entry entry("list_sessions");
    const Listing page = run(timeout, [&](const Call& call) {
      return manager_->list_sessions(list_options(prefix, after, limit, false, call));
    });
    return nb::make_tuple(to_list(page.ids), to_str(page.next));
  }

  nb::tuple steps(const std::string& session, const std::string& prefix, const std::string& after,
                  std::size_t limit, bool legacy, double timeout) {
    const Entry entry("list_steps_for_session");
    const Listing page = run(timeout, [&](const Call& call) {
      return manager_->list_steps_for_session(session,
                                              list_options(prefix, after, limit, legacy, call));
    });
    return nb::make_tuple(to_list(page.ids), to_str(page.next));
  }

  RawCursor iterate(const std::string& session, const std::string& prefix, const std::string& after,
                    std::size_t limit, bool legacy, double timeout) {
    const Entry entry("iter_steps");
    return {run(timeout, [&](const Call& call) {
      // What the cursor keeps must not ask Python about signals later: next() brings its own
      // thread.
      Call kept{.timeout = call.timeout, .stop = call.stop};
      return manager_->iter_steps(session, list_options(prefix, after, limit, legacy, kept),
                                  read_options({}, legacy, kept));
    })};
  }

  nb::tuple delete_step(const std::string& session, const std::string& step, double timeout) {
    const Entry entry("delete_step");
    return to_tuple(run(timeout, [&](const Call& call) {
      return manager_->delete_step(session, step, {.call = call});
    }));
  }
  nb::tuple delete_session(const std::string& session, double timeout) {
    const Entry entry("delete_session");
    return to_tuple(run(timeout, [&](const Call& call) {
      return manager_->delete_session(session, {.call = call});
    }));
  }

  nb::dict check(std::optional<std::string> session, bool data, double timeout) {
    const Entry entry("check");
    const CheckReport report = run(timeout, [&](const Call& call) {
      return manager_->check({.session = session, .data = data, .call = call});
    });
    nb::dict out;
    out["sessions"] = report.sessions;
    out["steps"] = report.steps;
    out["legacy_steps"] = report.legacy_steps;
    out["components"] = report.components;
    out["bytes"] = report.bytes;
    out["data_verified"] = report.data_verified;
    out["healthy"] = report.healthy();
    out["findings"] = to_python(report.findings);
    return out;
  }

  nb::tuple adopt(std::optional<std::string> session, bool dry_run, double timeout) {
    const Entry entry("adopt");
    const AdoptReport report = run(timeout, [&](const Call& call) {
      return manager_->adopt({.session = session, .dry_run = dry_run, .call = call});
    });
    nb::list adopted;
    for (const StepName& name : report.adopted) {
      adopted.append(nb::make_tuple(to_str(name.session_id), to_str(name.step_id)));
    }
    return nb::make_tuple(adopted, to_python(report.skipped));
  }

  nb::dict info() const {
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

  void close() {
    const Entry entry("close", true);
    const nb::gil_scoped_release released;
    manager_->close();
  }

 private:
  static ReadOptions read_options(std::optional<std::uint64_t> version, bool legacy,
                                  const Call& call) {
    return {.version = version, .legacy = legacy, .call = call};
  }
  static nb::tuple to_tuple(const DeleteResult& result) {
    return nb::make_tuple(result.steps, result.objects);
  }

  std::unique_ptr<StorageManager> manager_;
};

}  // namespace

NB_MODULE(_core, m) {
  m.doc() = "The C++ library; stepstore.StorageManager is what to use.";
  start_afresh_after_fork();
  m.def("end_calls", &end_calls);
  m.attr("version") = nb::str(kVersion.data(), kVersion.size());
  m.def("collect_log", &collect_log, nb::arg("level"));

  nb::class_<RawStep>(m, "RawStep")
      .def("bytes", &RawStep::bytes, nb::arg("name"))
      .def("info", [](const RawStep& raw) { return to_python(raw.step.info()); });

  nb::class_<RawCursor>(m, "RawCursor").def("next", [](RawCursor& raw) -> nb::object {
    const Entry entry("iter_steps");
    auto step = run(1e9, [&](const Call&) { return raw.cursor.next(); });
    if (!step) return nb::none();
    return nb::cast(RawStep{*std::move(step)});
  });

  nb::class_<Manager>(m, "Manager")
      .def(nb::init<const nb::bytes&, std::optional<nb::bytes>, std::optional<bool>, std::uint32_t,
                    std::size_t, const Manager::Names&, const std::optional<Manager::Signer>&,
                    bool>(),
           nb::arg("uri"), nb::arg("local_base_path").none(), nb::arg("fsync").none(),
           nb::arg("keep_versions"), nb::arg("concurrency"), nb::arg("s3_names"),
           nb::arg("credentials").none(), nb::arg("prefer_s3"))
      .def("store", &Manager::store, nb::arg("fields"), nb::arg("if_exists"),
           nb::arg("if_version").none(), nb::arg("keep_versions").none(), nb::arg("timeout"))
      .def("store_many", &Manager::store_many, nb::arg("steps"), nb::arg("if_exists"),
           nb::arg("if_version").none(), nb::arg("keep_versions").none(), nb::arg("timeout"))
      .def("retrieve", &Manager::retrieve, nb::arg("session"), nb::arg("step"),
           nb::arg("version").none(), nb::arg("legacy"), nb::arg("timeout"))
      .def("retrieve_many", &Manager::retrieve_many, nb::arg("names"), nb::arg("legacy"),
           nb::arg("timeout"))
      .def("stat", &Manager::stat, nb::arg("session"), nb::arg("step"), nb::arg("version").none(),
           nb::arg("legacy"), nb::arg("timeout"))
      .def("sessions", &Manager::sessions, nb::arg("prefix"), nb::arg("after"), nb::arg("limit"),
           nb::arg("timeout"))
      .def("steps", &Manager::steps, nb::arg("session"), nb::arg("prefix"), nb::arg("after"),
           nb::arg("limit"), nb::arg("legacy"), nb::arg("timeout"))
      .def("iterate", &Manager::iterate, nb::arg("session"), nb::arg("prefix"), nb::arg("after"),
           nb::arg("limit"), nb::arg("legacy"), nb::arg("timeout"))
      .def("delete_step", &Manager::delete_step, nb::arg("session"), nb::arg("step"),
           nb::arg("timeout"))
      .def("delete_session", &Manager::delete_session, nb::arg("session"), nb::arg("timeout"))
      .def("check", &Manager::check, nb::arg("session").none(), nb::arg("data"), nb::arg("timeout"))
      .def("adopt", &Manager::adopt, nb::arg("session").none(), nb::arg("dry_run"),
           nb::arg("timeout"))
      .def("info", &Manager::info)
      .def("close", &Manager::close);
}

}  // namespace stepstore::python
