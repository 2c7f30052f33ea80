// Between Python's objects and stepstore's values.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stepstore/stepstore.h"
#include "text.h"

namespace stepstore::python {

namespace nb = nanobind;

// Python buffers that a call reads without copying them. Released with the GIL held.
class Buffers {
 public:
  // A caller who does not wait may change what can be changed, so that is copied.
  enum class Use : std::uint8_t { during_the_call, after_the_call };
  explicit Buffers(Use use = Use::during_the_call) : use_(use) {}
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;
  ~Buffers();

  // Any object with the buffer protocol; throws TypeError for others and for buffers that are not
  // contiguous.
  BytesView view(nb::handle object);

  // The same for a Text; what is no UTF-8 yet is empty until fill() replaces it: the html, or the
  // component at that place.
  BytesView view_of_text(nb::handle object, std::optional<std::size_t> component);
  // Makes UTF-8 of the texts of the request. Needs no GIL.
  void fill(StepData& data);
  // Gives up what fill() has made, on the thread that made it: the memory of one thread's malloc,
  // freed by another, would make them wait for each other.
  void empty() noexcept;

 private:
  struct LateText {
    nb::object keep;
    const Text* text;
    std::optional<std::size_t> component;
    std::unique_ptr<char[]> utf8;
  };

  const Use use_;
  std::deque<Py_buffer> held_;
  std::deque<std::string> copies_;
  std::vector<LateText> texts_;
};

// Text of the library as str. File names and what quotes them may be no UTF-8; their odd bytes
// become lone surrogates, as in os.fsdecode().
nb::str to_str(std::string_view text);
nb::list to_list(const std::vector<std::string>& texts);

// A component's data: a buffer, a Text, or a str (as of os.fsdecode) that names a file.
// `component`: its place among them; none for the html.
Source to_source(nb::handle data, Buffers& buffers, std::optional<std::size_t> component = {});
// (session_id, step_id, html, screenshot, action, metadata, components) with None for what is
// absent; components are (name, data, content_type). What it borrows is kept by `buffers`.
StepRequest to_request(nb::handle fields, Buffers& buffers);

// The members of stepstore.S3ObjectSettings, in their order; paths are bytes.
S3ObjectSettings to_object_settings(const nb::tuple& fields);

nb::dict to_python(const StepInfo& info);
nb::tuple to_python(const PresignedUrl& link);
nb::tuple to_python(const Receipt& receipt);
std::int64_t to_milliseconds(Timestamp time);

// The exception object for an error, of the class that stepstore.exceptions has for its code.
nb::object to_exception(const StorageManagerError& error);
[[noreturn]] void raise(const StorageManagerError& error);

}  // namespace stepstore::python
