// The version of this release.
#pragma once

#include <string_view>

namespace stepstore {
inline namespace v1 {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace v1
}  // namespace stepstore
