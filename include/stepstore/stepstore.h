// All of the public API.
#pragma once

#include "stepstore/bytes.h"            // BytesView, Bytes
#include "stepstore/call.h"             // Call, Timestamp
#include "stepstore/doctor.h"           // DoctorOptions, DoctorReport
#include "stepstore/error.h"            // StorageManagerError and its classes
#include "stepstore/log.h"              // where log lines go
#include "stepstore/object_store.h"     // ObjectStore, to write a store of your own
#include "stepstore/options.h"          // StoreOptions, ReadOptions, ListOptions, Options
#include "stepstore/presign.h"          // PresignOptions, PresignedUrl
#include "stepstore/result.h"           // Result
#include "stepstore/source.h"           // Source
#include "stepstore/step.h"             // StepData, Step, Receipt
#include "stepstore/storage_manager.h"  // StorageManager: start here
#include "stepstore/version.h"          // the version of this release
