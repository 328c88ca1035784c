# SPDX-License-Identifier: MIT
# Packages of our own for C++, thread-local objects and relocations.
set(cxx_flags --driver-mode=g++ -std=c++17)
package_oracle(libcxx-base.so SOURCES cxx/base.cpp FLAGS ${cxx_flags})
package_oracle(libcxx-middle.so SOURCES cxx/middle.cpp FLAGS ${cxx_flags} LIBS libcxx-base.so
  DEPENDS oracle-libcxx-base.so)
package_oracle(cxx-top SOURCES cxx/top.cpp FLAGS ${cxx_flags} LIBS libcxx-middle.so libcxx-base.so
  DEPENDS oracle-libcxx-middle.so)
package_image(cxx-base cxx/cxx-base.ucl CLONED levels)
package_image(cxx-middle cxx/cxx-middle.ucl DEPS cxx-base CLONED levels)
package_image(cxx-top cxx/cxx-top.ucl DEPS cxx-base cxx-middle CLONED levels)
package_compare(cxx IMAGE cxx-top ORACLE "${package_oracles}/cxx-top" STATUS 17 ARGS ", one")
package_everywhere(cxx IMAGE cxx-top ORACLE "${package_oracles}/cxx-top" STATUS 17 ARGS ", one")

package_oracle(libtls.so SOURCES tls/tls-lib.c FLAGS -D_GNU_SOURCE)
package_oracle(tls-check SOURCES tls/tls-check.c FLAGS -D_GNU_SOURCE LIBS libtls.so DEPENDS oracle-libtls.so)
package_image(tls-lib tls/tls-lib.ucl CLONED levels)
package_image(tls-check tls/tls-check.ucl DEPS tls-lib CLONED levels)
package_compare(tls IMAGE tls-check ORACLE "${package_oracles}/tls-check" STATUS 0)
package_everywhere(tls IMAGE tls-check ORACLE "${package_oracles}/tls-check" STATUS 0)

set(relocs_flags -std=gnu17 -D_GNU_SOURCE -fexceptions -Wno-override-module)
package_oracle(librelocs.so SOURCES relocs/relocs-lib.c relocs/relocs-chosen.c relocs/relocs-ir.ll
  FLAGS ${relocs_flags} "-Wl,--version-script=${here}/relocs/relocs-lib.map")
package_oracle(relocs-check SOURCES relocs/relocs-check.c
  FLAGS ${relocs_flags} -fstack-protector-strong -D_FORTIFY_SOURCE=2 LIBS librelocs.so DEPENDS oracle-librelocs.so)
package_oracle(relocs-symver SOURCES relocs/relocs-symver.c)
package_image(relocs-lib relocs/relocs-lib.ucl CLONED levels)
package_image(relocs-check relocs/relocs-check.ucl DEPS relocs-lib CLONED levels)
package_image(relocs-symver relocs/relocs-symver.ucl CLONED mixed)
package_compare(relocs IMAGE relocs-check ORACLE "${package_oracles}/relocs-check" STATUS 3 ARGS argument)
package_everywhere(relocs IMAGE relocs-check ORACLE "${package_oracles}/relocs-check" STATUS 3 NO_CPUS ARGS argument)
package_compare(relocs.symver IMAGE relocs-symver ORACLE "${package_oracles}/relocs-symver" STATUS 0)

# Packages with different target lists.
package_oracle(libcross-low.so SOURCES cross/cross-low.c FLAGS -Wno-psabi -ffp-contract=off)
package_oracle(cross-high SOURCES cross/cross-high.c FLAGS -Wno-psabi -ffp-contract=off LIBS libcross-low.so
  DEPENDS oracle-libcross-low.so)
package_image(cross-low cross/cross-low.ucl CLONED low)
package_image(cross-high cross/cross-high.ucl DEPS cross-low CLONED high)
package_compare(cross IMAGE cross-high ORACLE "${package_oracles}/cross-high" STATUS 0)
package_everywhere(cross IMAGE cross-high ORACLE "${package_oracles}/cross-high" STATUS 0)

# What an image may not contain, refused by the symbol's name.
foreach(refused "initial-exec.c counter_at_fixed_offset" "local-exec.ll counter_of_the_executable")
  separate_arguments(refused)
  list(GET refused 0 source)
  list(GET refused 1 symbol)
  cmake_path(GET source STEM model)
  add_test(NAME packages.refused.${model}
    COMMAND "${here}/expect-refusal" ${symbol} "$<TARGET_FILE:pkgimg-cli>" build "${here}/tls/tls-${source}"
            --name tls-${model} -o "${package_work}/tls-${model}.so")
  package_properties(packages.refused.${model})
endforeach()
