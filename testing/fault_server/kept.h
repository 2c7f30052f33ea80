// How a request wants its object to be kept: encryption, storage class, tags; and whose bucket it
// thinks it is.
#pragma once

#include <optional>

#include "testing/fault_server/call.h"

namespace stepstore::fault {

// The account that every bucket belongs to.
inline constexpr std::string_view kOwner = "111122223333";

// The answer to a wish that S3 does not know, to SSE-C headers that do not fit each other, and to
// who expects another owner. None: all is well.
std::optional<http::Response> broken_wish(const Call& call);

// What the object's answers say of it from then on. Without a wish it is encrypted by AES256, as
// all objects of AWS.
http::Headers told_of_keeping(const Call& call);
// Of those, what an answer to a write says.
bool is_told_by_writes(std::string_view header);

// The answer to a request without the SSE-C key that the object or upload has, or with another one.
// `kept`: what told_of_keeping gave when it was written.
std::optional<http::Response> locked(const Call& call, const http::Headers& kept);

// The call of a server that knows nothing of encryption.
Call without_encryption(Call call);

}  // namespace stepstore::fault
