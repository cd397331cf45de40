// A program that links this file has the plugin.
#include "gearman/sdk/plugin_registry.h"
#include "transient_error_retry.h"
#include "transient_error_retry.pb.h"

GEARMAN_REGISTER_RETRY_POLICY("transient_error",
                              acme::TransientErrorRetryConfig,
                              acme::MakeTransientErrorRetry);
