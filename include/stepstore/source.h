// Source: where the bytes of a component come from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "stepstore/bytes.h"

namespace stepstore {
inline namespace v1 {

// The bytes of one component: in memory, in a file, or pulled from a function.
//
// Memory (borrowed or owned) is sent as it is, without a copy. A file is opened when the step is
// stored and read as it is at that moment; when it is large it is streamed. A reader is read once,
// from the thread that stores, and is streamed. A Source over borrowed bytes must not outlive them.
// Not thread-safe; copy it instead.
class Source {
 public:
  // Writes up to `out.size()` bytes to the front of `out` and returns how many; 0 at the end. May
  // throw: the store call then fails with that exception as the cause and nothing of the step
  // becomes visible.
  using Reader = std::function<std::size_t(std::span<std::byte> out)>;

  // Borrows from what has a name (and from views); takes over what is handed in as a temporary.
  template <ByteRange R>
    requires(!std::same_as<std::remove_cvref_t<R>, Bytes>)
  // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload)
  Source(R&& range) {
    using Range = std::remove_cvref_t<R>;
    if constexpr (std::is_lvalue_reference_v<R> || std::ranges::borrowed_range<Range> ||
                  std::same_as<Range, BytesView>) {
      view_ = BytesView(range);
    } else {
      auto keep = std::make_shared<const Range>(std::forward<R>(range));
      view_ = BytesView(*keep);
      owned_ = Bytes::adopt(view_, std::move(keep));
    }
  }
  // NOLINTNEXTLINE(google-explicit-constructor)
  Source(const char* borrowed_text) noexcept : view_(borrowed_text) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Source(Bytes owned) noexcept : view_(owned.view()), owned_(std::move(owned)) {}

  // `keep` lives as long as the source does.
  static Source file(std::filesystem::path path, std::shared_ptr<const void> keep = {});
  static Source reader(Reader read, std::optional<std::uint64_t> size = {});

  // True when the bytes are in memory; then view() gives them.
  bool in_memory() const noexcept { return path_.empty() && !read_; }
  BytesView view() const noexcept { return view_; }
  // True when the bytes can be read a second time, so that a retry needs no copy.
  bool repeatable() const noexcept { return !read_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  // How many bytes there will be, where that is known without opening anything.
  std::optional<std::uint64_t> size() const noexcept;
  // Opens the source for one pass. Throws NotFound, PermissionDenied or Io for a file that cannot
  // be opened.
  Reader open() const;

 private:
  BytesView view_{};
  Bytes owned_{};
  std::filesystem::path path_{};
  Reader read_{};
  std::optional<std::uint64_t> size_{};
};

}  // namespace v1
}  // namespace stepstore
