#include "store/local/staged.h"

#include <fcntl.h>

namespace stepstore::local {
namespace {

// Below this the first write finds out as well that the disk is full, and reserving costs as much
// as writing.
constexpr std::size_t kReservedMin = std::size_t{1} << 20U;

void write_body(Core& core, Staged& staged, BytesView body, std::string_view operation) {
  const int fd = staged.file().get();
  if (body.size() >= kReservedMin) {
    const int got = uninterrupted([&] { return core.files.allocate(fd, body.size()); });
    if (got < 0 && got != -EOPNOTSUPP && got != -ENOSYS && got != -EINVAL) {
      errno_error(-got, operation, staged.name(), "fallocate").raise();
    }
  }
  checked(write_fully(core.files, fd, body), operation, staged.name(), "write");
  stamp(core, staged, operation);
}

Fd create(Core& core, int root, const std::string& name) {
  return open_at(core.files, root, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
}

// 0 or -errno.
int sync_and_close(Core& core, Staged& staged) {
  const int synced = core.options.fsync ? core.files.fsync(staged.file().get()) : 0;
  const int closed = staged.file().close();
  return synced < 0 ? synced : closed;
}

}  // namespace

void stamp(Core& core, Staged& staged, std::string_view operation) {
  const int fd = staged.file().get();
  FileStat stat;
  checked(uninterrupted([&] { return core.files.set_modified(fd, core.next_time()); }), operation,
          staged.name(), "futimens");
  checked(core.files.stat(fd, stat), operation, staged.name(), "stat");
  staged.set_etag(etag_of(stat));
}

Staged write_staged(Core& core, int root, std::string name, BytesView body,
                    std::string_view operation) {
  Fd fd = create(core, root, name);
  checked(fd.get(), operation, name, "open");
  Staged staged(core, root, std::move(name), std::move(fd));
  write_body(core, staged, body, operation);
  return staged;
}

void sync_staged(Core& core, int root, Staged& staged, BytesView body, std::string_view operation) {
  if (sync_and_close(core, staged) == 0) return;
  // The kernel may forget what it could not write once it has said so: a second fsync of the same
  // file would then succeed without it.
  (void)core.files.unlink(root, staged.name().c_str());
  staged.file() = create(core, root, staged.name());
  checked(staged.file().get(), operation, staged.name(), "open");
  write_body(core, staged, body, operation);
  const int failed = sync_and_close(core, staged);
  if (failed == 0) return;
  core.fail();
  errno_error(-failed, operation, staged.name(), "fsync").raise();
}

Staged stage(Core& core, Workshop& workshop, int root, BytesView body, std::string_view operation,
             const CallLimits& limits) {
  check_limits(limits, core.clock, operation);
  std::string name = workshop.fresh_name(root, operation);
  Fd fd = create(core, root, name);
  for (int i = 0; fd.get() == -ENOENT && i < kTries; ++i) {
    workshop.lost();
    name = workshop.fresh_name(root, operation);
    fd = create(core, root, name);
  }
  checked(fd.get(), operation, name, "open");
  Staged staged(core, root, std::move(name), std::move(fd));
  write_body(core, staged, body, operation);
  sync_staged(core, root, staged, body, operation);
  return staged;
}

}  // namespace stepstore::local
