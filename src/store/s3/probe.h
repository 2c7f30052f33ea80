// The probe: tries out, in the bucket that will be used, what its server enforces.
//
// It is done by the first conditional write, about thirty requests in a dozen round trips, and
// written into format.json, so that other processes need not repeat it for a week. It is done again
// when it is older, or when the bucket's versioning has changed since. Readers never write.
#pragma once

#include "store/s3/bucket.h"

namespace stepstore::bucket {

// What format.json says of the bucket, if that still holds; else what is tried now.
BucketProbe find_out(Bucket& bucket, const CallLimits& limits);

}  // namespace stepstore::bucket
