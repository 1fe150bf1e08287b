//! Values as they stand in configuration files, JSON and JavaScript alike, each with its place.
//!
//! JavaScript is parsed, never run: what is no literal, and no constant of the same file, has no
//! value. Grammars: <https://datatracker.ietf.org/doc/html/rfc8259> and
//! <https://tc39.es/ecma262/#sec-primary-expression>.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use jsonc_parser::{CollectOptions, ParseOptions, ast, common::Ranged};
use tree_sitter::{Node, Parser};

use crate::source::SourceFile;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The value.
    pub value: Value,
    /// Where it begins: for a value of a table, where its key does.
    pub at: usize,
}

/// A value of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Literal>),
    /// An object, in its order.
    Table(Vec<(String, Literal)>),
    /// A function that replaces, in its argument, the text that a regular expression matches.
    Replace(String, String),
    /// Anything else.
    Other,
}

impl Literal {
    /// Returns the value of `key`, where this is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Table(entries) = &self.value else {
            return None;
        };
        let found = entries.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value)
    }

    /// Returns the text, where this is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::List(_) | Value::Table(_) | Value::Replace(..) | Value::Other => None,
        }
    }
}

/// Larger files are no configuration that a person wrote: they are not read.
const LARGEST: usize = 64 * 1024;
/// How deep values are read.
const DEEPEST: usize = 12;
/// How many values are read of one file: a constant may stand for many others.
const MOST: usize = 4096;

thread_local! {
    static PARSER: RefCell<Parser> = RefCell::new({
        let mut parser = Parser::new();
        let language = tree_sitter_javascript::LANGUAGE.into();
        parser.set_language(&language).expect("the grammar fits the library");
        parser
    });
}

/// Returns the values at `key`, parts separated by dots, of a file in JSON or JavaScript; the whole
/// of what it exports where `key` is empty. TypeScript is read as far as it is JavaScript.
pub fn at_key(source: &SourceFile, key: &str) -> Vec<Literal> {
    let path: Vec<&str> = key.split('.').filter(|part| !part.is_empty()).collect();
    if source.text.len() > LARGEST {
        return Vec::new();
    }
    if source.path.ends_with(".json") {
        let Some(whole) = json(&source.text) else {
            return Vec::new();
        };
        let found = path
            .iter()
            .try_fold(&whole, |literal, part| literal.get(part));
        return found.cloned().into_iter().collect();
    }
    with_javascript(&source.text, |reader, root| match path.as_slice() {
        [] => reader.exported(root),
        path => reader.pairs(root, path),
    })
}

/// Returns the arguments of the calls of `function` in JavaScript; where a call is itself an
/// argument, the text that stands first among those around it comes before its own.
pub fn calls(source: &SourceFile, function: &str) -> Vec<Vec<Literal>> {
    if source.text.len() > LARGEST {
        return Vec::new();
    }
    with_javascript(&source.text, |reader, root| reader.calls(root, function))
}

fn json(text: &str) -> Option<Literal> {
    let options = CollectOptions::default();
    let parsed = jsonc_parser::parse_to_ast(text, &options, &ParseOptions::default()).ok()?;
    Some(of_json(&parsed.value?, 0))
}

fn of_json(value: &ast::Value<'_>, depth: usize) -> Literal {
    let read = match value {
        _ if depth > DEEPEST => Value::Other,
        ast::Value::StringLit(text) => Value::Text(text.value.clone().into_owned()),
        ast::Value::Array(array) => {
            let elements = array.elements.iter();
            Value::List(elements.map(|value| of_json(value, depth + 1)).collect())
        }
        ast::Value::Object(object) => {
            let entries = object.properties.iter().map(|property| {
                let literal = Literal {
                    at: property.start(),
                    ..of_json(&property.value, depth + 1)
                };
                (property.name.as_str().to_owned(), literal)
            });
            Value::Table(entries.collect())
        }
        ast::Value::NumberLit(_) | ast::Value::BooleanLit(_) | ast::Value::NullKeyword(_) => {
            Value::Other
        }
    };
    Literal {
        value: read,
        at: value.start(),
    }
}

fn with_javascript<T: Default>(text: &str, read: impl FnOnce(&Reader<'_, '_>, Node<'_>) -> T) -> T {
    let tree = PARSER.with_borrow_mut(|parser| parser.parse(text, None));
    tree.map_or_else(T::default, |tree| {
        let mut reader = Reader {
            text,
            constants: BTreeMap::new(),
            left: Cell::new(MOST),
        };
        for declared in all(tree.root_node(), "variable_declarator") {
            let name = declared.child_by_field_name("name");
            if let (Some(name), Some(value)) = (name, declared.child_by_field_name("value")) {
                reader.constants.entry(reader.source(name)).or_insert(value);
            }
        }
        read(&reader, tree.root_node())
    })
}

/// All nodes of `kind` below `root`, in their order.
fn all<'t>(root: Node<'t>, kind: &str) -> Vec<Node<'t>> {
    let mut found = Vec::new();
    let mut pending = vec![root];
    while let Some(node) = pending.pop() {
        if node.kind() == kind {
            found.push(node);
        }
        let mut cursor = node.walk();
        let children: Vec<Node<'t>> = node.named_children(&mut cursor).collect();
        pending.extend(children.into_iter().rev());
    }
    found
}

struct Reader<'a, 't> {
    text: &'a str,
    /// The values of variables by their names.
    constants: BTreeMap<&'a str, Node<'t>>,
    /// How many values may still be read.
    left: Cell<usize>,
}

impl<'a> Reader<'a, '_> {
    fn source(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// The values of the last key of `path` in objects that are the values of the keys before it.
    fn pairs(&self, root: Node<'_>, path: &[&str]) -> Vec<Literal> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        let pairs = all(root, "pair").into_iter();
        let found = pairs.filter(|pair| self.key(*pair).as_deref() == Some(first));
        let values = found.filter_map(|pair| {
            let literal = Literal {
                at: pair.start_byte(),
                ..self.literal(pair.child_by_field_name("value")?, 0)
            };
            let inner = rest
                .iter()
                .try_fold(&literal, |value, part| value.get(part));
            inner.cloned()
        });
        values.collect()
    }

    /// What the file exports: `export default X`, `module.exports = X`.
    fn exported(&self, root: Node<'_>) -> Vec<Literal> {
        let exports = all(root, "export_statement").into_iter();
        let exports = exports.filter_map(|node| node.child_by_field_name("value"));
        let assigned = all(root, "assignment_expression").into_iter();
        let assigned = assigned.filter_map(|node| {
            let is_exports = self.source(node.child_by_field_name("left")?) == "module.exports";
            let value = node.child_by_field_name("right")?;
            is_exports.then_some(value)
        });
        let values = exports.chain(assigned);
        values.map(|node| self.literal(node, 0)).collect()
    }

    fn calls(&self, root: Node<'_>, function: &str) -> Vec<Vec<Literal>> {
        let calls = all(root, "call_expression").into_iter();
        let calls = calls.filter(|call| {
            let called = call.child_by_field_name("function");
            called.is_some_and(|called| self.source(called) == function)
        });
        let arguments = |call: Node<'_>| -> Vec<Literal> {
            let Some(list) = call.child_by_field_name("arguments") else {
                return Vec::new();
            };
            let mut cursor = list.walk();
            let nodes: Vec<Node<'_>> = list.named_children(&mut cursor).collect();
            let nodes = nodes.into_iter();
            nodes.map(|node| self.literal(node, 0)).collect()
        };
        let read = calls.map(|call| {
            let own = arguments(call);
            let outer = call.parent().and_then(|list| list.parent());
            let outer = outer.filter(|node| node.kind() == "call_expression");
            let before = outer.and_then(|outer| arguments(outer).into_iter().next());
            let before = before.filter(|first| first.text().is_some());
            before.into_iter().chain(own).collect()
        });
        read.collect()
    }

    fn key(&self, pair: Node<'_>) -> Option<String> {
        let key = pair.child_by_field_name("key")?;
        match key.kind() {
            "property_identifier" => Some(self.source(key).to_owned()),
            "string" => Some(self.string(key)),
            "computed_property_name" => {
                let text = key.named_child(0)?;
                (text.kind() == "string").then(|| self.string(text))
            }
            _ => None,
        }
    }

    /// A string or a template without quotes; an escaped character stands for itself.
    fn string(&self, node: Node<'_>) -> String {
        let whole = self.source(node);
        let inner = whole.get(1..whole.len().saturating_sub(1));
        let mut text = String::new();
        let mut chars = inner.unwrap_or_default().chars();
        while let Some(c) = chars.next() {
            text.push(if c == '\\' {
                chars.next().unwrap_or(c)
            } else {
                c
            });
        }
        text
    }

    fn literal(&self, node: Node<'_>, depth: usize) -> Literal {
        Literal {
            value: self.value(node, depth).unwrap_or(Value::Other),
            at: node.start_byte(),
        }
    }

    fn value(&self, node: Node<'_>, depth: usize) -> Option<Value> {
        let left = self.left.get();
        if depth > DEEPEST || left == 0 {
            return None;
        }
        self.left.set(left - 1);
        let mut cursor = node.walk();
        let children = || {
            let mut cursor = node.walk();
            node.named_children(&mut cursor).collect::<Vec<_>>()
        };
        let follow = |inner: Node<'_>| self.value(inner, depth + 1);
        match node.kind() {
            "string" => Some(Value::Text(self.string(node))),
            "template_string" => {
                let mut parts = node.named_children(&mut cursor);
                let is_plain = parts.all(|part| part.kind() != "template_substitution");
                is_plain.then(|| Value::Text(self.string(node)))
            }
            "array" => {
                let elements = children().into_iter();
                let read = elements.map(|element| self.literal(element, depth + 1));
                Some(Value::List(read.collect()))
            }
            "object" => {
                let pairs = children().into_iter().filter(|pair| pair.kind() == "pair");
                let entries = pairs.filter_map(|pair| {
                    let literal = Literal {
                        at: pair.start_byte(),
                        ..self.literal(pair.child_by_field_name("value")?, depth + 1)
                    };
                    Some((self.key(pair)?, literal))
                });
                Some(Value::Table(entries.collect()))
            }
            "parenthesized_expression" => follow(node.named_child(0)?),
            // `process.env.API || "http://localhost:4000"`: what holds where nothing is set.
            "binary_expression" => {
                let sign = self.source(node.child_by_field_name("operator")?);
                let is_fallback = matches!(sign, "||" | "??");
                follow(node.child_by_field_name("right")?).filter(|_| is_fallback)
            }
            "identifier" => follow(*self.constants.get(self.source(node))?),
            // `(path) => path.replace(/^\/api/, "")`
            "arrow_function" => {
                let body = node.child_by_field_name("body")?;
                let called = body.child_by_field_name("function")?;
                let is_replace = called.kind() == "member_expression"
                    && self.source(called.child_by_field_name("property")?) == "replace";
                let arguments = body.child_by_field_name("arguments")?;
                let (pattern, by) = (arguments.named_child(0)?, arguments.named_child(1)?);
                let is_pattern = is_replace && pattern.kind() == "regex" && by.kind() == "string";
                let pattern = self.source(pattern.child_by_field_name("pattern")?);
                is_pattern.then(|| Value::Replace(pattern.to_owned(), self.string(by)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    #[test]
    fn a_key_of_javascript_is_found_within_functions_and_constants() {
        let source = SourceFile::new(
            "vite.config.ts",
            "const target = process.env.API ?? `http://localhost:4000`;\n\
             export default defineConfig(({ mode }: ConfigEnv) => ({\n  plugins: [vue()],\n  \
             server: { port: 3000, proxy: { '/api': target, '/ws': { ws: true } } },\n}));\n",
        );
        let [proxy] = at_key(&source, "server.proxy").try_into().expect("one");
        let api = proxy.get("/api").expect("it is there");
        assert_eq!(api.value, text("http://localhost:4000"));
        assert_eq!(source.line(api.at), 4);
        let ws = proxy.get("/ws").and_then(|value| value.get("ws"));
        assert_eq!(ws.map(|value| &value.value), Some(&Value::Other));
    }

    #[test]
    fn a_file_exports_a_value() {
        for code in [
            "export default [{ context: ['/a'] }]",
            "const all = [{ context: ['/a'] }];\nmodule.exports = all;",
        ] {
            let found = at_key(&SourceFile::new("proxy.conf.js", code), "");
            let Value::List(entries) = &found[0].value else {
                panic!("{found:?}");
            };
            assert!(entries[0].get("context").is_some(), "{code}");
        }
    }

    #[test]
    fn json_has_places() {
        let source = SourceFile::new(
            "package.json",
            "{\n  \"proxy\": \"http://localhost:5000\"\n}",
        );
        let found = at_key(&source, "proxy");
        assert_eq!(found[0].value, text("http://localhost:5000"));
        assert_eq!(source.line(found[0].at), 2);
        assert_eq!(at_key(&SourceFile::new("x.json", "{"), "proxy"), []);
    }

    #[test]
    fn a_function_that_replaces_is_understood() {
        let source = SourceFile::new(
            "x.js",
            r"module.exports = { rewrite: path => path.replace(/^\/api/, '') }",
        );
        let found = at_key(&source, "rewrite");
        assert_eq!(
            found[0].value,
            Value::Replace(r"^\/api".to_owned(), String::new())
        );
    }

    #[test]
    fn calls_have_the_path_of_the_call_around_them() {
        let source = SourceFile::new(
            "src/setupProxy.js",
            "module.exports = app => app.use('/api', proxy({ target: 'http://localhost:5000' }));",
        );
        let [arguments] = calls(&source, "proxy").try_into().expect("one");
        assert_eq!(arguments[0].value, text("/api"));
        let target = arguments[1].get("target").expect("it is there");
        assert_eq!(target.text(), Some("http://localhost:5000"));
    }

    #[test]
    fn odd_code_has_no_value() {
        for code in [
            "",
            "{{{{",
            "const a = a; module.exports = a",
            "module.exports = `${x}`",
        ] {
            let found = at_key(&SourceFile::new("x.js", code), "");
            assert!(
                found.iter().all(|found| found.value == Value::Other),
                "{code}"
            );
        }
    }
}
