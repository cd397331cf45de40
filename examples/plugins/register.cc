// A program that links this file has the plugins of this folder.
#include <memory>

#include "gearman/examples/plugins/base64_encoder.h"
#include "gearman/examples/plugins/file_metrics.h"
#include "gearman/examples/plugins/least_busy_selector.h"
#include "gearman/examples/plugins/plugins.pb.h"
#include "gearman/sdk/plugin_registry.h"

GEARMAN_REGISTER_SERVER_SELECTOR("least_busy", acme::LeastBusyConfig,
                                 acme::MakeLeastBusy);
GEARMAN_REGISTER_METRICS_SINK("file", acme::FileMetricsConfig,
                              acme::MakeFileMetrics);
GEARMAN_REGISTER_DATA_ENCODER("base64", acme::Base64Config,
                              [](const acme::Base64Config&) {
                                return std::make_unique<acme::Base64Encoder>();
                              });
