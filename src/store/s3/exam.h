// The examination of a bucket: what its server does with single requests, beyond what stepstore
// relies on. docs/servers.md is made of it.
#pragma once

#include <memory>
#include <string>

#include "model/bucket_exam.h"
#include "store/s3/bucket.h"

namespace stepstore::bucket {

std::unique_ptr<Examination> start_exam(std::shared_ptr<Bucket> bucket, std::string id,
                                        bool thorough, const CallLimits& limits);

}  // namespace stepstore::bucket
