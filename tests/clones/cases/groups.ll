; SPDX-License-Identifier: MIT
; Functions that may be defined in several objects, with data of their group.
;@ clone count 0 1 2
;@ clone loose 0 1 2
;@ direct count.target2 loose.target2
;@ run 6 -
;@ run 6 avx2
$count = comdat any
$loose = comdat any
@hits = linkonce_odr global i32 0, comdat($count)
declare i1 @pkgimg.cpu_has.avx2()
define linkonce_odr i32 @loose(i32 %n) noinline comdat {
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
  ret i32 %j
}
define weak_odr i32 @count(i32 %n) noinline comdat {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %j = add i32 %i, 1
  %h = load volatile i32, ptr @hits
  %k = add i32 %h, 1
  store volatile i32 %k, ptr @hits
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  %x = call i32 @loose(i32 %j)
  ret i32 %x
}
define i32 @main(i32 %n, ptr %v) {
  %a = call i32 @count(i32 3)
  %h = load i32, ptr @hits
  %r = add i32 %a, %h
  ret i32 %r
}
