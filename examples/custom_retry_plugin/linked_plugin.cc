// A program that links this has the plugin: one line.
#include "gearman/sdk/plugin_registry.h"
#include "transient_error_retry.h"
#include "transient_error_retry.pb.h"

GEARMAN_REGISTER_RETRY_POLICY("transient_error",
                              acme::TransientErrorRetryConfig,
                              acme::MakeTransientErrorRetry);
