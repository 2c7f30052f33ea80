#include "http/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <map>
#include <mutex>

#include "base/errors.h"
#include "base/fork.h"
#include "http/socket_bio.h"

namespace stepstore::http {
namespace {

constexpr std::size_t kSessionsMax = 64;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
// Under it each connection keeps the name of its endpoint, which its sessions are kept under.
int name_index() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* name, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<std::string*>(name);
      });
  return index;
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// OpenSSL looks for a certificate under the hash of its subject, "0a1b2c3d.0", and says nothing
// when a directory has no such names.
bool holds_hashed(const std::string& directory) {
  std::error_code failed;
  for (const auto& each : std::filesystem::directory_iterator(directory, failed)) {
    const std::string name = each.path().filename();
    if (name.size() >= 10 && name.find_first_not_of("0123456789abcdef") == 8 && name[8] == '.') {
      return true;
    }
  }
  return false;
}

}  // namespace

struct TlsContext::State {
  std::unique_ptr<SSL_CTX, FreeContext> context;
  ForkMutex mutex;  // of what follows
  std::map<std::string, std::unique_ptr<SSL_SESSION, FreeSession>> sessions;

  // Takes the session over: each is used once, as TLS 1.3 wants it.
  std::unique_ptr<SSL_SESSION, FreeSession> take(const std::string& name) {
    const std::lock_guard lock(mutex);
    const auto found = sessions.find(name);
    if (found == sessions.end()) return nullptr;
    auto session = std::move(found->second);
    sessions.erase(found);
    return session;
  }

  static int on_session(SSL* ssl, SSL_SESSION* session) {
    auto* const self =
        static_cast<State*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
    const auto* const name = static_cast<const std::string*>(SSL_get_ex_data(ssl, name_index()));
    if (self == nullptr || name == nullptr) return 0;
    std::unique_ptr<SSL_SESSION, FreeSession> kept(session);
    const std::lock_guard lock(self->mutex);
    if (self->sessions.size() < kSessionsMax) std::swap(self->sessions[*name], kept);
    return 1;  // it is ours now
  }
};

TlsContext::TlsContext(const std::string& ca_file, bool verify) : state_(new State) {
  state_->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = state_->context.get();
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (std::error_code none; std::filesystem::is_directory(ca_file, none)) {
    if (!holds_hashed(ca_file) ||
        SSL_CTX_load_verify_locations(context, nullptr, ca_file.c_str()) != 1) {
      ERR_clear_error();
      error(ErrorCode::ConfigError, "connect", ca_file,
            "the CA directory '" + ca_file + "' holds no certificate under its hash",
            "Run `openssl rehash` on it, or name one PEM file.")
          .raise();
    }
  } else if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1) {
    ERR_clear_error();
    error(ErrorCode::ConfigError, "connect", ca_file,
          "the CA file '" + ca_file + "' cannot be read or holds no certificate",
          "Name a PEM file with the certificates to trust.")
        .raise();
  }
  SSL_CTX_set_ex_data(context, context_index(), state_.get());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, State::on_session);
}
TlsContext::~TlsContext() = default;

ssl_st* TlsContext::make(const Endpoint& endpoint, int fd) {
  SSL* const ssl = SSL_new(state_->context.get());
  if (ssl == nullptr) throw std::bad_alloc();
  BIO* const bio = make_socket_bio(fd);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_connect_state(ssl);
  if (is_address(endpoint.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), endpoint.host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, endpoint.host.c_str());
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, endpoint.host.c_str());
  }
  constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_set_alpn_protos(ssl, kProtocols, sizeof kProtocols - 1);
  const std::string name = endpoint.text();
  SSL_set_ex_data(ssl, name_index(), new std::string(name));
  if (const auto session = state_->take(name)) SSL_set_session(ssl, session.get());
  return ssl;
}

}  // namespace stepstore::http
