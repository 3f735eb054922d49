// SPDX-License-Identifier: Apache-2.0
//
// Changes of targets.yml line by line, so that what else is in it, comments too, stays as somebody wrote it. What comes out
// is read again, and taken only if it says what it is meant to.
#include <algorithm>

#include "base/text.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/target_file.h"
#include "config/target_schema.h"
#include "config/write.h"

namespace hdrive {
namespace config {
namespace {

namespace fs = std::filesystem;

using Lines = std::vector<std::string>;

Lines lines_of(std::string_view text) {
  Lines lines;
  for (const std::string_view line : base::split(text, '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::size_t indentation(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool says_nothing(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first == line.npos || line[first] == '#';
}

// Behind the last line of what begins in `line` (from 0), in block style: all that is indented deeper. Comments and empty
// lines behind it are not its own.
std::size_t end_of_block(const Lines& lines, std::size_t line) {
  const std::size_t depth = indentation(lines[line]);
  std::size_t end = line + 1;
  for (std::size_t i = end; i < lines.size(); ++i) {
    if (says_nothing(lines[i])) continue;
    const bool item_of_key =
        indentation(lines[i]) == depth && lines[i].substr(depth).starts_with("- ");
    if (indentation(lines[i]) <= depth && !item_of_key) break;
    end = i + 1;
  }
  return end;
}

class Editor {
 public:
  Editor(std::string_view text, const fs::path& file, const TargetEdit& edit)
      : file_(file),
        edit_(edit),
        lines_(lines_of(text)),
        source_(problems_.add_source(file.string(), std::string(text))) {}

  EditedTargets apply() {
    before_ = read_target_file(source_, file_, problems_);
    if (problems_.errors() > 0 && !only_of_this_target()) return {"", problems_.take()};
    if (before_) change();
    if (problems_.errors() > errors_before_) return {"", problems_.take()};
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    check(text);
    auto problems = outcome_.take();
    const bool failed = std::any_of(problems.begin(), problems.end(), [](const Problem& problem) {
      return problem.severity == Problem::Severity::error;
    });
    return {failed ? "" : text, std::move(problems)};
  }

 private:
  // A target that is wrong may be mended or removed by its name.
  bool only_of_this_target() {
    errors_before_ = problems_.errors();
    return before_ && edit_.kind != TargetEdit::Kind::add &&
           before_->faulty == std::vector{edit_.name};
  }

  const Entry* given() const {
    return before_->targets && before_->targets->is(Node::Kind::map)
               ? before_->targets->find(edit_.name)
               : nullptr;
  }

  void refuse(const std::string& text) { problems_.error({source_, 0, 0}, text); }

  void change() {
    const Entry* entry = given();
    if (edit_.kind == TargetEdit::Kind::add) {
      report_name(problems_, {source_, 0, 0}, edit_.name);
      if (entry)
        return refuse("there is a target " + in_quotes(edit_.name) +
                      " already; hdrive target update changes it");
      return add();
    }
    if (!entry) {
      std::vector<std::string> names;
      if (before_->targets)
        for (const Entry& each : before_->targets->entries) names.push_back(each.key);
      const std::string hint = base::did_you_mean(edit_.name, names);
      return refuse("there is no target " + in_quotes(edit_.name) + " in it; there " +
                    (names.empty() ? "are none" : "is " + base::join(names, ", ")) +
                    (hint.empty() ? "" : ";" + hint));
    }
    if (!is_block(*entry)) return refuse(in_braces());
    if (edit_.kind == TargetEdit::Kind::remove)
      remove(*entry);
    else
      update(*entry);
  }

  std::string in_braces() const {
    return "its targets are written in braces on one line, in which hdrive changes nothing; write "
           "one a line, as in\n"
           "  targets:\n    NAME: {type: ssh, hosts: [node1]}";
  }

  // Whether the entry has its lines for itself.
  bool is_block(const Entry& entry) const {
    const std::size_t line = static_cast<std::size_t>(entry.place.line) - 1;
    return line < lines_.size() &&
           indentation(lines_[line]) + 1 == static_cast<std::size_t>(entry.place.column);
  }

  static Node with(const Node& map, const TargetEdit& edit, Problems& problems) {
    Node changed = map;
    for (const auto& [key, text] : edit.set) {
      const int source = problems.add_source("--set " + key, text, Problems::Lines::untold);
      const NodePtr value = read_yaml(source, problems);
      if (!value) continue;
      auto root =
          replaced(std::make_shared<Node>(changed), base::split(key, '.'), value, {source, 0, 0});
      if (root)
        changed = **root;
      else
        problems.error({source, 0, 0}, root.error().what);
    }
    return changed;
  }

  static Lines block(const std::string& name, const Node& map, std::size_t depth) {
    Lines lines{std::string(depth, ' ') + yaml_text(name) + ":"};
    for (const Entry& entry : map.entries)
      lines.push_back(std::string(depth + 2, ' ') + yaml_text(entry.key) + ": " +
                      one_line(*entry.value));
    return lines;
  }

  void add() {
    Node empty;
    empty.kind = Node::Kind::map;
    const Node map = with(empty, edit_, problems_);
    const Entry* all =
        before_->root->is(Node::Kind::map) ? before_->root->find("targets") : nullptr;
    if (!all) {
      if (!lines_.empty() && !says_nothing(lines_.back())) lines_.emplace_back();
      lines_.emplace_back("targets:");
      return insert(lines_.size(), block(edit_.name, map, 2));
    }
    const std::size_t line = static_cast<std::size_t>(all->place.line) - 1;
    if (!all->value->is(Node::Kind::map) || all->value->entries.empty()) {
      // "targets:" or "targets: {}"
      lines_[line] = std::string(indentation(lines_[line]), ' ') + "targets:";
      return insert(line + 1, block(edit_.name, map, indentation(lines_[line]) + 2));
    }
    const Entry& last = all->value->entries.back();
    if (!is_block(last)) return refuse(in_braces());
    const std::size_t of_last = static_cast<std::size_t>(last.place.line) - 1;
    insert(end_of_block(lines_, of_last), block(edit_.name, map, indentation(lines_[of_last])));
  }

  void remove(const Entry& entry) {
    const std::size_t line = static_cast<std::size_t>(entry.place.line) - 1;
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(line),
                 lines_.begin() + static_cast<std::ptrdiff_t>(end_of_block(lines_, line)));
  }

  void update(const Entry& entry) {
    const Node after = with(*entry.value, edit_, problems_);
    const std::size_t line = static_cast<std::size_t>(entry.place.line) - 1;
    const bool block_style =
        !entry.value->entries.empty() && is_block(entry.value->entries.front());
    if (!block_style) {
      remove(entry);
      return insert(line,
                    block(edit_.name, after, static_cast<std::size_t>(entry.place.column) - 1));
    }
    // From below, so that the lines above keep their numbers.
    const std::size_t depth =
        static_cast<std::size_t>(entry.value->entries.front().place.column) - 1;
    for (auto each = after.entries.rbegin(); each != after.entries.rend(); ++each) {
      const Entry* old = entry.value->find(each->key);
      const std::string text =
          std::string(depth, ' ') + yaml_text(each->key) + ": " + one_line(*each->value);
      if (!old) {
        insert(end_of_block(lines_, line), {text});
      } else if (old->value != each->value) {
        const std::size_t at = static_cast<std::size_t>(old->place.line) - 1;
        lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(at),
                     lines_.begin() + static_cast<std::ptrdiff_t>(end_of_block(lines_, at)));
        insert(at, {text});
      }
    }
  }

  void insert(std::size_t at, const Lines& lines) {
    lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(at), lines.begin(), lines.end());
  }

  // Whether the text says what it is to say, and of all other targets what it said before.
  void check(const std::string& text) {
    const auto after = read_target_file(outcome_.add_source(file_.string(), text), file_, outcome_);
    if (!after || outcome_.errors() > 0) return;
    const auto of = [](const TargetFile& file, const std::string& name) {
      const auto found = std::find_if(file.read.begin(), file.read.end(),
                                      [&](const NamedTarget& each) { return each.name == name; });
      return found == file.read.end() ? nullptr : &*found;
    };
    bool right = (of(*after, edit_.name) != nullptr) == (edit_.kind != TargetEdit::Kind::remove);
    for (const NamedTarget& each : before_->read) {
      if (each.name == edit_.name) continue;
      const NamedTarget* now = of(*after, each.name);
      right &= now && now->written == each.written;
    }
    if (!right)
      outcome_.error(
          {outcome_.add_source(file_.string()), 0, 0},
          "hdrive cannot change this file without harm to the rest of it; change it by hand");
  }

  const fs::path& file_;
  const TargetEdit& edit_;
  Problems problems_, outcome_;
  Lines lines_;
  int source_;
  std::size_t errors_before_ = 0;
  std::optional<TargetFile> before_;
};

}  // namespace
}  // namespace config

EditedTargets edit_targets(std::string_view text, const std::filesystem::path& file,
                           const TargetEdit& edit) {
  return config::Editor(text, file, edit).apply();
}

}  // namespace hdrive
