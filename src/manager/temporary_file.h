// A file without a name, for bytes that come once and may have to be sent twice. Gone with its last
// user.
#pragma once

#include <memory>

#include "stepstore/source.h"

namespace stepstore {

class TemporaryFile {
 public:
  TemporaryFile();  // in the system's folder for temporary files; throws Io, NoSpace,
                    // PermissionDenied
  void append(BytesView bytes);
  // A source that can be read any number of times; it keeps the file.
  Source to_source() &&;

 private:
  struct Descriptor;
  std::shared_ptr<Descriptor> descriptor_;
};

}  // namespace stepstore
