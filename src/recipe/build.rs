//! Build script: turns the recipes into one binary catalogue, so that no run parses them again.
//!
//! What it writes is read by `built_in.rs`: the index, then each recipe as MessagePack. A recipe that
//! does not fit its kind ends the build with its file and line.

use std::{collections::BTreeSet, env, fs, path::Path};

use anyhow::{Context, anyhow, bail};
use serde::{Serialize, de::DeserializeOwned};

#[path = "expression.rs"]
#[allow(dead_code)]
mod expression;
#[path = "index.rs"]
mod index;
#[path = "model.rs"]
#[allow(dead_code)]
mod model;
#[path = "../output/path.rs"]
#[allow(dead_code)]
mod path;
#[path = "pattern.rs"]
#[allow(dead_code)]
mod pattern;
#[path = "../quote/syntax.rs"]
mod syntax;

use expression::Expression;
use index::{Index, Place};
use path::OutputPath;
use pattern::Pattern;
use syntax::Syntax;

fn main() -> anyhow::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").context("cargo names the folder of the package")?;
    let out = env::var("OUT_DIR").context("cargo names the folder for what is made")?;
    println!("cargo::rerun-if-changed=recipes");
    println!("cargo::rerun-if-changed=src/recipe");
    println!("cargo::rerun-if-changed=src/output/path.rs");
    println!("cargo::rerun-if-changed=src/quote/syntax.rs");
    let mut made = Catalogue::default();
    let recipes = Path::new(&root).join("recipes");
    for kind in sorted(&recipes)? {
        if !recipes.join(&kind).is_dir() {
            continue;
        }
        for file in sorted(&recipes.join(&kind))? {
            let path = format!("{kind}/{file}");
            let text = fs::read_to_string(recipes.join(&path))
                .with_context(|| format!("failed to read `recipes/{path}`"))?;
            let Some(path) = path.strip_suffix(".toml") else {
                bail!("`recipes/{path}` is no recipe: its name does not end in `.toml`");
            };
            made.add(&kind, path, &text)?;
            let recipe = toml::from_str(&text)?;
            files_in(&recipe, false, &mut made.files);
        }
    }
    let index = rmp_serde::to_vec(&made.index)?;
    let out = Path::new(&out);
    let mut catalogue = u32::try_from(index.len())?.to_le_bytes().to_vec();
    catalogue.extend(index);
    catalogue.extend(made.encoded);
    fs::write(out.join("catalogue.bin"), catalogue)?;
    fs::write(out.join("catalogue.toml"), made.texts)?;
    let files: Vec<String> = made.files.into_iter().collect();
    fs::write(out.join("files.txt"), files.join("\n"))?;
    Ok(())
}

/// What is made.
#[derive(Default)]
struct Catalogue {
    index: Index,
    encoded: Vec<u8>,
    texts: String,
    /// Names of the files that recipes look for, such as `package.json`.
    files: BTreeSet<String>,
}

impl Catalogue {
    fn add(&mut self, kind: &str, path: &str, text: &str) -> anyhow::Result<()> {
        let encoded = match kind {
            "runtimes" => encoded::<model::RuntimeRecipe>(path, &read(path, text)?),
            "stacks" => encoded::<model::StackRecipe>(path, &read(path, text)?),
            "frameworks" => encoded::<model::FrameworkRecipe>(path, &read(path, text)?),
            "services" => encoded::<model::ServiceRecipe>(path, &read(path, text)?),
            "tools" => {
                let tool: model::ToolRecipe = read(path, text)?;
                let id = path.split_once('/').map_or(path, |(_, id)| id);
                let names = tool.names.iter().map(|name| (name.clone(), id.to_owned()));
                self.index.tools.extend(names);
                encoded(path, &tool)
            }
            "system-packages" => encoded::<model::SystemPackageTable>(path, &read(path, text)?),
            "words" => encoded::<model::WordTable>(path, &read(path, text)?),
            "repairs" => encoded::<model::RepairRecipe>(path, &read(path, text)?),
            _ => bail!("no kind of recipe is called `{kind}`"),
        }?;
        let place = Place {
            encoded: (self.encoded.len(), self.encoded.len() + encoded.len()),
            text: (self.texts.len(), self.texts.len() + text.len()),
        };
        self.encoded.extend(encoded);
        self.texts.push_str(text);
        self.index.recipes.insert(path.to_owned(), place);
        Ok(())
    }
}

/// Gathers the names of files in `value`; `is_file` where the key above it says that it names some.
/// Of a pattern such as `config/*.yml` no name is known.
fn files_in(value: &toml::Value, is_file: bool, files: &mut BTreeSet<String>) {
    match value {
        toml::Value::String(path) if is_file => {
            let name = path.rsplit('/').next().unwrap_or(path);
            if !name.is_empty() && !name.contains(['*', '?', '[', '{', '}', '\n']) {
                files.insert(name.to_owned());
            }
        }
        toml::Value::Array(values) => {
            for value in values {
                files_in(value, is_file, files);
            }
        }
        toml::Value::Table(table) => {
            for (key, value) in table {
                let is_file = ["file", "files", "manifest", "manifests"].contains(&key.as_str());
                files_in(value, is_file, files);
            }
        }
        _ => {}
    }
}

/// Returns the names in `folder`, sorted, so that the same recipes give the same catalogue.
fn sorted(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn read<T: DeserializeOwned>(path: &str, text: &str) -> anyhow::Result<T> {
    toml::from_str(text).map_err(|error| anyhow!("recipes/{path}.toml: {error}"))
}

/// Fields go by their names where one may be left out, in [`model::Edit`].
fn encoded<T: Serialize>(path: &str, recipe: &T) -> anyhow::Result<Vec<u8>> {
    let encoded = match path.starts_with("repairs/") {
        true => rmp_serde::to_vec_named(recipe),
        false => rmp_serde::to_vec(recipe),
    };
    encoded.with_context(|| format!("failed to encode `recipes/{path}.toml`"))
}
