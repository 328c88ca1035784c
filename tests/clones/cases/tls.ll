; SPDX-License-Identifier: MIT
; Thread-locals, own and exported, from every body.
;@ clone bump 0 1 2
;@ run 16 -
;@ run 16 avx2
;@ run 16 sse3
@own = internal thread_local global i32 3
@shared = thread_local global i32 7
declare i1 @pkgimg.cpu_has.avx2()
define void @bump(i32 %n) noinline {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %p = call ptr @llvm.threadlocal.address.p0(ptr @own)
  %q = call ptr @llvm.threadlocal.address.p0(ptr @shared)
  %x = load volatile i32, ptr %p
  %y = add i32 %x, 1
  store volatile i32 %y, ptr %p
  %z = load volatile i32, ptr %q
  %w = add i32 %z, 1
  store volatile i32 %w, ptr %q
  %j = add i32 %i, 1
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret void
}
declare ptr @llvm.threadlocal.address.p0(ptr)
define i32 @main(i32 %n, ptr %v) {
  call void @bump(i32 3)
  %p = call ptr @llvm.threadlocal.address.p0(ptr @own)
  %q = call ptr @llvm.threadlocal.address.p0(ptr @shared)
  %r = load i32, ptr %p
  %s = load i32, ptr %q
  %t = add i32 %r, %s
  ret i32 %t
}
