# SPDX-License-Identifier: MIT
# What `cmake --install` lays down. The result may be moved: rpath, pkg-config and CMake files find each other by
# relative paths.
include(CMakePackageConfigHelpers)

set(pkgimg_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/pkgimg")
set(pkgimg_pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH pkgimg_bin_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
file(RELATIVE_PATH pkgimg_pc_to_prefix "/${pkgimg_pc_dir}" "/")

# The command runs pkgimg-build, which alone links LLVM, from its own folder. The same path in the build folder as
# installed: else CMake pads the shorter one with colons, and an empty entry means the current folder.
set_target_properties(pkgimg pkgimg-build pkgimg-cli pkgimg-build-cli PROPERTIES BUILD_WITH_INSTALL_RPATH ON)
set_target_properties(pkgimg-cli pkgimg-build-cli PROPERTIES INSTALL_RPATH "$ORIGIN/../lib;$ORIGIN/${pkgimg_bin_to_lib}")

install(TARGETS pkgimg pkgimg-build pkgimg-static EXPORT pkgimg-targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS pkgimg-cli pkgimg-build-cli pkgimg-capture RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(DIRECTORY include/pkgimg DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
foreach(section 1 7)
  install(DIRECTORY docs/man/ DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}" FILES_MATCHING PATTERN "*.${section}")
endforeach()

# What is not inside of libpkgimg.a.
foreach(library PKGIMG_URING PKGIMG_ZSTD)
  if(NOT ${library} MATCHES "\\.a$")
    string(APPEND pkgimg_private_libs "${${library}} ")
  endif()
endforeach()
foreach(library pkgimg pkgimg-build)
  configure_file("cmake/${library}.pc.in" "${library}.pc" @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${library}.pc" DESTINATION "${pkgimg_pc_dir}")
endforeach()

install(EXPORT pkgimg-targets NAMESPACE pkgimg:: DESTINATION "${pkgimg_cmake_dir}")
configure_package_config_file(cmake/pkgimg-config.cmake.in pkgimg-config.cmake
  INSTALL_DESTINATION "${pkgimg_cmake_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(pkgimg-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/pkgimg-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/pkgimg-config-version.cmake" DESTINATION "${pkgimg_cmake_dir}")
