// OpenSSL's bytes through a socket without signals: its own socket BIO uses write(), which raises
// SIGPIPE in the program that uses us.
#pragma once

struct bio_st;

namespace stepstore::http {

// Over the non-blocking socket, which stays the caller's.
bio_st* make_socket_bio(int fd);

}  // namespace stepstore::http
