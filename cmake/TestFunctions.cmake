# The functions that cmake/tests.cmake calls. A test runs in the folder `run` of the build tree, which has the programs and
# files that tests start and read, at their paths in the tree; and it has a folder of its own for what it writes.
#
#   gearman_sdk_test_library(PATH ...), gearman_sdk_test_objects(PATH ...)  for tests; objects are linked whole
#   gearman_sdk_test_program(PATH ...), gearman_sdk_test_shared_object(PATH ...)  that tests start and load
#   gearman_sdk_test(PATH ...)
#
# SOURCES and PROTOS are files, DEPS and OBJECTS libraries and objects of the names above, or one of libgearman,
# gtest_main, testing, prometheus and compression; DATA is files and PROGRAMS programs that a test needs while it runs;
# TIMEOUT is in seconds, and STANDARD the C++ of a test that needs a later one than 17.
find_package(GTest QUIET)
set(missing)
if(NOT TARGET GTest::gmock_main)
  list(APPEND missing "GoogleTest with GoogleMock (Debian: libgtest-dev libgmock-dev)")
endif()
if(GEARMAN_SDK_TESTS STREQUAL "ALL")
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(libgearman QUIET IMPORTED_TARGET gearmand)
  endif()
  if(NOT libgearman_FOUND)
    list(APPEND missing "libgearman and pkg-config (Debian: libgearman-dev pkg-config)")
  endif()
endif()
if(missing)
  list(JOIN missing ", " missing)
  message(FATAL_ERROR "The tests need ${missing}. Install it, or build without tests: -DGEARMAN_SDK_TESTS=OFF")
endif()

set(GEARMAN_SDK_RUN "${PROJECT_BINARY_DIR}/run")
# What each test links: the whole SDK, of which it may use the inside, and (in cmake/tests.cmake) what tests use of Abseil.
add_library(gearman_sdk_tests INTERFACE)
target_link_libraries(gearman_sdk_tests INTERFACE gearman_sdk_options gearman_sdk_full GTest::gmock)
set(gearman_sdk_dep_libgearman PkgConfig::libgearman)
set(gearman_sdk_dep_gtest_main GTest::gmock_main)
set(gearman_sdk_dep_testing gearman_sdk_testing)
set(gearman_sdk_dep_prometheus ${gearctl_prometheus})
set(gearman_sdk_dep_compression gearman_sdk_compression)

set(gearman_sdk_anchor_sdk.builtins LINKER:--undefined=gearman_sdk_builtins)
set(gearman_sdk_anchor_sdk.embedded.default_server LINKER:--undefined=gearman_sdk_default_server)
set(gearman_sdk_anchor_sdk.prometheus LINKER:--undefined=gearman_sdk_prometheus)
set(gearman_sdk_anchor_sdk.encoders LINKER:--undefined=gearman_sdk_encoders)
set(gearman_sdk_anchor_sdk.compression LINKER:--undefined=gearman_sdk_compression)

# gearman_sdk_test_target(KIND PATH ...): the target of PATH; KIND is STATIC, OBJECT, SHARED or EXECUTABLE.
function(gearman_sdk_test_target kind path)
  cmake_parse_arguments(PARSE_ARGV 2 test "" "TIMEOUT;STANDARD" "SOURCES;PROTOS;DEPS;OBJECTS;DATA;PROGRAMS;LABELS")
  if("libgearman" IN_LIST test_DEPS AND NOT libgearman_FOUND)
    return()
  endif()
  string(REPLACE "/" "." target "${path}")
  list(TRANSFORM test_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/")
  gearman_sdk_protos(proto_sources ${test_PROTOS})
  list(APPEND test_SOURCES ${proto_sources})
  set(scope PRIVATE)
  if(kind STREQUAL "EXECUTABLE")
    # One whose main is in a library has no file of its own.
    if(NOT test_SOURCES)
      file(WRITE "${PROJECT_BINARY_DIR}/empty.cc" "")
      set(test_SOURCES "${PROJECT_BINARY_DIR}/empty.cc")
    endif()
    add_executable(${target} ${test_SOURCES})
  elseif(test_SOURCES)
    add_library(${target} ${kind} ${test_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${target} ${scope} gearman_sdk_tests)
  foreach(dep IN LISTS test_DEPS)
    if(DEFINED gearman_sdk_dep_${dep})
      set(dep ${gearman_sdk_dep_${dep}})
    endif()
    target_link_libraries(${target} ${scope} ${dep})
  endforeach()
  foreach(objects IN LISTS test_OBJECTS)
    if(DEFINED gearman_sdk_anchor_${objects})
      target_link_options(${target} PRIVATE ${gearman_sdk_anchor_${objects}})
    else()
      target_link_libraries(${target} PRIVATE ${objects})
    endif()
  endforeach()
  if(NOT scope STREQUAL "INTERFACE")
    cmake_path(GET path PARENT_PATH folder)
    cmake_path(GET path FILENAME name)
    # Made when a test needs it. What a shared object has in it is compiled for that.
    set_target_properties(${target} PROPERTIES
      EXCLUDE_FROM_ALL ON
      OUTPUT_NAME "${name}"
      POSITION_INDEPENDENT_CODE ON
      RUNTIME_OUTPUT_DIRECTORY "${GEARMAN_SDK_RUN}/${folder}"
      ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/archives/${folder}"
      LIBRARY_OUTPUT_DIRECTORY "${GEARMAN_SDK_RUN}/${folder}")
    if(test_STANDARD)
      set_target_properties(${target} PROPERTIES CXX_STANDARD ${test_STANDARD})
    endif()
  endif()
endfunction()

function(gearman_sdk_test_library path)
  gearman_sdk_test_target(STATIC ${path} ${ARGN})
endfunction()

function(gearman_sdk_test_objects path)
  gearman_sdk_test_target(OBJECT ${path} ${ARGN})
endfunction()

function(gearman_sdk_test_shared_object path)
  gearman_sdk_test_target(SHARED ${path} ${ARGN})
  # Its name in the tree is its file's name.
  string(REPLACE "/" "." target "${path}")
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX "")
  target_link_libraries(${target} PRIVATE ${CMAKE_DL_LIBS})
endfunction()

function(gearman_sdk_test_program path)
  gearman_sdk_test_target(EXECUTABLE ${path} ${ARGN})
endfunction()

function(gearman_sdk_test path)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT" "SOURCES;PROTOS;DEPS;OBJECTS;DATA;PROGRAMS;LABELS")
  if("prometheus" IN_LIST test_DEPS AND NOT with_prometheus)
    message(STATUS "No prometheus-cpp: no test ${path}")
    return()
  endif()
  if("compression" IN_LIST test_DEPS AND NOT with_compression)
    message(STATUS "No zlib or zstd: no test ${path}")
    return()
  endif()
  if(GEARMAN_SDK_TESTS STREQUAL "SOME" AND NOT path MATCHES "^tests/(codecs|integration|plugins|process|text|transports)/")
    return()
  endif()
  gearman_sdk_test_target(EXECUTABLE ${path} ${ARGN})
  string(REPLACE "/" "." target "${path}")
  foreach(file IN LISTS test_DATA)
    cmake_path(GET file PARENT_PATH folder)
    file(MAKE_DIRECTORY "${GEARMAN_SDK_RUN}/${folder}")
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${file}" "${GEARMAN_SDK_RUN}/${file}" SYMBOLIC)
  endforeach()
  if(test_PROGRAMS)
    list(TRANSFORM test_PROGRAMS REPLACE "^tools\\.gearctl\\.gearctl$" gearctl)
    add_dependencies(${target} ${test_PROGRAMS})
  endif()
  set(own_folder "${PROJECT_BINARY_DIR}/test_folders/${target}")
  file(MAKE_DIRECTORY "${own_folder}")
  add_test(NAME ${path} COMMAND ${target} WORKING_DIRECTORY "${GEARMAN_SDK_RUN}")
  set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL OFF)
  set_tests_properties(${path} PROPERTIES
    TIMEOUT ${test_TIMEOUT}
    LABELS "${test_LABELS}"
    ENVIRONMENT "TEST_TMPDIR=${own_folder}")
endfunction()
