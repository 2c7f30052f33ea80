// stepstore._core: the library for Python's own layer in python/stepstore/, which gives it Python's
// idiom. Not for users.
#include "manager.h"

namespace stepstore::python {
namespace {

auto ticket() { return nb::arg("ticket").none() = nb::none(); }

}  // namespace

NB_MODULE(_core, m) {
#if defined(NDEBUG)
  // A loop or a manager that nobody closed before the end is no news for the program's user.
  nb::set_leak_warnings(false);
#endif
  m.doc() = "The C++ library; stepstore.StorageManager is what to use.";
  start_afresh_after_fork();
  m.def("end_calls", &end_calls);
  m.attr("version") = nb::str(kVersion.data(), kVersion.size());
  m.def("collect_log", &collect_log, nb::arg("level"));

  nb::class_<Text>(m, "Text")
      .def(nb::init<const nb::object&>(), nb::arg("text"))
      .def("__len__", &Text::held)
      .def("was_mended", &Text::was_mended);

  nb::class_<Ticket>(m, "Ticket").def("stop", &Ticket::stop).def("begun", &Ticket::begun);
  nb::class_<Port>(m, "Port")
      .def(nb::init<>())
      .def("fileno", &Port::fileno)
      .def("ticket", &Port::ticket, nb::arg("number"))
      .def("take", &Port::take, nb::arg("into"))
      .def("of_this_process", &Port::of_this_process)
      .def("wait", &Port::wait);

  nb::class_<Busy>(m, "Busy")
      .def(nb::init<std::string>(), nb::arg("operation"))
      .def("__enter__", &Busy::enter)
      .def("__exit__", [](Busy& busy, const nb::args&) { busy.leave(); });

  nb::class_<RawStep>(m, "RawStep")
      .def("bytes", &RawStep::bytes, nb::arg("name"))
      .def("text", &RawStep::text, nb::arg("name"))
      .def("size", [](const RawStep& raw) { return raw.step.info().total_size(); })
      .def("info", &RawStep::info);
  // NOLINTNEXTLINE(bugprone-unused-raii): its constructor makes the class known to Python.
  nb::class_<RawCursor>(m, "RawCursor");
  nb::class_<Together>(m, "Together").def(nb::init<>());

  nb::class_<Manager>(m, "Manager")
      .def(nb::init<const nb::bytes&, std::optional<nb::bytes>, std::optional<bool>, std::uint32_t,
                    std::size_t, std::uint64_t, const Manager::Names&,
                    const std::optional<Manager::Signer>&, const Manager::Network&, bool, bool,
                    const nb::tuple&>(),
           nb::arg("uri"), nb::arg("local_base_path").none(), nb::arg("fsync").none(),
           nb::arg("keep_versions"), nb::arg("concurrency"), nb::arg("in_flight_bytes_max"),
           nb::arg("s3_names"), nb::arg("credentials").none(), nb::arg("network"),
           nb::arg("prefer_s3"), nb::arg("renewed"), nb::arg("s3_objects"))
      .def("set_credentials", &Manager::set_credentials, nb::arg("credentials"))
      .def("store", &Manager::store, nb::arg("fields"), nb::arg("if_exists"),
           nb::arg("if_version").none(), nb::arg("keep_versions").none(), nb::arg("timeout"),
           ticket())
      .def("retrieve", &Manager::retrieve, nb::arg("session"), nb::arg("step"),
           nb::arg("version").none(), nb::arg("legacy"), nb::arg("together").none(),
           nb::arg("timeout"), ticket())
      .def("stat", &Manager::stat, nb::arg("session"), nb::arg("step"), nb::arg("version").none(),
           nb::arg("legacy"), nb::arg("timeout"), ticket())
      .def("sessions", &Manager::sessions, nb::arg("prefix"), nb::arg("after"), nb::arg("limit"),
           nb::arg("timeout"), ticket())
      .def("steps", &Manager::steps, nb::arg("session"), nb::arg("prefix"), nb::arg("after"),
           nb::arg("limit"), nb::arg("legacy"), nb::arg("timeout"), ticket())
      .def("iterate", &Manager::iterate, nb::arg("session"), nb::arg("prefix"), nb::arg("after"),
           nb::arg("limit"), nb::arg("legacy"), nb::arg("step_timeout"), nb::arg("timeout"),
           ticket())
      .def("next", &Manager::next, nb::arg("cursor"), nb::arg("timeout"), ticket())
      .def("delete_step", &Manager::delete_step, nb::arg("session"), nb::arg("step"),
           nb::arg("timeout"), ticket())
      .def("delete_session", &Manager::delete_session, nb::arg("session"), nb::arg("timeout"),
           ticket())
      .def("doctor", &Manager::doctor, nb::arg("thorough"), nb::arg("timeout"), ticket())
      .def("check", &Manager::check, nb::arg("session").none(), nb::arg("data"), nb::arg("timeout"),
           ticket())
      .def("adopt", &Manager::adopt, nb::arg("session").none(), nb::arg("dry_run"),
           nb::arg("timeout"), ticket())
      .def("presign", &Manager::presign, nb::arg("session"), nb::arg("step"), nb::arg("component"),
           nb::arg("put"), nb::arg("expires"), nb::arg("version").none(), nb::arg("content_type"),
           nb::arg("content_disposition"), nb::arg("timeout"), ticket())
      .def("info", &Manager::info)
      .def("close", &Manager::close);
}

}  // namespace stepstore::python
