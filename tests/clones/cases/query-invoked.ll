; SPDX-License-Identifier: MIT
; A question that is asked by invoke has an answer in each body, too. Its address is no reason for bodies.
;@ options --lib libstdc++.so.6
;@ clone invoking 0 1 2
;@ plain pointing
;@ run 20 -
;@ run 0 avx2
;@ run 0 sse3
declare i1 @pkgimg.cpu_has.avx2()
declare i32 @__gxx_personality_v0(...)
define i32 @invoking() noinline personality ptr @__gxx_personality_v0 {
  %has = invoke i1 @pkgimg.cpu_has.avx2() to label %asked unwind label %pad
asked:
  %r = select i1 %has, i32 20, i32 0
  ret i32 %r
pad:
  %l = landingpad { ptr, i32 } cleanup
  resume { ptr, i32 } %l
}
define i32 @pointing() noinline {
  %slot = alloca ptr
  store volatile ptr @pkgimg.cpu_has.avx2, ptr %slot
  %f = load volatile ptr, ptr %slot
  %has = call i1 %f()
  %r = select i1 %has, i32 22, i32 0
  ret i32 %r
}
define i32 @main(i32 %n, ptr %v) {
  %a = call i32 @invoking()
  %b = call i32 @pointing()
  %r = add i32 %a, %b
  ret i32 %r
}
