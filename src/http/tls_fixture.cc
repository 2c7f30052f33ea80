#include "http/tls_fixture.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>

namespace stepstore::http {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

void require(bool done) {
  if (!done) std::abort();  // the test's own tools are broken
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Without the extensions and the signature.
Certificate make_certificate(EVP_PKEY* key, const char* name, long serial, int days) {
  Certificate certificate(X509_new());
  X509* const made = certificate.get();
  constexpr long kDay = 24L * 60 * 60;
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), serial);
  X509_gmtime_adj(X509_getm_notBefore(made), -100 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(made), days * kDay);
  X509_set_pubkey(made, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return certificate;
}

void write_certificate(const std::string& path, X509* certificate) {
  const std::unique_ptr<std::FILE, Free> file(std::fopen(path.c_str(), "w"));
  require(file && PEM_write_X509(file.get(), certificate) == 1);
}

}  // namespace

struct TestAuthority::State {
  Key key{EVP_EC_gen("P-256")};
  Certificate certificate{make_certificate(key.get(), "stepstore test CA", 1, 100)};
};

TestAuthority::TestAuthority() : state_(std::make_unique<State>()) {
  std::string name = testing::TempDir() + "tls-XXXXXX";
  require(::mkdtemp(name.data()) != nullptr);
  folder_ = name;
  X509* const own = state_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  extend(own, own, NID_key_usage, "critical,keyCertSign");
  require(X509_sign(own, state_->key.get(), EVP_sha256()) > 0);
  write_certificate(ca_file(), own);
}

TestAuthority::~TestAuthority() { std::filesystem::remove_all(folder_); }

TestAuthority::Issued TestAuthority::issue(const std::vector<std::string>& names, int days) {
  const std::string base = folder_ / ("server" + std::to_string(++issued_));
  Issued out{.certificate_file = base + ".pem", .key_file = base + ".key"};
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = make_certificate(key.get(), "server", 1 + issued_, days);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(state_->certificate.get()));
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ",") + name;
  extend(certificate.get(), state_->certificate.get(), NID_subject_alt_name, all);
  require(X509_sign(certificate.get(), state_->key.get(), EVP_sha256()) > 0);
  write_certificate(out.certificate_file, certificate.get());
  const std::unique_ptr<std::FILE, Free> file(std::fopen(out.key_file.c_str(), "w"));
  require(file &&
          PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return out;
}

}  // namespace stepstore::http
