// TlsOptions and TlsServerOptions: the settings of tls:// connections. They are
// plain values.
#ifndef GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_
#define GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_

#include <string>

#include "gearman/base/callback.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// Versions of the protocol.
enum class TlsVersion : unsigned char { kTls12, kTls13 };

// A certificate with its key. The files are PEM. When the files have changed on
// disk, they are read again. New connections then use the new files, and
// existing connections go on.
struct TlsIdentity {
  // The certificate, followed by the intermediate certificates up to its CA.
  std::string certificate_file;
  // If empty, the key is in certificate_file.
  std::string key_file;
  // Returns the passphrase of an encrypted key. It is called when the files are
  // read: on the thread that creates the client, worker or listener and, after
  // a change of the files, on the thread that makes a connection.
  Callback<std::string()> passphrase;
  // The environment variable with the passphrase, if `passphrase` is empty.
  std::string passphrase_variable;
};

struct TlsOptions {
  // The CAs that may have signed a server's certificate: a PEM file, a folder
  // of certificates (as c_rehash makes it), or PEM in memory. If all three are
  // empty, the CAs are those of the file that the environment variable
  // GEARMAND_CA_CERTIFICATE names (as libgearman does). If that is unset, they
  // are the system's CAs.
  std::string ca_file;
  std::string ca_folder;
  std::string ca_pem;
  // The client's own certificate. If it is empty, the environment variables
  // GEARMAN_CLIENT_PEM and GEARMAN_CLIENT_KEY name its files (as libgearman
  // does). If these are unset, the client has no certificate.
  TlsIdentity identity;
  // The name that the server's certificate must have. If it is empty, the
  // certificate must have the host of the address: a name or an IP address.
  std::string server_name;
  // The oldest version that is accepted.
  TlsVersion min_version = TlsVersion::kTls12;
  // Accepts any certificate. An attacker between client and server can then
  // read and change everything. Use this for experiments only.
  bool dangerously_skip_verification = false;
};

// The settings for listening on tls:// addresses.
struct TlsServerOptions {
  // The certificate of the server. It is required.
  TlsIdentity identity;
  // The CAs for clients: one of them must have signed the certificate of each
  // client (mutual TLS). They are a PEM file, or PEM in memory. If both are
  // empty, clients need no certificate.
  std::string client_ca_file;
  std::string client_ca_pem;
  // The oldest version that is accepted.
  TlsVersion min_version = TlsVersion::kTls12;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_
