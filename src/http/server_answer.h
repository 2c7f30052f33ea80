// An answer as it leaves a server, and the ways in which a test may want it broken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/server.h"
#include "http/server_socket.h"

namespace stepstore::http {

// "Not Found"
std::string_view reason_of(int status) noexcept;

// With the empty line. `close`: says that the connection ends behind it.
std::string head_of(const Reply& reply, std::string_view method, bool close);

// Sends the answer as far as its delivery lets it go. False: not all of it went out.
bool send_answer(const ServerSocket& socket, const Reply& reply, std::string_view method,
                 bool close);

}  // namespace stepstore::http
