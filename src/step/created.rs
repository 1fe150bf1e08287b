//! Configuration files that documents have a person create: "add a default.json file in the config
//! folder with the following".

use std::collections::BTreeSet;

use super::{Action, Confidence, blocks::looks_like_commands, reader::Reader};
use crate::{manifest::settings::settings, readme::CodeBlock, repo, shell, source::Span};

/// Endings of files of settings, and what to make of them.
const KINDS: [&str; 2] = ["quoted", "plain"];

impl Reader<'_> {
    /// A block that holds the content of a configuration file which the words above it have a person
    /// create; returns whether it is one.
    pub(super) fn created_file(&mut self, block: &CodeBlock) -> bool {
        let is_listed = |list: &str| {
            let known = self.catalog.list("languages", list);
            known.contains(&block.language)
        };
        let is_object = block.code.trim_start().starts_with(['{', '[']);
        let (catalog, programs) = (self.catalog, self.programs);
        let known = |word: &str| catalog.tool(word).is_some() || programs.contains_key(word);
        let is_unknown = is_listed("unknown");
        // People mark anything as shell.
        let is_commands = is_listed("shell")
            || is_listed("windows")
            || is_unknown && looks_like_commands(&block.code, &known);
        if is_commands && !is_object || block.code.trim().is_empty() {
            return false;
        }
        let heading = block.headings.last().map_or("", AsRef::as_ref);
        let lead = match block.lead.trim() {
            "" => heading,
            lead => lead,
        };
        if self.catalog.has_word("settings", "optional", lead) {
            return false;
        }
        let comment = block.code.lines().next().unwrap_or_default().trim_start();
        let comment = comment.trim_start_matches(['/', '#', ';', '*', ' ']);
        let is_creating = |text: &str| self.catalog.has_word("settings", "creates", text);
        let found = match self.named_file(lead) {
            Some(name) => {
                let is_name_only = lead.split_whitespace().count() == 1;
                (is_creating(lead) || is_name_only && is_creating(heading)).then_some((name, lead))
            }
            // "Create a configuration file:", and its name in the first line.
            None if comment.split_whitespace().count() == 1 && is_creating(lead) => {
                self.named_file(comment).map(|name| (name, lead))
            }
            None => None,
        };
        let Some((name, told)) = found else {
            return false;
        };
        if name.ends_with(".json") && !is_object {
            return false;
        }
        if self.variables_of_tool(&name, block) {
            return true;
        }
        let Some(path) = self.place_of(&name, told) else {
            return false;
        };
        let is_written = self.steps.iter().any(
            |step| matches!(&step.action, Action::WriteFile { path: known, .. } if *known == path),
        );
        if self.repo.has(&path) || is_written {
            return false;
        }
        let mut context = self.context(&block.headings, &block.lead);
        repo::folder_of(&path).clone_into(&mut context.directory);
        let text = block.code.trim_end().to_owned();
        let action = Action::WriteFile {
            path: path.clone(),
            text,
            appends: false,
        };
        let first = block.code.trim_start().lines().next().unwrap_or_default();
        let shown = format!("{path}: {first}");
        let span = self.whole(block);
        self.push(action, &shown, span, context, Confidence::Medium);
        true
    }

    /// All of `block` in the document.
    fn whole(&self, block: &CodeBlock) -> Span {
        let code = &block.code;
        let start = code.len() - code.trim_start().len();
        let end = code.trim_end().len().max(start + 1);
        Span::new(block.file_offset(start), block.file_offset(end - 1) + 1)
    }

    /// The configuration file that is named first in `text`.
    fn named_file(&self, text: &str) -> Option<String> {
        let is_mark = |c: char| !c.is_alphanumeric() && !"._-/~\\$".contains(c);
        let mut words = text.split(|c: char| c.is_whitespace() || "`\"'“”‘’«»()[]".contains(c));
        words.find_map(|word| {
            let word = word.trim_matches(is_mark).trim_end_matches('.');
            let name = repo::file_name(word);
            let (stem, ending) = name.rsplit_once('.')?;
            let is_kind = KINDS.iter().any(|list| {
                self.catalog
                    .list("settings", list)
                    .iter()
                    .any(|e| e == ending)
            });
            let mut code = self.catalog.list("settings", "code").iter();
            let is_code = code.any(|line| line.split_once('=').is_some_and(|(e, _)| e == ending));
            let tools = self.catalog.list("settings", "tools");
            let is_tool = tools.iter().any(|tool| tool.eq_ignore_ascii_case(name));
            // "Node.js" and "Vue.js" are no files.
            let is_file = !stem.is_empty() && !stem.starts_with(|c: char| c.is_uppercase());
            // Folders such as `.vscode` are those of tools.
            let is_inside = !word.starts_with(['~', '$'])
                && !word.contains("..")
                && !word
                    .trim_start_matches("./")
                    .split('/')
                    .any(|part| part.starts_with('.'));
            let is_plain = word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
            let is_meant = (is_kind || is_code) && is_file && is_plain && is_inside && !is_tool;
            is_meant.then(|| word.to_owned())
        })
    }

    /// Variables that a development tool sets for the application, from its own file; returns whether
    /// it is one.
    fn variables_of_tool(&mut self, name: &str, block: &CodeBlock) -> bool {
        let tools = self.catalog.list("settings", "env-files");
        let key = tools.iter().find_map(|line| {
            let (file, key) = line.split_once('=')?;
            (file == repo::file_name(name)).then_some(key)
        });
        let Some(key) = key else {
            return false;
        };
        let ending = name.rsplit('.').next().unwrap_or_default();
        let context = self.context(&block.headings, &block.lead);
        for setting in settings(&block.code, ending, self.catalog) {
            let [outer, name] = &setting.keys[..] else {
                continue;
            };
            if outer != key || !shell::is_name(name) {
                continue;
            }
            let range = setting.range.clone();
            let span = Span::new(
                block.file_offset(range.start),
                block.file_offset(range.end - 1) + 1,
            );
            let above = block.code[..range.start].rfind('\n').map_or(0, |at| at + 1);
            let text = block.code[above..range.end].trim().to_owned();
            let action = Action::SetEnv(vec![(name.clone(), setting.value)]);
            self.push(action, &text, span, context.clone(), Confidence::Medium);
        }
        true
    }

    /// Where the file `name` goes by the words of `told` and by what the source looks for; `None`
    /// where it is none of the application's settings.
    fn place_of(&self, name: &str, told: &str) -> Option<String> {
        let file = repo::file_name(name);
        let is_known = self.is_of_settings(file) && !self.is_added_to(name, told);
        let base = |folder: &str| {
            let places = [&self.directory, &self.home];
            let place = places
                .into_iter()
                .find(|place| self.repo.has_folder(&repo::join(place, folder)));
            repo::join(place.unwrap_or(&self.home), folder)
        };
        let folder = match repo::folder_of(name.trim_start_matches("./")) {
            "." | "" => self.told_folder(told),
            folder => self.inside(folder),
        };
        if let Some(folder) = folder {
            let path = repo::join(&base(&folder), file);
            return (is_known || self.looked_for(file).contains(&path)).then_some(path);
        }
        let looked_for = self.looked_for(file);
        let own = repo::join(&self.directory, file);
        match looked_for.len() {
            _ if looked_for.contains(&own) => Some(own),
            1.. => looked_for.first().cloned(),
            // Of a file that lies elsewhere the document shows a part.
            0 if self
                .repo
                .files()
                .any(|known| repo::file_name(known) == file) =>
            {
                None
            }
            0 => is_known.then_some(own),
        }
    }

    /// Whether something is added to the file: then it may be one that was there when the document was
    /// written.
    fn is_added_to(&self, name: &str, told: &str) -> bool {
        let Some((before, _)) = told.split_once(name) else {
            return false;
        };
        let before = before.to_lowercase();
        let words = before.split_whitespace().rev();
        let mut words = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let listed = |list: &str, word: &str| {
            let known = self.catalog.list("settings", list);
            known.iter().any(|known| known == word)
        };
        let last = words.find(|word| !word.is_empty() && !listed("articles", word));
        last.is_some_and(|word| listed("into", word))
    }

    /// The path of a folder as the repository sees it: `/shop/config` of the repository "shop" is
    /// `config`.
    fn inside(&self, folder: &str) -> Option<String> {
        let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        let is_host = folder.starts_with('/');
        let named = self.catalog.list("settings", "folder-names");
        let mut tails = (0..parts.len()).map(|from| &parts[from..]);
        let found = tails.find(|tail| {
            let path = tail.join("/");
            self.repo.has_folder(&repo::join(&self.home, &path))
                || self.repo.has_folder(&repo::join(&self.directory, &path))
                || tail.len() == 1 && named.iter().any(|name| name == tail[0])
        });
        match found {
            Some(tail) => Some(tail.join("/")),
            None if is_host => None,
            None => Some(folder.trim_end_matches('/').to_owned()),
        }
    }

    /// The folder in "in the `config` folder", "inside server/", "in the root directory".
    fn told_folder(&self, text: &str) -> Option<String> {
        let is_mark = |c: char| !c.is_alphanumeric() && !"._-/".contains(c);
        let words: Vec<&str> = text
            .split_whitespace()
            .map(|word| word.trim_matches(is_mark).trim_end_matches('.'))
            .filter(|word| !word.is_empty())
            .collect();
        let listed = |list: &str, word: &str| {
            let word = word.to_lowercase();
            self.catalog.list("settings", list).contains(&word)
        };
        for (index, word) in words.iter().enumerate() {
            let is_path = word.len() > 1 && word.ends_with('/') || word.starts_with("./");
            if is_path {
                return self.inside(word.trim_start_matches("./"));
            }
            if !listed("folders", word) {
                continue;
            }
            let before = index.checked_sub(1).map(|at| words[at]);
            let after = words.get(index + 1).copied();
            for near in before.into_iter().chain(after) {
                if listed("top", near) {
                    return Some(".".to_owned());
                }
                let near = near.trim_matches('/');
                let is_there = self.repo.has_folder(&repo::join(&self.directory, near))
                    || self.repo.has_folder(&repo::join(&self.home, near));
                if !near.is_empty() && (is_there || listed("folder-names", near)) {
                    return Some(near.to_owned());
                }
            }
        }
        None
    }

    /// Whether the name is one of settings.
    fn is_of_settings(&self, file: &str) -> bool {
        let stem = file.split('.').next().unwrap_or_default().to_lowercase();
        let names = self.catalog.list("settings", "names");
        let is_name = |part: &str| names.iter().any(|name| name == part);
        is_name(&stem) || stem.split(['_', '-']).any(is_name)
    }

    /// The paths at which sources look for the file.
    fn looked_for(&self, file: &str) -> BTreeSet<String> {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let endings = self.catalog.list("settings", "sources");
        let mut found = BTreeSet::new();
        for path in self.repo.files() {
            let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
            if !endings.iter().any(|known| known == ending) {
                continue;
            }
            let Some(source) = self.repo.source(path) else {
                continue;
            };
            let folder = repo::folder_of(path);
            for (at, _) in source.text.match_indices(stem) {
                let line = source.line_text(source.line(at));
                found.extend(looked_for_in(line, folder, file, &self.home));
            }
        }
        found.retain(|path| !self.repo.has(path) && !path.starts_with(".."));
        found
    }
}

/// The path at which `line`, of a source in `folder`, looks for `file`.
fn looked_for_in(line: &str, folder: &str, file: &str, home: &str) -> Option<String> {
    let (stem, ending) = file.rsplit_once('.')?;
    // `from .local_settings import *`, `import config`.
    let trimmed = line.trim_start();
    let import = ["from ", "import "]
        .iter()
        .find_map(|word| trimmed.strip_prefix(word));
    if let Some(module) = import.filter(|_| ending == "py") {
        let module = module.split_whitespace().next()?.trim_end_matches(',');
        let dots = module.len() - module.trim_start_matches('.').len();
        let mut parts: Vec<&str> = module[dots..].split('.').collect();
        if parts.pop()? != stem {
            return None;
        }
        let package = match dots > 0 || parts.is_empty() {
            true => folder,
            false => home,
        };
        return Some(repo::join(&repo::join(package, &parts.join("/")), file));
    }
    // What stands between quotes and ends in its name: `require('../config/keys')`.
    let pieces = line.split(['"', '\'', '`']).skip(1).step_by(2);
    let is_path = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let mut pieces = pieces.filter(|piece| piece.chars().all(is_path));
    pieces.find_map(|piece| {
        let name = repo::file_name(piece);
        let is_relative = piece.starts_with("./") || piece.starts_with("../");
        match name == file || is_relative && name == stem {
            true if is_relative => Some(repo::join(folder, piece.strip_suffix(name)?))
                .map(|place| repo::join(&place, file)),
            true if piece.starts_with('/') => None,
            true => Some(repo::join(home, piece)),
            false => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_tell_where_they_look_for_a_file() {
        let place = |line: &str, file: &str| looked_for_in(line, "server/routes", file, ".");
        let found = |path: &str| Some(path.to_owned());
        assert_eq!(
            place("const keys = require('../config/keys');", "keys.js"),
            found("server/config/keys.js")
        );
        assert_eq!(
            place("open('config.json')", "config.json"),
            found("config.json")
        );
        assert_eq!(
            place("from .local_settings import *", "local_settings.py"),
            found("server/routes/local_settings.py")
        );
        assert_eq!(
            place("from shop.config import KEY", "config.py"),
            found("shop/config.py")
        );
        assert_eq!(place("const keys = require('keys');", "keys.js"), None);
        assert_eq!(place("import configparser", "config.py"), None);
        assert_eq!(place("# see config.json", "config.json"), None);
        assert_eq!(place("usage('run db.json')", "db.json"), None);
    }
}
