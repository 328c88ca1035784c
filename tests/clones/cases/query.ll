; SPDX-License-Identifier: MIT
; A question about the processor is answered per body, so who asks has one for each target.
;@ clone level 0 1 2
;@ plain main
;@ lacks level.target0 call
;@ run 7 -
;@ run 3 avx2
;@ run 0 popcnt
;@ run 0 sse3
declare i1 @pkgimg.cpu_has.avx2()
declare i1 @pkgimg.cpu_has.fma()
declare i1 @pkgimg.cpu_has.popcnt()
declare i1 @pkgimg.cpu_has.sse4.2()
declare i1 @pkgimg.cpu_has.avx512f()
define i32 @level() noinline {
  %a = call i1 @pkgimg.cpu_has.popcnt()
  %b = call i1 @pkgimg.cpu_has.sse4.2()
  %c = call i1 @pkgimg.cpu_has.avx2()
  %d = call i1 @pkgimg.cpu_has.avx512f()
  %w = select i1 %a, i32 1, i32 0
  %x = select i1 %b, i32 2, i32 0
  %y = select i1 %c, i32 4, i32 0
  %z = select i1 %d, i32 8, i32 0
  %1 = or i32 %w, %x
  %2 = or i32 %y, %z
  %3 = or i32 %1, %2
  ret i32 %3
}
define i32 @main(i32 %n, ptr %v) {
  %r = call i32 @level()
  ret i32 %r
}
