// A new file on its way to becoming an object: written under a name that nobody looks at, made
// durable, then renamed by writer.h.
#pragma once

#include <string>
#include <utility>

#include "store/local/core.h"
#include "store/local/workshop.h"

namespace stepstore::local {

// Removes its file unless it was taken.
class Staged {
 public:
  Staged(Core& core, int root, std::string name, Fd file = {})
      : core_(&core), root_(root), name_(std::move(name)), file_(std::move(file)) {}
  Staged(Staged&& other) noexcept
      : core_(other.core_),
        root_(other.root_),
        name_(std::exchange(other.name_, {})),
        file_(std::move(other.file_)),
        etag_(std::move(other.etag_)) {}
  Staged& operator=(Staged&&) = delete;
  ~Staged() {
    if (!name_.empty()) (void)core_->files.unlink(root_, name_.c_str());
  }
  const std::string& name() const { return name_; }
  Fd& file() { return file_; }  // open for writing until it is durable
  const ETag& etag() const { return etag_; }
  void set_etag(ETag etag) { etag_ = std::move(etag); }
  void taken() { name_.clear(); }

 private:
  Core* core_;
  int root_;
  std::string name_;
  Fd file_;
  ETag etag_{};
};

// Writes the body into a new file; not durable yet. The name may not be taken.
Staged write_staged(Core& core, int root, std::string name, BytesView body,
                    std::string_view operation);

// Gives the file its time and ETag; the last change before sync_staged().
void stamp(Core& core, Staged& staged, std::string_view operation);

// Makes the bytes durable and closes the file. When the disk refuses, the file is given up and the
// body written anew, once; a second refusal stops all writing to the store.
void sync_staged(Core& core, int root, Staged& staged, BytesView body, std::string_view operation);

// A durable new file in the workshop.
Staged stage(Core& core, Workshop& workshop, int root, BytesView body, std::string_view operation,
             const CallLimits& limits);

}  // namespace stepstore::local
