; SPDX-License-Identifier: MIT
; A loop gains from every target; what calls it, but has none, stays outside and goes through the table.
;@ clone count 0 1 2
;@ plain main
;@ table main count
;@ run 7 -
;@ run 7 avx2
;@ run 7 sse3
define i32 @count(i32 %n) noinline {
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
  %k = add i32 %n, 6
  %r = call i32 @count(i32 %k)
  ret i32 %r
}
