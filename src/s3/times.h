// Times as S3 writes them: in signatures, in headers and in XML.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "stepstore/call.h"

namespace stepstore::s3 {

// "20130524T000000Z"; its first 8 characters are the day.
std::string amz_date(std::chrono::sys_seconds time);
// "2013-05-24 00:00:00 UTC", for messages.
std::string plain_time(std::chrono::sys_seconds time);

// "Fri, 24 May 2013 00:00:00 GMT", as in Date and Last-Modified. None: not such a time.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);
// "2013-05-24T00:00:00.000Z", as in XML; the fraction may be absent or of any length.
std::optional<Timestamp> parse_iso_time(std::string_view text);

}  // namespace stepstore::s3
