#include "text.h"

namespace stepstore::python {
namespace {

template <class Character>
Character* characters_of(PyObject* str) {
  return static_cast<Character*>(PyUnicode_DATA(str));
}

bool fill(PyObject* str, BytesView utf8, std::size_t characters) {
  switch (PyUnicode_KIND(str)) {
    case PyUnicode_1BYTE_KIND:
      return decode_utf8(utf8, characters_of<Py_UCS1>(str), characters);
    case PyUnicode_2BYTE_KIND:
      return decode_utf8(utf8, characters_of<Py_UCS2>(str), characters);
    default:
      return decode_utf8(utf8, characters_of<Py_UCS4>(str), characters);
  }
}

}  // namespace

Text::Text(const nb::object& str) : str_(str) {
  PyObject* const object = str.ptr();
  if (!PyUnicode_Check(object)) throw nb::type_error("a Text is made of a str");
#if PY_VERSION_HEX < 0x030C0000
  if (PyUnicode_READY(object) != 0) throw nb::python_error();
#endif
  characters_ = PyUnicode_DATA(object);
  length_ = static_cast<std::size_t>(PyUnicode_GET_LENGTH(object));
  width_ = static_cast<int>(PyUnicode_KIND(object));
  is_ascii_ = PyUnicode_IS_ASCII(object);
}

Utf8 Text::to_utf8() const {
  const auto encode = [this]<class Character>(const Character* text) {
    Utf8 made = encode_utf8(text, length_);
    mended_ = made.mended;
    return made;
  };
  if (width_ == 1) return encode(static_cast<const Py_UCS1*>(characters_));
  if (width_ == 2) return encode(static_cast<const Py_UCS2*>(characters_));
  return encode(static_cast<const Py_UCS4*>(characters_));
}

nb::object str_of_utf8(BytesView utf8) {
  const Utf8Shape shape = shape_of_utf8(utf8);
  // Of one character there is one str in all of Python, which must not be written into.
  if (shape.characters < 2) {
    PyObject* const small = PyUnicode_DecodeUTF8(reinterpret_cast<const char*>(utf8.data()),
                                                 static_cast<Py_ssize_t>(utf8.size()), "strict");
    if (small != nullptr) return nb::steal(small);
    if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) throw nb::python_error();
    PyErr_Clear();
    return nb::none();
  }
  nb::object made =
      nb::steal(PyUnicode_New(static_cast<Py_ssize_t>(shape.characters), shape.largest));
  if (!made.is_valid()) throw nb::python_error();
  return fill(made.ptr(), utf8, shape.characters) ? made : nb::none();
}

}  // namespace stepstore::python
