; SPDX-License-Identifier: MIT
; Who has a body for a middling processor, but none for a good one, must still reach the good bodies of what it calls.
;@ targets x86-64;x86-64-v2,clone_all;x86-64-v3,base(1)
;@ clone main 0 1
;@ clone ask 0 1 2
;@ run 2 -
;@ run 1 avx2
declare i1 @pkgimg.cpu_has.avx2()
define i32 @ask() noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  %r = select i1 %q, i32 2, i32 1
  ret i32 %r
}
define i32 @main(i32 %n, ptr %v) {
  %r = call i32 @ask()
  ret i32 %r
}
