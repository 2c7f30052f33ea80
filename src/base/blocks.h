// Blocks of memory for bodies, kept for the next ones. The system's allocator gives large blocks
// back and gets them anew, and every page of them costs a fault: for a page of half a megabyte that
// is more than receiving it.
#pragma once

#include <cstddef>
#include <memory>

namespace stepstore {

// A block of so many bytes, not cleared. Its last owner gives it back from any thread, also in
// a forked child. At most kBlocksKeptBytes are kept for the next callers, in the whole process, and
// those that nobody needs any more go bit by bit while others come and go.
// Throws std::bad_alloc.
std::shared_ptr<std::byte[]> take_block(std::size_t size);

inline constexpr std::size_t kBlocksKeptBytes = std::size_t{32} << 20U;
// How many bytes are kept at this moment.
std::size_t kept_block_bytes();

}  // namespace stepstore
