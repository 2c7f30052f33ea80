#include "manager/manager_core.h"

#include <utility>

#include "base/errors.h"

namespace stepstore {
namespace {

Options checked(Options options) {
  const auto refuse = [](const char* what, const char* advice) {
    error(ErrorCode::ConfigError, "StorageManager", "", what, advice).raise();
  };
  if (options.concurrency == 0 || options.concurrency > 1024) {
    refuse("concurrency is not between 1 and 1024", "Leave it at 16, or pass the threads wanted.");
  }
  if (options.keep_versions.versions == 0) {
    refuse("keep_versions is 0", "Keep at least the current version.");
  }
  return options;
}

}  // namespace

ManagerCore::ManagerCore(std::shared_ptr<ObjectStore> object_store, Options given,
                         StorageInfo about, Clock& the_clock, Random& the_random,
                         std::shared_ptr<BucketExam> bucket_exam)
    : store(std::move(object_store)),
      options(checked(std::move(given))),
      info(std::move(about)),
      clock(the_clock),
      random(the_random),
      exam(std::move(bucket_exam)),
      gate(*store),
      roots(*store, clock, random),
      writer(*store, gate, roots, clock, options),
      reader(*store, roots, clock),
      lister(*store, roots, clock),
      remover(*store, roots, clock),
      adopter(*store, roots, lister, clock),
      pool(options.concurrency) {}

StorageManager ManagerCore::manage(std::shared_ptr<ManagerCore> core) {
  return StorageManager(std::move(core));
}

}  // namespace stepstore
