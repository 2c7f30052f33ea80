// Rest: a body that was cut off on its way, and what is still to be asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "http/transport.h"
#include "s3/operation.h"

namespace stepstore::s3 {

// Not thread-safe.
class Rest {
 public:
  // Null: nobody could tell whether what comes later belongs to what came before. That takes a
  // strong ETag and, for a part of an object, its place.
  static std::unique_ptr<Rest> of(const Operation& asked, const http::Partial& got);

  // The request for what is missing, on condition that the object is still the same.
  const Operation& operation() const noexcept { return ask_; }
  // What an answer to it means.
  enum class Fit : std::uint8_t {
    fits,     // these are the missing bytes, as far as they came
    changed,  // the object is another one now
    wrong,    // other bytes than those that were asked for
  };
  Fit fit(int status, const http::Headers& headers, std::uint64_t body_size) const;

  void add(const http::Partial& more);             // it fits
  http::Response join(const http::Response& end);  // it fits; the whole answer

 private:
  Rest(const Operation& asked, const http::Partial& got) : asked_(asked), got_(got) {}
  void ask();

  const Operation& asked_;
  http::Partial got_;
  Operation ask_{};
  std::string etag_{};
  std::uint64_t first_ = 0;  // of the object's bytes, where the body begins
  std::optional<std::uint64_t> total_{};
};

}  // namespace stepstore::s3
