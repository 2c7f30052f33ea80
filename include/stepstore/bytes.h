// Bytes that are borrowed (BytesView) and bytes that are owned (Bytes).
//
// A call that returns before its work is forgotten takes views; what outlives a call is owned.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace stepstore {
inline namespace v1 {

namespace detail {
template <class T>
concept ByteLike =
    std::same_as<std::remove_cv_t<T>, char> || std::same_as<std::remove_cv_t<T>, unsigned char> ||
    std::same_as<std::remove_cv_t<T>, std::byte> || std::same_as<std::remove_cv_t<T>, char8_t>;
}  // namespace detail

// Anything contiguous made of bytes: std::string, std::string_view, std::vector<std::byte>,
// std::span<const unsigned char>, ... Arrays are left out: a string literal would bring its closing
// zero along.
template <class R>
concept ByteRange =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    detail::ByteLike<std::ranges::range_value_t<R>> && !std::is_array_v<std::remove_cvref_t<R>>;

// Borrowed bytes. The caller keeps them alive and unchanged while a view is in use. Cheap to copy.
class BytesView {
 public:
  constexpr BytesView() noexcept = default;
  constexpr BytesView(const std::byte* data, std::size_t size) noexcept
      : data_(data), size_(size) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  BytesView(const char* text) noexcept : BytesView(std::string_view(text)) {}
  template <ByteRange R>
    requires(!std::same_as<std::remove_cvref_t<R>, BytesView>)
  // NOLINTNEXTLINE(google-explicit-constructor)
  BytesView(const R& range) noexcept
      : data_(reinterpret_cast<const std::byte*>(std::ranges::data(range))),
        size_(std::ranges::size(range)) {}

  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::byte* begin() const noexcept { return data_; }
  const std::byte* end() const noexcept { return data_ + size_; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  BytesView slice(std::size_t offset, std::size_t size) const noexcept {
    return {data_ + offset, size};
  }

  friend bool operator==(BytesView a, BytesView b) noexcept { return a.text() == b.text(); }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Owned, immutable, shared bytes: a copy costs a reference count. Safe to read from several
// threads.
class Bytes {
 public:
  Bytes() noexcept = default;

  static Bytes copy(BytesView bytes) {
    return filled(bytes.size(), [bytes](std::span<std::byte> out) {
      if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    });
  }

  // Takes bytes that somebody else allocated; `owner` keeps them alive and unchanged.
  static Bytes adopt(BytesView bytes, std::shared_ptr<const void> owner) noexcept {
    Bytes out;
    out.view_ = bytes;
    out.owner_ = std::move(owner);
    return out;
  }

  // Allocates `size` bytes without clearing them and lets `fill(std::span<std::byte>)` write all of
  // them.
  template <class Fill>
  static Bytes filled(std::size_t size, Fill&& fill) {
    auto block = std::make_shared_for_overwrite<std::byte[]>(size);
    fill(std::span<std::byte>(block.get(), size));
    const BytesView view(block.get(), size);
    return adopt(view, std::move(block));
  }

  BytesView view() const noexcept { return view_; }
  std::string_view text() const noexcept { return view_.text(); }
  const std::byte* data() const noexcept { return view_.data(); }
  std::size_t size() const noexcept { return view_.size(); }
  bool empty() const noexcept { return view_.empty(); }
  const std::byte* begin() const noexcept { return view_.begin(); }
  const std::byte* end() const noexcept { return view_.end(); }
  Bytes slice(std::size_t offset, std::size_t size) const {
    return adopt(view_.slice(offset, size), owner_);
  }

  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.view_ == b.view_; }

 private:
  BytesView view_{};
  std::shared_ptr<const void> owner_{};
};

}  // namespace v1
}  // namespace stepstore
