// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/filter.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "base/unicode.h"
#include "server/mlflow/fault.h"

namespace hdrive::server::mlflow {
namespace {

// A clause takes a dozen characters; what is longer is no filter somebody wrote.
constexpr std::size_t kLongestFilter = 64 << 10;

struct Token {
  enum class Kind { word, quoted, comparison, opening, closing, comma, end };
  Kind kind = Kind::end;
  std::string text;       // of `quoted` without the quotes
  char quote = 0;         // of `quoted`
  std::size_t place = 0;  // in the filter, from 0
};

// Words hold everything but blanks, quotes, brackets, commas and comparisons; a key in quotes or backticks belongs to
// the word before it: metrics."a b".
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token next() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    Token token;
    token.place = at_;
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (c == '(' || c == ')' || c == ',') return punctuation(token);
    if (is_quote(c)) return quoted(token);
    if (is_comparison(c)) return comparison(token);
    return word(token);
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  static bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }
  static bool is_comparison(char c) { return c == '<' || c == '>' || c == '=' || c == '!'; }

  Token punctuation(Token token) {
    const char c = text_[at_++];
    token.kind = c == '('   ? Token::Kind::opening
                 : c == ')' ? Token::Kind::closing
                            : Token::Kind::comma;
    token.text = c;
    return token;
  }

  // A quote within is doubled, as in SQL.
  std::string quoted_text(char quote) {
    std::string text;
    const std::size_t begin = at_++;
    while (at_ < text_.size()) {
      if (text_[at_] != quote) {
        text += text_[at_++];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        text += quote;
        at_ += 2;
      } else {
        ++at_;
        return text;
      }
    }
    refuse("Invalid filter: the quote at character " + std::to_string(begin + 1) + " has no end");
  }

  Token quoted(Token token) {
    token.kind = Token::Kind::quoted;
    token.quote = text_[at_];
    token.text = quoted_text(token.quote);
    return token;
  }

  Token comparison(Token token) {
    token.kind = Token::Kind::comparison;
    while (at_ < text_.size() && is_comparison(text_[at_]) && token.text.size() < 2)
      token.text += text_[at_++];
    return token;
  }

  Token word(Token token) {
    token.kind = Token::Kind::word;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_quote(c)) {
        if (!token.text.ends_with('.')) break;
        token.text += quoted_text(c);
        break;
      }
      if (is_blank(c) || is_comparison(c) || c == '(' || c == ')' || c == ',') break;
      token.text += c;
      ++at_;
    }
    return token;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

struct EntityName {
  std::string_view name;
  Entity entity;
};
constexpr EntityName kEntities[] = {{"metric", Entity::metric},
                                    {"metrics", Entity::metric},
                                    {"parameter", Entity::param},
                                    {"parameters", Entity::param},
                                    {"param", Entity::param},
                                    {"params", Entity::param},
                                    {"tag", Entity::tag},
                                    {"tags", Entity::tag},
                                    {"attribute", Entity::attribute},
                                    {"attributes", Entity::attribute},
                                    {"attr", Entity::attribute},
                                    {"run", Entity::attribute},
                                    {"dataset", Entity::dataset},
                                    {"datasets", Entity::dataset}};

struct ComparisonName {
  std::string_view name;
  Comparison comparison;
};
constexpr ComparisonName kComparisons[] = {
    {"<", Comparison::less},       {"<=", Comparison::less_equal},    {"=", Comparison::equal},
    {"!=", Comparison::not_equal}, {">=", Comparison::greater_equal}, {">", Comparison::greater},
    {"LIKE", Comparison::like},    {"ILIKE", Comparison::ilike},      {"IN", Comparison::in}};

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string one_of(std::vector<std::string> names) {
  for (std::string& name : names) name = "'" + name + "'";
  return base::join(names, ", ");
}

// What the columns of MLflow's table are called.
std::string without_alias(std::string key) {
  if (key == "created" || key == "Created") return "start_time";
  if (key == "run name" || key == "Run name" || key == "Run Name") return "run_name";
  return key;
}

struct Key {
  Entity entity;
  std::string key;
};

Key key_of(const std::string& identifier, const Attributes& attributes) {
  const std::size_t dot = identifier.find('.');
  Key key{Entity::attribute, identifier};
  if (dot != identifier.npos) {
    const std::string type = identifier.substr(0, dot);
    const auto found = std::find_if(std::begin(kEntities), std::end(kEntities),
                                    [&](const EntityName& row) { return row.name == type; });
    if (found == std::end(kEntities))
      refuse("Invalid entity type '" + type +
             "'. Valid values are 'metric', 'parameter', 'tag', 'attribute', 'dataset'");
    key = {found->entity, identifier.substr(dot + 1)};
  }
  if (key.key.empty()) refuse("Invalid identifier '" + identifier + "': it names nothing");
  if (key.entity == Entity::attribute) {
    key.key = without_alias(key.key);
    if (!contains(attributes.texts, key.key) && !contains(attributes.numbers, key.key)) {
      std::vector<std::string> all = attributes.texts;
      all.insert(all.end(), attributes.numbers.begin(), attributes.numbers.end());
      refuse("Invalid attribute key '" + key.key + "' specified. Valid keys are " + one_of(all));
    }
  }
  if (key.entity == Entity::dataset && !contains({"name", "digest", "context"}, key.key))
    refuse("Invalid dataset key '" + key.key +
           "' specified. Valid keys are 'name', 'digest', 'context'");
  return key;
}

bool is_numeric(const Key& key, const Attributes& attributes) {
  return key.entity == Entity::metric ||
         (key.entity == Entity::attribute && contains(attributes.numbers, key.key));
}

class Parser {
 public:
  Parser(std::string_view text, const Attributes& attributes)
      : lexer_(text), attributes_(attributes) {
    advance();
  }

  std::vector<Clause> parse() {
    std::vector<Clause> clauses;
    if (token_.kind == Token::Kind::end) return clauses;
    while (true) {
      clauses.push_back(clause());
      if (token_.kind == Token::Kind::end) return clauses;
      if (!is_word("AND"))
        refuse_token(is_word("OR") ? "clauses can be joined by AND only" : "expected AND");
      advance();
    }
  }

 private:
  void advance() { token_ = lexer_.next(); }

  bool is_word(std::string_view upper) const {
    return token_.kind == Token::Kind::word && base::lower(token_.text) == base::lower(upper);
  }

  [[noreturn]] void refuse_token(const std::string& why) const {
    const std::string what =
        token_.kind == Token::Kind::end ? "its end" : "'" + base::to_utf8(token_.text) + "'";
    refuse("Invalid clause(s) in filter string: at " + what + " (character " +
           std::to_string(token_.place + 1) + "): " + why);
  }

  Clause clause() {
    if (token_.kind != Token::Kind::word) refuse_token("expected a name such as metrics.loss");
    const Key key = key_of(token_.text, attributes_);
    advance();
    Clause clause{key.entity, key.key, comparison(), 0, {}};
    check(clause.comparison, key);
    if (clause.comparison == Comparison::is_null || clause.comparison == Comparison::is_not_null)
      return clause;
    if (clause.comparison == Comparison::in || clause.comparison == Comparison::not_in)
      clause.texts = list();
    else if (is_numeric(key, attributes_))
      clause.number = number(key);
    else
      clause.texts = {text(key)};
    return clause;
  }

  Comparison comparison() {
    if (is_word("IS")) {
      advance();
      const bool negated = is_word("NOT");
      if (negated) advance();
      if (!is_word("NULL")) refuse_token("expected NULL");
      advance();
      return negated ? Comparison::is_not_null : Comparison::is_null;
    }
    if (is_word("NOT")) {
      advance();
      if (!is_word("IN")) refuse_token("expected IN");
      advance();
      return Comparison::not_in;
    }
    for (const ComparisonName& row : kComparisons)
      if ((token_.kind == Token::Kind::comparison && token_.text == row.name) ||
          is_word(row.name)) {
        advance();
        return row.comparison;
      }
    refuse_token("expected a comparison (<, <=, =, !=, >=, >, LIKE, ILIKE, IN, IS NULL)");
  }

  void check(Comparison comparison, const Key& key) const {
    const bool numeric = is_numeric(key, attributes_);
    const bool ordered = comparison < Comparison::like && comparison != Comparison::equal &&
                         comparison != Comparison::not_equal;
    const bool null = comparison >= Comparison::is_null;
    const bool list = comparison == Comparison::in || comparison == Comparison::not_in;
    if (numeric && comparison >= Comparison::like)
      refuse("Invalid comparator for '" + key.key +
             "', which is a number; valid ones are <, <=, =, !=, >=, >");
    if (!numeric && ordered)
      refuse("Invalid comparator for '" + key.key +
             "', which is a string; valid ones are =, !=, LIKE, ILIKE, IN");
    if (null && key.entity != Entity::tag && key.entity != Entity::param)
      refuse("IS NULL / IS NOT NULL is only supported for tags and params, not for '" + key.key +
             "'");
    if (list && key.entity != Entity::dataset &&
        !(key.entity == Entity::attribute && contains(attributes_.lists, key.key)))
      refuse("Only the attributes " + one_of(attributes_.lists) +
             " and those of datasets support comparison with a list of quoted string values");
  }

  double number(const Key& key) {
    const auto value =
        token_.kind == Token::Kind::word ? base::parse_number(token_.text) : std::nullopt;
    if (!value)
      refuse("Expected numeric value type for '" + key.key + "'. Found " +
             base::json_string(token_.text));
    advance();
    return *value;
  }

  std::string text(const Key& key) {
    if (token_.kind != Token::Kind::quoted || token_.quote == '`')
      refuse("Expected a quoted string value for '" + key.key + "' (e.g. 'my-value'). Got value " +
             base::json_string(token_.text));
    std::string value = std::move(token_.text);
    advance();
    return value;
  }

  std::vector<std::string> list() {
    if (token_.kind != Token::Kind::opening) refuse_token("expected a list such as ('a', 'b')");
    std::vector<std::string> texts;
    do {
      advance();
      if (token_.kind != Token::Kind::quoted || token_.quote == '`')
        refuse_token("expected a quoted string");
      texts.push_back(std::move(token_.text));
      advance();
    } while (token_.kind == Token::Kind::comma);
    if (token_.kind != Token::Kind::closing) refuse_token("expected ) or ,");
    advance();
    return texts;
  }

  Lexer lexer_;
  const Attributes& attributes_;
  Token token_;
};

}  // namespace

const Attributes& attributes_of_runs() {
  static const Attributes rows = {
      {"run_id", "run_name", "status", "artifact_uri", "user_id", "experiment_id"},
      {"start_time", "end_time"},
      {"run_id"}};
  return rows;
}

const Attributes& attributes_of_experiments() {
  static const Attributes rows = {
      {"name", "experiment_id"}, {"creation_time", "last_update_time"}, {"experiment_id"}};
  return rows;
}

const Attributes& attributes_of_models() {
  static const Attributes rows = {
      {"name", "model_id", "model_type", "status", "source_run_id", "experiment_id",
       "artifact_location"},
      {"creation_timestamp", "last_updated_timestamp", "creation_time", "last_updated_time"},
      {"model_id", "name", "source_run_id", "status"}};
  return rows;
}

std::vector<Clause> parse_filter(std::string_view filter, const Attributes& attributes) {
  if (filter.size() > kLongestFilter) refuse("Invalid filter: it is longer than 64 kB");
  return Parser(filter, attributes).parse();
}

Order parse_order(std::string_view text, const Attributes& attributes) {
  Lexer lexer(text);
  const Token name = lexer.next();
  const auto wrong = [&]() {
    refuse("Invalid order_by clause '" + base::to_utf8(text) +
           "'; expected a name such as metrics.loss, and ASC or DESC");
  };
  if (name.kind != Token::Kind::word) wrong();
  const Key key = key_of(name.text, attributes);
  if (key.entity == Entity::dataset) wrong();
  Order order{key.entity, key.key, true};
  const Token direction = lexer.next();
  if (direction.kind == Token::Kind::end) return order;
  const std::string word = base::lower(direction.text);
  if (direction.kind != Token::Kind::word || (word != "asc" && word != "desc") ||
      lexer.next().kind != Token::Kind::end)
    wrong();
  order.ascending = word == "asc";
  return order;
}

}  // namespace hdrive::server::mlflow
