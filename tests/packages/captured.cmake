# SPDX-License-Identifier: MIT
# Packages whose state is made when they are built: captured/*.c. Each is built twice, with and without
# `--precompile warm`, and both must answer alike.
set(captured_folder "${CMAKE_CURRENT_BINARY_DIR}/captured-sources")
file(MAKE_DIRECTORY "${captured_folder}")
foreach(link "captured=${here}/captured" "lua5.4=${package_sources}/lua5.4" "lua-headers=${lua_headers}"
        "sqlite-amalgamation=${sqlite_folder}" "libonig=${package_sources}/libonig")
  string(REPLACE "=" ";" link "${link}")
  list(GET link 0 name)
  list(GET link 1 target)
  file(CREATE_LINK "${target}" "${captured_folder}/${name}" SYMBOLIC)
endforeach()

# captured_package(NAME [OPTIONS option...] [DEPS image...] [NEEDS fixture...] REQUESTS request...)
function(captured_package name)
  cmake_parse_arguments(arg "" "" "OPTIONS;DEPS;NEEDS;REQUESTS" ${ARGN})
  set(build "$<TARGET_FILE:pkgimg-cli>" build "${here}/captured/${name}.ucl" --folder "${captured_folder}")
  add_image(${name} "${arg_OPTIONS}" "${arg_DEPS}" "${arg_NEEDS}" ${build} --precompile warm)
  add_image(${name}-anew "${arg_OPTIONS}" "${arg_DEPS}" "${arg_NEEDS}" ${build})
  set(run "$<TARGET_FILE:pkgimg-cli>" run)
  set(image "${package_images}/${name}.so")
  set(anew "${package_images}/${name}-anew.so")
  # Which of the two begins with its state, and which does not: else the comparison would say little.
  add_test(NAME packages.captured.${name}.state COMMAND ${run} "${image}" --entry captured)
  add_test(NAME packages.captured.${name}.no-state
    COMMAND "${here}/expect-refusal" "" ${run} "${anew}" --entry captured)
  add_test(NAME packages.captured.${name}
    COMMAND "${here}/compare-run" "${package_work}/captured.${name}" --status 0
            == ${run} "${anew}" -- ${arg_REQUESTS} == ${run} "${image}" -- ${arg_REQUESTS})
  # State that was made by the bodies for any processor, used by others, and those hidden again.
  add_test(NAME packages.captured.${name}.masked
    COMMAND "${here}/compare-run" "${package_work}/captured.${name}.masked" --status 0
            == ${run} "${anew}" -- ${arg_REQUESTS} == ${run} "${image}" --cpu-mask avx2 -- ${arg_REQUESTS})
  package_properties(packages.captured.${name}.state NEEDS image.${name})
  package_properties(packages.captured.${name}.no-state NEEDS image.${name}-anew)
  package_properties(packages.captured.${name} NEEDS image.${name} image.${name}-anew)
  package_properties(packages.captured.${name}.masked NEEDS image.${name} image.${name}-anew)
endfunction()

# Lua, with build options that make a state the same in every process; lua-state.c has the reasons. Most of its
# functions have two bodies, so the captured state holds pointers to functions that a load chooses.
add_image(lua-seeded "" "" source.lua5.4
  "$<TARGET_FILE:pkgimg-cli>" build "${here}/lua/lua.ucl" --folder "${lua_source}" --name lua-seeded -O1 --cpu-target "x86-64$<SEMICOLON>x86-64-v3"
  --cflags "-I${lua_headers} '-Dluai_makeseed(L)=0x2f1e3a57u' -DSTRCACHE_N=1 -DSTRCACHE_M=1")
captured_package(lua-state DEPS lua-seeded REQUESTS
  "print(#entries, entries['entry 99'], math.random(1000), math.random())"
  "print(require('m17').f3(6), require('m199').f11(4, 'a', 2), require('m17').f0(3))"
  "io.write('written', 1, '\\n') io.stderr:write('an error\\n') io.stdout:write(io.type(io.stdin), '\\n')"
  "print(pcall(error, 1), select(2, pcall(string.rep))) error('boom')"
  "local t = {} for k in pairs(entries) do t[#t + 1] = k end table.sort(t) print(#t, t[1], t[#t])"
  "for i = 1, 200000 do entries[i] = i end print(#entries)"
  "local f = io.open('left-behind', 'w') f:write(os.date('!%F', 86400), ('%5.2f'):format(math.pi)) print(f:close())"
  "print(coroutine.wrap(function(...) return select('#', coroutine.yield(...)) end)(1, 2))"
  "entries = nil collectgarbage() collectgarbage() print(math.floor(collectgarbage('count')))"
  "print(load('return 1 + 1')(), utf8.char(228), debug.getinfo(print).what)")
add_test(NAME packages.captured.lua-state.unseeded
  COMMAND "${here}/expect-refusal"
          "which state leads to: what initialisation left there is not the same in every run: it may be a random number"
          "$<TARGET_FILE:pkgimg-cli>" build "${here}/captured/lua-state.ucl" --folder "${captured_folder}"
          --dep "${package_images}/lua.so" --precompile warm -o "${package_work}/lua-state-unseeded.so")
package_properties(packages.captured.lua-state.unseeded NEEDS image.lua)

# Without optimisation, as it is compiled twice.
captured_package(database OPTIONS -O0 NEEDS source.sqlite-amalgamation REQUESTS
  "id 77" "town town 25" "older 40" "name name 9a" "add Bob" "select count(*), max(name), total(note) from person"
  "create table seen(id integer primary key)" "insert into seen select id from person where age = 33"
  "delete from person where id in seen" "pragma integrity_check" "select random(), hex(randomblob(8))"
  "begin" "update person set name = upper(name), town = null" "rollback" "add Bob" "name Bob"
  "explain query plan select * from person where town = 'town 1' and age > 3" "vacuum" "select 1 frm" "older 88")

# A dictionary of the distribution.
if(EXISTS /usr/share/dict/words)
  captured_package(words OPTIONS --cpu-target "x86-64$<SEMICOLON>x86-64-v3,clone_all"
    REQUESTS "" pack zy nosuchword "?listen" "?zzz" "?tac" "?arrogantly" A "z" "electroencephalograph")
else()
  add_test(NAME packages.captured.words COMMAND bash -c "echo /usr/share/dict/words: not found. && exit 77")
  package_properties(packages.captured.words SKIPS)
endif()

# Oniguruma, a library of regular expressions; not optimised either.
package_source(libonig)
captured_package(patterns OPTIONS -O0 NEEDS source.libonig REQUESTS
  "fatal: Error code: 07 after 12ms" "key = 12345" "<h3 class=\"x\">abc</h3> Straße 7 STRASSE 9"
  "10.0.0.1 $15,000.20 aaaa version 3 begin xx end ((a)(b))(c)" "αβγδε Ωmega" "")
