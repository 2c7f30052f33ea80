#include "manager/format_gate.h"

#include "base/errors.h"
#include "layout/keys.h"
#include "model/format_marker.h"

namespace stepstore {
namespace {

void require(std::uint32_t format_min, std::string_view what) {
  if (format_min <= kFormatMajor) return;
  error(ErrorCode::Unsupported, "", format_marker_key().text(),
        "to " + std::string(what) + " this store takes format " + std::to_string(format_min) +
            "; this release knows up to " + std::to_string(kFormatMajor),
        "Use a newer stepstore; nothing was changed.")
      .raise();
}

}  // namespace

void FormatGate::before_read(const CallLimits& limits) {
  if (may_read_) return;
  const auto marker = get_one(store_, format_marker_key(), limits);
  // A store without the marker was copied without it, or is empty: nothing says that it is newer.
  if (marker.is(ErrorCode::NotFound)) return;
  auto format = parse_format_marker(marker.value().body.text(), format_marker_key().text());
  require(format.reader_min, "read");
  remember(std::move(format));
  may_read_ = true;
}

void FormatGate::before_write(const CallLimits& limits) {
  if (may_write_) return;
  const auto marker = get_one(store_, format_marker_key(), limits);
  if (marker.is(ErrorCode::NotFound)) {
    const std::string body = to_json(FormatMarker{});
    const auto put = put_one(store_,
                             {.key = format_marker_key(),
                              .body = body,
                              .content_type = "application/json",
                              .condition = Condition::absent()},
                             limits);
    if (!put.ok()) {
      if (put.is(ErrorCode::AlreadyExists) || put.error().outcome_unknown()) {
        return;  // somebody else's; the next write looks at it
      }
      put.error().raise();
    }
  } else {
    auto format = parse_format_marker(marker.value().body.text(), format_marker_key().text());
    require(format.reader_min, "read");
    require(format.writer_min, "write");
    remember(std::move(format));
  }
  may_read_ = true;
  may_write_ = true;
}

void FormatGate::remember(FormatMarker marker) {
  marker_ = std::make_shared<const FormatMarker>(std::move(marker));
}

bool FormatGate::swaps_hold() const {
  const auto marker = marker_.load();
  return !marker || !marker->probe || marker->probe->swap_if_unchanged;
}

std::vector<std::string> FormatGate::notes() const {
  const auto marker = marker_.load();
  return marker && marker->probe ? notes_of(*marker->probe) : std::vector<std::string>();
}

}  // namespace stepstore
