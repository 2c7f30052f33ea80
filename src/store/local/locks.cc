#include "store/local/locks.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace stepstore::local {
namespace {

// FNV-1a: every process must find the same bucket, so std::hash will not do.
unsigned bucket_of(std::string_view key) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char byte : key) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211U;
  }
  return static_cast<unsigned>((hash ^ hash >> 32U) % 256);
}

}  // namespace

BucketLocks::BucketLocks(Core& core, int root, const std::vector<Wanted>& wanted,
                         const CallLimits& limits, std::string_view operation)
    : core_(core), generation_(core.held.generation()) {
  std::map<unsigned, bool> buckets;  // ascending; shared only if nobody wants it exclusive
  for (const Wanted& each : wanted) {
    const auto [place, fresh] = buckets.try_emplace(bucket_of(each.key), each.shared);
    if (!fresh) place->second = place->second && each.shared;
  }
  try {
    for (const auto& [bucket, shared] : buckets) take(root, bucket, shared, limits, operation);
  } catch (...) {
    release();
    throw;
  }
}

void BucketLocks::take(int root, unsigned bucket, bool shared, const CallLimits& limits,
                       std::string_view operation) {
  using std::chrono::microseconds;
  const std::string name = fmt::format("{}/{:02x}", kLocks, bucket);
  Fd fd = open_at(core_.files, root, name.c_str(), O_RDWR | O_CREAT, 0600);
  for (int i = 0; fd.get() == -ENOENT && i < kTries; ++i) {
    core_.make_directories(root, kLocks, operation);
    fd = open_at(core_.files, root, name.c_str(), O_RDWR | O_CREAT, 0600);
  }
  checked(fd.get(), operation, name, "open");
  microseconds wait(20);
  while (true) {
    check_limits(limits, core_.clock, operation);
    const int locked =
        uninterrupted([&] { return core_.files.lock(fd.get(), shared ? LOCK_SH : LOCK_EX); });
    if (locked == 0) break;
    if (locked != -EWOULDBLOCK) errno_error(-locked, operation, name, "flock").raise();
    core_.clock.sleep(wait);
    wait = std::min(wait * 2, microseconds(5'000));
  }
  core_.held.add(fd.get());
  fds_.push_back(std::move(fd));
}

void BucketLocks::release() {
  for (Fd& fd : fds_) {
    // In a child that was forked meanwhile the descriptors are closed, and may be somebody else's.
    if (generation_ != core_.held.generation()) {
      fd.release();
      continue;
    }
    // Said aloud, since a child that is being forked may have the same open file.
    (void)core_.files.lock(fd.get(), LOCK_UN);
    core_.held.remove(fd.get());
  }
  fds_.clear();
}

}  // namespace stepstore::local
