// SPDX-License-Identifier: Apache-2.0
const option = (name, kind, description, more = {}) => ({ name, kind, required: false, description, default: null, choices: null, ...more });

export function targets() {
  return {
    targets: [
      { name: "local", type: "local", description: "This machine", options: {}, slots: 8, in_use: 4, file: null, problem: null },
      { name: "workstation", type: "ssh", description: "Machines reached by SSH", options: { hosts: ["ada@node1:2201", "ada@node2"], slots: 4 }, slots: 8, in_use: 8, file: "/home/ada/.config/hdrive/targets.yml:3", problem: null },
      { name: "cluster", type: "slurm", description: "Jobs of Slurm", options: { partition: "gpu", account: "vision" }, slots: null, in_use: 12, file: "/home/ada/digits/targets.yml:1", problem: null },
      { name: "old-box", type: "ssh", description: "Machines reached by SSH", options: { hosts: ["box"] }, slots: null, in_use: null, file: "/home/ada/.config/hdrive/targets.yml:11", problem: "targets.yml:12:9: hosts: the identity file ~/.ssh/box is not there" },
    ],
    types: [
      { type: "ssh", description: "Machines that are reached by SSH; nothing has to be installed there.", options: [
        option("host", "text", "user@host:port of a machine; several are separated by blanks", { required: true }), option("slots", "integer", "Runs at once on each machine", { default: 1 }),
        option("identity_file", "text", "The private key, where ssh would not find it by itself"), option("directory", "text", "Where runs live there", { default: "~/.hdrive" })] },
      { type: "slurm", description: "Jobs of Slurm, whose nodes share the sweep's folder.", options: [
        option("partition", "text", "The partition"), option("account", "text", "The account"), option("time_limit", "text", "As sbatch takes it"), option("arrays", "boolean", "Submit runs as job arrays", { default: true })] },
      { type: "command", description: "Any batch system by its commands.", options: [option("system", "text", "Which system", { required: true, choices: ["sge", "pbs", "lsf", "htcondor"] }), option("queue", "text", "The queue")] },
    ],
  };
}

export const SCHEMA = {
  type: "object",
  properties: {
    sampling: { type: "object", description: "How parameter sets are chosen, and from which space.", properties: {
      type: { enum: ["random", "grid", "bayesian", "auto"], description: "The sampler." },
      parameter_space: { type: "array", description: "The parameters, in the order in which they appear on the command line.", items: { type: "object", properties: {
        name: { type: "string", description: "The parameter's name." }, expression: { enum: ["choice", "randint", "uniform", "quniform", "loguniform", "normal", "log_uniform_values", "int_uniform"] }, values: { type: "array" } } } } } },
    policy: { type: "object", description: "The early-termination policy.", properties: { type: { enum: ["BanditPolicy", "MedianStoppingPolicy", "TruncationSelectionPolicy", "NoTerminationPolicy"] },
      slack_factor: { type: "number" }, slack_amount: { type: "number" }, evaluation_interval: { type: "integer" }, delay_evaluation: { type: "integer" } } },
    primary_metric_name: { type: "string", description: "The metric to optimise." }, primary_metric_goal: { enum: ["Maximize", "Minimize"] },
    max_total_runs: { type: "integer", description: "How many runs are ever created." }, max_concurrent_runs: { type: "integer" }, max_duration_minutes: { type: "number" }, command: { type: "string", description: "The program." }, seed: { type: "integer" },
  },
};
