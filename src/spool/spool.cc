#include "spool/spool.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "base/errors.h"
#include "base/log.h"
#include "base/ulid.h"
#include "model/json_io.h"

namespace stepstore::spool {
namespace {

constexpr std::string_view kNew = "new";
constexpr std::string_view kRejected = "rejected";
constexpr std::string_view kDrainLock = "drain.lock";
constexpr std::string_view kUnfinished = ".t-";
constexpr std::string_view kReason = ".json";
constexpr std::chrono::seconds kCountedAnew{1};
constexpr std::chrono::hours kUnfinishedMax{1};
constexpr std::chrono::milliseconds kLookAgain{20};

std::string path_of(const EntryName& name) {
  return std::string(kNew) + '/' + name.shard() + '/' + name.file();
}

int checked(int result, std::string_view file, std::string_view what) {
  if (result < 0) errno_error(-result, "spool", file, what).raise();
  return result;
}

}  // namespace

Spool::Spool(std::filesystem::path root, SpoolOptions options, Files& files, Clock& clock,
             Random& random)
    : root_(std::filesystem::absolute(std::move(root))),
      options_(options),
      files_(files),
      clock_(clock),
      random_(random),
      held_(files) {}

Spool::~Spool() {
  if (const int fd = root_fd_.load(); fd >= 0) (void)files_.close(fd);
}

// --- Directories ---

// The root's descriptor; -ENOENT when it is not there and is not to be made.
int Spool::open_root(bool make) const {
  if (const int known = root_fd_.load(); known >= 0) return known;
  int fd = uninterrupted([&] { return files_.open_root(root_.c_str()); });
  if (fd == -ENOENT && make) {
    make_root(root_);
    fd = uninterrupted([&] { return files_.open_root(root_.c_str()); });
  }
  if (fd < 0) return fd;
  FileStat stat;
  if (const int told = files_.stat(fd, stat); told < 0) {
    (void)files_.close(fd);
    return told;
  }
  // What others can write into is no place for what nobody may lose.
  if ((stat.mode & 022U) != 0) {
    (void)files_.close(fd);
    error(ErrorCode::PermissionDenied, "spool", root_.string(),
          "others may write into the spool's directory", "chmod 700 it, or name another one.")
        .raise();
  }
  int none = -1;
  if (!root_fd_.compare_exchange_strong(none, fd)) {
    (void)files_.close(fd);
    return none;
  }
  return fd;
}

// With what is missing above it, each entry durable before the next one is made in it.
void Spool::make_root(const std::filesystem::path& at) const {
  const std::filesystem::path above = at.parent_path();
  Fd parent(files_, uninterrupted([&] { return files_.open_root(above.c_str()); }));
  if (parent.get() == -ENOENT && above != at) {
    make_root(above);
    parent = Fd(files_, uninterrupted([&] { return files_.open_root(above.c_str()); }));
  }
  checked(parent.get(), above.string(), "open");
  const int made = files_.make_directory(parent.get(), at.filename().c_str(), 0700);
  if (made != -EEXIST) checked(made, at.string(), "mkdir");
  sync(parent.get(), above.string());
}

Fd Spool::directory(const std::string& path, bool make) const {
  const int root = open_root(make);
  if (root < 0) return {files_, root};
  Fd fd = open_at(files_, root, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (fd.get() != -ENOENT || !make) return fd;
  for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    const int made = files_.make_directory(root, part.c_str(), 0700);
    if (made != -EEXIST) checked(made, part, "mkdir");
    // Also one that another process has just made: it may not have come so far.
    const std::size_t above = part.rfind('/');
    const std::string parent = above == std::string::npos ? "." : part.substr(0, above);
    const Fd holder = open_at(files_, root, parent.c_str(), O_RDONLY | O_DIRECTORY);
    checked(holder.get(), parent, "open");
    sync(holder.get(), parent);
    if (slash == std::string::npos) break;
  }
  return open_at(files_, root, path.c_str(), O_RDONLY | O_DIRECTORY);
}

void Spool::sync(int directory, const std::string& path) const {
  if (options_.fsync) checked(files_.fsync(directory), path, "fsync");
}

// --- Looking ---

std::vector<EntryName> Spool::list(const std::string& folder) const {
  std::vector<EntryName> names;
  const Fd fd = directory(folder, false);
  if (fd.get() == -ENOENT) return names;
  checked(fd.get(), folder, "open");
  std::vector<DirectoryEntry> found;
  checked(files_.list(fd.get(), found), folder, "list");
  for (const DirectoryEntry& entry : found) {
    if (auto name = entry.regular ? parse_entry_name(entry.name) : std::nullopt) {
      names.push_back(*std::move(name));
    }
  }
  std::ranges::sort(names);
  return names;
}

template <class Wanted>
std::vector<EntryName> Spool::list_shards(Wanted&& wanted) const {
  std::vector<EntryName> names;
  const Fd fd = directory(std::string(kNew), false);
  if (fd.get() == -ENOENT) return names;
  checked(fd.get(), kNew, "open");
  std::vector<DirectoryEntry> shards;
  checked(files_.list(fd.get(), shards), kNew, "list");
  for (const DirectoryEntry& shard : shards) {
    if (!shard.directory) continue;
    for (EntryName& name : list(std::string(kNew) + '/' + shard.name)) {
      if (wanted(name)) names.push_back(std::move(name));
    }
  }
  std::ranges::sort(names);
  return names;
}

std::vector<EntryName> Spool::entries() const {
  return list_shards([](const EntryName&) { return true; });
}

std::vector<EntryName> Spool::of_step(std::string_view session_id, std::string_view step_id) const {
  const EntryName step{.session = session_number(session_id),
                       .step = step_number(session_id, step_id)};
  auto names = list(std::string(kNew) + '/' + step.shard());
  std::erase_if(names, [&](const EntryName& name) {
    return name.session != step.session || name.step != step.step;
  });
  return names;
}

std::vector<EntryName> Spool::of_session(std::string_view session_id) const {
  const std::uint64_t session = session_number(session_id);
  return list_shards([session](const EntryName& name) { return name.session == session; });
}

std::unique_ptr<EntryFile> Spool::open(const EntryName& name) const {
  const int root = open_root(false);
  if (root == -ENOENT) return nullptr;
  checked(root, root_.string(), "open");
  const std::string path = path_of(name);
  Fd fd = open_at(files_, root, path.c_str(), O_RDONLY);
  if (fd.get() == -ENOENT) return nullptr;
  checked(fd.get(), path, "open");
  return std::make_unique<EntryFile>(files_, std::move(fd), path);
}

Totals Spool::count() const {
  Totals totals;
  const auto names = entries();
  totals.entries = names.size();
  for (const EntryName& name : names) totals.bytes += name.bytes;
  if (!names.empty()) totals.oldest = ulid_time(names.front().order);
  return totals;
}

Totals Spool::totals() const {
  const auto now = clock_.steady_now();
  {
    const std::lock_guard lock(mutex_);
    if (totals_ && now - counted_at_ < kCountedAnew) return *totals_;
  }
  const Totals fresh = count();
  const std::lock_guard lock(mutex_);
  totals_ = fresh;
  counted_at_ = now;
  return fresh;
}

// --- Putting ---

std::optional<StorageManagerError> Spool::full(std::uint64_t bytes) const {
  const Totals now = totals();
  const auto refuse = [&](const std::string& why, const std::string& advice) {
    return error(ErrorCode::SpoolFull, "spool", root_.string(),
                 "the spool is full: " + std::to_string(now.entries) + " steps of " +
                     std::to_string(now.bytes) + " bytes wait in it, and " + why,
                 advice);
  };
  if (now.entries + 1 > options_.entries_max) {
    return refuse(std::to_string(options_.entries_max) + " steps are allowed",
                  "Let it drain, or raise spool_entries_max.");
  }
  if (now.bytes + bytes > options_.bytes_max) {
    return refuse(std::to_string(options_.bytes_max) + " bytes are allowed",
                  "Let it drain, or raise spool_bytes_max.");
  }
  FileSpace space;
  const Fd fd = directory(std::string(kNew), true);
  checked(fd.get(), kNew, "open");
  if (files_.space(fd.get(), space) < 0) return std::nullopt;  // the disk itself will say
  const auto share =
      static_cast<std::uint64_t>(options_.free_share_min * static_cast<double>(space.total));
  const std::uint64_t floor = std::max(options_.free_bytes_min, share);
  if (space.free < bytes || space.free - bytes < floor) {
    return refuse("its disk has " + std::to_string(space.free) + " bytes free, of which " +
                      std::to_string(floor) + " stay so",
                  "Free some space, or lower spool_free_bytes_min.");
  }
  return std::nullopt;
}

void Spool::wait_for_room(std::uint64_t bytes, const CallLimits& limits) const {
  const auto until = clock_.steady_now() + options_.wait_when_full;
  while (auto refusal = full(bytes)) {
    if (clock_.steady_now() >= until) refusal->raise();
    check_limits(limits, clock_, "spool");
    clock_.sleep(kLookAgain);
  }
}

// After all that this process and, of this step, others have put: also when the clock goes back.
std::string Spool::next_order(const std::vector<EntryName>& before) {
  std::string fresh = make_ulid(clock_, random_);
  const std::lock_guard lock(mutex_);
  const std::string& last =
      before.empty() ? last_order_ : std::max(last_order_, before.back().order);
  if (fresh <= last) fresh = ulid_after(last);
  return last_order_ = fresh;
}

EntryName Spool::put(const Head& head, std::span<const Source> bodies, const CallLimits& limits) {
  constexpr std::uint64_t kAround = 4'096;  // head and frame; it need not be exact
  wait_for_room(head.body_bytes() + kAround, limits);
  EntryName name{.session = session_number(head.session_id),
                 .step = step_number(head.session_id, head.step_id)};
  name.order = next_order(of_step(head.session_id, head.step_id));
  const std::string shard = std::string(kNew) + '/' + name.shard();
  const Fd folder = directory(shard, true);
  checked(folder.get(), shard, "open");
  const std::string unfinished = std::string(kUnfinished) + make_ulid(clock_, random_);
  Fd fd = open_at(files_, folder.get(), unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  checked(fd.get(), unfinished, "open");
  // As long as it is held, nobody takes the file for a dead writer's.
  (void)files_.lock(fd.get(), LOCK_EX);
  try {
    write_entry(files_, fd.get(), unfinished, head, bodies);
    FileStat stat;
    checked(files_.stat(fd.get(), stat), unfinished, "stat");
    name.bytes = stat.size;
    // A file whose fsync has failed is given up: the kernel may forget what it could not write, and
    // say at the next one that all is well.
    if (options_.fsync) checked(files_.fsync(fd.get()), unfinished, "fsync");
    checked(fd.close(), unfinished, "close");
    checked(
        files_.rename(folder.get(), unfinished.c_str(), folder.get(), name.file().c_str(), false),
        name.file(), "rename");
  } catch (...) {
    (void)files_.unlink(folder.get(), unfinished.c_str());
    throw;
  }
  try {
    sync(folder.get(), shard);
  } catch (const StorageManagerError& failed) {
    // It may be there after a crash, or not.
    if (files_.unlink(folder.get(), name.file().c_str()) < 0) unknown_outcome(failed).raise();
    throw;
  }
  const std::lock_guard lock(mutex_);
  if (totals_) {
    ++totals_->entries;
    totals_->bytes += name.bytes;
  }
  return name;
}

// --- Taking out ---

std::optional<Lock> Spool::lock_for_draining() {
  const int root = open_root(true);
  checked(root, root_.string(), "open");
  Fd fd = open_at(files_, root, std::string(kDrainLock).c_str(), O_RDWR | O_CREAT, 0600);
  checked(fd.get(), kDrainLock, "open");
  const int locked = uninterrupted([&] { return files_.lock(fd.get(), LOCK_EX); });
  if (locked == -EWOULDBLOCK) return std::nullopt;
  checked(locked, kDrainLock, "flock");
  return std::optional<Lock>(std::in_place, held_, std::move(fd));
}

std::optional<Lock> Spool::lock(const EntryName& name) {
  const int root = open_root(false);
  if (root == -ENOENT) return std::nullopt;
  checked(root, root_.string(), "open");
  const std::string path = path_of(name);
  Fd fd = open_at(files_, root, path.c_str(), O_RDONLY);
  if (fd.get() == -ENOENT) return std::nullopt;
  checked(fd.get(), path, "open");
  const int locked = uninterrupted([&] { return files_.lock(fd.get(), LOCK_EX); });
  if (locked == -EWOULDBLOCK) return std::nullopt;
  checked(locked, path, "flock");
  // Whoever had the lock before may have removed it meanwhile.
  FileStat here;
  FileStat there;
  if (files_.stat(fd.get(), here) < 0 || files_.stat_at(root, path.c_str(), there) < 0 ||
      here.inode != there.inode) {
    return std::nullopt;
  }
  return std::optional<Lock>(std::in_place, held_, std::move(fd));
}

bool Spool::remove(const EntryName& name) {
  const int root = open_root(false);
  if (root == -ENOENT) return false;
  checked(root, root_.string(), "open");
  const std::string path = path_of(name);
  const int gone = files_.unlink(root, path.c_str());
  if (gone == -ENOENT) return false;
  checked(gone, path, "unlink");
  // No fsync: what comes back after a crash was stored, and says so when it is tried again.
  const std::lock_guard lock(mutex_);
  if (totals_ && totals_->entries > 0) {
    --totals_->entries;
    totals_->bytes -= std::min(totals_->bytes, name.bytes);
  }
  return true;
}

void Spool::reject(const EntryName& name, std::string_view reason) {
  const Fd folder = directory(std::string(kRejected), true);
  checked(folder.get(), kRejected, "open");
  const std::string file = name.file();
  const std::string why = file + std::string(kReason);
  {
    Fd fd = open_at(files_, folder.get(), why.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    checked(fd.get(), why, "open");
    const std::string text = "{\"reason\": " + json_string(reason) + "}\n";
    checked(write_fully(files_, fd.get(), text), why, "write");
    if (options_.fsync) checked(files_.fsync(fd.get()), why, "fsync");
  }
  const int root = open_root(false);
  const std::string path = path_of(name);
  const int moved = files_.rename(root, path.c_str(), folder.get(), file.c_str(), true);
  if (moved == -ENOENT) return;
  checked(moved, path, "rename");
  sync(folder.get(), std::string(kRejected));
  const std::lock_guard lock(mutex_);
  totals_.reset();
}

std::vector<Rejected> Spool::rejected() const {
  std::vector<Rejected> out;
  for (EntryName& name : list(std::string(kRejected))) {
    Rejected each{.name = std::move(name)};
    const std::string why = std::string(kRejected) + '/' + each.name.file() + std::string(kReason);
    const int root = open_root(false);
    const Fd fd = open_at(files_, root, why.c_str(), O_RDONLY);
    FileStat stat;
    if (fd.ok() && files_.stat(fd.get(), stat) == 0 && stat.size < (1U << 20U)) {
      std::string text(static_cast<std::size_t>(stat.size), '\0');
      if (read_fully(files_, fd.get(), std::as_writable_bytes(std::span(text)), 0) == 0) {
        const auto told = nlohmann::json::parse(text, nullptr, false);
        if (told.is_object()) each.reason = told.value("reason", std::string());
      }
    }
    out.push_back(std::move(each));
  }
  return out;
}

void Spool::retry(const EntryName& rejected) {
  const std::string file = rejected.file();
  const std::string shard = std::string(kNew) + '/' + rejected.shard();
  const Fd from = directory(std::string(kRejected), true);
  checked(from.get(), kRejected, "open");
  const Fd to = directory(shard, true);
  checked(to.get(), shard, "open");
  checked(files_.rename(from.get(), file.c_str(), to.get(), file.c_str(), true), file, "rename");
  sync(to.get(), shard);
  (void)files_.unlink(from.get(), (file + std::string(kReason)).c_str());
  const std::lock_guard lock(mutex_);
  totals_.reset();
}

void Spool::drop(const EntryName& rejected) {
  const std::string file = rejected.file();
  const Fd from = directory(std::string(kRejected), false);
  if (!from.ok()) return;
  const int gone = files_.unlink(from.get(), file.c_str());
  if (gone != -ENOENT) checked(gone, file, "unlink");
  (void)files_.unlink(from.get(), (file + std::string(kReason)).c_str());
}

void Spool::sweep() {
  const Fd fd = directory(std::string(kNew), false);
  if (!fd.ok()) return;
  const std::int64_t old =
      (clock_.now().time_since_epoch() - kUnfinishedMax) / std::chrono::nanoseconds(1);
  std::vector<DirectoryEntry> shards;
  if (files_.list(fd.get(), shards) < 0) return;
  for (const DirectoryEntry& shard : shards) {
    if (!shard.directory) continue;
    const Fd folder = open_at(files_, fd.get(), shard.name.c_str(), O_RDONLY | O_DIRECTORY);
    std::vector<DirectoryEntry> found;
    if (!folder.ok() || files_.list(folder.get(), found) < 0) continue;
    for (const DirectoryEntry& each : found) {
      FileStat stat;
      if (!each.name.starts_with(kUnfinished) ||
          files_.stat_at(folder.get(), each.name.c_str(), stat) < 0 || stat.modified_ns > old) {
        continue;
      }
      const Fd left = open_at(files_, folder.get(), each.name.c_str(), O_RDONLY);
      if (!left.ok() || files_.lock(left.get(), LOCK_EX) < 0) continue;  // its writer lives
      log_info("spool: what a dead writer left goes: {}", each.name);
      (void)files_.unlink(folder.get(), each.name.c_str());
    }
  }
}

}  // namespace stepstore::spool
