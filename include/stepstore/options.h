// The choices that callers have. Every struct works as it stands: `{}` is the default that the
// manual documents.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "stepstore/call.h"
#include "stepstore/s3_credentials.h"
#include "stepstore/s3_objects.h"

namespace stepstore {
inline namespace v1 {

// What a store call does when the step is there already.
enum class IfExists : std::uint8_t {
  new_version,     // make the next version
  fail,            // AlreadyExists
  skip_identical,  // nothing, when every component and the metadata have the same bytes; else the
                   // next version
};

// How many versions of a step stay readable, the current one included.
struct Keep {
  std::uint32_t versions = 1;
  static Keep all() { return {std::numeric_limits<std::uint32_t>::max()}; }
};

struct StoreOptions {
  IfExists if_exists = IfExists::new_version;
  std::optional<std::uint64_t>
      if_version{};  // store only over this version (0: only a new step); else Conflict
  std::optional<Keep> keep_versions{};  // none: the manager's default
  Call call{};
};

// Reads that belong together, as those of one batch do: the root of a session is asked for once.
// Thread-safe. retrieve_steps and iter_steps have their own; this is for who makes single calls.
class ReadsTogether;
std::shared_ptr<ReadsTogether> reads_together();

struct ReadOptions {
  std::optional<std::uint64_t> version{};  // none: the current one
  bool legacy = false;                     // also read folders without a manifest, older than 24 h
  std::shared_ptr<ReadsTogether> together{};  // retrieve_step_data: with the others that have it
  Call call{};
};

struct ListOptions {
  std::string prefix{};   // only ids that begin with this text
  std::string after{};    // `next` of the page before, or any id: only what comes after it
  std::size_t limit = 0;  // at most so many; 0: all
  bool legacy = false;  // list_steps_for_session: also folders without a manifest, older than 24 h
  Call call{};
};

struct DeleteOptions {
  Call call{};
};

struct CheckOptions {
  std::optional<std::string> session{};  // none: the whole store
  bool data = false;                     // also read every component and compare its checksum
  Call call{std::chrono::hours{24}};
};

struct AdoptOptions {
  std::optional<std::string> session{};  // none: every session
  bool dry_run = true;                   // only say what would be done
  Call call{std::chrono::hours{24}};
};

// How a manager works. Where a field is empty, the environment and then the default decide;
// docs/storage_manager.md has the table. Unknown URI parameters are errors.
struct Options {
  std::optional<std::filesystem::path> local_base_path{};  // SM_LOCAL_BASE_PATH, ./.storage_data
  std::optional<std::string> s3_bucket_name{};             // SM_S3_BUCKET_NAME
  std::optional<std::string> s3_region_name{};    // SM_S3_REGION, AWS_REGION, AWS_DEFAULT_REGION,
                                                  // the profile's, us-east-1
  std::optional<std::string> s3_endpoint_url{};   // AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the
                                                  // profile's, AWS
  std::optional<std::string> s3_profile{};        // AWS_PROFILE, default
  std::optional<S3Credentials> s3_credentials{};  // the environment's, the profile's, the machine's
  std::shared_ptr<S3CredentialsSlot> s3_credentials_slot{};  // those that the program sets there
  bool s3_anonymous = false;  // requests are not signed: for buckets that anybody may read
  bool allow_http = false;    // requests may go without TLS to another machine than this one
  // A PEM file, or a directory as `openssl rehash` makes it, with the certificates to trust:
  // AWS_CA_BUNDLE, the profile's, the system's.
  std::optional<std::filesystem::path> ca_file{};
  // "http://user:password@host:port", for all requests: https_proxy and HTTPS_PROXY (of https
  // servers), http_proxy (of http), all_proxy and ALL_PROXY, none. "none": directly. Requests to
  // this machine never take it.
  std::optional<std::string> proxy{};
  std::optional<std::string> no_proxy{};  // hosts that are reached directly: no_proxy, NO_PROXY
  // Of one try of a request. TCP and TLS, a proxy's tunnel included: 5 s.
  std::optional<std::chrono::milliseconds> connect_timeout{};
  // From the end of the request to the first byte of the answer: 10 s.
  std::optional<std::chrono::milliseconds> first_byte_timeout{};
  std::optional<std::chrono::milliseconds> stall_timeout{};  // a pause in the middle: 10 s
  std::optional<std::chrono::milliseconds> total_timeout{};  // all of it: none
  std::optional<int> attempts_max{};  // tries of a request: AWS_MAX_ATTEMPTS, the profile's, 8
  S3ObjectSettings s3_objects{};      // checksums, encryption, storage class, owner, tags
  // Where both are configured and no URI is given: true takes S3, false the directory.
  bool prefer_s3 = true;
  std::optional<bool>
      fsync{};  // local store: true. false: for tests; a crash of the machine may lose steps
  Keep keep_versions{};  // default for store calls that do not say
  // Steps that batches, iter_steps and posted work do at the same time, each on a thread of its
  // own. Threads are started when they are needed.
  std::size_t concurrency = 16;
  // Bytes of steps that a batch or iter_steps holds at the same time; a larger step goes alone. The
  // size of a step that is read is known when it is there, so reads begin with one, and until then
  // those before speak for it. Of a file or reader at most stream_threshold counts.
  std::uint64_t in_flight_bytes_max = std::uint64_t{256} << 20;
  std::uint64_t component_bytes_max = std::uint64_t{5}
                                      << 40;  // TooLarge beyond (S3's own limit is 5 TiB)
  std::uint64_t stream_threshold = std::uint64_t{8}
                                   << 20;  // components from files and readers above are streamed
};

}  // namespace v1
}  // namespace stepstore
