#include "convert.h"

#include <system_error>

namespace stepstore::python {

Buffers::~Buffers() {
  for (Py_buffer& buffer : held_) PyBuffer_Release(&buffer);
}

BytesView Buffers::view(nb::handle object) {
  Py_buffer& buffer = held_.emplace_back();
  if (PyObject_GetBuffer(object.ptr(), &buffer, PyBUF_SIMPLE) != 0) {
    held_.pop_back();
    throw nb::python_error();
  }
  return {static_cast<const std::byte*>(buffer.buf), static_cast<std::size_t>(buffer.len)};
}

Source to_source(nb::handle data, Buffers& buffers) {
  if (nb::isinstance<nb::str>(data)) return Source::file(nb::cast<std::string>(data));
  return Source(buffers.view(data));
}

StepRequest to_request(nb::handle fields, Buffers& buffers) {
  StepRequest request{.session_id = nb::cast<std::string>(fields[0]),
                      .step_id = nb::cast<std::string>(fields[1]),
                      .data = {}};
  StepData& data = request.data;
  if (!fields[2].is_none()) data.html_content = to_source(fields[2], buffers);
  if (!fields[3].is_none()) data.screenshot_bytes = to_source(fields[3], buffers);
  if (!fields[4].is_none()) data.action_data = buffers.view(fields[4]).text();
  if (!fields[5].is_none()) data.metadata = buffers.view(fields[5]).text();
  for (const nb::handle component : fields[6]) {
    data.components.push_back({.name = nb::cast<std::string>(component[0]),
                               .data = to_source(component[1], buffers),
                               .content_type = nb::cast<std::string>(component[2])});
  }
  return request;
}

std::int64_t to_milliseconds(Timestamp time) { return time.time_since_epoch().count(); }

nb::dict to_python(const StepInfo& info) {
  nb::dict out;
  out["session_id"] = info.session_id;
  out["step_id"] = info.step_id;
  out["version"] = info.version;
  out["commit_id"] = info.commit_id;
  out["created_at_ms"] = to_milliseconds(info.created_at);
  out["expires_at_ms"] =
      info.expires_at ? nb::cast(to_milliseconds(*info.expires_at)) : nb::object(nb::none());
  out["path"] = info.path;
  out["legacy"] = info.legacy;
  nb::list components;
  for (const ComponentInfo& component : info.components) {
    components.append(nb::make_tuple(component.name, component.path, component.content_type,
                                     component.size, component.crc64));
  }
  out["components"] = components;
  return out;
}

nb::tuple to_python(const Receipt& receipt) {
  nb::dict paths;
  for (const auto& [name, key] : receipt.paths) paths[name.c_str()] = key;
  const char* const state = receipt.state == Receipt::State::committed ? "committed" : "spooled";
  return nb::make_tuple(state, receipt.version, receipt.commit_id, receipt.skipped, paths);
}

nb::object to_exception(const StorageManagerError& error) {
  nb::list attempts;
  for (const Attempt& attempt : error.attempts()) attempts.append(attempt.what);
  nb::object cause = nb::none();
  if (error.cause()) {
    try {
      std::rethrow_exception(error.cause());
    } catch (const std::system_error& system) {
      cause = nb::make_tuple(system.code().value(), system.code().message());
    } catch (const std::exception& other) {
      cause = nb::make_tuple(nb::none(), other.what());
    } catch (...) {
      cause = nb::make_tuple(nb::none(), "an unknown exception");
    }
  }
  const auto text = [](std::string_view view) { return nb::str(view.data(), view.size()); };
  return nb::module_::import_("stepstore.exceptions")
      .attr("from_core")(text(name_of(error.code())), nb::str(error.what()), text(error.message()),
                         text(error.operation()), text(error.key()), text(error.advice()),
                         error.retryable(), error.outcome_unknown(), error.http_status(),
                         text(error.request_id()), attempts, cause);
}

}  // namespace stepstore::python
