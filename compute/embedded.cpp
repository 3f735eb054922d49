// SPDX-License-Identifier: Apache-2.0
#include "compute/embedded.h"

#include <utility>

#include "base/file.h"

// The build gives HDRIVE_EMBED_SUPERVISOR and HDRIVE_EMBED_RUN_MODULE, the two files' paths, and
// HDRIVE_EMBED_REPORT and HDRIVE_EMBED_AZUREML, the folders with the others, and compiles this file again when one of them
// changes.
#define HDRIVE_EMBED(symbol, path)                                                           \
  __asm__(                                                                                   \
      ".pushsection .rodata\n"                                                               \
      ".balign 16\n"                                                                         \
      ".globl " #symbol "_begin\n.hidden " #symbol                                           \
      "_begin\n"                                                                             \
      ".globl " #symbol "_end\n.hidden " #symbol "_end\n" #symbol "_begin:\n.incbin \"" path \
      "\"\n" #symbol                                                                         \
      "_end:\n.byte 0\n"                                                                     \
      ".popsection\n");                                                                      \
  extern "C" __attribute__((visibility("hidden"))) const char symbol##_begin[];              \
  extern "C" __attribute__((visibility("hidden"))) const char symbol##_end[];

HDRIVE_EMBED(hdrive_embedded_supervisor, HDRIVE_EMBED_SUPERVISOR)
HDRIVE_EMBED(hdrive_embedded_run_module, HDRIVE_EMBED_RUN_MODULE)
HDRIVE_EMBED(hdrive_embedded_report, HDRIVE_EMBED_REPORT "/hdrive_report.py")
HDRIVE_EMBED(hdrive_embedded_job, HDRIVE_EMBED_REPORT "/hdrive_job.py")
HDRIVE_EMBED(hdrive_embedded_azureml, HDRIVE_EMBED_AZUREML "/_script/azureml/__init__.py")
HDRIVE_EMBED(hdrive_embedded_azureml_context, HDRIVE_EMBED_AZUREML "/_context.py")
HDRIVE_EMBED(hdrive_embedded_azureml_datasets, HDRIVE_EMBED_AZUREML "/_datasets.py")
HDRIVE_EMBED(hdrive_embedded_azureml_errors, HDRIVE_EMBED_AZUREML "/_errors.py")
HDRIVE_EMBED(hdrive_embedded_azureml_model, HDRIVE_EMBED_AZUREML "/_model.py")
HDRIVE_EMBED(hdrive_embedded_azureml_modules, HDRIVE_EMBED_AZUREML "/_modules.py")
HDRIVE_EMBED(hdrive_embedded_azureml_settings, HDRIVE_EMBED_AZUREML "/_settings.py")
HDRIVE_EMBED(hdrive_embedded_azureml_submitted, HDRIVE_EMBED_AZUREML "/_submitted.py")

namespace hdrive::compute {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view embedded_supervisor() {
  return between(hdrive_embedded_supervisor_begin, hdrive_embedded_supervisor_end);
}

std::string_view embedded_run_module() {
  return between(hdrive_embedded_run_module_begin, hdrive_embedded_run_module_end);
}

namespace {

Result<void> install(const std::filesystem::path& file, std::string_view text) {
  if (const auto present = base::read_file(file); present && *present == text) return {};
  if (auto made = base::make_directories(file.parent_path(), 3); !made) return made.error();
  return base::write_file_atomically(file, text);
}

}  // namespace

Result<void> install_run_modules(const std::filesystem::path& directory) {
  const std::pair<const char*, std::string_view> files[] = {
      {"hdrive_run.py", embedded_run_module()},
      {"hdrive_report.py", between(hdrive_embedded_report_begin, hdrive_embedded_report_end)},
      {"hdrive_job.py", between(hdrive_embedded_job_begin, hdrive_embedded_job_end)},
      {"azureml/_context.py",
       between(hdrive_embedded_azureml_context_begin, hdrive_embedded_azureml_context_end)},
      {"azureml/_datasets.py",
       between(hdrive_embedded_azureml_datasets_begin, hdrive_embedded_azureml_datasets_end)},
      {"azureml/_errors.py",
       between(hdrive_embedded_azureml_errors_begin, hdrive_embedded_azureml_errors_end)},
      {"azureml/_model.py",
       between(hdrive_embedded_azureml_model_begin, hdrive_embedded_azureml_model_end)},
      {"azureml/_modules.py",
       between(hdrive_embedded_azureml_modules_begin, hdrive_embedded_azureml_modules_end)},
      {"azureml/_settings.py",
       between(hdrive_embedded_azureml_settings_begin, hdrive_embedded_azureml_settings_end)},
      {"azureml/_submitted.py",
       between(hdrive_embedded_azureml_submitted_begin, hdrive_embedded_azureml_submitted_end)},
      {"azureml/__init__.py", between(hdrive_embedded_azureml_begin, hdrive_embedded_azureml_end)}};
  for (const auto& [name, text] : files)
    if (auto installed = install(directory / name, text); !installed) return installed;
  return {};
}

}  // namespace hdrive::compute
