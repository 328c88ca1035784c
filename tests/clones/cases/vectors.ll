; SPDX-License-Identifier: MIT
; Vectors gain where a target adds some to the baseline, not where it only adds other instructions.
;@ targets x86-64;x86-64,+bmi2,+popcnt;x86-64,+ssse3;haswell
;@ clone twice 0 2 3
;@ has twice.target0 paddd|pslld
;@ has twice.target3 vpaddd|vpslld
;@ plain main
;@ table main twice
;@ run 6 -
;@ run 6 ssse3
define void @twice(ptr %p) noinline {
  %v = load <4 x i32>, ptr %p, align 4
  %w = add <4 x i32> %v, %v
  store <4 x i32> %w, ptr %p, align 4
  ret void
}
@data = global [4 x i32] [i32 1, i32 2, i32 3, i32 4]
define i32 @main(i32 %n, ptr %v) {
  call void @twice(ptr @data)
  %r = load i32, ptr getelementptr (i32, ptr @data, i64 2)
  ret i32 %r
}
