# SPDX-License-Identifier: MIT
# How every folder's target is compiled: one place for language, warnings and sanitizers.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")

add_library(pkgimg_plain_flags INTERFACE)
target_compile_definitions(pkgimg_plain_flags INTERFACE _GNU_SOURCE)
target_compile_options(pkgimg_plain_flags INTERFACE
  -Wall -Wextra -Wshadow -Wvla -Wcast-align
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Werror=implicit-function-declaration>)
target_include_directories(pkgimg_plain_flags INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>" "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
add_library(pkgimg_flags INTERFACE)
target_link_libraries(pkgimg_flags INTERFACE pkgimg_plain_flags)
if(PKGIMG_SANITIZE)
  target_compile_options(pkgimg_flags INTERFACE -fsanitize=${PKGIMG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(pkgimg_flags INTERFACE -fsanitize=${PKGIMG_SANITIZE})
endif()

# One target per folder: pkgimg_folder(base error.c ...) makes the static library pkgimg-base.
function(pkgimg_folder name)
  add_library(pkgimg-${name} STATIC ${ARGN})
  target_compile_definitions(pkgimg-${name} PRIVATE PKGIMG_BUILDING)
  target_link_libraries(pkgimg-${name} PUBLIC pkgimg_flags)
endfunction()
