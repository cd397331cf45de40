// Starts a gearmand, prints the port and waits until it is killed.
#include <cstdio>

#include "gearman/tests/support/gearmand_process.h"

int main() {
  gearman::support::GearmandProcess server;
  if (!server.ok()) return 1;
  printf("port %d\n", server.port());
  fflush(stdout);
  getchar();
  return 0;
}
