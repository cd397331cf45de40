// A program with a client and no other part of the SDK. A test looks at it, and
// does not run it.
#include "gearman/sdk/client.h"

int main() {
  const auto client = gearman::Client::Create({});
  return client.ok() ? 0 : 1;
}
