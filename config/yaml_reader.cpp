// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_reader.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "config/scalar.h"
#include "config/yaml_syntax.h"

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
  const Node* unfinished() const { return open_.empty() ? nullptr : open_.back().node.get(); }

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
    node->plain = tag.empty() || tag == "?";
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
    std::vector<NodePtr> merged = {};                  ///< values of merge keys
    bool merging = false;                              ///< the key is a merge key
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
    const std::vector<NodePtr> merged = std::move(open_.back().merged);
    open_.pop_back();
    if (!merged.empty()) merge(*node, merged);
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

  // Puts a finished node where it belongs; `place` is where it stands, for an alias the alias
  // itself.
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
    } else if (open.merging) {
      take_merged(open, std::move(node), place);
      open.key.reset();
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
    open.merging = node.plain && node.text == "<<";
    if (open.merging) return;
    const auto [first, fresh] = open.seen.emplace(open.key->key, place);
    open.duplicate = !fresh;
    if (!fresh)
      problems_.error(place, "duplicate key " + in_quotes(open.key->key) + "; it stands on line " +
                                 std::to_string(first->second.line) + " already");
  }

  void take_merged(Open& open, NodePtr value, Place place) {
    const bool list = value->is(Node::Kind::list);
    const bool sound =
        list ? std::all_of(value->items.begin(), value->items.end(),
                           [](const NodePtr& item) { return item->is(Node::Kind::map); })
             : value->is(Node::Kind::map);
    if (!sound) {
      problems_.error(place, "the merge key << has " + describe(*value) +
                                 "; allowed: a mapping, as <<: *defaults, or a list of mappings");
      throw Abort{};
    }
    // Of several the first one that has a key gives its value: PyYAML's order.
    if (list)
      open.merged.insert(open.merged.begin(), value->items.rbegin(), value->items.rend());
    else
      open.merged.insert(open.merged.begin(), std::move(value));
  }

  // What is merged stands first; the mapping's own entries, and of what is merged later ones, win.
  static void merge(Node& node, const std::vector<NodePtr>& merged) {
    std::vector<Entry> entries;
    std::unordered_map<std::string_view, std::size_t> index;
    const auto add = [&](const Entry& entry) {
      const auto [place, fresh] = index.emplace(entry.key, entries.size());
      if (fresh)
        entries.push_back(entry);
      else
        entries[place->second] = entry;
    };
    for (const NodePtr& each : merged)
      for (const Entry& entry : each->entries) add(entry);
    for (const Entry& entry : node.entries) add(entry);
    node.entries = std::move(entries);
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
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  const bool index = error == std::errc{} && end == key.data() + key.size();
  return index && number < list.items.size() ? std::optional(number) : std::nullopt;
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

NodePtr text_node(std::string text, Place place) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::text;
  node->text = std::move(text);
  node->place = place;
  return node;
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
    report_syntax(exception.msg, place_of(source, exception.mark), builder.unfinished(), problems);
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
