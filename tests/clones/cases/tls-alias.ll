; SPDX-License-Identifier: MIT
; A thread-local variable under another name stays thread-local in every body.
;@ clone bump 0 1 2
;@ run 6 -
;@ run 6 sse3
@real = thread_local global i32 3
@alias = weak thread_local alias i32, ptr @real
declare i1 @pkgimg.cpu_has.avx2()
define void @bump(i32 %n) noinline {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %p = call ptr @llvm.threadlocal.address.p0(ptr @alias)
  %x = load volatile i32, ptr %p
  %y = add i32 %x, 1
  store volatile i32 %y, ptr %p
  %j = add i32 %i, 1
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret void
}
declare ptr @llvm.threadlocal.address.p0(ptr)
define i32 @main(i32 %n, ptr %v) {
  call void @bump(i32 3)
  %p = call ptr @llvm.threadlocal.address.p0(ptr @real)
  %r = load i32, ptr %p
  ret i32 %r
}
