//! What a page for people says: that the application may not write somewhere, or waits for its
//! installation.

/// The words of such pages, from the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageSigns {
    /// How a page says that something may not be written, in lower case.
    pub refusals: Vec<String>,
    /// What stands beside the plain name of a folder, in lower case.
    pub nouns: Vec<String>,
    /// Names of the pages and folders of installers, without ending.
    pub installers: Vec<String>,
}

/// A line of a page that says that something may not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line.
    pub said: String,
    /// Words on it, and below it, that may be paths.
    pub words: Vec<String>,
}

/// How many lines below the one that says so may name the path.
const LINES_BELOW: usize = 2;
/// How many lines of a page count.
const MOST_REFUSALS: usize = 5;
/// How many words of a line may be paths.
const MOST_WORDS: usize = 40;
/// Elements that are part of a line: html.spec.whatwg.org/multipage/text-level-semantics.html.
const INLINE: [&str; 17] = [
    "a", "abbr", "b", "bdi", "cite", "code", "em", "font", "i", "kbd", "mark", "samp", "small",
    "span", "strong", "u", "var",
];

impl PageSigns {
    /// Returns the lines of `page` that say that something may not be written.
    pub fn refusals(&self, page: &str) -> Vec<Refusal> {
        let lines = lines(page);
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let lower = line.to_lowercase();
            if self
                .refusals
                .iter()
                .any(|sign| lower.contains(sign.as_str()))
            {
                let near = lines[at..].iter().take(1 + LINES_BELOW);
                found.push(Refusal {
                    said: line.chars().take(200).collect(),
                    words: near.flat_map(|line| self.words(line)).collect(),
                });
            }
        }
        found.truncate(MOST_REFUSALS);
        found
    }

    /// The words of a line that may be paths, addresses left out, and the place in the source that PHP
    /// names after a warning: php.net/manual/en/errorfunc.configuration.php#ini.display-errors. A plain
    /// word may be one beside "folder" only.
    fn words(&self, line: &str) -> Vec<String> {
        let place = line
            .rfind(" on line ")
            .and_then(|at| line[..at].rfind(" in "));
        let line = &line[..place.unwrap_or(line.len())];
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "._-/:".contains(c));
        let all = line.split(ends).filter(|word| !word.is_empty());
        let all: Vec<&str> = all
            .map(|word| word.trim_end_matches([':', '.', ',']))
            .collect();
        let is_noun = |word: &&str| self.nouns.contains(&word.to_lowercase());
        let is_near = |at: usize| {
            let (from, to) = (at.saturating_sub(2), all.len().min(at + 3));
            all[from..at].iter().chain(&all[at + 1..to]).any(is_noun)
        };
        let may_be = |(at, word): &(usize, &&str)| {
            let is_path = word.contains(['/', '.']) || is_near(*at);
            let is_other = word.contains(':') || word.contains("//") || word.starts_with('-');
            word.len() > 2 && is_path && !is_other
        };
        let words = all.iter().enumerate().filter(may_be).take(MOST_WORDS);
        words
            .map(|(_, word)| word.trim_end_matches('/').to_owned())
            .collect()
    }

    /// Returns whether `path` of the application is a page of its installer.
    pub fn is_installer(&self, path: &str) -> bool {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        path.split('/').any(|part| {
            let (stem, _) = part.split_once('.').unwrap_or((part, ""));
            self.installers
                .iter()
                .any(|known| stem.eq_ignore_ascii_case(known))
        })
    }
}

/// The text of `page` in lines, without markup, scripts and styles.
fn lines(page: &str) -> Vec<String> {
    let mut text = String::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let tag = &rest[at + 1..];
        let end = tag.find('>').unwrap_or(tag.len());
        let name = tag[..end].trim_start_matches('/');
        let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        rest = tag.get(end + 1..).unwrap_or_default();
        if ["script", "style"].contains(&name.as_str()) && !tag.starts_with('/') {
            let closing = format!("</{name}");
            let close = rest.to_ascii_lowercase().find(&closing);
            rest = close.map_or("", |close| &rest[close..]);
        }
        if !INLINE.contains(&name.as_str()) {
            text.push('\n');
        }
    }
    text.push_str(rest);
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ")
    });
    lines.filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs() -> PageSigns {
        let catalog = crate::recipe::Catalog::built_in();
        PageSigns {
            refusals: catalog.list("written", "refusals").to_vec(),
            nouns: catalog.list("written", "nouns").to_vec(),
            installers: catalog.list("health", "installers").to_vec(),
        }
    }

    #[track_caller]
    fn check(page: &str, words: &[&str]) {
        let found = signs().refusals(page);
        let found: Vec<&String> = found.iter().flat_map(|refusal| &refusal.words).collect();
        assert_eq!(found, words, "{page}");
    }

    #[test]
    fn the_path_stands_on_the_line_or_below_it() {
        check(
            "<p>The folder <b>data/</b> is not writable!</p>",
            &["The", "data"],
        );
        check(
            "<h2>You need a <em>writable</em> directory</h2><pre>/srv/content</pre>",
            &["writable", "/srv/content"],
        );
    }

    #[test]
    fn scripts_styles_and_other_pages_say_nothing() {
        check(
            "<script>alert('not writable: data')</script><p>Hello</p>",
            &[],
        );
        check("<style>/* chmod 777 */</style><img alt='chmod 777 x'>", &[]);
        check("<p>Notes about files</p>", &[]);
    }

    #[test]
    fn an_unclosed_page_is_read_to_its_end() {
        check("cannot write to ./x/y.json <b", &["./x/y.json"]);
        check("<script", &[]);
    }

    #[test]
    fn the_place_of_a_warning_is_no_path() {
        check(
            "<b>Warning</b>: no write permission for /srv/a in <b>/srv/main.php</b> on line <b>38</b>",
            &["/srv/a"],
        );
    }

    #[test]
    fn an_address_is_no_path() {
        check("chmod 777, see https://example.com/data", &["777", "see"]);
    }

    #[test]
    fn an_installer_is_known_by_its_name() {
        let signs = signs();
        assert!(
            signs.is_installer("/setup.php?step=1") && signs.is_installer("/admin/install.php")
        );
        assert!(signs.is_installer("/install/") && !signs.is_installer("/installed-base.html"));
    }
}
