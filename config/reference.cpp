// SPDX-License-Identifier: Apache-2.0
//
// docs/hdconfig.md: the schema and the registries as a page.
#include <string>

#include "base/text.h"
#include "config/reference_table.h"
#include "config/schema.h"
#include "config/write.h"
#include "hdrive/config.h"
#include "hdrive/space.h"

namespace hdrive {
namespace {

using config::KeyInfo;
using config::Section;

constexpr std::string_view kHead =
    R"(<!-- Generated from the schema table in config/ by config_reference(); do not edit. -->
# hdconfig.yml

The file that defines a sweep: HyperDrive's format, and optional keys of hdrive's own. A complete one:

```yaml
sampling:
  type: random
  parameter_space:
  - name: --learning_rate
    expression: loguniform
    values: [-9.2, -2.3]          # natural logarithms: 0.0001 to 0.1; or log_uniform_values
  - name: --layers
    expression: choice
    values: [1, 2, 3]
policy:
  type: BanditPolicy
  evaluation_interval: 1
  delay_evaluation: 5
  slack_factor: 0.2
primary_metric_name: accuracy
primary_metric_goal: Maximize
max_total_runs: 40
max_concurrent_runs: 2
max_duration_minutes: 100
command: python3 train.py --epochs 20
```

`hdrive validate hdconfig.yml` checks a file and tells every problem at once, each as
`file:line:column: what is wrong; what is allowed; did you mean`. `--set key=value` on the command line
replaces a value (`--set policy.slack_factor=0.1`; parameters go by name:
`--set sampling.parameter_space.layers.values=[1,2]`). With `-c`, HyperDrive's run configuration gives
script, arguments, interpreter, environment variables and time limit; what hdconfig.yml says itself wins
over it, and the command line (`--set`, and a command after `--`) over both.

Scalars follow YAML 1.2: `true` and `false` are the booleans (`yes` and `no` are text), what stands in
quotes is text. Enumerations are taken in any case. An unknown or repeated key is an error. Merge keys of YAML 1.1
(`<<: *defaults`) are taken as PyYAML does: the mapping's own keys win.

`-` as the file is standard input; there, and of any other pipe (`<(...)`, `/dev/stdin`), relative paths count from
the working directory. By a JSON Schema editors complete, explain and check keys (VS Code with its YAML extension, and
whatever else has yaml-language-server). It is installed as `share/hdrive/hdconfig.schema.json`, and printed by
`hdrive config-reference --schema`; the first line of the file names it:
`# yaml-language-server: $schema=/usr/local/share/hdrive/hdconfig.schema.json`.
)";

constexpr std::string_view kOptions = R"(
An option of a `choice` may have parameters of its own, which exist only in the sets with this option:

```yaml
  - name: optimizer
    expression: choice
    values:
    - sgd
    - value: adam
      parameters:
      - {name: beta1, expression: uniform, values: [0.8, 0.99]}
```

Any mapping with the key `parameters` is such an option; other mappings are JSON objects as they stand:
)";

constexpr std::string_view kOptionsTail = R"(
Where `optimizer` is `sgd` there is no `beta1`: no argument, no environment variable, nothing in JSON, an
empty cell in CSV. Two parameters may share a name where they can never exist together, as a learning rate
of its own for each optimizer. A start point that gives `beta1` need not say `adam`. `--set` finds an option
by its value: `--set sampling.parameter_space.optimizer.values.adam.parameters.beta1.values=[0.9,0.99]`.
)";

constexpr std::string_view kExpressionsHead = R"(
## Expressions

`U(a, b)` is a uniform draw, `N(mu, sigma)` a normal one; logarithms and exponentials are natural, so
`loguniform` and `qloguniform` take the logarithms of their bounds. `round` rounds half to even, and
nothing is clamped: a value rounded to a multiple of q may lie outside its bounds.

| expression | values | drawn |
|---|---|---|
)";

constexpr std::string_view kOwnExpressions = R"(
Four more are hdrive's own, for logarithmic scales and integers with their bounds as they are. They have the names of W&B,
and are also taken under those which users of Optuna would guess; `validate --azure` tells what Azure has instead.

| expression | also written | values | drawn |
|---|---|---|---|
)";

constexpr std::string_view kOwnExpressionsTail = R"(
`choice` is also written `categorical`, and `uniform` `float`. An integer on a logarithmic scale is drawn as Optuna does it,
from half a step below the least to half a step above the greatest, so that the ends are as likely as they should be;
`q_log_uniform_values` is rounded as all q-forms are, by which its ends come half as often, or lie outside the bounds.
There is no expression for each combination of kind, scale and step, since a range of integers with a step is a `quniform`.
)";

constexpr std::string_view kDifferences = R"(
What is other than in HyperDrive: `max_concurrent_runs` left out means a run for each processor and not all at once;
`max_duration_minutes` does not count pauses, nor the time between a stop and a `resume`; samplers that learn take the integers of
`randint` as ordered; policies take values that are equal to within rounding as equal. A warm start (`resume_from`,
`resume_child_runs`, docs/warm-start.md) is in the file, where HyperDrive has it in Python alone. `hdrive validate --azure` tells what of this
concerns a file.
)";

constexpr std::string_view kCommandTail = R"(
## How values reach the program

Drawn values are appended to the command as `--name value`, in the order of the file; a name that begins
with a dash is used as it is. Where the command holds `${{search_space.x}}`, values are placed there
instead and nothing is appended. A word that places nothing but a parameter which does not exist in this set
is left out, and so is the option before it: of `--beta1 ${{search_space.beta1}}` both words, of
`--beta1=${{search_space.beta1}}` the one. In a word with blanks, such as the script of `sh -c`, and beside
other values the placeholder becomes empty. In every case the environment holds the values:

| variable | content |
|---|---|
| `AZUREML_SWEEP_<name>` | the value; dashes in front of the name are dropped, characters other than letters, digits and `_` become `_` |
| `HDRIVE_PARAMETERS` | all values as a JSON object |
| `AZUREML_RUN_ID`, `HDRIVE_RUN_ID` | the run's id |
| `AZUREML_ARM_PROJECT_NAME` | the experiment, where there is one |
| `HDRIVE_RUN_NUMBER` | its number in the sweep, from 0 |
| `HDRIVE_SEED` | a seed for the run, from 0 to 2^31 - 1, drawn from the sweep's `seed` by the run's number: every run has another one, and every attempt of a run the same |
| `HDRIVE_SWEEP_ID` | the sweep's id |

docs/metric-protocol.md tells what else a run finds there. Values are written as Python prints them: integers as they
are, other numbers as `repr` has them, the shortest text that reads back equal (`0.0001`, `1e-05`, `1000000.0`, `1e+16`),
booleans as `True` and `False`, null as `None`, text unchanged, lists and objects as compact JSON. Linux hands a program
words and variables of 128 kB at most, and 2 MB of them together as a rule: `validate` warns where values may be longer,
and HDRIVE_PARAMETERS is left out where it does not fit.
)";

std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string default_cell(const KeyInfo& row) {
  if (row.required && row.default_text.empty()) return "required";
  if (row.required) return "required; " + cell(row.default_text);
  if (row.default_text.empty()) return "none";
  return row.default_in_words ? cell(row.default_text) : "`" + cell(row.default_text) + "`";
}

}  // namespace

void config::append_rows(std::string& page, const std::vector<KeyInfo>& rows) {
  page += "\n| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const KeyInfo& row : rows)
    page += "| `" + std::string(row.name) + "` | " + cell(config::allowed_text(row)) + " | " +
            default_cell(row) + " | " + cell(row.summary) + " |\n";
}

namespace {

using config::append_rows;

std::vector<KeyInfo> top_rows(bool own) {
  std::vector<KeyInfo> rows;
  for (const KeyInfo& row : config::rows_of(Section::top))
    if (row.own == own) rows.push_back(row);
  return rows;
}

void append_algorithms(std::string& page, Section section,
                       const std::vector<AlgorithmInfo>& table) {
  for (const AlgorithmInfo& algorithm : table) {
    page += "\n### " + std::string(algorithm.name) + "\n\n" + std::string(algorithm.summary) + "\n";
    std::vector<std::string> aliases;
    for (const std::string_view alias : algorithm.aliases)
      aliases.push_back("`" + std::string(alias) + "`");
    if (!aliases.empty()) page += "\nAlso written " + base::join(aliases, ", ") + ".\n";
    std::vector<KeyInfo> rows;
    for (const OptionInfo& option : algorithm.options)
      rows.push_back(config::row_of(section, option));
    if (!rows.empty()) append_rows(page, rows);
  }
}

std::string joined(const std::vector<std::string_view>& words, const std::string& quote) {
  std::vector<std::string> quoted;
  for (const std::string_view word : words) quoted.push_back(quote + std::string(word) + quote);
  return base::join(quoted, ", ");
}

void append_expressions(std::string& page) {
  page += kExpressionsHead;
  for (const bool own : {false, true}) {
    if (own) page += kOwnExpressions;
    for (const ExpressionInfo& info : expressions())
      if (info.own == own)
        page += "| `" + std::string(info.name) + "` | " +
                (own ? joined(info.aliases, "`") + " | " : "") + "`[" + joined(info.arguments, "") +
                "]` | " + cell(info.formula) + " |\n";
  }
  page += kOwnExpressionsTail;
}

}  // namespace

std::string config_reference() {
  std::string page(kHead);
  page += "\n## HyperDrive's keys\n";
  append_rows(page, top_rows(false));
  page += kDifferences;
  page += "\n## Keys of hdrive's own\n";
  append_rows(page, top_rows(true));
  page += "\n## resources\n";
  append_rows(page, config::rows_of(Section::resources));
  page += "\n## distribution\n";
  append_rows(page, config::rows_of(Section::distribution));
  page += "\n## sampling\n";
  append_rows(page, config::rows_of(Section::sampling));
  page += "\nEach item of `parameter_space`:\n";
  append_rows(page, config::rows_of(Section::parameter));
  page += kOptions;
  append_rows(page, config::rows_of(Section::option));
  page += kOptionsTail;
  append_expressions(page);
  page += "\n## Samplers\n";
  append_algorithms(page, Section::sampling, sampler_algorithms());
  page += "\n## policy\n";
  append_rows(page, config::rows_of(Section::policy));
  append_algorithms(page, Section::policy, policy_algorithms());
  page += kCommandTail;
  return page;
}

}  // namespace hdrive
