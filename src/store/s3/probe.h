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

// How hard to look for a race that two writers win.
struct ProbeEffort {
  std::size_t racers = 8;
  int races = 1;  // one of them with two winners is enough for the verdict
};

// What is tried now, below the folder `id` of probe_key(). Nothing is kept.
BucketProbe try_out(Bucket& bucket, const std::string& id, const ProbeEffort& effort,
                    const CallLimits& limits);
// For other processes, and for this one from now on. What cannot be written down is only found out
// again; nothing is written into a store of a format that this release does not know.
void keep(Bucket& bucket, const BucketProbe& probe, const CallLimits& limits);

}  // namespace stepstore::bucket
