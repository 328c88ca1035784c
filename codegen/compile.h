// SPDX-License-Identifier: MIT
//
// One module in one context, as LLVM's C interface has it: its complaints, machine, passes and code.
#ifndef CODEGEN_COMPILE_H
#define CODEGEN_COMPILE_H

#include "codegen/codegen.h"

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

/// What LLVM says against a module. Without a handler of ours, an error would end the process.
struct complaint {
  LLVMContextRef context;
  LLVMDiagnosticHandler old_handler;
  void *old_context;
  char text[512];
};
void complaint_begin(struct complaint *complaint, LLVMContextRef context);
void complaint_end(struct complaint *complaint);

PKGIMG_MUST_USE enum pkgimg_status refuse(const struct codegen_options *options, const char *what, const char *why,
                                          struct pkgimg_error *error);

void dispose_module(LLVMModuleRef *module);
void dispose_machine(LLVMTargetMachineRef *machine);
void dispose_context(LLVMContextRef *context);

/// What a target is for LLVM. The module takes its triple and data layout.
PKGIMG_MUST_USE enum pkgimg_status make_machine(const struct codegen_options *options, LLVMModuleRef module,
                                                const struct codegen_target *kind, LLVMTargetMachineRef *machine,
                                                struct pkgimg_error *error);

PKGIMG_MUST_USE enum pkgimg_status check_module(const struct codegen_options *options, LLVMModuleRef module,
                                                struct pkgimg_error *error);

/// The whole of LLVM's pipeline; or its first half, which does not depend on the processor and is done
/// once for a module that is then divided, and the second, for one target. Without optimisation
/// there are no halves.
PKGIMG_MUST_USE enum pkgimg_status optimise(const struct codegen_options *options, LLVMModuleRef module,
                                            LLVMTargetMachineRef machine, struct pkgimg_error *error);
PKGIMG_MUST_USE enum pkgimg_status optimise_first_half(const struct codegen_options *options, LLVMModuleRef module,
                                                       LLVMTargetMachineRef machine, struct pkgimg_error *error);
PKGIMG_MUST_USE enum pkgimg_status optimise_second_half(const struct codegen_options *options,
                                                        LLVMModuleRef module, LLVMTargetMachineRef machine,
                                                        struct pkgimg_error *error);

/// Room for products.
PKGIMG_MUST_USE enum pkgimg_status result_allocate(struct codegen_result *result, size_t count,
                                                   struct pkgimg_error *error);

PKGIMG_MUST_USE enum pkgimg_status emit(const struct codegen_options *options, LLVMModuleRef module,
                                        LLVMTargetMachineRef machine, struct buffer *product,
                                        struct pkgimg_error *error);

#endif
