#include "gearman/transports/transport_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace gearman {
namespace {

// Says which factory the program must register for this scheme.
std::string FactoryOf(absl::string_view scheme) {
  for (const absl::string_view own : {"tcp", "tls", "inproc"}) {
    if (scheme == own) {
      return absl::StrCat("the factory of @gearman_sdk//transports/", own);
    }
  }
  return "its factory";
}

}  // namespace

absl::Status TransportRegistry::Register(
    absl::string_view scheme, std::shared_ptr<TransportFactory> factory) {
  if (scheme.empty() || factory == nullptr) {
    return absl::InvalidArgumentError(
        "a transport needs a scheme and a factory to be registered");
  }
  ProcessMutexLock lock(&mutex_);
  const bool added =
      factories_.emplace(std::string(scheme), std::move(factory)).second;
  if (added) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat("the address scheme ", scheme,
                                               ":// has a transport already"));
}

absl::StatusOr<std::shared_ptr<TransportFactory>> TransportRegistry::Find(
    absl::string_view scheme) const {
  std::vector<std::string> known;
  {
    ProcessMutexLock lock(&mutex_);
    const auto it = factories_.find(std::string(scheme));
    if (it != factories_.end()) return it->second;
    for (const auto& entry : factories_) known.push_back(entry.first + "://");
  }
  return absl::NotFoundError(absl::StrCat(
      "no transport for ", scheme, ":// is linked or registered; there ",
      known.empty() ? "are none" : "are ", absl::StrJoin(known, ", "),
      ": link @gearman_sdk//sdk:builtins (CMake: gearman_sdk::config), or "
      "register ",
      FactoryOf(scheme), " (TransportRegistry::Register)"));
}

std::vector<std::string> TransportRegistry::schemes() const {
  std::vector<std::string> schemes;
  ProcessMutexLock lock(&mutex_);
  for (const auto& entry : factories_) schemes.push_back(entry.first);
  return schemes;
}

std::string TransportRegistry::tls_library() const {
  for (const std::string& scheme : schemes()) {
    const absl::StatusOr<std::shared_ptr<TransportFactory>> factory =
        Find(scheme);
    if (!factory.ok()) continue;
    std::string library = (*factory)->tls_library();
    if (!library.empty()) return library;
  }
  return "none";
}

absl::StatusOr<std::unique_ptr<Transport>> TransportRegistry::Create(
    const Address& address, Poller* poller, Poller::Key key) const {
  absl::StatusOr<std::shared_ptr<TransportFactory>> factory =
      Find(address.scheme);
  if (!factory.ok()) return factory.status();
  return (*factory)->Create(address, poller, key);
}

absl::StatusOr<std::unique_ptr<Listener>> TransportRegistry::Listen(
    const Address& address, Poller* poller, Poller::Key key) const {
  absl::StatusOr<std::shared_ptr<TransportFactory>> factory =
      Find(address.scheme);
  if (!factory.ok()) return factory.status();
  return (*factory)->Listen(address, poller, key);
}

const std::shared_ptr<TransportRegistry>& TransportRegistry::Default() {
  static const auto* const registry = new std::shared_ptr<TransportRegistry>(
      std::make_shared<TransportRegistry>());
  return *registry;
}

}  // namespace gearman
