// ManagerCore: what a StorageManager is made of. One per manager, shared with its cursors.
#pragma once

#include <atomic>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "manager/adopter.h"
#include "manager/format_gate.h"
#include "manager/lister.h"
#include "manager/reader.h"
#include "manager/remover.h"
#include "manager/roots.h"
#include "manager/stream.h"
#include "manager/writer.h"
#include "model/bucket_exam.h"
#include "stepstore/storage_manager.h"

namespace stepstore {
inline namespace v1 {

class ManagerCore {
 public:
  // `bucket_exam`: the same store, where it is a bucket.
  ManagerCore(std::shared_ptr<ObjectStore> object_store, Options given, StorageInfo about,
              Clock& the_clock = system_clock(), Random& the_random = system_random(),
              std::shared_ptr<BucketExam> bucket_exam = {});

  // A manager over these parts; for src/open and for tests that bring their own clock.
  static StorageManager manage(std::shared_ptr<ManagerCore> core);

  const std::shared_ptr<ObjectStore> store;
  const Options options;
  const StorageInfo info;
  Clock& clock;
  Random& random;
  const std::shared_ptr<BucketExam> exam;  // null: not a bucket
  std::atomic<bool> closed{false};
  FormatGate gate;
  Roots roots;
  Writer writer;
  Reader reader;
  Lister lister;
  Remover remover;
  Adopter adopter;
  ThreadPool pool;  // after all that its tasks use

  // Twice as many steps as threads are under way, so that no thread waits for the caller.
  StreamBounds bounds() const { return {2 * options.concurrency, options.in_flight_bytes_max}; }
};

}  // namespace v1
}  // namespace stepstore
