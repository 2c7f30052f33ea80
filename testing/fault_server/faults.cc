#include "testing/fault_server/faults.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "testing/fault_server/fault_answers.h"

namespace stepstore::fault {
namespace {

// Requests for which a fault makes sense.
bool any(const Call&) { return true; }
bool is_write(const Call& call) { return call.method != "GET" && call.method != "HEAD"; }
bool has_body(const Call& call) { return call.method == "PUT" || call.method == "POST"; }
bool has_large_body(const Call& call) { return call.method == "PUT" && !call.key.empty(); }
bool reads_object(const Call& call) {
  return call.method == "GET" && !call.key.empty() && call.query.empty();
}
bool reads_range(const Call& call) { return reads_object(call) && call.header("Range"); }
bool tells_etag(const Call& call) {
  return !call.key.empty() &&
         (call.method == "PUT" || call.method == "GET" || call.method == "HEAD");
}
bool tells_checksum(const Call& call) { return tells_etag(call) && call.method != "HEAD"; }
bool is_list(const Call& call) {
  return call.method == "GET" && call.key.empty() && call.parameter("list-type");
}
bool is_bulk_delete(const Call& call) { return call.method == "POST" && call.parameter("delete"); }
bool is_complete(const Call& call) { return call.method == "POST" && call.parameter("uploadId"); }
// S3 says 200 to these before it has finished.
bool answers_ahead(const Call& call) { return is_bulk_delete(call) || is_complete(call); }
bool answers_in_xml(const Call& call) {
  return call.method == "POST" || (call.method == "GET" && call.key.empty());
}
bool has_condition(const Call& call) {
  return is_write(call) && (call.header("If-Match") || call.header("If-None-Match"));
}

using Settings = const FaultSettings&;
using http::Delivery;

Fault just(Fate fate) { return {.fate = fate}; }

Fault html_503(Settings settings) {
  FaultSettings page = settings;
  if (!page.body) {
    page.body = "<html><body><h1>503 Service Unavailable</h1>No server is available.</body></html>";
  }
  Fault fault = failed(page, 503, "", "");
  set_header(fault.answer.headers, "Content-Type", "text/html");
  return fault;
}

Fault slow_down(Settings settings) {
  FaultSettings asked = settings;
  if (!asked.retry_after_s) asked.retry_after_s = 1;
  return failed(asked, 503, "SlowDown", "Please reduce your request rate.");
}

Fault done_500(Settings settings) {
  FaultSettings done = settings;
  done.done = true;
  return failed(done, 500, "InternalError", "We encountered an internal error.");
}

Fault late(Settings settings, Fate fate) {
  return {.fate = fate, .overtaken_by = std::max<std::size_t>(settings.overtaken_by, 1)};
}

constexpr auto kKinds = std::to_array<Kind>({
    // Answers in place of the right one.
    {"answer", "another answer: `status` (500), `code`, `message`, or `body`", any,
     [](Settings s) { return failed(s, 500, "InternalError", "as the plan wants"); }},
    {"empty_503", "503 without a body", any,
     [](Settings s) { return answered(s, empty_answer(503)); }},
    {"html_503", "503 with a page for people, as proxies have it", any, html_503},
    {"slow_down", "503 SlowDown with Retry-After (1 s)", any, slow_down},
    {"error_500", "500 InternalError; it was not done", any,
     [](Settings s) { return failed(s, 500, "InternalError", "We encountered an internal error."); }},
    {"done_500", "500 InternalError, though it was done", is_write, done_500},
    {"error_in_200", "200, and an `<Error>` in the body", answers_ahead,
     [](Settings s) { return failed(s, 200, "InternalError", "We encountered an internal error."); }},
    {"spaces_then_error", "200, `spaces` that keep the connection alive, then an `<Error>`",
     answers_ahead, error_after_spaces},
    {"spaces_then_answer", "done; `spaces` that keep the connection alive, then the answer",
     answers_ahead, after_spaces},
    {"denied", "403 AccessDenied", any,
     [](Settings s) { return failed(s, 403, "AccessDenied", "Access Denied"); }},
    {"expired_token", "400 ExpiredToken", any,
     [](Settings s) { return failed(s, 400, "ExpiredToken", "The provided token has expired."); }},
    {"clock_skew", "403 RequestTimeTooSkewed with a Date `clock_ahead_s` (3600) ahead", any,
     clock_skew},
    {"garbage", "200, and no XML in the body", answers_in_xml,
     [](Settings s) {
       return answered(s, {.status = 200, .body = Bytes::copy("This is no XML <at all")});
     }},
    {"huge_head", "200 with more headers than a client takes", any, huge_head},

    // The way of the answer.
    {"cut_answer", "done; the answer ends at a byte, and the connection is closed", any,
     [](Settings s) { return broken_off(s, Delivery::drop, Fate::cut_answer); }},
    {"reset_answer", "done; the connection is reset at a byte of the answer", any,
     [](Settings s) { return broken_off(s, Delivery::reset, Fate::reset_answer); }},
    {"stall_answer", "done; the answer stops at a byte, and the connection stays open", any,
     [](Settings s) { return broken_off(s, Delivery::stall, Fate::stall); }},
    {"drip_answer", "done; the answer comes `drip_bytes` (16) at a time", any, dripping},
    {"silence", "done; no answer, and the connection stays open", any,
     [](Settings s) {
       FaultSettings nothing = s;
       nothing.at_byte = 0;
       nothing.in_head = true;
       return broken_off(nothing, Delivery::stall, Fate::stall);
     }},
    {"lose_answer", "done; the connection is closed without an answer", any,
     [](Settings) { return just(Fate::lose_answer); }},

    // The way of the request.
    {"lose_request", "not done; the connection is closed without an answer", any,
     [](Settings) { return just(Fate::lose_request); }},
    {"cut_request", "not done; the connection is closed at a byte of the request's body", has_body,
     [](Settings s) { return cut_request(s, Delivery::drop); }},
    {"reset_request", "not done; the connection is reset at a byte of the request's body", has_body,
     [](Settings s) { return cut_request(s, Delivery::reset); }},
    {"stall_request", "not done; nothing is read beyond a byte of the request's body", has_body,
     [](Settings s) { return cut_request(s, Delivery::stall); }},
    {"answer_early", "not done; an answer (503) comes at a byte of the request's body",
     has_large_body, answered_early},
    {"late", "done after `overtaken_by` more requests; the connection is closed at once", is_write,
     [](Settings s) { return late(s, Fate::late); }},
    {"twice", "done, and once more after `overtaken_by` more requests", is_write,
     [](Settings s) { return late(s, Fate::twice); }},

    // Answers that are not true.
    {"wrong_content_range", "done; Content-Range tells of other bytes", reads_range,
     [](Settings) { return wrong_content_range(); }},
    {"whole_for_range", "done; the whole object with 200 in place of a range", reads_range,
     [](Settings) { return whole_for_range(); }},
    {"short_body", "done; half of the object, with the length of that half", reads_object,
     [](Settings) { return short_body(); }},
    {"wrong_checksum", "done; the checksum in the headers is another one", tells_checksum,
     [](Settings) { return wrong_checksum(); }},
    {"flipped_bit", "done; one bit of the object is another one, at `at_byte`", reads_object,
     flipped_bit},
    {"wrong_etag", "done; the ETag is another one", tells_etag,
     [](Settings) { return wrong_etag(); }},
    {"no_etag", "done; without an ETag", tells_etag, [](Settings) { return no_etag(); }},
    {"same_page", "the first page of a list again and again, with the same token", is_list,
     [](Settings) { return same_page(); }},
    {"endless_list", "each page of a list says that more follows", is_list,
     [](Settings) { return endless_list(); }},

    // Elsewhere.
    {"moved", "301 without Location, with `region` in x-amz-bucket-region", any, moved},
    {"redirect", "307 to `location` (the same URL; for ever it is a loop)", any,
     [](Settings s) { return redirect(s, ""); }},
    {"redirect_host", "307 to another host", any,
     [](Settings s) { return redirect(s, "http://elsewhere.invalid/"); }},
    {"redirect_http", "307 from https to http", any,
     [](Settings s) { return redirect(s, "http"); }},
    {"wrong_region", "400 AuthorizationHeaderMalformed, with `region`", any, wrong_region},

    // Other writers.
    {"conflict", "409 ConditionalRequestConflict", has_condition,
     [](Settings s) {
       return failed(s, 409, "ConditionalRequestConflict", "A conflicting operation is under way.");
     }},
    {"raced", "another write of the key (of `body`, or the bytes there) is done just before",
     has_condition, raced},
    {"no_conditions", "done without regard to its conditions", has_condition,
     [](Settings) { return no_conditions(); }},
    {"delete_error", "the first `keys` (1) of a bulk deletion stay: InternalError", is_bulk_delete,
     [](Settings s) { return failing_keys(s, "InternalError"); }},
    {"delete_denied", "the first `keys` (1) of a bulk deletion stay: AccessDenied", is_bulk_delete,
     [](Settings s) { return failing_keys(s, "AccessDenied"); }},
});

}  // namespace

std::string_view name_of(Fate fate) noexcept {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"normal", "lose_request", "lose_answer", "reset_answer", "cut_answer", "stall", "answer",
       "done_and_answer", "late", "twice", "change", "cut_request"});
  return kNames.at(static_cast<std::size_t>(fate));
}

std::span<const Kind> catalogue() noexcept { return kKinds; }

const Kind* find_kind(std::string_view name) noexcept {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  return found == kKinds.end() ? nullptr : &*found;
}

Fault make_fault(std::string_view name, const FaultSettings& settings) {
  if (const Kind* const kind = find_kind(name)) return kind->make(settings);
  std::string all;
  for (const Kind& kind : kKinds) all.append(all.empty() ? "" : ", ").append(kind.name);
  throw std::invalid_argument("there is no fault '" + std::string(name) + "'; there are: " + all);
}

}  // namespace stepstore::fault
