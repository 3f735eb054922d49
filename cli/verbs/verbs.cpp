// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs/verbs.h"

namespace hdrive::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {.name = "run",
       .usage = "[CONFIG] [options] [-- COMMAND...]",
       .summary = "Run a sweep to its end",
       .details =
           "Runs a sweep to its end.\n\n"
           "Behind \"--\" stands the command to train with; the drawn values are appended to it as "
           "\"--name value\", or placed where it says ${{search_space.name}}. Ctrl-C cancels the "
           "runs "
           "and keeps everything; a second one kills them at once. With --detach it returns when "
           "the first "
           "run has begun, and the sweep goes on by itself. With the --name of a sweep that was "
           "interrupted it goes on with that.",
       .examples = {"hdrive run hdconfig.yml -- python train.py --epochs 20",
                    "hdrive run hdconfig.yml --seed 7 --set max_total_runs=40 --name first-try",
                    "hdrive run hdconfig.yml --detach --name over-night",
                    "hdrive run hdconfig.yml --dry-run",
                    "hdrive run -e exp -c train --hyperdrive-configuration-name hdconfig.yml "
                    "train.py --x 1"},
       .setup = setup_run},
      {.name = "submit-script",
       .usage = "[options] [SCRIPT [ARGUMENTS...]]",
       .summary = "Run a script once, by a run configuration",
       .details =
           "Runs a script once, as `az ml run submit-script` did: the run configuration gives what "
           "the command line leaves out. It is a sweep of one run, and list, show, logs and all "
           "else know it as one.",
       .examples = {"hdrive submit-script -c local train.py --epochs 20",
                    "hdrive submit-script -e digits -c local --async -t run.json"},
       .setup = setup_submit_script},
      {.name = "init",
       .usage = "[SCRIPT] [options]",
       .summary = "Write a first configuration from a script's arguments",
       .details =
           "Writes an hdconfig.yml from the calls of add_argument() in a Python script, which is "
           "read and not run: each argument that looks like a hyperparameter gets an expression "
           "around its default, the others are listed with the reason. Without a script it writes "
           "an example.",
       .examples = {"hdrive init train.py", "hdrive init train.py -o - | less"},
       .setup = setup_init},
      {.name = "validate",
       .usage = "[CONFIG] [options] [-- COMMAND...]",
       .summary = "Check a configuration and tell all that is wrong with it",
       .examples = {"hdrive validate hdconfig.yml", "hdrive validate hdconfig.yml --azure"},
       .setup = setup_validate},
      {.name = "convert",
       .usage = "[CONFIG] [options]",
       .summary = "Write a v2 sweep job as hdconfig.yml, or hdconfig.yml as a v2 sweep job",
       .details = "Writes a v2 sweep job of Azure ML's as hdconfig.yml, or an hdconfig.yml as a v2 "
                  "sweep job, whichever the file is not. What the other format cannot express is "
                  "listed by key and line.",
       .examples = {"hdrive convert sweep.yml > hdconfig.yml",
                    "hdrive convert hdconfig.yml -o sweep.yml"},
       .setup = setup_convert},
      {.name = "sample",
       .usage = "[CONFIG] [options] [-- COMMAND...]",
       .summary = "Draw parameter sets and print their command lines; start nothing",
       .examples = {"hdrive sample hdconfig.yml -n 5 --seed 7 -- python train.py",
                    "hdrive sample hdconfig.yml -n 1000 -f csv > draws.csv"},
       .setup = setup_sample},
      {.name = "session",
       .usage = "[CONFIG] [options] | --resume SWEEP",
       .summary = "Propose parameters to a program that trains by itself, as lines of JSON",
       .details = "Answers requests on its standard input, one JSON object a line, with lines of "
                  "JSON on its "
                  "standard output, until the input ends: {\"op\":\"ask\"}, "
                  "{\"op\":\"report\",\"run\":0,\"step\":1,\"value\":0.4}, "
                  "{\"op\":\"tell\",\"run\":0,\"value\":0.5}, {\"op\":\"fail\",\"run\":0}, "
                  "{\"op\":\"best\"}. The "
                  "protocol is described in docs/session-protocol.md.",
       .examples = {"hdrive session hdconfig.yml", "hdrive session hdconfig.yml --memory --seed 7",
                    "hdrive session --resume last",
                    "echo '{\"op\":\"ask\",\"count\":3}' | hdrive session hdconfig.yml --memory"},
       .setup = setup_session},
      {.name = "list",
       .usage = "[options]",
       .summary = "List the sweeps",
       .examples = {"hdrive list", "hdrive list --experiment digits",
                    "hdrive list --status failed --last 5", "hdrive list -f json"},
       .setup = setup_list},
      {.name = "status",
       .usage = "[SWEEP] [options]",
       .summary = "Show where a sweep is, with a table of its runs",
       .examples = {"hdrive status", "hdrive status HD_1a2b --sort best",
                    "hdrive status last --last 20 --status failed --sort lr",
                    "hdrive status last -f csv"},
       .setup = setup_status},
      {.name = "show",
       .usage = "[SWEEP | SWEEP/RUN] [options]",
       .summary = "Explain a sweep, or a run: its parameters, metrics, and why it ended",
       .examples = {"hdrive show last", "hdrive show last/3", "hdrive show last/best -f json",
                    "hdrive show last --importance", "hdrive show last --plot"},
       .setup = setup_show},
      {.name = "ui",
       .usage = "[SWEEP] [options]",
       .summary = "Serve a page of all sweeps to a browser of this machine",
       .details =
           "Serves a page that shows every sweep live, and prints its address. The page works "
           "offline, disturbs no sweep, and ends with Ctrl-C. The address holds a token: only who "
           "has it is let in. Of a machine that is reached by ssh, `ssh -L 4747:localhost:4747 "
           "MACHINE` brings the page to yours.",
       .examples = {"hdrive ui", "hdrive ui last --open", "hdrive ui --port 8080 --read-only"},
       .setup = setup_ui},
      {.name = "report",
       .usage = "[SWEEP] [options]",
       .summary = "Write a sweep as one HTML file, with its charts and data inside",
       .details =
           "Writes a sweep as one HTML file, which opens from disk, without a network and without "
           "hdrive: to send to somebody, or to keep. It has all runs with their parameters and "
           "figures, and nothing of their environment, files and logs.",
       .examples = {"hdrive report last -o report.html",
                    "hdrive report HD_1a2b -o - | gzip > report.html.gz"},
       .setup = setup_report},
      {.name = "plot",
       .usage = "[SWEEP] [options]",
       .summary = "Draw a chart of a sweep as SVG",
       .details = "Draws one chart of a sweep as SVG, without a browser: the portal's kinds and "
                  "colours, for papers, "
                  "documents and CI. What it shows follows from the stored sweep alone, so the "
                  "same sweep gives the same "
                  "bytes; of a sweep that runs it is a picture of now.",
       .examples = {"hdrive plot last --kind curves -o curves.svg",
                    "hdrive plot HD_1a2b --kind parallel --params lr,layers,dropout --theme dark",
                    "hdrive plot last -k scatter --x lr --y batch_size -o - | rsvg-convert -f pdf "
                    "> scatter.pdf"},
       .setup = setup_plot},
      {.name = "logs",
       .usage = "[SWEEP/RUN] [options]",
       .summary = "Print what a run wrote",
       .details =
           "Prints what a run wrote to its standard output. A sweep alone stands for the run "
           "that started last. On a terminal, control characters are shown and not obeyed.",
       .examples = {"hdrive logs last/3 --tail 20", "hdrive logs last -f --both",
                    "hdrive logs last/best --stderr"},
       .setup = setup_logs},
      {.name = "best",
       .usage = "[SWEEP] [options]",
       .summary = "Print the best run of a sweep",
       .details = "The best run is the one that reported the best value. Where runs with the same "
                  "parameters report different values, that is the luckiest of many; `--by model` "
                  "prints the run whose parameters promise the most, by a Gaussian process of all "
                  "results, and `--by mean` the one whose repeats (repeat_best in the "
                  "configuration) have the best mean.",
       .examples = {"hdrive best", "hdrive best HD_1a2b -f json", "hdrive best --by model",
                    "hdrive best --by mean"},
       .setup = setup_best},
      {.name = "export",
       .usage = "[SWEEP...] [options]",
       .summary = "Write the runs, or all logged metrics, as JSON or CSV",
       .examples = {"hdrive export --experiment digits -f csv",
                    "hdrive export last -f csv -o runs.csv",
                    "hdrive export last --metrics -f json"},
       .setup = setup_export},
      {.name = "download",
       .usage = "[SWEEP | SWEEP/RUN] [options]",
       .summary = "Copy what a run left to a folder: outputs, logs, what it printed",
       .details = "Copies outputs, logs, stdout.log and stderr.log of a run into a folder named by "
                  "the run's id, and prints where. A sweep stands for its best run.",
       .examples = {"hdrive download last", "hdrive download last/3 -d results"},
       .setup = setup_download},
      {.name = "attach",
       .usage = "SWEEP [options]",
       .summary = "Watch a sweep that runs elsewhere, until it ends; Ctrl-C leaves it running",
       .examples = {"hdrive attach last"},
       .setup = setup_attach},
      {.name = "watch",
       .usage = "[SWEEP] [options]",
       .summary = "Look at a sweep while it goes on; Ctrl-C leaves, and disturbs nothing",
       .details = "Shows a sweep of any engine as its own terminal does: the runs that train, each "
                  "against the best "
                  "one and against what its policy would stop it at, those that ended last and "
                  "why, and the best value "
                  "over time. It only reads. Where no engine runs the sweep it waits for one; when "
                  "the sweep is over "
                  "it prints its summary. Its exit code says nothing of the sweep (`attach` does).",
       .examples = {"hdrive watch", "hdrive watch HD_1a2b"},
       .setup = setup_watch},
      {.name = "stop",
       .usage = "SWEEP | SWEEP/RUN [options]",
       .summary = "Stop a sweep, or one of its runs, from another terminal",
       .examples = {"hdrive stop last", "hdrive stop last/3 --no-wait"},
       .setup = setup_stop},
      {.name = "pause",
       .usage = "SWEEP [options]",
       .summary = "Start no more runs of a live sweep until it is resumed",
       .details = "Starts no more runs of a live sweep until `hdrive resume`.\n\n"
                  "Runs that train go on to their end and are judged as ever; `hdrive stop "
                  "SWEEP/RUN` ends "
                  "one. Time counts against max_duration_minutes as long as something runs.",
       .examples = {"hdrive pause last", "hdrive resume last"},
       .setup = setup_pause},
      {.name = "resume",
       .usage = "SWEEP [options]",
       .summary = "Go on with a sweep that was paused, interrupted or used up its budget",
       .examples = {"hdrive resume last", "hdrive resume HD_1a2b --set max_total_runs=40"},
       .setup = setup_resume},
      {.name = "retry",
       .usage = "SWEEP/RUN... [options]",
       .summary = "Try runs that have ended again",
       .details =
           "Tries runs that have ended again, each as the next attempt of the same run.\n\n"
           "The parameters and the run directory stay, what the attempts before left in it too; "
           "their metrics no longer count. A live sweep begins with it as soon as a slot is "
           "free, another one when it is resumed.",
       .examples = {"hdrive retry last/6", "hdrive retry last/6 last/9", "hdrive resume last"},
       .setup = setup_retry},
      {.name = "update",
       .usage = "SWEEP --set KEY=VALUE... [options]",
       .summary = "Change a sweep while it runs, or before it is resumed",
       .details = "Changes a sweep's configuration; all that happened is kept, and the change with "
                  "its time.\n\n"
                  "Budgets, concurrency, durations, retries, the policy and the options of the "
                  "sampler may "
                  "change. The search space, the kind of sampler, the seed, the primary metric and "
                  "its goal stay: "
                  "the runs so far were drawn from and judged by them. A live sweep goes on with "
                  "the change "
                  "at once; runs that train keep the time limit they were started with if the new "
                  "one is longer. "
                  "A sweep that nobody runs goes on with `hdrive resume`.",
       .examples = {"hdrive update last --set max_total_runs=200 --set max_concurrent_runs=4",
                    "hdrive update last --set policy.slack_factor=0.1"},
       .setup = setup_update},
      {.name = "enqueue",
       .usage = "SWEEP NAME=VALUE... [options]",
       .summary = "Try a parameter set of your own next",
       .details =
           "Puts a parameter set in front of the sampler's. It counts as a run; parameters "
           "it leaves out are drawn at random. A live sweep takes it with its next run, one "
           "that nobody runs with `hdrive resume`. In a configuration, `start_points` does the "
           "same for the first runs.",
       .examples = {"hdrive enqueue last lr=0.1 layers=2"},
       .setup = setup_enqueue},
      {.name = "check",
       .usage = "[SWEEP] [options]",
       .summary = "Read all of a sweep's database and check that it is what was written",
       .details =
           "Reads all of a sweep's database and compares it with the digests in it, as `hdrive "
           "resume` does. Other verbs check only what they read. Nothing is changed; where "
           "something is wrong, `hdrive repair` helps.",
       .examples = {"hdrive check last"},
       .setup = setup_check},
      {.name = "repair",
       .usage = "SWEEP [options]",
       .summary = "Rebuild a damaged database from what is left of it and the run directories",
       .details =
           "Rebuilds a sweep's database. What can be read of it is kept, what the run directories "
           "tell is added; the damaged file stays beside it under another name. Then `hdrive "
           "resume` "
           "goes on. A sound database is left alone.",
       .examples = {"hdrive repair HD_1a2b", "hdrive repair .hdrive/HD_1a2b"},
       .setup = setup_repair},
      {.name = "experiment",
       .usage = "[list | create NAME] [options]",
       .summary = "List the experiments, or note the name of a new one",
       .details = "An experiment is a name that groups sweeps: `run -e NAME` begins a sweep of it, "
                  "and `list --experiment NAME` lists them. It need not be created first.",
       .examples = {"hdrive experiment list", "hdrive experiment create digits"},
       .setup = setup_experiment},
      {.name = "target",
       .usage = "[list | create NAME | attach NAME | show NAME | test NAME | update NAME | delete "
                "NAME] [options]",
       .summary = "List, make, show, try, change or remove the places where runs can go",
       .details =
           "A target is a machine or a cluster under a name: `target: NAME` in hdconfig.yml sends "
           "the runs there. Targets are kept in targets.yml of the working directory, or with "
           "--global of the user; docs/targets-file.md has its keys. `test` starts two small runs "
           "and tells each step. `attach` is another word for `create`.",
       .examples = {"hdrive target list",
                    "hdrive target create workstation --host ada@node1:2201 --slots 2",
                    "hdrive target create cluster --type slurm --set partition=gpu --slots 100",
                    "hdrive target create grid --type command --set system=sge --slots 40",
                    "hdrive target test workstation", "hdrive target update cluster --set slots=50",
                    "hdrive target delete cluster"},
       .setup = setup_target},
      {.name = "environment",
       .usage = "[list | show | remove | build] [ENVIRONMENT...] [options]",
       .summary = "List, show, remove or build the environments of run configurations",
       .details = "Environments that run configurations ask for are built once and kept for all "
                  "sweeps. `build` does it ahead, and prints the interpreter.",
       .examples = {"hdrive environment list", "hdrive environment build -c local",
                    "hdrive environment build AzureML-sklearn-0.24",
                    "hdrive environment remove 1a2b"},
       .setup = setup_environment},
      {.name = "folder",
       .usage = "attach [options]",
       .summary = "Write sample configurations into .azureml, as az ml folder attach did",
       .details = "Writes config.json, two run configurations, conda_dependencies.yml and "
                  "hdconfig.yml into .azureml of a folder. A file that is there is kept.",
       .examples = {"hdrive folder attach", "hdrive folder attach -e digits --path project"},
       .setup = setup_folder},
      {.name = "diff",
       .usage = "A B [options]",
       .summary = "Tell what differs between two sweeps, or two runs",
       .details = "Compares two sweeps, or two runs: parameters, configuration, the state of the "
                  "git repository, and the files of their snapshots, texts by lines.",
       .examples = {"hdrive diff HD_1a2b last", "hdrive diff last/3 last/best",
                    "hdrive diff HD_1a2b/0 last/0 -f json"},
       .setup = setup_diff},
      {.name = "delete",
       .usage = "SWEEP... [options]",
       .summary = "Delete sweeps with everything of them",
       .details = "Tells what would be freed; with --yes the sweeps are deleted, and what of their "
                  "snapshots no other sweep has. One that an engine runs is never deleted.",
       .examples = {"hdrive delete HD_1a2b", "hdrive delete HD_1a2b first-try --yes"},
       .setup = setup_delete},
      {.name = "prune",
       .usage = "[SWEEP...] --keep-best N | --older-than AGE | --failed | --outputs [options]",
       .summary = "Give back disk space of sweeps that are over",
       .details = "Tells what would be freed; with --yes it is deleted. Outputs, checkpoints and "
                  "kept working folders go, and what tells of the runs stays: parameters, metrics, "
                  "logs. With --older-than whole sweeps go. What an engine runs is left alone.",
       .examples = {"hdrive prune --keep-best 5", "hdrive prune --older-than 30d --yes",
                    "hdrive prune last --failed"},
       .setup = setup_prune},
      {.name = "log",
       .usage = "NAME VALUE [options]",
       .summary = "Log a metric from a training script",
       .details =
           "Logs a metric of the run whose training script calls it: appends a line to the file "
           "named by HDRIVE_METRICS_FILE, which hdrive sets for every run.",
       .examples = {"hdrive log accuracy 0.93", "hdrive log loss 1.5e-3 --step 3"},
       .setup = setup_log},
      {.name = "list-algorithms",
       .usage = "[options]",
       .summary = "List the samplers and the early-termination policies",
       .examples = {"hdrive list-algorithms", "hdrive list-algorithms -f json"},
       .setup = setup_list_algorithms},
      {.name = "version",
       .usage = "",
       .summary = "Print the version",
       .examples = {"hdrive version"},
       .setup = setup_version},
      {.name = "completion",
       .usage = "bash | zsh | fish",
       .summary = "Print a completion script for a shell",
       .examples = {"source <(hdrive completion bash)",
                    "hdrive completion zsh > \"${fpath[1]}/_hdrive\"",
                    "hdrive completion fish > ~/.config/fish/completions/hdrive.fish"},
       .setup = setup_completion},
      {.name = "man",
       .usage = "",
       .summary = "Print the manual page",
       .examples = {"hdrive man | man -l -"},
       .setup = setup_man},
      {.name = "complete",
       .usage = "WORD...",
       .summary = "Print what may stand for the last word; for completion scripts",
       .examples = {},
       .setup = setup_complete,
       .hidden = true},
      {.name = "container-run",
       .usage = "[options] -- COMMAND...",
       .summary = "Run the command of a run in a container; called by runs alone",
       .examples = {},
       .setup = setup_container_run,
       .hidden = true},
      {.name = "config-reference",
       .usage = "",
       .summary = "Print docs/hdconfig.md, the reference of hdconfig.yml",
       .examples = {},
       .setup = setup_config_reference,
       .hidden = true},
  };
  return table;
}

}  // namespace hdrive::cli
