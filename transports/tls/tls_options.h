// TlsOptions and TlsServerOptions: the settings of tls:// connections. Plain
// values.
#ifndef GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_
#define GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_

#include <functional>
#include <string>

#include "gearman/base/cpp17.h"

namespace gearman {

enum class TlsVersion : unsigned char { kTls12, kTls13 };

// A certificate with its key. The files are PEM. When they have changed on disk
// they are read again: new connections use the new ones, and existing
// connections go on.
struct TlsIdentity {
  // The certificate, followed by the intermediate certificates up to its CA.
  std::string certificate_file;
  // If empty, the key is in certificate_file.
  std::string key_file;
  // Returns the passphrase of an encrypted key. It is called when the files are
  // read: on the thread that creates the client, worker or listener and, after
  // a change of the files, on the thread that makes a connection.
  std::function<std::string()> passphrase;
  // The environment variable with the passphrase, if `passphrase` is empty.
  std::string passphrase_variable;
};

struct TlsOptions {
  // The CAs that may have signed a server's certificate: a PEM file, a folder
  // of certificates (as c_rehash makes it), or PEM in memory. If all are empty:
  // the file in the environment variable GEARMAND_CA_CERTIFICATE
  // (libgearman's), or else the system's CAs.
  std::string ca_file;
  std::string ca_folder;
  std::string ca_pem;
  // The client's own certificate. If empty: the files in GEARMAN_CLIENT_PEM and
  // GEARMAN_CLIENT_KEY (libgearman's), or else none.
  TlsIdentity identity;
  // The name that the server's certificate must have. If empty: the host of the
  // address, a name or an IP address.
  std::string server_name;
  TlsVersion min_version = TlsVersion::kTls12;
  // Accepts any certificate. An attacker between client and server can then
  // read and change everything. For experiments only.
  bool dangerously_skip_verification = false;
};

// The settings for listening on tls:// addresses.
struct TlsServerOptions {
  // Required.
  TlsIdentity identity;
  // The CAs of which one must have signed the certificate of each client
  // (mutual TLS). If both are empty, clients need no certificate.
  std::string client_ca_file;
  std::string client_ca_pem;
  TlsVersion min_version = TlsVersion::kTls12;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_
