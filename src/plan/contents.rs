//! What an application expects to find in a service without making it itself: buckets, queues.

use std::collections::BTreeMap;

use super::{
    Origin,
    input::Input,
    services::{Known, is_read},
};
use crate::recipe::ContentsRecipe;

/// What the application expects to find in a service.
#[derive(Default)]
pub struct Contents {
    /// What is made before it starts, with who names it.
    pub made: Vec<(String, Origin)>,
    /// The environment variables that tell the application.
    pub env: BTreeMap<String, String>,
}

impl Contents {
    /// Returns `text` with `{contents}` replaced by what `recipe` says of each.
    pub fn fill(&self, recipe: &ContentsRecipe, text: &str) -> String {
        let each = self.made.iter();
        let each: Vec<String> = each
            .map(|(name, _)| recipe.each.replace("{name}", name))
            .collect();
        text.replace("{contents}", &each.join(" "))
    }

    fn make(&mut self, name: String, origin: Origin) {
        if !self.made.iter().any(|(known, _)| *known == name) {
            self.made.push((name, origin));
        }
    }
}

/// Returns what the application `name` expects: what `commands` of the documents make, what its
/// environment names, and what its code names.
///
/// Nothing is made where the code makes it itself.
pub fn contents(
    recipe: &ContentsRecipe,
    commands: Vec<(String, Origin)>,
    name: &str,
    known: &Known,
    input: &Input<'_, '_>,
) -> Contents {
    let mut contents = Contents::default();
    // `s3://photos`, `local/photos` and the URL of a queue all end in the name.
    let last = |text: &str| {
        let last = text.trim_end_matches('/').rsplit('/').next();
        last.filter(|last| recipe.name.is_match(last))
            .map(str::to_owned)
    };
    for (argument, origin) in commands {
        if let Some(name) = last(&argument) {
            contents.make(name, origin);
        }
    }
    let own = match contents.made.first() {
        Some((only, _)) if contents.made.len() == 1 => only.clone(),
        _ if recipe.name.is_match(name) => name.to_owned(),
        _ => format!("{name}-{}", recipe.what),
    };
    let names = recipe.env.iter().map(|name| (name, false));
    let urls = recipe.url_env.iter().map(|name| (name, true));
    for (var, is_url) in names.chain(urls) {
        let Some(value) = known.get(var).filter(|_| is_read(var, input)) else {
            continue;
        };
        let shown = value.as_deref().and_then(last);
        let item = shown.unwrap_or_else(|| own.clone());
        let url = recipe.url.as_ref().filter(|_| is_url);
        let value = url.map_or_else(|| item.clone(), |url| url.replace("{name}", &item));
        contents.env.insert(var.clone(), value);
        let why = format!("{var} names the {}", recipe.what);
        contents.make(item, Origin::manifest("the environment", why));
    }
    for source in input.selection.facts.sources(input.repo) {
        if recipe
            .made_by
            .iter()
            .any(|piece| source.text.contains(piece))
        {
            contents.made.clear();
            return contents;
        }
        for expression in &recipe.code {
            for found in expression.captures_iter(&source.text) {
                let found = found.name("name");
                let is_name = |found: &regex::Match<'_>| recipe.name.is_match(found.as_str());
                if let Some(found) = found.filter(is_name) {
                    let origin = Origin::in_source(&source, found.start());
                    contents.make(found.as_str().to_owned(), origin);
                }
            }
        }
    }
    contents
}
