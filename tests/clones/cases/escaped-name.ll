; SPDX-License-Identifier: MIT
; A name that begins with \01 is what follows it.
;@ clone odd 0 1 2
;@ run 2 -
;@ run 1 avx2
declare i1 @pkgimg.cpu_has.avx2()
define i32 @"\01odd"() noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  %r = select i1 %q, i32 2, i32 1
  ret i32 %r
}
define i32 @main(i32 %n, ptr %v) {
  %r = call i32 @"\01odd"()
  ret i32 %r
}
