# SPDX-License-Identifier: MIT
# zlib, Lua and SQLite: other people's code, fetched when the tests run.
package_source(zlib)
package_source(lua5.4)
package_source(sqlite3)

# zlib, against the machine's own.
set(zlib_source "${package_sources}/zlib")
package_oracle(zlib-check SOURCES zlib/zlib-check.c LIBS -lz)
package_image(zlib zlib/zlib.ucl FOLDER "${zlib_source}" NEEDS source.zlib CLONED levels)
package_image(zlib-check zlib/zlib-check.ucl CFLAGS "-I${zlib_source}" DEPS zlib)
package_compare(zlib IMAGE zlib-check ORACLE "${package_oracles}/zlib-check" STATUS 0)

# With 3 MB everywhere else.
package_oracle(zlib-short SOURCES zlib/zlib-check.c FLAGS -DBLOCKS=800 LIBS -lz)
package_image(zlib-short zlib/zlib-check.ucl CFLAGS "-I${zlib_source} -DBLOCKS=800" DEPS zlib CLONED levels)
package_everywhere(zlib IMAGE zlib-short ORACLE "${package_oracles}/zlib-short" STATUS 0)

# Lua. The distribution's luaconf.h includes a header that its build makes.
set(lua_source "${package_sources}/lua5.4")
set(lua_headers "${CMAKE_CURRENT_BINARY_DIR}/lua-headers")
file(CONFIGURE OUTPUT "${lua_headers}/lua5.4-deb-multiarch.h"
  CONTENT "#define DEB_HOST_MULTIARCH \"@CMAKE_LIBRARY_ARCHITECTURE@\"\n" @ONLY)
package_image(lua lua/lua.ucl FOLDER "${lua_source}" CFLAGS "-I${lua_headers}" NEEDS source.lua5.4 CLONED mixed)
foreach(script coroutines numbers objects strings)
  package_compare(lua.${script} IMAGE lua ORACLE "${PKGIMG_LUA}" STATUS 0 ARGS "${here}/lua/${script}.lua")
  package_everywhere(lua.${script} IMAGE lua ORACLE "${PKGIMG_LUA}" STATUS 0 ARGS "${here}/lua/${script}.lua")
endforeach()
package_compare(lua.errors IMAGE lua ORACLE "${PKGIMG_LUA}" STATUS 1 ARGS "${here}/lua/errors.lua")
package_compare(lua.system IMAGE lua ORACLE "${PKGIMG_LUA}" STATUS 7 INPUT "${here}/lua/system.input"
  ARGS "${here}/lua/system.lua" one "two words")
package_compare(lua.stdin IMAGE lua ORACLE "${PKGIMG_LUA}" STATUS 1 INPUT "${here}/lua/stdin.lua" ARGS - argument)
package_compare(lua.options IMAGE lua ORACLE "${PKGIMG_LUA}" STATUS 1 ARGS -v -W -e "print(arg[0])" -l nosuch)
add_test(NAME packages.lua.reproducible
  COMMAND "${here}/build-twice" "$<TARGET_FILE:pkgimg-cli>" "${package_work}/lua.reproducible" "${here}/lua/lua.ucl"
          "${lua_source}" "${lua_headers}")
package_properties(packages.lua.reproducible NEEDS source.lua5.4)

# SQLite, with the options of the distribution's build.
set(sqlite_folder "${CMAKE_CURRENT_BINARY_DIR}/sqlite-amalgamation")
file(STRINGS sqlite/options.txt sqlite_options)
list(JOIN sqlite_options " " sqlite_flags)
set(sqlite_cloned)
if(NOT PKGIMG_SANITIZE)  # it takes a minute, nearly all of it in LLVM
  set(sqlite_cloned CLONED three)
endif()
add_test(NAME packages.source.sqlite-amalgamation
  COMMAND "${here}/sqlite/make-amalgamation" "${package_sources}/sqlite3" "${sqlite_folder}" ${sqlite_options})
package_properties(packages.source.sqlite-amalgamation
  NEEDS source.sqlite3 SETUP source.sqlite-amalgamation)
package_image(sqlite sqlite/sqlite.ucl FOLDER "${sqlite_folder}" CFLAGS "${sqlite_flags}"
  NEEDS source.sqlite-amalgamation ${sqlite_cloned})
package_image(sqlite-shell sqlite/sqlite-shell.ucl FOLDER "${sqlite_folder}" CFLAGS "${sqlite_flags}" DEPS sqlite
  ${sqlite_cloned})
package_compare(sqlite IMAGE sqlite-shell ORACLE "${PKGIMG_SQLITE}" STATUS 1 INPUT "${here}/sqlite/workload.sql"
  ARGS work.db)

# With fewer rows everywhere else.
set(sqlite_short "${CMAKE_CURRENT_BINARY_DIR}/short.sql")
file(READ sqlite/workload.sql sqlite_workload)
string(REPLACE "i < 100000" "i < 5000" sqlite_workload "${sqlite_workload}")
file(CONFIGURE OUTPUT "${sqlite_short}" CONTENT "${sqlite_workload}" @ONLY)
if(sqlite_cloned)
  package_everywhere(sqlite IMAGE sqlite-shell ORACLE "${PKGIMG_SQLITE}" STATUS 1 INPUT "${sqlite_short}" ARGS work.db)
endif()

# That pkgimg is the one who loads them.
add_test(NAME packages.loader.opens
  COMMAND "${here}/count-opens" "$<TARGET_FILE:pkgimg-cli>" "${package_work}/opens" "${package_images}/sqlite-shell.so"
          "${package_images}/sqlite.so")
add_test(NAME packages.loader.ld-so
  COMMAND "${here}/unseen-by-ld-so" "$<TARGET_FILE:pkgimg-cli>" "${package_dlopen}" "${package_work}/ld-so"
          "${package_images}/sqlite-shell.so" sqlite.so sqlite3_open)
package_properties(packages.loader.opens NEEDS image.sqlite-shell SKIPS)
package_properties(packages.loader.ld-so NEEDS image.sqlite-shell)
