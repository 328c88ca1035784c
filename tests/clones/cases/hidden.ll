; SPDX-License-Identifier: MIT
; What the source hides stays hidden, however many bodies it has.
;@ local count
;@ run 5 -
;@ run 5 avx2
define hidden i32 @count(i32 %n) noinline {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %j = add i32 %i, 1
  call void asm sideeffect "", ""()
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret i32 %j
}
define i32 @main(i32 %n, ptr %v) {
  %k = add i32 %n, 4
  %r = call i32 @count(i32 %k)
  ret i32 %r
}
