// TlsOptions and TlsServerOptions: settings of tls:// connections. Plain
// values; who owns nothing, owns nothing here.
#ifndef GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_
#define GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_

#include <functional>
#include <string>

namespace gearman {

enum class TlsVersion : unsigned char { kTls12, kTls13 };

// A certificate with its key. Files are PEM, and read again when they have
// changed on disk: new connections have the new ones, live ones are left alone.
struct TlsIdentity {
  // The certificate, with what it takes to lead to the CA behind it.
  std::string certificate_file;
  // Empty: the key is in certificate_file.
  std::string key_file;
  // Gives the passphrase of an encrypted key. It is called when the files are
  // read: by the thread that creates the client, worker or listener, and, when
  // they have changed, by the thread that makes a connection.
  std::function<std::string()> passphrase;
  // Else the environment variable that holds it.
  std::string passphrase_variable;
};

struct TlsOptions {
  // Who may have signed a server's certificate: PEM in a file, certificates in
  // a folder (as c_rehash makes it), PEM in memory. All empty: the file in the
  // environment variable GEARMAND_CA_CERTIFICATE (libgearman's), else the CAs
  // of the system.
  std::string ca_file;
  std::string ca_folder;
  std::string ca_pem;
  // The client's own certificate. Empty: the files in GEARMAN_CLIENT_PEM and
  // GEARMAN_CLIENT_KEY (libgearman's), else none.
  TlsIdentity identity;
  // The name that the server's certificate must have. Empty: the host of the
  // address, a name or an IP address.
  std::string server_name;
  TlsVersion min_version = TlsVersion::kTls12;
  // Takes any certificate: whoever sits in between can read and change
  // everything. For experiments only.
  bool dangerously_skip_verification = false;
};

// For listening on tls://.
struct TlsServerOptions {
  // Needed.
  TlsIdentity identity;
  // Clients must show a certificate that one of these CAs has signed (mutual
  // TLS). All empty: clients need none.
  std::string client_ca_file;
  std::string client_ca_pem;
  TlsVersion min_version = TlsVersion::kTls12;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_OPTIONS_H_
