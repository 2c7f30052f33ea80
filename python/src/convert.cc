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
  const BytesView view(static_cast<const std::byte*>(buffer.buf),
                       static_cast<std::size_t>(buffer.len));
  // A read-only view may look at what others write to; only bytes are sure to stay.
  if (use_ == Use::during_the_call || PyBytes_CheckExact(object.ptr())) return view;
  const std::string& copy = copies_.emplace_back(view.text());
  PyBuffer_Release(&buffer);
  held_.pop_back();
  return BytesView(copy);
}

BytesView Buffers::view_of_text(nb::handle object, std::optional<std::size_t> component) {
  const Text* const text = nb::inst_ptr<Text>(object);
  texts_.push_back({nb::borrow(object), text, component, nullptr});
  return text->is_utf8() ? text->view() : BytesView();
}

void Buffers::fill(StepData& data) {
  for (LateText& late : texts_) {
    if (late.text->is_utf8()) continue;
    Utf8 made = late.text->to_utf8();
    late.utf8 = std::move(made.bytes);
    const BytesView bytes(std::string_view(late.utf8.get(), made.size));
    if (late.component) {
      data.components[*late.component].data = bytes;
    } else {
      data.html_content = bytes;
    }
  }
}

void Buffers::empty() noexcept {
  for (LateText& late : texts_) late.utf8.reset();
}

nb::str to_str(std::string_view text) {
  PyObject* const str =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
  if (str == nullptr) throw nb::python_error();
  return nb::steal<nb::str>(str);
}

nb::list to_list(const std::vector<std::string>& texts) {
  nb::list out;
  for (const std::string& text : texts) out.append(to_str(text));
  return out;
}

Source to_source(nb::handle data, Buffers& buffers, std::optional<std::size_t> component) {
  if (nb::isinstance<Text>(data)) return buffers.view_of_text(data, component);
  if (nb::isinstance<nb::str>(data)) {
    const nb::object path = nb::steal(PyUnicode_EncodeFSDefault(data.ptr()));
    if (!path.is_valid()) throw nb::python_error();
    return Source::file(std::string(PyBytes_AS_STRING(path.ptr())));
  }
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
                               .data = to_source(component[1], buffers, data.components.size()),
                               .content_type = nb::cast<std::string>(component[2])});
  }
  return request;
}

S3ObjectSettings to_object_settings(const nb::tuple& fields) {
  using Text = std::optional<std::string>;
  using Pairs = std::map<std::string, std::string>;
  const auto bytes = [](nb::handle given) -> Text {
    if (given.is_none()) return std::nullopt;
    const auto held = nb::cast<nb::bytes>(given);
    return std::string(held.c_str(), held.size());
  };
  S3ObjectSettings out{.checksum = nb::cast<Text>(fields[0]),
                       .sse = nb::cast<Text>(fields[1]),
                       .sse_kms_key_id = nb::cast<Text>(fields[2]),
                       .sse_bucket_key = nb::cast<std::optional<bool>>(fields[3]),
                       .sse_context = nb::cast<Pairs>(fields[4]),
                       .sse_c_key = bytes(fields[5]),
                       .require_sse = nb::cast<std::optional<bool>>(fields[7]),
                       .storage_class = nb::cast<Text>(fields[8]),
                       .expected_bucket_owner = nb::cast<Text>(fields[9]),
                       .tags = nb::cast<Pairs>(fields[10])};
  if (const Text path = bytes(fields[6])) out.sse_c_key_file = *path;
  return out;
}

nb::tuple to_python(const PresignedUrl& link) {
  nb::dict headers;
  for (const auto& [name, value] : link.headers) headers[to_str(name)] = to_str(value);
  return nb::make_tuple(to_str(link.url), to_str(link.method), headers,
                        to_milliseconds(link.expires_at), to_str(link.key), to_str(link.note));
}

std::int64_t to_milliseconds(Timestamp time) { return time.time_since_epoch().count(); }

nb::dict to_python(const StepInfo& info) {
  nb::dict out;
  out["session_id"] = to_str(info.session_id);
  out["step_id"] = to_str(info.step_id);
  out["version"] = info.version;
  out["commit_id"] = to_str(info.commit_id);
  out["created_at_ms"] = to_milliseconds(info.created_at);
  out["expires_at_ms"] =
      info.expires_at ? nb::cast(to_milliseconds(*info.expires_at)) : nb::object(nb::none());
  out["path"] = to_str(info.path);
  out["legacy"] = info.legacy;
  nb::list components;
  for (const ComponentInfo& component : info.components) {
    components.append(nb::make_tuple(to_str(component.name), to_str(component.path),
                                     to_str(component.content_type), component.size,
                                     component.crc64));
  }
  out["components"] = components;
  return out;
}

nb::tuple to_python(const Receipt& receipt) {
  nb::dict paths;
  for (const auto& [name, key] : receipt.paths) paths[to_str(name)] = to_str(key);
  const char* const state = receipt.state == Receipt::State::committed ? "committed" : "spooled";
  return nb::make_tuple(state, receipt.version, to_str(receipt.commit_id), receipt.skipped, paths);
}

namespace {

double to_seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

nb::tuple to_python(const Attempt& attempt) {
  return nb::make_tuple(to_str(attempt.what), to_str(attempt.request_id), to_str(attempt.peer),
                        attempt.reused_connection, attempt.http_status, to_seconds(attempt.connect),
                        to_seconds(attempt.first_byte), to_seconds(attempt.total),
                        attempt.bytes_sent, attempt.bytes_received);
}

}  // namespace

nb::object to_exception(const StorageManagerError& error) {
  nb::list attempts;
  for (const Attempt& attempt : error.attempts()) attempts.append(to_python(attempt));
  nb::object cause = nb::none();
  if (error.cause()) {
    try {
      std::rethrow_exception(error.cause());
    } catch (const std::system_error& system) {
      cause = nb::make_tuple(system.code().value(), to_str(system.code().message()));
    } catch (const std::exception& other) {
      cause = nb::make_tuple(nb::none(), to_str(other.what()));
    } catch (...) {
      cause = nb::make_tuple(nb::none(), "an unknown exception");
    }
  }
  return nb::module_::import_("stepstore.exceptions")
      .attr("from_core")(to_str(name_of(error.code())), to_str(error.what()),
                         to_str(error.message()), to_str(error.operation()), to_str(error.key()),
                         to_str(error.advice()), error.retryable(), error.outcome_unknown(),
                         error.http_status(), to_str(error.request_id()), attempts, cause);
}

void raise(const StorageManagerError& error) {
  const nb::object exception = to_exception(error);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  throw nb::python_error();
}

}  // namespace stepstore::python
