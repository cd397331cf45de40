# What `cmake --install` writes: libraries, headers below include/gearman with the .proto files beside them, what
# find_package and pkg-config read, gearctl with its man page and completions. Three components for packages: runtime (the
# shared libraries; prometheus apart, as it brings a library of its own), dev and tools.
include(CMakePackageConfigHelpers)
set(config_folder "${CMAKE_INSTALL_LIBDIR}/cmake/gearman_sdk")

# --- libraries ---------------------------------------------------------------

set(parts client worker admin_client queue_metrics reduce scheduler job_retry job_server default_server tls plugin config
  encoders gearman_sdk testing)
list(TRANSFORM parts PREPEND gearman_sdk_part_)
set(main_targets ${parts} ${library_testing})
if(BUILD_SHARED_LIBS)
  list(APPEND main_targets gearman_sdk_shared)
  set_target_properties(gearman_sdk_shared PROPERTIES EXPORT_NAME shared)
else()
  list(APPEND main_targets gearman_sdk_core gearman_sdk_tls gearman_sdk_full)
  foreach(archive IN ITEMS core tls full)
    set_target_properties(gearman_sdk_${archive} PROPERTIES EXPORT_NAME static_${archive})
  endforeach()
endif()
set_target_properties(${library_testing} PROPERTIES EXPORT_NAME static_testing)
install(TARGETS ${main_targets} EXPORT gearman_sdkTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT dev
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
install(EXPORT gearman_sdkTargets NAMESPACE gearman_sdk:: DESTINATION "${config_folder}" COMPONENT dev)
if(with_prometheus)
  set(library gearman_sdk_prometheus)
  if(BUILD_SHARED_LIBS)
    set(library gearman_sdk_prometheus_shared)
  endif()
  set_target_properties(${library} PROPERTIES EXPORT_NAME prometheus_library)
  install(TARGETS gearman_sdk_part_prometheus ${library} EXPORT gearman_sdkPrometheusTargets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT prometheus NAMELINK_COMPONENT dev
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
  install(EXPORT gearman_sdkPrometheusTargets NAMESPACE gearman_sdk:: DESTINATION "${config_folder}" COMPONENT dev)
endif()
if(with_compression)
  set_target_properties(${library_compression} PROPERTIES EXPORT_NAME compression_library)
  install(TARGETS gearman_sdk_part_compression ${library_compression} EXPORT gearman_sdkCompressionTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
  install(EXPORT gearman_sdkCompressionTargets NAMESPACE gearman_sdk:: DESTINATION "${config_folder}" COMPONENT dev)
endif()

# --- headers -----------------------------------------------------------------

set(headers ${GEARMAN_SDK_CORE_HEADERS} ${GEARMAN_SDK_TLS_HEADERS} ${GEARMAN_SDK_FULL_HEADERS} ${GEARMAN_SDK_TESTING_HEADERS}
  ${GEARMAN_SDK_PROTOS})
if(with_prometheus)
  list(APPEND headers ${GEARMAN_SDK_PROMETHEUS_HEADERS})
endif()
if(with_compression)
  list(APPEND headers ${GEARMAN_SDK_COMPRESSION_HEADERS})
endif()
foreach(header IN LISTS headers)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES "${PROJECT_SOURCE_DIR}/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/gearman/${folder}" COMPONENT dev)
endforeach()
foreach(proto IN LISTS GEARMAN_SDK_PROTOS)
  cmake_path(GET proto PARENT_PATH folder)
  string(REGEX REPLACE "\\.proto$" ".pb.h" header "${proto}")
  install(FILES "${GEARMAN_SDK_GENERATED}/gearman/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/gearman/${folder}"
    COMPONENT dev)
endforeach()

# --- find_package and pkg-config ---------------------------------------------

configure_package_config_file(cmake/gearman_sdkConfig.cmake.in "${PROJECT_BINARY_DIR}/gearman_sdkConfig.cmake"
  INSTALL_DESTINATION "${config_folder}")
# Before 1.0 a new minor version may break sources.
set(compatibility SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
endif()
write_basic_package_version_file("${PROJECT_BINARY_DIR}/gearman_sdkConfigVersion.cmake" COMPATIBILITY ${compatibility})
install(FILES "${PROJECT_BINARY_DIR}/gearman_sdkConfig.cmake" "${PROJECT_BINARY_DIR}/gearman_sdkConfigVersion.cmake"
  DESTINATION "${config_folder}" COMPONENT dev)

# gearman_sdk_pc(NAME): NAME.pc of the variables pc_description, pc_requires, pc_requires_private, pc_libs and
# pc_libs_private. It finds its folder by itself: an installed tree may be moved.
function(gearman_sdk_pc name)
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig"
    OUTPUT_VARIABLE pc_prefix)
  list(JOIN pc_requires " " pc_requires)
  list(JOIN pc_requires_private " " pc_requires_private)
  configure_file(cmake/gearman_sdk.pc.in "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)
endfunction()

set(abseil ${GEARMAN_SDK_CORE_ABSEIL} ${GEARMAN_SDK_TLS_ABSEIL} ${GEARMAN_SDK_FULL_ABSEIL})
list(REMOVE_DUPLICATES abseil)
list(TRANSFORM abseil REPLACE "^absl::" "absl_")
set(pc_name gearman_sdk)
set(pc_description "${PROJECT_DESCRIPTION}")
# Headers use Abseil and Protobuf: a program that includes them links both itself.
set(pc_requires ${abseil} protobuf)
if(BUILD_SHARED_LIBS)
  set(pc_requires_private openssl)
  set(pc_libs "-lgearman_sdk")
  set(pc_libs_private "-pthread -ldl")
else()
  list(APPEND pc_requires openssl)
  set(pc_requires_private)
  set(pc_libs "-Wl,--undefined=gearman_sdk_builtins -Wl,--undefined=gearman_sdk_default_server -lgearman_sdk -lgearman_sdk_tls -lgearman_sdk_core -pthread -ldl")
  set(pc_libs_private)
endif()
gearman_sdk_pc(gearman_sdk)
set(pc_name gearman_sdk_encoders)
set(pc_description "The data encoders of gearman_sdk by name, but for zlib and zstd")
set(pc_requires gearman_sdk)
set(pc_requires_private)
# The shared library has them.
set(pc_libs)
set(pc_libs_private)
if(NOT BUILD_SHARED_LIBS)
  set(pc_libs "-Wl,--undefined=gearman_sdk_encoders")
endif()
gearman_sdk_pc(gearman_sdk_encoders)
if(with_prometheus)
  set(pc_name gearman_sdk_prometheus)
  set(pc_description "The metrics sink for Prometheus of gearman_sdk")
  set(pc_requires gearman_sdk)
  set(pc_requires_private prometheus-cpp-core prometheus-cpp-pull)
  set(pc_libs "-Wl,--push-state,--no-as-needed -lgearman_sdk_prometheus -Wl,--pop-state")
  set(pc_libs_private)
  if(NOT BUILD_SHARED_LIBS)
    set(pc_libs "-Wl,--undefined=gearman_sdk_prometheus -lgearman_sdk_prometheus")
    list(APPEND pc_requires ${pc_requires_private})
    set(pc_requires_private)
  endif()
  gearman_sdk_pc(gearman_sdk_prometheus)
endif()
if(with_compression)
  set(pc_name gearman_sdk_compression)
  set(pc_description "The data encoders zlib and zstd of gearman_sdk")
  set(pc_requires gearman_sdk zlib libzstd)
  set(pc_requires_private)
  set(pc_libs "-Wl,--undefined=gearman_sdk_compression -lgearman_sdk_compression")
  set(pc_libs_private)
  gearman_sdk_pc(gearman_sdk_compression)
endif()

# --- gearctl -----------------------------------------------------------------

if(GEARMAN_SDK_GEARCTL)
  install(TARGETS gearctl RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT tools)
  set(man_page "${PROJECT_SOURCE_DIR}/tools/gearctl/gearctl.1")
  set(zsh_folder "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
  # Debian's packages have manual pages compressed, and zsh's completions in a folder of their own.
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND EXISTS /etc/debian_version)
    set(zsh_folder "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
    set(compressed_page "${PROJECT_BINARY_DIR}/gearctl.1.gz")
    add_custom_command(OUTPUT "${compressed_page}"
      COMMAND gzip -9n <"${man_page}" >"${compressed_page}"
      DEPENDS "${man_page}")
    add_custom_target(gearctl_man_page ALL DEPENDS "${compressed_page}")
    set(man_page "${compressed_page}")
  endif()
  install(FILES "${man_page}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT tools)
  set(completions "${PROJECT_BINARY_DIR}/completions")
  file(MAKE_DIRECTORY "${completions}")
  add_custom_command(
    OUTPUT "${completions}/gearctl" "${completions}/_gearctl"
    COMMAND gearctl completion bash >"${completions}/gearctl"
    COMMAND gearctl completion zsh >"${completions}/_gearctl"
    DEPENDS gearctl
    COMMENT "Making gearctl's completions")
  add_custom_target(gearctl_completions ALL DEPENDS "${completions}/gearctl" "${completions}/_gearctl")
  install(FILES "${completions}/gearctl" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT tools)
  install(FILES "${completions}/_gearctl" DESTINATION "${zsh_folder}" COMPONENT tools)
endif()
