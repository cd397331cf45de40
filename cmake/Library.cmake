# The libraries. Objects are compiled once, position-independent. From them come static archives, by what they need:
#
#   gearman_sdk_core        client, worker, admin client, embedded server: Abseil alone
#   gearman_sdk_tls         beside it OpenSSL
#   gearman_sdk_full        beside both Protobuf: the config, the plugin registry, the built-in plugins
#   gearman_sdk_prometheus  beside all of them prometheus-cpp
#   gearman_sdk_compression beside full: zlib and zstd
#   gearman_sdk_testing     the test kit, beside core
#
# and, with BUILD_SHARED_LIBS, the shared libraries libgearman_sdk (core, tls and full) and libgearman_sdk_prometheus.
# Users link the parts, gearman_sdk::client and so on, which are the same in both cases.

# A header is included as gearman/<path in the tree>, here and by every user.
set(GEARMAN_SDK_TREE "${PROJECT_BINARY_DIR}/include")
set(GEARMAN_SDK_GENERATED "${PROJECT_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${GEARMAN_SDK_TREE}/gearman" "${GEARMAN_SDK_GENERATED}")
# Links to folders, not to the tree: a build tree below it would be in itself.
foreach(folder IN LISTS GEARMAN_SDK_FOLDERS)
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${folder}" "${GEARMAN_SDK_TREE}/gearman/${folder}" SYMBOLIC)
endforeach()

# gearman_sdk_protos(NAME PROTO...): sets NAME to the C++ files made of them.
function(gearman_sdk_protos name)
  set(made)
  foreach(proto IN LISTS ARGN)
    string(REGEX REPLACE "\\.proto$" ".pb" stem "${proto}")
    set(outputs "${GEARMAN_SDK_GENERATED}/gearman/${stem}.cc" "${GEARMAN_SDK_GENERATED}/gearman/${stem}.h")
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND protobuf::protoc "--proto_path=${GEARMAN_SDK_TREE}" "--proto_path=${Protobuf_INCLUDE_DIRS}"
        "--cpp_out=${GEARMAN_SDK_GENERATED}" "${GEARMAN_SDK_TREE}/gearman/${proto}"
      DEPENDS "${PROJECT_SOURCE_DIR}/${proto}" protobuf::protoc
      COMMENT "Making C++ of ${proto}"
      VERBATIM)
    list(APPEND made ${outputs})
  endforeach()
  set_source_files_properties(${made} PROPERTIES SKIP_LINTING ON)
  set(${name} ${made} PARENT_SCOPE)
endfunction()

# What code of this project is compiled with.
add_library(gearman_sdk_options INTERFACE)
target_compile_features(gearman_sdk_options INTERFACE cxx_std_17)
target_include_directories(gearman_sdk_options INTERFACE "${GEARMAN_SDK_TREE}" "${GEARMAN_SDK_GENERATED}")
target_compile_options(gearman_sdk_options INTERFACE -Wall -Wextra $<$<BOOL:${GEARMAN_SDK_WERROR}>:-Werror>)
# Against mistakes in memory, in optimised builds: bazel/hardening.bzl.
set(optimised $<NOT:$<OR:$<CONFIG:Debug>,$<STREQUAL:$<CONFIG>,>>>)
set(hardening ${GEARMAN_SDK_HARDENING_COMPILE})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  list(APPEND hardening ${GEARMAN_SDK_HARDENING_COMPILE_X86_64})
endif()
add_library(gearman_sdk_hardening INTERFACE)
target_compile_options(gearman_sdk_hardening INTERFACE "$<${optimised}:${hardening}>")
target_link_options(gearman_sdk_hardening INTERFACE "$<${optimised}:${GEARMAN_SDK_HARDENING_LINK}>")

gearman_sdk_protos(proto_sources ${GEARMAN_SDK_PROTOS})
add_custom_target(gearman_sdk_protos DEPENDS ${proto_sources})
list(APPEND GEARMAN_SDK_FULL_SOURCES ${proto_sources})

# gearman_sdk_archive(NAME LIBRARY...): the archive gearman_sdk_NAME of GEARMAN_SDK_<NAME>_SOURCES, and its objects.
function(gearman_sdk_archive name)
  string(TOUPPER "${name}" upper)
  list(TRANSFORM GEARMAN_SDK_${upper}_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/" REGEX "^[^/]" OUTPUT_VARIABLE sources)
  set(libraries ${GEARMAN_SDK_${upper}_ABSEIL} ${ARGN})
  add_library(gearman_sdk_${name}_objects OBJECT ${sources})
  set_target_properties(gearman_sdk_${name}_objects PROPERTIES
    POSITION_INDEPENDENT_CODE ON
    VISIBILITY_INLINES_HIDDEN ON)
  add_dependencies(gearman_sdk_${name}_objects gearman_sdk_protos)
  target_link_libraries(gearman_sdk_${name}_objects PRIVATE gearman_sdk_options gearman_sdk_hardening ${libraries})
  add_library(gearman_sdk_${name} STATIC $<TARGET_OBJECTS:gearman_sdk_${name}_objects>)
  gearman_sdk_for_users(gearman_sdk_${name})
  target_link_libraries(gearman_sdk_${name} PUBLIC ${libraries})
endfunction()

# gearman_sdk_for_users(TARGET): what a library made of objects tells its users.
function(gearman_sdk_for_users target)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/archives")
  target_compile_features(${target} PUBLIC cxx_std_17)
  target_include_directories(${target} INTERFACE
    "$<BUILD_INTERFACE:${GEARMAN_SDK_TREE};${GEARMAN_SDK_GENERATED}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
endfunction()

gearman_sdk_archive(core Threads::Threads)
gearman_sdk_archive(tls gearman_sdk_core OpenSSL::SSL OpenSSL::Crypto)
gearman_sdk_archive(full gearman_sdk_tls gearman_sdk_core protobuf::libprotobuf ${CMAKE_DL_LIBS})
set_target_properties(gearman_sdk_full PROPERTIES OUTPUT_NAME gearman_sdk)
gearman_sdk_archive(testing gearman_sdk_core)
if(with_prometheus)
  gearman_sdk_archive(prometheus gearman_sdk_full prometheus-cpp::core prometheus-cpp::pull)
endif()
if(with_compression)
  set(compressors ZLIB::ZLIB zstd::libzstd_static)
  if(TARGET zstd::libzstd_shared)
    set(compressors ZLIB::ZLIB zstd::libzstd_shared)
  endif()
  gearman_sdk_archive(compression gearman_sdk_full ${compressors})
endif()

# A static library's objects that register themselves are linked because these symbols of theirs are asked for.
set(builtins_anchor "LINKER:--undefined=gearman_sdk_builtins")
set(default_server_anchor "LINKER:--undefined=gearman_sdk_default_server")
set(prometheus_anchor "LINKER:--undefined=gearman_sdk_prometheus")
set(encoders_anchor "LINKER:--undefined=gearman_sdk_encoders")
set(compression_anchor "LINKER:--undefined=gearman_sdk_compression")

if(BUILD_SHARED_LIBS)
  # Before 1.0 a new minor version may break programs that are built already.
  set(soversion ${PROJECT_VERSION_MAJOR})
  if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(soversion 0.${PROJECT_VERSION_MINOR})
  endif()

  # gearman_sdk_shared_library(NAME ARCHIVE...): of the objects of these archives, showing what cmake/exports.map says.
  function(gearman_sdk_shared_library name)
    set(objects ${ARGN})
    list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:gearman_sdk_\\1_objects>")
    add_library(${name}_shared SHARED ${objects})
    set_target_properties(${name}_shared PROPERTIES
      OUTPUT_NAME ${name}
      VERSION ${PROJECT_VERSION}
      SOVERSION ${soversion}
      LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/exports.map")
    gearman_sdk_for_users(${name}_shared)
    # Nothing may be missing in it; and it names no library that it does not use.
    target_link_options(${name}_shared PRIVATE "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map"
      LINKER:--no-undefined LINKER:--as-needed "$<${optimised}:LINKER:-z,relro,-z,now;LINKER:-z,noexecstack>")
  endfunction()

  gearman_sdk_shared_library(gearman_sdk core tls full)
  target_link_libraries(gearman_sdk_shared
    PUBLIC ${GEARMAN_SDK_CORE_ABSEIL}
    PRIVATE ${GEARMAN_SDK_FULL_ABSEIL} OpenSSL::SSL OpenSSL::Crypto protobuf::libprotobuf Threads::Threads ${CMAKE_DL_LIBS})
  set(library_core gearman_sdk_shared)
  set(library_tls gearman_sdk_shared OpenSSL::SSL)
  set(library_full gearman_sdk_shared protobuf::libprotobuf)

  # gearman_sdk_archive_for_shared(NAME LIBRARY...): an archive in both cases, here beside the shared library.
  function(gearman_sdk_archive_for_shared name)
    string(TOUPPER "${name}" upper)
    set(target gearman_sdk_${name}_for_shared)
    add_library(${target} STATIC $<TARGET_OBJECTS:gearman_sdk_${name}_objects>)
    gearman_sdk_for_users(${target})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME gearman_sdk_${name}
      ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
    target_link_libraries(${target} PUBLIC gearman_sdk_shared ${GEARMAN_SDK_${upper}_ABSEIL} ${ARGN})
    set(library_${name} ${target} PARENT_SCOPE)
  endfunction()
  gearman_sdk_archive_for_shared(testing)
  if(with_compression)
    gearman_sdk_archive_for_shared(compression protobuf::libprotobuf ${compressors})
  endif()
  set(builtins_anchor)
  set(default_server_anchor)
  set(encoders_anchor)
  if(with_prometheus)
    gearman_sdk_shared_library(gearman_sdk_prometheus prometheus)
    target_link_libraries(gearman_sdk_prometheus_shared
      PUBLIC gearman_sdk_shared
      PRIVATE ${GEARMAN_SDK_PROMETHEUS_ABSEIL} protobuf::libprotobuf prometheus-cpp::core prometheus-cpp::pull)
    # It finds the other one beside it; below /usr the system does.
    if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
      set_target_properties(gearman_sdk_prometheus_shared PROPERTIES INSTALL_RPATH "\$ORIGIN")
    endif()
    # No program uses a name of it: a linker that leaves out such libraries is told to keep it.
    set(library_prometheus -Wl,--push-state,--no-as-needed gearman_sdk_prometheus_shared -Wl,--pop-state)
    set(prometheus_anchor)
  endif()
else()
  set(library_core gearman_sdk_core)
  set(library_tls gearman_sdk_tls)
  set(library_full gearman_sdk_full)
  set(library_testing gearman_sdk_testing)
  set(library_prometheus gearman_sdk_prometheus)
  set(library_compression gearman_sdk_compression)
endif()

# gearman_sdk_part(NAME LINK LIBRARY... OPTIONS LINKER_OPTION...): gearman_sdk::NAME.
function(gearman_sdk_part name)
  cmake_parse_arguments(PARSE_ARGV 1 part "" "" "LINK;OPTIONS")
  add_library(gearman_sdk_part_${name} INTERFACE)
  add_library(gearman_sdk::${name} ALIAS gearman_sdk_part_${name})
  set_target_properties(gearman_sdk_part_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(gearman_sdk_part_${name} INTERFACE ${part_LINK})
  target_link_options(gearman_sdk_part_${name} INTERFACE ${part_OPTIONS})
endfunction()
foreach(part IN ITEMS client worker admin_client queue_metrics reduce scheduler job_retry job_server)
  gearman_sdk_part(${part} LINK ${library_core})
endforeach()
# What is behind inproc://default.
gearman_sdk_part(default_server LINK ${library_core} OPTIONS ${default_server_anchor})
gearman_sdk_part(tls LINK ${library_tls})
# For what adds a plugin: the registry, without the built-in plugins.
gearman_sdk_part(plugin LINK ${library_full})
# The config, with the built-in plugins.
gearman_sdk_part(config LINK ${library_full} OPTIONS ${builtins_anchor})
# All of it.
gearman_sdk_part(gearman_sdk LINK ${library_full} OPTIONS ${builtins_anchor} ${default_server_anchor})
# The data encoders of the default registry: all but those of the next part.
gearman_sdk_part(encoders LINK ${library_full} OPTIONS ${encoders_anchor})
gearman_sdk_part(testing LINK ${library_testing})
if(with_compression)
  gearman_sdk_part(compression LINK ${library_compression} OPTIONS ${compression_anchor})
endif()
if(with_prometheus)
  gearman_sdk_part(prometheus LINK ${library_prometheus} OPTIONS ${prometheus_anchor})
endif()
