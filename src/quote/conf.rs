//! Values in configuration files: of nginx, Apache, PHP, Java, and in XML, JSON and TOML.
//!
//! Not every text can stand in them: nginx and Apache put the values of variables into a word however it is
//! quoted, and end a directive with a line.

use super::{is_hidden, syntax::Syntax};

impl Syntax {
    /// Returns whether the text can stand in a word.
    pub fn can_hold(self, text: &str) -> bool {
        let is_refused = match self {
            Self::Nginx => text.contains('$'),
            Self::Apache => text.contains("${"),
            Self::Ini => text.contains(['"', '\\', '$']),
            Self::Xml | Self::Json | Self::Toml | Self::Properties | Self::Php => false,
        };
        !is_refused && !text.contains(is_hidden)
    }

    /// Whether a word of such characters alone needs no quotes; what is beyond ASCII means nothing to
    /// any of them.
    fn is_plain(self, c: char) -> bool {
        let signs = match self {
            Self::Nginx | Self::Apache => "_-./:=@%+,~*?&|^!()[]",
            _ => "_-./:,",
        };
        c.is_ascii_alphanumeric() || signs.contains(c) || !c.is_ascii() && !c.is_whitespace()
    }

    /// Returns the file `template` with each `{name}` that has a value filled in, in a word that is
    /// quoted where it has to be; `None` where a value [cannot stand](Self::can_hold) there.
    pub fn filled<'v>(
        self,
        template: &str,
        value: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Option<String> {
        if self.has_escapes() {
            return Some(self.substituted(template, value)?.0);
        }
        let mut out = String::with_capacity(template.len());
        for line in template.split_inclusive('\n') {
            for piece in line.split_inclusive([' ', '\t', '\n']) {
                let word = piece.trim_end_matches([' ', '\t', '\n']);
                out.push_str(&self.word(word, value)?);
                out.push_str(&piece[word.len()..]);
            }
        }
        Some(out)
    }

    /// Whether a value is escaped where it stands, so that no word has to be quoted for it.
    fn has_escapes(self) -> bool {
        match self {
            Self::Nginx | Self::Apache | Self::Ini => false,
            Self::Xml | Self::Json | Self::Toml | Self::Properties | Self::Php => true,
        }
    }

    /// A word of a template, filled in.
    fn word<'v>(self, word: &str, value: &dyn Fn(&str) -> Option<&'v str>) -> Option<String> {
        let end = match self {
            Self::Nginx => ";",
            Self::Apache => ">",
            _ => "",
        };
        let inner = word.strip_suffix(end).unwrap_or(word);
        let end = &word[inner.len()..];
        let between_quotes = inner
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'));
        let (text, has_special) = self.substituted(between_quotes.unwrap_or(inner), value)?;
        Some(match between_quotes {
            Some(_) => format!("\"{}\"{end}", self.escaped(&text)),
            None if has_special => format!("\"{}\"{end}", self.escaped(&text)),
            None => format!("{text}{end}"),
        })
    }

    /// `text` with the values, and whether one of them needs quotes.
    fn substituted<'v>(
        self,
        text: &str,
        value: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Option<(String, bool)> {
        let (mut out, mut rest, mut has_special) = (String::new(), text, false);
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let found = after
                .split_once('}')
                .and_then(|(name, behind)| Some((value(name)?, behind)));
            rest = match found {
                Some((value, _)) if !self.can_hold(value) => return None,
                Some((value, behind)) => {
                    match self.has_escapes() {
                        true => value.chars().for_each(|c| self.escape(c, &mut out)),
                        false => out.push_str(value),
                    }
                    has_special |= !value.chars().all(|c| self.is_plain(c));
                    behind
                }
                None => {
                    out.push('{');
                    after
                }
            };
        }
        Some((out + rest, has_special))
    }

    /// Writes one character of a value to `out`.
    fn escape(self, c: char, out: &mut String) {
        match (self, c) {
            (Self::Xml, '&') => out.push_str("&amp;"),
            (Self::Xml, '<') => out.push_str("&lt;"),
            (Self::Xml, '>') => out.push_str("&gt;"),
            (Self::Xml, '"') => out.push_str("&quot;"),
            (Self::Xml, '\'') => out.push_str("&apos;"),
            (Self::Json | Self::Toml, '"' | '\\')
            | (Self::Properties, '\\' | ' ')
            | (Self::Php, '\'' | '\\') => out.extend(['\\', c]),
            // Java read them as ISO 8859-1 before version 9.
            (Self::Properties, c) if !c.is_ascii() => {
                let units = c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .map(|unit| format!("\\u{unit:04X}"))
                    .collect::<String>();
                out.push_str(&units);
            }
            (_, c) => out.push(c),
        }
    }

    /// `text` for between double quotes. A backslash is one by itself, unless it stands before a quote
    /// or another one; nginx reads more escapes.
    fn escaped(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek();
            let is_escape = match self {
                Self::Nginx => true,
                _ => next.is_none_or(|next| matches!(next, '"' | '\\')),
            };
            if c == '"' || c == '\\' && is_escape {
                out.push('\\');
            }
            out.push(c);
        }
        out
    }
}

/// Returns whether `pattern` is a regular expression as Perl has them, which nginx and Apache both read;
/// what stands behind a sign that only Perl knows is not looked at.
pub fn is_pattern(pattern: &str) -> bool {
    use regex_syntax::ast::{ErrorKind, parse::Parser};
    match Parser::new().parse(pattern) {
        Ok(_) => true,
        Err(error) => matches!(
            error.kind(),
            ErrorKind::UnsupportedLookAround
                | ErrorKind::UnsupportedBackreference
                | ErrorKind::EscapeUnrecognized
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fill(syntax: Syntax, template: &str, text: &str) -> Option<String> {
        syntax.filled(template, &|name| (name == "x").then_some(text))
    }

    #[test]
    fn what_needs_no_quotes_is_filled_in_as_it_is() {
        let template = "a {port} {x}/404.html;\n  b {x};\n";
        assert_eq!(
            fill(Syntax::Nginx, template, "/docs").as_deref(),
            Some("a {port} /docs/404.html;\n  b /docs;\n")
        );
        assert_eq!(
            fill(Syntax::Apache, "<LocationMatch \"{x}\">", "/\\.|^/data/").as_deref(),
            Some("<LocationMatch \"/\\.|^/data/\">")
        );
    }

    #[test]
    fn no_value_ends_a_directive() {
        assert_eq!(
            fill(Syntax::Nginx, "e 404 {x}/404.html;", "/a;}location/{").as_deref(),
            Some("e 404 \"/a;}location/{/404.html\";")
        );
        assert_eq!(
            fill(Syntax::Apache, "<Directory /srv/{x}>", "my \"shop\"").as_deref(),
            Some("<Directory \"/srv/my \\\"shop\\\"\">")
        );
        assert_eq!(
            fill(Syntax::Apache, "<LocationMatch \"{x}\">", "a\">X").as_deref(),
            Some("<LocationMatch \"a\\\">X\">")
        );
        assert_eq!(
            fill(Syntax::Ini, "u = {x}", "5M;a").as_deref(),
            Some("u = \"5M;a\"")
        );
    }

    #[test]
    fn what_cannot_stand_there_is_refused() {
        for text in ["a\nInclude evil", "a\rb", "a\tb", "a\u{2028}b"] {
            for syntax in [Syntax::Nginx, Syntax::Apache, Syntax::Ini] {
                assert_eq!(fill(syntax, "a {x}", text), None);
            }
        }
        assert_eq!(fill(Syntax::Nginx, "a {x};", "$uri"), None);
        assert_eq!(fill(Syntax::Apache, "a {x}", "${PATH}"), None);
    }

    #[test]
    fn a_value_is_escaped_where_nothing_else_quotes_it() {
        for (syntax, template, expected) in [
            (
                Syntax::Xml,
                "<a b=\"{x}\"/>",
                "<a b=\"&lt;é&gt; &quot;\\&amp;\"/>",
            ),
            (
                Syntax::Json,
                "{\"a\": \"{x}\"}",
                "{\"a\": \"<é> \\\"\\\\&\"}",
            ),
            (Syntax::Toml, "a = \"{x}\"", "a = \"<é> \\\"\\\\&\""),
            (Syntax::Php, "$a = '{x}';", "$a = '<é> \"\\\\&';"),
            (Syntax::Properties, "a={x}", "a=<\\u00E9>\\ \"\\\\&"),
        ] {
            assert_eq!(
                fill(syntax, template, "<é> \"\\&").as_deref(),
                Some(expected)
            );
            assert_eq!(fill(syntax, template, "a\nb"), None);
        }
    }

    #[test]
    fn a_pattern_is_one_of_perl() {
        for pattern in [r"/\.", r"^/\d{4}/", "a(?=b)", r"(a)\1"] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for pattern in ["(", "[a", "a{2,1}", "*"] {
            assert!(!is_pattern(pattern), "{pattern}");
        }
    }

    proptest! {
        /// Apache's `ap_getword_conf`: in quotes, a backslash counts before a quote or another one.
        #[test]
        fn apache_reads_any_word_back_equal(text in "[a\"\\\\ ;>{}#]{1,16}") {
            let line = fill(Syntax::Apache, "\"{x}\"", &text).expect("a word");
            let (mut read, mut chars) = (String::new(), line[1..].chars().peekable());
            while let Some(c) = chars.next() {
                match (c, chars.peek()) {
                    ('\\', Some('"' | '\\')) => read.extend(chars.next()),
                    ('"', rest) => {
                        prop_assert_eq!(rest, None);
                        break;
                    }
                    (c, _) => read.push(c),
                }
            }
            prop_assert_eq!(read, text);
        }
    }
}
