// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_reader.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "config/scalar.h"

namespace hdrive::config {
namespace {

constexpr int kDeepest = 100;
constexpr std::size_t kHeaviest = std::size_t{64} << 20;

using NodeMaker = std::shared_ptr<Node>;

/// Ends the reading after a problem that leaves nothing to go on with.
struct Abort {};

Place place_of(int source, const YAML::Mark& mark) {
  if (mark.is_null()) return {source, 0, 0};
  return {source, mark.line + 1, mark.column + 1};
}

/// Builds the tree from yaml-cpp's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(int source, Problems& problems) : source_(source), problems_(problems) {}

  NodePtr root() const { return root_; }

  /// The innermost list or mapping that has begun and not ended.
  std::optional<Place> unfinished() const {
    if (open_.empty()) return std::nullopt;
    return open_.back().node->place;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    fail(mark, "a second document begins here; allowed: one document in a file");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = make(mark, anchor);
    // An empty value is reported where the next thing begins; the key is the better place.
    if (!open_.empty() && open_.back().key && open_.back().key->place.line != node->place.line)
      node->place = open_.back().key->place;
    deliver(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = make(mark, anchor);
    if (tag == "!" || tag.starts_with("tag:")) check_closed(mark);
    node->text = value;
    node->weight += value.size();
    if (!resolve_scalar(tag, *node))
      fail(mark, "unknown tag " + in_quotes(tag) + "; allowed: none, or !!str before a value");
    deliver(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    const bool inside = std::any_of(open_.begin(), open_.end(), [&](const Open& open) {
      return found != anchors_.end() && open.node == found->second;
    });
    if (found == anchors_.end() || inside)
      fail(mark, "an alias stands inside the value it names, which would never end");
    deliver(found->second, place_of(source_, mark));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {  ///< a list or mapping that is being read
    NodeMaker node;
    std::optional<Entry> key;                          ///< of a mapping: waits for its value
    bool duplicate = false;                            ///< that key was there before
    std::unordered_map<std::string, Place> seen = {};  ///< keys so far
  };

  [[noreturn]] void fail(const YAML::Mark& mark, std::string text) {
    problems_.error(place_of(source_, mark), std::move(text));
    throw Abort{};
  }

  // yaml-cpp takes a quoted text that runs to the end of the file as closed there.
  void check_closed(const YAML::Mark& mark) {
    const std::string_view text = problems_.source_text(source_);
    auto at = static_cast<std::size_t>(std::max(0, mark.pos));
    // Properties (!!str, &anchor) may stand before the quote.
    while (at < text.size() && (text[at] == '!' || text[at] == '&'))
      at = text.find_first_not_of(" \t\r\n",
                                  std::min(text.find_first_of(" \t\r\n", at), text.size()));
    if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return;
    const char quote = text[at];
    for (++at; at < text.size(); ++at) {
      const bool twice = quote == '\'' && text.substr(at).starts_with("''");
      if (twice || (quote == '"' && text[at] == '\\'))
        ++at;
      else if (text[at] == quote)
        return;
    }
    fail(mark, "not valid YAML: a quoted text is never closed; add the closing quote");
  }

  NodeMaker make(const YAML::Mark& mark, YAML::anchor_t anchor) {
    auto node = std::make_shared<Node>();
    node->place = place_of(source_, mark);
    if (anchor != 0) anchors_[anchor] = node;
    return node;
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             Node::Kind kind) {
    if (static_cast<int>(open_.size()) >= kDeepest) too_deep(place_of(source_, mark));
    const char* standard =
        kind == Node::Kind::list ? "tag:yaml.org,2002:seq" : "tag:yaml.org,2002:map";
    if (!tag.empty() && tag != "?" && tag != "!" && tag != standard)
      fail(mark, "unknown tag " + in_quotes(tag) + "; allowed: none, or !!str before a value");
    auto node = make(mark, anchor);
    node->kind = kind;
    open_.push_back({std::move(node), std::nullopt});
  }

  void end() {
    NodeMaker node = std::move(open_.back().node);
    open_.pop_back();
    deliver(std::move(node));
  }

  [[noreturn]] void too_deep(Place place) {
    problems_.error(place, "lists and mappings are nested too deeply; allowed: " +
                               std::to_string(kDeepest) + " levels");
    throw Abort{};
  }

  void deliver(NodeMaker node) {
    const Place place = node->place;
    deliver(std::move(node), place);
  }

  // Puts a finished node where it belongs; `place` is where it stands, for an alias the alias itself.
  void deliver(NodeMaker node, Place place) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& open = open_.back();
    grow(*open.node, *node, place);
    if (open.node->is(Node::Kind::list)) {
      open.node->items.push_back(std::move(node));
    } else if (!open.key) {
      take_key(open, *node, place);
    } else {
      open.key->value = std::move(node);
      if (!open.duplicate) open.node->entries.push_back(*std::move(open.key));
      open.key.reset();
    }
  }

  void take_key(Open& open, const Node& node, Place place) {
    if (!node.is_scalar()) {
      problems_.error(place, "a key is " + describe(node) + "; allowed: a word");
      throw Abort{};
    }
    open.key =
        Entry{node.is(Node::Kind::null) && node.text.empty() ? "null" : node.text, place, {}};
    const auto [first, fresh] = open.seen.emplace(open.key->key, place);
    open.duplicate = !fresh;
    if (!fresh)
      problems_.error(place, "duplicate key " + in_quotes(open.key->key) + "; it stands on line " +
                                 std::to_string(first->second.line) + " already");
  }

  void grow(Node& parent, const Node& child, Place place) {
    parent.weight += child.weight;
    parent.depth = std::max(parent.depth, child.depth + 1);
    if (parent.depth > kDeepest) too_deep(place);
    if (parent.weight > kHeaviest) {
      problems_.error(place, "aliases make the file too large; allowed: " +
                                 std::to_string(kHeaviest >> 20) + " MB when written out");
      throw Abort{};
    }
  }

  int source_;
  Problems& problems_;
  NodePtr root_;
  int documents_ = 0;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, NodeMaker> anchors_;
};

// yaml-cpp's words say what its scanner met; these say what to look for.
std::string explain_syntax(const std::string& message) {
  struct Row {
    std::string_view theirs, ours;
  };
  static constexpr Row kRows[] = {
      {"illegal map value",
       "\": \" is not allowed here; check the indentation, or quote a text that holds \": \""},
      {"end of map not found",
       "this line does not continue the mapping it is in; check the indentation"},
      {"end of sequence not found",
       "this line does not continue the list it is in; check the indentation"},
      {"end of map flow not found", "\"{\" is never closed; add \"}\""},
      {"end of sequence flow not found", "\"[\" is never closed; add \"]\""},
      {"illegal EOF in scalar", "a quoted text is never closed; add the closing quote"},
      {"illegal document indicator in scalar", "a quoted text is never closed before this line"},
      {"unknown token", "a value cannot begin with this character; put the value in quotes"},
      {"illegal block entry", "\"- \" is not allowed here; check the indentation"},
      {"illegal map key", "\"? \" is not allowed here; check the indentation"},
      {"the referenced anchor is not defined",
       "an alias (*) names no anchor; define it before with &, or put a text that begins with "
       "\"*\" in quotes"},
      {"illegal flow end", "this \"]\" or \"}\" closes nothing; remove it"},
  };
  for (const Row& row : kRows)
    if (message == row.theirs) return "not valid YAML: " + std::string(row.ours);
  return "not valid YAML: " + message;
}

// A tab in the indentation makes yaml-cpp stumble somewhere later: name the cause.
std::optional<Place> tab_in_indentation(int source, std::string_view text, int line) {
  const auto lines = base::split(text, '\n');
  const int last = std::min<int>(line, static_cast<int>(lines.size()));
  for (int i = last; i >= std::max(1, last - 1); --i) {
    const std::string_view row = lines[static_cast<std::size_t>(i - 1)];
    const std::size_t indent = row.find_first_not_of(" \t");
    const std::size_t tab = row.find('\t');
    if (tab != std::string_view::npos && indent != std::string_view::npos && tab < indent)
      return Place{source, i, static_cast<int>(tab) + 1};
  }
  return std::nullopt;
}

void report_syntax(const YAML::Exception& exception, int source, std::optional<Place> unfinished,
                   Problems& problems) {
  Place place = place_of(source, exception.mark);
  const auto tab = tab_in_indentation(source, problems.source_text(source), place.line);
  // Where a bracket is missing is anyone's guess; where it was opened is known.
  if (unfinished && exception.msg.find("flow not found") != std::string::npos) place = *unfinished;
  if (tab)
    problems.error(*tab, "not valid YAML: a tab indents this line; indent with spaces");
  else
    problems.error(place, explain_syntax(exception.msg));
}

// Whether the bytes are text at all; yaml-cpp would silently replace what is not.
bool check_text(int source, Problems& problems) {
  const std::string& text = problems.source_text(source);
  Place place{source, 1, 1};
  std::size_t i = 0;
  const auto fail = [&](const std::string& what) {
    problems.error(place, what + "; allowed: YAML as UTF-8 text");
    return false;
  };
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0) return fail("this is a binary file (it holds a zero byte)");
    std::size_t length = 1;
    if (byte >= 0x80) {
      while (i + length < text.size() && length < 4 &&
             (static_cast<unsigned char>(text[i + length]) & 0xC0) == 0x80)
        ++length;
      const std::string_view character = std::string_view(text).substr(i, length);
      if (base::to_utf8(character) != character) return fail("these bytes are not UTF-8");
    }
    if (byte == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      place.column += static_cast<int>(length);
    }
    i += length;
  }
  return true;
}

std::shared_ptr<Node> with_entry(const Node& node, std::string_view key, Place place,
                                 const NodePtr& value) {
  auto copy = std::make_shared<Node>(node);
  copy->kind = Node::Kind::map;
  for (Entry& entry : copy->entries) {
    if (entry.key != key) continue;
    entry.value = value;
    entry.place = place;
    return copy;
  }
  copy->entries.push_back({std::string(key), place, value});
  return copy;
}

// What an item of a list goes by: a parameter's name, an option's value.
const Entry* name_of(const Node& item) {
  const Entry* name = item.find("name");
  return name ? name : item.find("value");
}

std::optional<std::size_t> find_item(const Node& list, std::string_view key) {
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Entry* name = name_of(*list.items[i]);
    if (name && bare_name(name->value->text) == bare_name(key)) return i;
  }
  const auto number = base::parse_number(key);
  if (!number || *number < 0 || *number >= static_cast<double>(list.items.size()))
    return std::nullopt;
  return static_cast<std::size_t>(*number);
}

Error no_item(const Node& list, std::string_view key) {
  std::vector<std::string> names;
  for (const NodePtr& item : list.items)
    if (const Entry* name = name_of(*item)) names.emplace_back(bare_name(name->value->text));
  std::string text = "there is no item " + in_quotes(key) + " in the list";
  if (!names.empty()) text += "; allowed: " + listing(names);
  const std::string hint = base::did_you_mean(bare_name(key), names);
  return Error{"", text + (hint.empty() ? "" : ";" + hint)};
}

}  // namespace

const Entry* Node::find(std::string_view key) const {
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& candidate) { return candidate.key == key; });
  return entry == entries.end() ? nullptr : &*entry;
}

NodePtr read_yaml(int source, Problems& problems) {
  if (!check_text(source, problems)) return nullptr;
  TreeBuilder builder(source, problems);
  try {
    std::istringstream stream(problems.source_text(source));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    if (builder.root()) return builder.root();
    auto empty = std::make_shared<Node>();
    empty->place = {source, 1, 1};
    return empty;
  } catch (const Abort&) {
  } catch (const YAML::DeepRecursion& exception) {
    problems.error(place_of(source, exception.mark),
                   "lists and mappings are nested too deeply; allowed: " +
                       std::to_string(kDeepest) + " levels");
  } catch (const YAML::Exception& exception) {
    report_syntax(exception, source, builder.unfinished(), problems);
  } catch (const std::exception& exception) {
    problems.error({source, 0, 0}, std::string("cannot be read as YAML: ") + exception.what());
  }
  return nullptr;
}

Result<NodePtr> replaced(const NodePtr& root, const std::vector<std::string_view>& path,
                         const NodePtr& value, Place place) {
  if (path.empty()) return value;
  const std::vector<std::string_view> rest(path.begin() + 1, path.end());
  const std::string_view key = path.front();
  if (root->is(Node::Kind::list)) {
    const auto index = find_item(*root, key);
    if (!index) return no_item(*root, key);
    auto item = replaced(root->items[*index], rest, value, place);
    if (!item) return item;
    auto copy = std::make_shared<Node>(*root);
    copy->items[*index] = *item;
    return NodePtr(copy);
  }
  if (!root->is(Node::Kind::map) && !root->is(Node::Kind::null))
    return Error{"", in_quotes(key) + " cannot be set inside " + describe(*root)};
  const Entry* entry = root->find(key);
  auto empty = std::make_shared<Node>();
  empty->place = place;
  auto inner = replaced(entry ? entry->value : NodePtr(empty), rest, value, place);
  if (!inner) return inner;
  return NodePtr(with_entry(*root, key, rest.empty() || !entry ? place : entry->place, *inner));
}

}  // namespace hdrive::config
