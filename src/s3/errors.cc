#include "s3/errors.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

#include "base/errors.h"
#include "s3/credentials/redact.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

constexpr std::size_t kQuotedMax = 200;

// Words of a server, fit for one line of a message: without control characters, not endless, and
// without a secret that it was sent. A token is longer than what is quoted: it is looked for first.
std::string quotable(const SentAs& sent, std::string words) {
  if (sent.signer != nullptr) {
    words =
        without_secrets(std::move(words), {sent.signer->secret_key, sent.signer->session_token});
  }
  const std::string_view text = words;
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

Elsewhere read_elsewhere(const http::Response& response, const ErrorBody& body) {
  Elsewhere out{.region = header_of(response, "x-amz-bucket-region"),
                .location = header_of(response, "Location"),
                .lasting = response.status != 307 && body.code != "TemporaryRedirect"};
  if (out.region.empty()) out.region = body.region;
  if (out.location.empty()) out.location = body.endpoint;
  // What follows could hold a signature.
  out.location = out.location.substr(0, out.location.find('?'));
  return out;
}

// Errors about a place: the message names the right one where the server says it.
void name_place(const SentAs& sent, const Elsewhere& elsewhere, ErrorDetails& details) {
  if (!elsewhere.region.empty() && elsewhere.region != sent.region) {
    const std::string region = quotable(sent, elsewhere.region);
    details.code = ErrorCode::ConfigError;
    details.message = fmt::format("the bucket is in region {}, and the request was signed for {}",
                                  region, sent.region);
    details.advice = fmt::format("Set the region to {}.", region);
    return;
  }
  if (!elsewhere.location.empty()) {
    details.message += fmt::format("; it names {}", quotable(sent, elsewhere.location));
  }
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
  details.request_id = quotable(sent, header_of(response, "x-amz-request-id"));
  return details;
}

// "(403 AccessDenied: Access Denied.)"
std::string servers_words(const SentAs& sent, int status, const ErrorBody& body) {
  std::string words = fmt::format(" ({}", status);
  if (!body.code.empty()) words += ' ' + quotable(sent, body.code);
  if (!body.message.empty()) {
    std::string said = quotable(sent, body.message);
    if (said.ends_with('.') && !said.ends_with("...")) said.pop_back();
    words += ": " + said;
  }
  return words + ')';
}

// Bytes that do not fit their checksum have codes of their own (BadDigest), which are not meant.
bool may_refuse_checksum(int status, const ErrorBody& body) {
  if (status != 400 && status != 501) return false;
  std::string said = body.named + ' ' + body.message;
  std::ranges::transform(said, said.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  const bool names =
      said.find("checksum") != std::string::npos || said.find("content-md5") != std::string::npos;
  if (body.code == "InvalidArgument" || body.code == "InvalidRequest") return names;
  // Many say only that some header is not known to them.
  const bool unknown = body.code == "NotImplemented" || (status == 501 && body.code.empty());
  return unknown && (names || body.named.empty());
}

}  // namespace

// Without taking the XML apart, which costs more than the request.
bool says_no_such_key(const http::Response& response) noexcept {
  return response.body.text().find("<Code>NoSuchKey</Code>") != std::string_view::npos;
}

Verdict judge(const SentAs& sent, const http::Response& response) {
  const Told told = read(response);
  const std::string_view code = told.body.code.empty() ? told.code : told.body.code;
  const ErrorRow& row = row_for(sent.operation, response.status, code);
  ErrorDetails details =
      details_of(sent, response, row.error, std::string(row.message), row.advice);
  Action action = row.action;
  Elsewhere elsewhere;
  if (is_about_place(sent.operation, response.status, code)) {
    elsewhere = read_elsewhere(response, told.body);
    name_place(sent, elsewhere, details);
    if (!elsewhere.region.empty() && elsewhere.region != sent.region) action = Action::move;
  }
  const auto time = server_time(response, told.body);
  if (row.action == Action::set_clock && time) {
    details.message += fmt::format("; the server's reads {}, this one's read {}", plain_time(*time),
                                   plain_time(sent.signed_at));
  }
  if (details.request_id.empty()) details.request_id = quotable(sent, told.body.request_id);
  details.message += servers_words(sent, response.status, told.body);
  return {.error = StorageManagerError(std::move(details)),
          .action = action,
          .doubt = row.doubt || may_have_acted(response.status),
          .code = quotable(sent, told.body.code),
          .retry_after = read_retry_after(response, sent.signed_at),
          .server_time = time,
          .elsewhere = std::move(elsewhere),
          .refuses_checksum = may_refuse_checksum(response.status, told.body)};
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
