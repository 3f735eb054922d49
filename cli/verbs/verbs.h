// SPDX-License-Identifier: Apache-2.0
//
// The verbs: one function and one file each. The table in verbs.cpp names them to users.
#pragma once

#include "cli/command.h"

namespace hdrive::cli {

Action setup_run(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_attach(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_watch(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_init(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_validate(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_sample(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_session(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_list(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_status(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_ui(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_report(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_plot(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_show(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_logs(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_best(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_export(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_stop(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_submit_script(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_download(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_environment(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_experiment(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_folder(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_target(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_pause(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_resume(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_retry(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_enqueue(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_update(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_check(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_repair(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_diff(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_convert(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_delete(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_prune(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_log(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_list_algorithms(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_version(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_completion(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_complete(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_man(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_container_run(ArgumentParser& parser, std::vector<std::string>& arguments);
Action setup_config_reference(ArgumentParser& parser, std::vector<std::string>& arguments);

}  // namespace hdrive::cli
