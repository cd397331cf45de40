# gearctl, the command line tool. It has the SDK in it: it uses what a shared library does not show.
list(TRANSFORM GEARCTL_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/" OUTPUT_VARIABLE gearctl_sources)
add_executable(gearctl ${gearctl_sources})
set_target_properties(gearctl PROPERTIES
  POSITION_INDEPENDENT_CODE ON
  # Where tests look for it.
  RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/run/tools/gearctl")
target_link_libraries(gearctl PRIVATE gearman_sdk_options gearman_sdk_hardening gearman_sdk_full ${GEARCTL_ABSEIL})
# What serves its metrics (tools/gearctl/export.cc); without prometheus-cpp, what says that nothing does.
if(with_prometheus)
  set(gearctl_prometheus gearman_sdk_prometheus)
else()
  add_library(gearctl_without_prometheus INTERFACE)
  target_compile_definitions(gearctl_without_prometheus INTERFACE GEARMAN_GEARCTL_WITHOUT_PROMETHEUS)
  set(gearctl_prometheus gearctl_without_prometheus)
endif()
target_link_libraries(gearctl PRIVATE ${gearctl_prometheus})
target_link_options(gearctl PRIVATE LINKER:--undefined=gearman_sdk_builtins LINKER:--undefined=gearman_sdk_default_server
  LINKER:--as-needed)
add_executable(gearman_sdk::gearctl ALIAS gearctl)
