; SPDX-License-Identifier: MIT
; Exceptions cross from a body to a function with one, and back.
;@ options --lib libstdc++.so.6
;@ clone thrower 0 1 2
;@ clone catcher 0 1 2
;@ direct catcher.target2 thrower.target2
;@ plain between
;@ run 42 -
;@ run 42 avx2
;@ run 42 sse3
declare ptr @__cxa_allocate_exception(i64)
declare void @__cxa_throw(ptr, ptr, ptr)
declare ptr @__cxa_begin_catch(ptr)
declare void @__cxa_end_catch()
declare i32 @__gxx_personality_v0(...)
@_ZTIi = external constant ptr
declare i1 @pkgimg.cpu_has.avx2()
define void @thrower(i32 %n) noinline uwtable {
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
  %e = call ptr @__cxa_allocate_exception(i64 4)
  store i32 %j, ptr %e
  call void @__cxa_throw(ptr %e, ptr @_ZTIi, ptr null)
  unreachable
}
@hook = global ptr @between
define void @between(i32 %n) noinline uwtable {
  call void @thrower(i32 %n)
  ret void
}
define i32 @catcher(i32 %n, i32 %times) noinline uwtable personality ptr @__gxx_personality_v0 {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %again ]
  %s = phi i32 [ 0, %entry ], [ %t, %again ]
  %odd = icmp eq i32 %i, 1
  br i1 %odd, label %direct, label %indirect
direct:
  invoke void @thrower(i32 %n) to label %never unwind label %pad
indirect:
  %h = load volatile ptr, ptr @hook
  invoke void %h(i32 %n) to label %never unwind label %pad
never:
  ret i32 1
pad:
  %l = landingpad { ptr, i32 } catch ptr @_ZTIi
  %p = extractvalue { ptr, i32 } %l, 0
  %c = call ptr @__cxa_begin_catch(ptr %p)
  %x = load i32, ptr %c
  call void @__cxa_end_catch()
  br label %again
again:
  %t = add i32 %s, %x
  %j = add i32 %i, 1
  %more = icmp slt i32 %j, %times
  br i1 %more, label %loop, label %out
out:
  ret i32 %t
}
define i32 @main(i32 %n, ptr %v) {
  %k = add i32 %n, 1
  %r = call i32 @catcher(i32 21, i32 %k)
  ret i32 %r
}
