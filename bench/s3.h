// Rows over an S3 server.
#pragma once

#include <string>
#include <vector>

#include "recording.h"

namespace bench {

// Time and CPU time per step, of the store and of bare sockets that send the same bytes in the same
// round trips. `uri` names the endpoint: s3://bucket/prefix?endpoint=http://127.0.0.1:PORT. The
// bare requests carry no signature, so the server may not ask for one.
void s3_rows(const std::vector<RecordedStep>& steps, const std::string& uri, int rounds);

}  // namespace bench
