#include "s3/rest.h"

#include <spdlog/fmt/fmt.h>

#include <cstring>

#include "s3/content_range.h"

namespace stepstore::s3 {
namespace {

void set_header(http::Headers& headers, const std::string& name, const std::string& value) {
  std::erase_if(headers, [&](const auto& each) { return each.first == name; });
  headers.emplace_back(name, value);
}

}  // namespace

std::unique_ptr<Rest> Rest::of(const Operation& asked, const http::Partial& got) {
  if (asked.name != "GetObject") return nullptr;
  const std::string* const etag = http::find_header(got.headers, "ETag");
  if (etag == nullptr || etag->empty() || etag->starts_with("W/")) return nullptr;
  std::unique_ptr<Rest> rest(new Rest(asked, got));
  rest->etag_ = *etag;
  if (got.status == 206) {
    const auto range = content_range_in(got.headers);
    if (!range || range->size() != got.size) return nullptr;
    rest->first_ = range->first;
    rest->total_ = range->total;
  } else if (got.status == 200) {
    rest->total_ = got.size;
  } else {
    return nullptr;
  }
  rest->ask();
  return rest;
}

void Rest::ask() {
  ask_ = asked_;
  const std::uint64_t from = first_ + got_.got;
  std::string range = fmt::format("bytes={}-", from);
  if (got_.status == 206) range += std::to_string(first_ + got_.size - 1);
  set_header(ask_.headers, "Range", range);
  const bool quoted = etag_.starts_with('"');
  set_header(ask_.headers, "If-Match", quoted ? etag_ : '"' + etag_ + '"');
}

Rest::Fit Rest::fit(int status, const http::Headers& headers, std::uint64_t body_size) const {
  const std::string* const etag = http::find_header(headers, "ETag");
  if (etag != nullptr && *etag != etag_) return Fit::changed;
  const auto range = content_range_in(headers);
  const bool right = status == 206 && range && range->first == first_ + got_.got &&
                     range->last == first_ + got_.size - 1 && body_size == range->size() &&
                     (!range->total || !total_ || *range->total == *total_);
  return right ? Fit::fits : Fit::wrong;
}

void Rest::add(const http::Partial& more) {
  std::memcpy(got_.block.get() + got_.got, more.block.get(), more.got);
  got_.got += more.got;
  ask();
}

http::Response Rest::join(const http::Response& end) {
  std::memcpy(got_.block.get() + got_.got, end.body.data(), end.body.size());
  const BytesView whole(got_.block.get(), got_.size);
  return {.status = got_.status,
          .headers = std::move(got_.headers),
          .body = Bytes::adopt(whole, std::move(got_.block))};
}

}  // namespace stepstore::s3
