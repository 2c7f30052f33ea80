// How objects are kept in S3: what the URI, the options and the environment say, checked.
#pragma once

#include "http/transport.h"
#include "open/uri.h"
#include "s3/credentials.h"
#include "s3/object_headers.h"
#include "stepstore/s3_objects.h"

namespace stepstore {

// Throws ConfigError for values that cannot be, and for a key of SSE-C that would go over a network
// without TLS. Reads the file of that key. No message repeats a key.
s3::ObjectSettings s3_object_settings(const StoreUri& uri, const S3ObjectSettings& options,
                                      const s3::Lookup& lookup, const http::Endpoint& endpoint);

}  // namespace stepstore
