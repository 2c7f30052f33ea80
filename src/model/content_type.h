// What kind of bytes a component holds.
#pragma once

#include <string_view>

#include "stepstore/bytes.h"

namespace stepstore {

inline constexpr std::string_view kHtml = "text/html";
inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kUnknownType = "application/octet-stream";

// image/png, image/jpeg or image/webp by the first bytes; kUnknownType for others.
std::string_view sniff_image(BytesView bytes) noexcept;

// By the ending of a file name; kUnknownType for others.
std::string_view content_type_of(std::string_view file_name) noexcept;

}  // namespace stepstore
