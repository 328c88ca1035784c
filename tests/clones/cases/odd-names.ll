; SPDX-License-Identifier: MIT
; Names may hold anything but a NUL, also what we make ourselves.
;@ clone odd_name/with_$_"quotes"_é 0 1 2
;@ clone f 0 1 2
;@ run 14 -
;@ run 13 avx2
declare i1 @pkgimg.cpu_has.avx2()
define i32 @"odd name/with $ \22quotes\22 \C3\A9"() noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  %r = select i1 %q, i32 2, i32 1
  ret i32 %r
}
define i32 @f() noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  call void asm sideeffect "", "r"(i1 %q)
  ret i32 4
}
define i32 @f.static() noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  call void asm sideeffect "", "r"(i1 %q)
  ret i32 8
}
define i32 @main(i32 %n, ptr %v) {
  %a = call i32 @"odd name/with $ \22quotes\22 \C3\A9"()
  %b = call i32 @f()
  %c = call i32 @f.static()
  %d = add i32 %a, %b
  %e = add i32 %c, %d
  ret i32 %e
}
