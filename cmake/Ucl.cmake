# SPDX-License-Identifier: MIT
# libucl, which reads manifests. Where the distribution has it, that is used. Debian 12 only ships its
# source, inside another source package (its libucl-dev is a compression library of the same name):
# there it is fetched once, and built into the build side.
include(CheckLibraryExists)
check_library_exists(ucl ucl_parser_new "" PKGIMG_SYSTEM_UCL)

add_library(pkgimg_ucl INTERFACE)
if(PKGIMG_SYSTEM_UCL)
  target_link_libraries(pkgimg_ucl INTERFACE ucl)
else()
  set(PKGIMG_SOURCES "${PROJECT_SOURCE_DIR}/build/sources" CACHE PATH "Where fetched source packages are kept")
  set(bundle "${PKGIMG_SOURCES}/rspamd/contrib")
  if(NOT EXISTS "${bundle}/libucl/ucl.h")
    message(STATUS "Fetching the source of libucl")
    execute_process(COMMAND "${PROJECT_SOURCE_DIR}/scripts/fetch-source" rspamd "${PKGIMG_SOURCES}"
                    COMMAND_ERROR_IS_FATAL ANY)
  endif()
  add_library(pkgimg-ucl STATIC "${CMAKE_CURRENT_LIST_DIR}/ucl/lc_map.c")
  foreach(source emitter emitter_streamline hash msgpack parser schema sexp util)
    target_sources(pkgimg-ucl PRIVATE "${bundle}/libucl/ucl_${source}.c")
  endforeach()
  target_include_directories(pkgimg-ucl SYSTEM PRIVATE "${bundle}/uthash" "${CMAKE_CURRENT_LIST_DIR}/ucl")
  target_include_directories(pkgimg-ucl SYSTEM PUBLIC "${bundle}/libucl")
  target_compile_definitions(pkgimg-ucl PRIVATE _GNU_SOURCE)
  target_compile_options(pkgimg-ucl PRIVATE -w)
  target_link_libraries(pkgimg_ucl INTERFACE pkgimg-ucl m)
endif()
