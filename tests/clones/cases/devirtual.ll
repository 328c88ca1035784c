; SPDX-License-Identifier: MIT
; Calls that only the second half of optimisation makes direct still go through the table.
;@ plain main
;@ run 193 -
;@ run 193 sse3
@table = internal constant [24 x ptr] [ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice, ptr @count, ptr @thrice]
define i32 @thrice(i32 %n) noinline {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %j = add i32 %i, 3
  call void asm sideeffect "", ""()
  %m = mul i32 %n, 3
  %more = icmp slt i32 %j, %m
  br i1 %more, label %loop, label %out
out:
  ret i32 %j
}
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
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %s = phi i32 [ 1, %entry ], [ %t, %loop ]
  %slot = getelementptr ptr, ptr @table, i64 %i
  %f = load ptr, ptr %slot
  %x = call i32 %f(i32 4)
  %t = add i32 %s, %x
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, 24
  br i1 %more, label %loop, label %out
out:
  ret i32 %t
}
