; SPDX-License-Identifier: MIT
; What has neither a loop nor anything else to gain gets a body only from clone_all.
;@ targets x86-64;x86-64-v2,clone_all;x86-64-v3,base(1)
;@ clone add_one 0 1
;@ clone main 0 1
;@ direct main.target0 add_one.target0
;@ direct main.target1 add_one.target1
;@ run 5 -
;@ run 5 sse3
define i32 @add_one(i32 %x) noinline {
  %r = add i32 %x, 1
  ret i32 %r
}
define i32 @main(i32 %n, ptr %v) {
  %k = add i32 %n, 3
  %r = call i32 @add_one(i32 %k)
  ret i32 %r
}
