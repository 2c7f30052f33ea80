#include "http/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/errors.h"
#include "base/fork.h"

namespace stepstore::http {
namespace {

constexpr std::chrono::seconds kFresh(30);
constexpr std::size_t kNamesMax = 256;
constexpr std::size_t kThreadsMax = 4;

Address to_address(const sockaddr* from, std::size_t size, std::uint16_t port) {
  Address address;
  std::memcpy(address.storage, from, size);
  address.size = static_cast<unsigned>(size);
  char text[INET6_ADDRSTRLEN] = {};
  if (from->sa_family == AF_INET6) {
    auto* const in6 = reinterpret_cast<sockaddr_in6*>(address.storage);
    in6->sin6_port = htons(port);
    ::inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
    address.text = '[' + std::string(text) + "]:" + std::to_string(port);
  } else {
    auto* const in = reinterpret_cast<sockaddr_in*>(address.storage);
    in->sin_port = htons(port);
    ::inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    address.text = std::string(text) + ':' + std::to_string(port);
  }
  return address;
}

std::vector<Address> numeric(const std::string& host, std::uint16_t port) {
  sockaddr_in in{};
  sockaddr_in6 in6{};
  if (::inet_pton(AF_INET, host.c_str(), &in.sin_addr) == 1) {
    in.sin_family = AF_INET;
    return {to_address(reinterpret_cast<const sockaddr*>(&in), sizeof in, port)};
  }
  if (::inet_pton(AF_INET6, host.c_str(), &in6.sin6_addr) == 1) {
    in6.sin6_family = AF_INET6;
    return {to_address(reinterpret_cast<const sockaddr*>(&in6), sizeof in6, port)};
  }
  return {};
}

struct Answer {
  int failed = 0;  // of getaddrinfo
  std::vector<Address> addresses{};
};

Answer ask_system(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  Answer answer{.failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found)};
  if (answer.failed != 0) return answer;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    answer.addresses.push_back(to_address(each->ai_addr, each->ai_addrlen, port));
  }
  ::freeaddrinfo(found);
  return answer;
}

// The threads that ask the system. A forked child begins with none, and with a new object: what the
// parent's threads held stays locked in the old one.
class Askers {
 public:
  struct Job {
    std::string host;
    std::uint16_t port;
    std::mutex mutex{};
    std::condition_variable finished{};
    bool done = false;
    Answer answer{};
  };

  static Askers& get() {
    static auto* const mutex = new ForkMutex;
    static Askers* askers = nullptr;  // never destroyed: its threads may outlive main()
    const std::lock_guard lock(*mutex);
    if (askers == nullptr || askers->owner_ != this_process()) askers = new Askers;
    return *askers;
  }

  void add(std::shared_ptr<Job> job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ < jobs_.size() && threads_ < kThreadsMax) {
      try {
        std::thread([this] { work(); }).detach();
        ++threads_;
      } catch (const std::system_error& failed) {
        if (threads_ == 0) {
          jobs_.pop_back();
          errno_error(failed.code().value(), "connect", "", "thread").raise();
        }
      }
    }
    more_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      const bool any =
          more_.wait_for(lock, std::chrono::seconds(10), [this] { return !jobs_.empty(); });
      --idle_;
      if (!any) break;
      const std::shared_ptr<Job> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      Answer answer = ask_system(job->host, job->port);
      {
        const std::lock_guard telling(job->mutex);
        job->answer = std::move(answer);
        job->done = true;
      }
      job->finished.notify_all();
      lock.lock();
    }
    --threads_;
  }

  const pid_t owner_ = this_process();
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::size_t threads_ = 0, idle_ = 0;
};

StorageManagerError unknown_host(const Endpoint& endpoint, int failed) {
  const bool passes = failed == EAI_AGAIN || failed == EAI_SYSTEM || failed == EAI_MEMORY;
  ErrorDetails details =
      error(ErrorCode::Unavailable, "connect", endpoint.text(),
            "the name of the host cannot be resolved: " + std::string(::gai_strerror(failed)),
            "Is the endpoint spelled right, and is the network up?")
          .details();
  details.retryable = passes;
  return StorageManagerError(std::move(details));
}

}  // namespace

struct Resolver::State {
  struct Known {
    std::vector<Address> addresses;
    std::chrono::steady_clock::time_point until;
  };
  ForkMutex mutex;
  std::map<Endpoint, Known> known;
  std::map<std::string, std::chrono::steady_clock::time_point> avoided;  // by address, until when
};

Resolver::Resolver(Clock& clock, std::map<std::string, std::vector<std::string>> fixed)
    : clock_(clock), fixed_(std::move(fixed)), state_(new State) {}
Resolver::~Resolver() = default;

std::vector<Address> Resolver::lookup(const Endpoint& endpoint, const CallLimits& limits) {
  std::vector<Address> addresses = found(endpoint, limits);
  if (addresses.size() < 2) return addresses;
  const std::lock_guard lock(state_->mutex);
  auto& avoided = state_->avoided;
  if (avoided.empty()) return addresses;
  std::erase_if(avoided,
                [now = clock_.steady_now()](const auto& each) { return each.second <= now; });
  std::ranges::stable_partition(addresses,
                                [&](const Address& each) { return !avoided.contains(each.text); });
  return addresses;
}

void Resolver::avoid(const Endpoint& endpoint, const Address& address) {
  const std::lock_guard lock(state_->mutex);
  state_->known.erase(endpoint);
  if (state_->avoided.size() >= kNamesMax) state_->avoided.clear();
  state_->avoided[address.text] = clock_.steady_now() + kFresh;
}

std::vector<Address> Resolver::found(const Endpoint& endpoint, const CallLimits& limits) {
  if (const auto known = fixed_.find(endpoint.host); known != fixed_.end()) {
    std::vector<Address> addresses;
    for (const std::string& text : known->second) {
      std::ranges::move(numeric(text, endpoint.port), std::back_inserter(addresses));
    }
    if (!addresses.empty()) return addresses;
  }
  if (auto addresses = numeric(endpoint.host, endpoint.port); !addresses.empty()) return addresses;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->known.find(endpoint);
    if (found != state_->known.end() && clock_.steady_now() < found->second.until) {
      return found->second.addresses;
    }
  }
  const auto job = std::make_shared<Askers::Job>();
  job->host = endpoint.host;
  job->port = endpoint.port;
  Askers::get().add(job);
  std::unique_lock lock(job->mutex);
  while (!job->done) {
    job->finished.wait_for(lock, std::chrono::milliseconds(20), [&] { return job->done; });
    if (!job->done) check_limits(limits, clock_, "connect");
  }
  if (job->answer.addresses.empty()) unknown_host(endpoint, job->answer.failed).raise();
  const std::lock_guard keeping(state_->mutex);
  if (state_->known.size() >= kNamesMax) state_->known.clear();
  state_->known[endpoint] = {.addresses = job->answer.addresses,
                             .until = clock_.steady_now() + kFresh};
  return job->answer.addresses;
}

}  // namespace stepstore::http
