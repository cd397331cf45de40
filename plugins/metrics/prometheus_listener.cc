#include "gearman/plugins/metrics/prometheus_listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "gearman/plugins/field_error.h"
#include "gearman/process/descriptor.h"
#include "gearman/process/per_process.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// The web server has a thread for each connection that it listens to. With its
// own two threads and half a minute of patience, two connections on which
// nothing comes (a browser makes such, and so do probes of ports) would hold up
// each scrape for longer than Prometheus waits.
constexpr char kThreads[] = "8";
constexpr char kRequestTimeoutMs[] = "10000";

// The listeners of one process, by address. Only sinks that begin or end take
// the lock.
struct Table {
  absl::Mutex mutex;
  std::map<std::string, std::weak_ptr<PrometheusListener>> listeners
      ABSL_GUARDED_BY(mutex);
};

Table& TheTable() {
  // Never destroyed, because sinks of static objects may end at exit.
  static const auto* const table = new PerProcess<Table>();
  return table->Get();
}

struct ListenAddress {
  std::string host;  // without brackets; empty: all interfaces
  int port = 0;
};

absl::Status BadAddress(absl::string_view address, absl::string_view why) {
  return FieldError("listen", absl::StrCat("\"", SafeText(address), "\""), why);
}

absl::StatusOr<ListenAddress> ParseListen(absl::string_view address) {
  const absl::Status bad = BadAddress(
      address,
      "expected HOST:PORT, such as \"127.0.0.1:9464\" or \"[::1]:9464\", or a "
      "port for all interfaces");
  ListenAddress parsed;
  const size_t colon = address.rfind(':');
  absl::string_view host;
  absl::string_view port = address;
  if (colon != absl::string_view::npos) {
    host = address.substr(0, colon);
    port = address.substr(colon + 1);
    if (host.empty()) return bad;
  }
  if (port.empty() ||
      !std::all_of(port.begin(), port.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(port, &parsed.port) || parsed.port > 65535) {
    return bad;
  }
  const bool bracketed =
      absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  parsed.host = std::string(host);
  if (bracketed) {
    in6_addr ignored;
    if (inet_pton(AF_INET6, parsed.host.c_str(), &ignored) != 1) return bad;
  } else if (!std::all_of(host.begin(), host.end(), [](unsigned char c) {
               return absl::ascii_isalnum(c) || c == '.' || c == '-' ||
                      c == '_';
             })) {
    return bad;
  }
  return parsed;
}

// Returns why the web server could not listen. It does not say why, so this
// function tries to listen itself.
absl::Status CantListen(const std::string& address, const ListenAddress& parsed,
                        absl::string_view what) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int unknown =
      getaddrinfo(parsed.host.empty() ? nullptr : parsed.host.c_str(),
                  absl::StrCat(parsed.port).c_str(), &hints, &found);
  if (unknown != 0) {
    return BadAddress(address, absl::StrCat("the host is not known: ",
                                            gai_strerror(unknown)));
  }
  const Descriptor trial(
      socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(trial.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int error = trial.is_open() && bind(trial.get(), found->ai_addr,
                                            found->ai_addrlen) == 0
                        ? 0
                        : errno;
  freeaddrinfo(found);
  const std::string text =
      absl::StrCat("metrics can't be served at ", address, ": ");
  switch (error) {
    case EADDRINUSE:
      return absl::UnavailableError(absl::StrCat(
          text,
          "another process listens there already, or a sink of this one that "
          "writes the address in another way"));
    case EADDRNOTAVAIL:
      return BadAddress(address, "it is no address of this machine");
    case EACCES:
      return absl::PermissionDeniedError(
          absl::StrCat(text, "this process may not listen on port ",
                       parsed.port, "; those from 1024 on need no privilege"));
    case 0:
      return absl::UnavailableError(absl::StrCat(text, what));
    default:
      return absl::UnavailableError(
          absl::StrCat(text, what, ": ", std::strerror(error)));
  }
}

}  // namespace

absl::StatusOr<PrometheusListener::Share> PrometheusListener::Get(
    const std::string& address, const std::string& path,
    const std::function<std::shared_ptr<prometheus::Collectable>()>& make) {
  const absl::StatusOr<ListenAddress> parsed = ParseListen(address);
  if (!parsed.ok()) return parsed.status();
  const std::string key = absl::StrCat(parsed->host, ":", parsed->port);
  Share share;
  Table& table = TheTable();
  absl::MutexLock lock(&table.mutex);
  if (parsed->port != 0) share.listener = table.listeners[key].lock();
  // prometheus-cpp throws; its exceptions end here.
  try {
    if (share.listener == nullptr) {
      share.listener.reset(new PrometheusListener());
      share.listener->exposer_.reset(
          new prometheus::Exposer(std::vector<std::string>{
              "listening_ports", address, "num_threads", kThreads,
              "request_timeout_ms", kRequestTimeoutMs}));
    }
    std::weak_ptr<prometheus::Collectable>& served =
        share.listener->served_[path];
    share.collectable = served.lock();
    if (share.collectable == nullptr) {
      share.collectable = make();
      served = share.collectable;
      share.listener->exposer_->RegisterCollectable(served, path);
    }
  } catch (const std::exception& error) {
    if (share.listener->exposer_ != nullptr) {
      return absl::UnavailableError(absl::StrCat(
          "metrics can't be served at ", address, path, ": ", error.what()));
    }
    return CantListen(address, *parsed, error.what());
  }
  if (parsed->port != 0) table.listeners[key] = share.listener;
  return share;
}

void PrometheusListener::Release(Share share) {
  if (share.listener == nullptr || share.listener->process_.inherited()) return;
  Table& table = TheTable();
  absl::MutexLock lock(&table.mutex);
  share.listener = nullptr;
  for (auto entry = table.listeners.begin(); entry != table.listeners.end();) {
    entry = entry->second.expired() ? table.listeners.erase(entry) : ++entry;
  }
}

PrometheusListener::~PrometheusListener() = default;

int PrometheusListener::port() const {
  if (process_.inherited() || exposer_ == nullptr) return 0;
  const std::vector<int> ports = exposer_->GetListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

}  // namespace gearman
