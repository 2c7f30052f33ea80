#include "store/local/writer.h"

namespace stepstore::local {
namespace {

class LocalUpload final : public Upload {
 public:
  LocalUpload(std::shared_ptr<Core> core, std::shared_ptr<Workshop> workshop, ObjectKey key)
      : core_(std::move(core)),
        workshop_(std::move(workshop)),
        key_(std::move(key)),
        root_(core_->root_to_write("upload")),
        staged_(write_staged(*core_, root_, workshop_->fresh_name(root_, "upload"), {}, "upload")) {
  }

  void write(BytesView piece, const CallLimits& limits) override {
    if (ended_) ended().raise();
    constexpr std::size_t kPiece = std::size_t{8} << 20U;  // between two looks at the limits
    while (!piece.empty()) {
      check_limits(limits, core_->clock, "upload");
      const std::size_t size = std::min(piece.size(), kPiece);
      const int written = write_fully(core_->files, staged_.file().get(), piece.slice(0, size));
      if (written < 0) ended_ = true;  // nobody knows how much of the piece is in it
      checked(written, "upload", key_.text(), "write");
      piece = piece.slice(size, piece.size() - size);
    }
    check_limits(limits, core_->clock, "upload");
  }

  Result<ETag> finish(const Condition& condition, const CallLimits& limits) override {
    return item<ETag>("upload", key_.text(), [&]() -> Result<ETag> {
      check_limits(limits, core_->clock, "upload");
      if (ended_) return ended();
      ended_ = true;
      core_->refuse_when_failed("upload", key_.text());
      stamp(*core_, staged_, "upload");
      const int synced = core_->options.fsync ? core_->files.fsync(staged_.file().get()) : 0;
      const int closed = staged_.file().close();
      // The bytes are the caller's no longer, so nothing can be written anew from them.
      if (synced < 0 || closed < 0) core_->fail();
      checked(synced, "upload", key_.text(), "fsync");
      checked(closed, "upload", key_.text(), "close");
      return commit(*core_, root_, staged_, key_, condition, "upload", limits);
    });
  }

 private:
  StorageManagerError ended() const {
    return error(ErrorCode::InvalidArgument, "upload", key_.text(),
                 "the upload was finished already", "Start another upload.");
  }

  std::shared_ptr<Core> core_;
  std::shared_ptr<Workshop> workshop_;
  ObjectKey key_;
  int root_;
  Staged staged_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Upload> start_upload(std::shared_ptr<Core> core, std::shared_ptr<Workshop> workshop,
                                     const ObjectKey& key, const CallLimits& limits) {
  check_limits(limits, core->clock, "upload");
  core->refuse_reserved(key, "upload");
  core->refuse_when_failed("upload", key.text());
  return std::make_unique<LocalUpload>(std::move(core), std::move(workshop), key);
}

}  // namespace stepstore::local
