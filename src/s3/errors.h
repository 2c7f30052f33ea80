// The one place that maps what S3 says to an error, and to what is done about it.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"
#include "s3/credentials.h"
#include "s3/operation.h"
#include "s3/xml.h"

namespace stepstore::s3 {

enum class Action : std::uint8_t {
  give_up,    // the same request would be refused again
  retry,      // it passes
  throttle,   // it passes, if we are slower
  refresh,    // once, with fresh credentials
  set_clock,  // once, signed by the server's clock
  move,       // to the region or host that the answer names, if we go there
};

// Which requests a row of the table is about.
enum class Asked : std::uint8_t {
  anything,
  create,    // a write with If-None-Match
  swap,      // a write with If-Match
  complete,  // CompleteMultipartUpload
  object,    // of an object, not of the bucket
  bucket,    // HeadBucket
  head,      // HEAD: the answer has no body
};

// What stands for the code in a row that is not about one.
inline constexpr std::string_view kAnyCode = "*";    // whatever code, or none
inline constexpr std::string_view kNoCode = "";      // the answer has no body
inline constexpr std::string_view kPage = "<page>";  // the answer has a body that is not S3's

struct ErrorRow {
  int status;             // 0: any, also 200 with an error inside
  std::string_view code;  // one or several, with a blank between
  Asked asked;
  ErrorCode error;
  Action action;
  // The write may have happened all the same. It may in any case after a 5xx (judge() adds that).
  bool doubt;
  std::string_view message;
  std::string_view advice;  // empty: that of the error's code
};

// The first row that matches counts; every answer has one.
std::span<const ErrorRow> error_table() noexcept;
const ErrorRow& row_for(const Operation& operation, int status, std::string_view code) noexcept;

// How a request was sent, for messages.
struct SentAs {
  const Operation& operation;
  std::string_view region;
  std::chrono::sys_seconds signed_at;
  const Credentials* signer = nullptr;  // whose secrets an answer may repeat; null: nobody's
};

// Where an answer says that the request belongs.
struct Elsewhere {
  std::string region{};    // as told; empty: not told
  std::string location{};  // a URL or a host; empty: not told
  bool lasting = true;     // false: for this request only

  bool told() const noexcept { return !region.empty() || !location.empty(); }
};

struct Verdict {
  StorageManagerError error;
  Action action = Action::give_up;
  bool doubt = false;
  std::string code{};  // S3's; empty: none
  std::chrono::milliseconds retry_after{0};
  std::optional<std::chrono::sys_seconds> server_time{};
  Elsewhere elsewhere{};          // of Action::move
  bool refuses_checksum = false;  // it is, or may be, about the header of the body's checksum
};

// About an answer with a status of 300 or more, or with an <Error> inside.
Verdict judge(const SentAs& sent, const http::Response& response);
// About an answer with a status below 300 whose XML was cut off or is none.
Verdict judge_broken(const SentAs& sent, const http::Response& response);
// About a request without an answer.
Verdict judge_failure(const SentAs& sent, const StorageManagerError& failure);

// Of an answer of status 404: it is the object that is not there, and not its bucket.
bool says_no_such_key(const http::Response& response) noexcept;
// Neither GET nor HEAD: an answer that never came leaves a doubt.
bool is_write(const Operation& operation) noexcept;

}  // namespace stepstore::s3
