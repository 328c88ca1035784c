; SPDX-License-Identifier: MIT
; A small function that a cloned one calls, and that calls a cloned one, is cloned with them; what only leads there,
; only follows, is further away, or is large is not.
;@ clone top 0 1 2
;@ clone middle 0 1 2
;@ clone bottom 0 1 2
;@ plain leaf
;@ plain main
;@ plain far
;@ plain near
;@ plain large
;@ direct top.target2 middle.target2
;@ direct middle.target2 bottom.target2
;@ direct middle.target0 bottom.target0
;@ direct top.target1 middle.target1
;@ table main top
;@ run 9 -
;@ run 9 avx2
;@ run 9 sse3
declare i1 @pkgimg.cpu_has.avx2()
define i32 @leaf(i32 %x) noinline {
  %r = add i32 %x, 0
  call void asm sideeffect "", ""()
  ret i32 %r
}
define i32 @bottom(i32 %n) noinline {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %j = add i32 %i, 1
  call void asm sideeffect "", ""()
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  %k = call i32 @leaf(i32 %j)
  ret i32 %k
}
define i32 @middle(i32 %n) noinline {
  %r = call i32 @bottom(i32 %n)
  %s = add i32 %r, 1
  ret i32 %s
}
define i32 @near(i32 %n) noinline {
  %r = call i32 @bottom(i32 %n)
  ret i32 %r
}
define i32 @far(i32 %n) noinline {
  %r = call i32 @near(i32 %n)
  ret i32 %r
}
@word = global i32 0
define i32 @large(i32 %n) noinline {
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  store volatile i32 %n, ptr @word
  %r = call i32 @bottom(i32 %n)
  ret i32 %r
}
define i32 @top(i32 %n) noinline {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %s = phi i32 [ 0, %entry ], [ %t, %loop ]
  %x = call i32 @middle(i32 %i)
  %t = add i32 %s, %x
  %j = add i32 %i, 1
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  %f = call i32 @far(i32 0)
  %l = call i32 @large(i32 0)
  %u = add i32 %t, 2
  ret i32 %u
}
define i32 @main(i32 %n, ptr %v) {
  %k = add i32 %n, 2
  %r = call i32 @top(i32 %k)
  ret i32 %r
}
