#include "s3/errors.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

#include "base/errors.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

constexpr std::size_t kQuotedMax = 200;

// Words of a server, fit for one line of a message: without control characters, and not endless.
std::string quotable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kQuotedMax)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  if (text.size() <= kQuotedMax) return out;
  // Not in the middle of a character.
  while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U) out.pop_back();
  if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0U) out.pop_back();
  return out + "...";
}

std::string header_of(const http::Response& response, std::string_view name) {
  const std::string* const value = http::find_header(response.headers, name);
  return value ? *value : std::string();
}

struct Told {
  ErrorBody body{};
  std::string_view code = kNoCode;  // as the table wants it
};

Told read(const http::Response& response) {
  Told told;
  if (auto body = parse_error(response.body.view())) {
    told.body = *std::move(body);
  } else if (!response.body.empty()) {
    told.code = kPage;
  }
  // Some servers say it in a header, which reaches us after HEAD, too.
  if (told.body.code.empty()) told.body.code = header_of(response, "x-amz-error-code");
  return told;
}

std::chrono::milliseconds read_retry_after(const http::Response& response,
                                           std::chrono::sys_seconds now) {
  const std::string text = header_of(response, "Retry-After");
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem != std::errc() || end != text.data() + text.size()) {
    const auto until = parse_http_date(text);
    seconds = until ? (*until - now).count() : 0;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 24L * 3600));
}

std::optional<std::chrono::sys_seconds> server_time(const http::Response& response,
                                                    const ErrorBody& body) {
  if (const auto date = parse_http_date(header_of(response, "Date"))) return date;
  if (const auto time = parse_iso_time(body.server_time)) {
    return std::chrono::floor<std::chrono::seconds>(*time);
  }
  return std::nullopt;
}

// Errors about a place: the message names the right one where the server says it.
void name_place(const SentAs& sent, const http::Response& response, const ErrorBody& body,
                ErrorDetails& details) {
  std::string region = header_of(response, "x-amz-bucket-region");
  if (region.empty()) region = body.region;
  if (!region.empty() && region != sent.region) {
    region = quotable(region);
    details.code = ErrorCode::ConfigError;
    details.message = fmt::format("the bucket is in region {}, and the request was signed for {}",
                                  region, sent.region);
    details.advice = fmt::format("Set the region to {}.", region);
    return;
  }
  std::string place = body.endpoint;
  if (place.empty()) place = header_of(response, "Location");
  // What follows could hold a signature.
  place = place.substr(0, place.find('?'));
  if (!place.empty()) details.message += fmt::format("; it names {}", quotable(place));
}

// Whatever its code: who answers so may have done first what it was asked to (MinIO says SlowDown
// after it has written to some of its disks). 501 is said before anything is done.
bool may_have_acted(int status) { return status >= 500 && status != 501; }

bool is_about_place(const Operation& operation, int status, std::string_view code) {
  return (status >= 300 && status < 400 && status != 304) || code == "PermanentRedirect" ||
         code == "TemporaryRedirect" || code == "AuthorizationHeaderMalformed" ||
         code == "IllegalLocationConstraintException" ||
         (status == 400 && operation.method == "HEAD");
}

ErrorDetails details_of(const SentAs& sent, const http::Response& response, ErrorCode code,
                        std::string message, std::string_view advice) {
  ErrorDetails details =
      error(code, sent.operation.name, sent.operation.key, std::move(message), std::string(advice))
          .details();
  details.http_status = response.status;
  details.request_id = request_id_of(response);
  return details;
}

// "(403 AccessDenied: Access Denied.)"
std::string servers_words(int status, const ErrorBody& body) {
  std::string words = fmt::format(" ({}", status);
  if (!body.code.empty()) words += ' ' + quotable(body.code);
  if (!body.message.empty()) {
    std::string said = quotable(body.message);
    if (said.ends_with('.') && !said.ends_with("...")) said.pop_back();
    words += ": " + said;
  }
  return words + ')';
}

}  // namespace

// Without taking the XML apart, which costs more than the request.
bool says_no_such_key(const http::Response& response) noexcept {
  return response.body.text().find("<Code>NoSuchKey</Code>") != std::string_view::npos;
}

std::string request_id_of(const http::Response& response) {
  return quotable(header_of(response, "x-amz-request-id"));
}

Verdict judge(const SentAs& sent, const http::Response& response) {
  const Told told = read(response);
  const std::string_view code = told.body.code.empty() ? told.code : told.body.code;
  const ErrorRow& row = row_for(sent.operation, response.status, code);
  ErrorDetails details =
      details_of(sent, response, row.error, std::string(row.message), row.advice);
  Action action = row.action;
  if (is_about_place(sent.operation, response.status, code)) {
    name_place(sent, response, told.body, details);
    if (details.code == ErrorCode::ConfigError) action = Action::give_up;
  }
  const auto time = server_time(response, told.body);
  if (row.action == Action::set_clock && time) {
    details.message += fmt::format("; the server's reads {}, this one's read {}", plain_time(*time),
                                   plain_time(sent.signed_at));
  }
  if (details.request_id.empty()) details.request_id = quotable(told.body.request_id);
  details.message += servers_words(response.status, told.body);
  return {.error = StorageManagerError(std::move(details)),
          .action = action,
          .doubt = row.doubt || may_have_acted(response.status),
          .code = quotable(told.body.code),
          .retry_after = read_retry_after(response, sent.signed_at),
          .server_time = time};
}

Verdict judge_broken(const SentAs& sent, const http::Response& response) {
  const bool empty = response.body.empty();
  ErrorDetails details =
      details_of(sent, response, ErrorCode::Io,
                 fmt::format("the server said {}, and then its XML was {}", response.status,
                             empty ? "missing" : "cut off or none"),
                 "Check that the endpoint is an S3 service; then call again.");
  return {.error = StorageManagerError(std::move(details)), .action = Action::retry, .doubt = true};
}

Verdict judge_failure(const SentAs& sent, const StorageManagerError& failure) {
  // A name that does not exist will not exist in a second either.
  const bool passes = (failure.code() == ErrorCode::Unavailable && failure.retryable()) ||
                      failure.code() == ErrorCode::Timeout || failure.code() == ErrorCode::Io;
  return {.error = told_as(failure, sent.operation.name, sent.operation.key),
          .action = passes ? Action::retry : Action::give_up};
}

}  // namespace stepstore::s3
