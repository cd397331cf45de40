#include "gearman/benchmarks/flood/handshakes.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <utility>

#include "gearman/benchmarks/compare/side.h"
#include "gearman/tests/support/raw_connection.h"

namespace gearman {
namespace benchmarks {
namespace {

// Returns the first bytes that a TLS client sends. A server answers them anew
// each time, so one flight serves for all connections.
std::string FirstFlight() {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const ssl = SSL_new(context);
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_connect(ssl);  // writes, and finds nothing to read
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl), &data);  // NOLINT
  std::string flight(data, static_cast<size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  if (flight.empty()) Fail("OpenSSL made no first flight");
  return flight;
}

}  // namespace

class Handshakes::One : public Polled {
 public:
  One(uint16_t port, const std::string& flight, int64_t* answered)
      : port_(port), flight_(flight), answered_(answered) {
    Begin();
  }
  ~One() override { close(socket_); }

  int descriptor() const override { return socket_; }
  short events() override { return POLLIN; }
  void OnEvents(short /*events*/) override {
    char bytes[1 << 12];
    if (recv(socket_, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) ++*answered_;
    // Reset the connection: thousands of closed ones would keep their ports for
    // a minute.
    support::RawConnection(socket_).Reset();
    Begin();
  }

 private:
  void Begin() {
    socket_ = ConnectedSocket(port_);
    // A new socket has room for the flight.
    if (send(socket_, flight_.data(), flight_.size(),
             MSG_DONTWAIT | MSG_NOSIGNAL) !=
        static_cast<ssize_t>(flight_.size())) {
      Fail("a first flight did not leave");
    }
  }

  const uint16_t port_;
  const std::string flight_;
  int64_t* const answered_;
  int socket_ = -1;
};

Handshakes::Handshakes(uint16_t port, int at_once) {
  const std::string flight = FirstFlight();
  for (int i = 0; i < at_once; ++i) {
    all_.push_back(std::make_unique<One>(port, flight, &answered_));
  }
}

Handshakes::~Handshakes() = default;

std::vector<Polled*> Handshakes::polled() const {
  std::vector<Polled*> polled;
  for (const auto& one : all_) polled.push_back(one.get());
  return polled;
}

}  // namespace benchmarks
}  // namespace gearman
