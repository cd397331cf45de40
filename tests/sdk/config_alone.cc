// A program with a client from a config, and no part of the SDK that a config
// does not bring. A test looks at it, and does not run it.
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"

int main() {
  const auto client = gearman::CreateClient(gearman::Config());
  return client.ok() ? 0 : 1;
}
