// Is a store fit for stepstore's promises? Asks it, question by question. Plain functions over any
// store.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "model/bucket_exam.h"
#include "stepstore/doctor.h"
#include "stepstore/object_store.h"

namespace stepstore {

// `bucket`: the same store, where it is a bucket; null: it is none. The report lacks location and
// notes. Whatever is written lies below a folder of its own and is removed at the end, also of an
// examination that fails or is stopped; what stays is logged.
DoctorReport examine_store(ObjectStore& store, BucketExam* bucket, Clock& clock, Random& random,
                           const DoctorOptions& options, const CallLimits& limits);

}  // namespace stepstore
