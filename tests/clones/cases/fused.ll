; SPDX-License-Identifier: MIT
; Numbers that may be fused gain only where a target fuses them.
;@ targets x86-64;x86-64-v2;x86-64,+fma;x86-64-v3
;@ clone muladd 0 2 3
;@ clone fast 0 2 3
;@ clone exact 0 2 3
;@ plain strict
;@ plain main
;@ has muladd.target0 mulsd
;@ has muladd.target3 vfmadd
;@ lacks strict vfmadd
;@ run 33 -
;@ run 33 fma
declare double @llvm.fmuladd.f64(double, double, double)
declare float @llvm.fma.f32(float, float, float)
define double @muladd(double %a, double %b, double %c) noinline {
  %r = call double @llvm.fmuladd.f64(double %a, double %b, double %c)
  ret double %r
}
define double @fast(double %a, double %b) noinline {
  %r = fmul fast double %a, %b
  ret double %r
}
define float @exact(float %a, float %b, float %c) noinline {
  %r = call float @llvm.fma.f32(float %a, float %b, float %c)
  ret float %r
}
define double @strict(double %a, double %b) noinline {
  %r = fmul double %a, %b
  ret double %r
}
define i32 @main(i32 %n, ptr %v) {
  %k = sitofp i32 %n to double
  %k2 = fadd double %k, 1.0
  %a = call double @muladd(double %k2, double 3.0, double %k)
  %b = call double @fast(double %a, double 2.0)
  %c = call double @strict(double %b, double 2.0)
  %s = fptrunc double %c to float
  %d = call float @exact(float %s, float 1.0, float 5.0)
  %r = fptosi float %d to i32
  ret i32 %r
}
